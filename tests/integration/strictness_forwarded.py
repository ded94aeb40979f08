"""The rest of the request table: paths that reach nothing, and what is valid and how it goes up."""

from dataclasses import dataclass, field

from strictness_cases import AUTH, AUTHORISED, GET, HOST, LINE, ONE

from support.stage import KERNEL, PLAIN

# Below an endpoint's prefix or at its host: nothing that decodes or resolves to something else may
# pass (R16, RFC 3986 sections 2.1 and 3.3). Path -> status.
PATHS = {
    "GET /api/%6bernels": 400, "GET /api/kernels/%2e%2e": 400, "GET /api/../api/kernels": 400,
    "GET /api/./kernels": 400, "GET //api/kernels": 400, "GET /api//kernels": 400,
    "GET /api/kernels;x=1": 400, "GET /api\\kernels": 400, "GET /api/kernels/..": 400,
    f"GET /api/kernels/{KERNEL}/%63hannels": 400, f"GET /api/kernels/{KERNEL}%00": 400,
    "GET /api/kernels/%2E%2E/%2E%2E/": 400, "GET /api%2fkernels": 400, "GET /api/kernels%2F": 400,
    "GET /%2e/api/kernels": 400, "GET /api/kernels/..;/": 400, "GET /api/kernels/.%2e/": 400,
    "GET /api/%5ckernels": 400, "GET /api/kernels%5c..": 400, "GET /api/%c0%ae%c0%ae/kernels": 400,
    "GET /api/%e0%80%ae/kernels": 400, "GET /api/kernels%252f": 400, "GET /api/kernels/%": 400,
    "GET /api/kernels/%zz": 400, "GET /..": 400, "GET /../api/kernels": 400, "GET /.": 400,
    'GET /api/"kernels': 400, "GET /api/<kernels>": 400, "GET /api/kernels|x": 400,
    "GET /api/{kernels}": 400, "GET /api/^": 400, "GET /api/`": 400, "GET /kernelspecs/../x": 400,
    "GET https://ep.test//api/kernels": 400, "GET https://ep.test/api/%6bernels": 400,
    # Well-formed, but not of the kernel API.
    "GET /": 404, "GET /api": 404, "GET /api/sessions": 404, "GET /api/swagger.json": 404,
    "GET /api/kernels/not-an-id": 404, f"GET /api/kernels/{KERNEL}/": 404, "GET /api/kernels/": 404,
    f"POST /api/kernels/{KERNEL}/explode": 404, f"GET /api/kernels/{KERNEL}/channels/x": 404,
    "GET /api/kernelspecs/a/b": 404, "GET /kernelspecs/python3": 404, "GET /API/kernels": 404,
    f"GET /api/kernels/{'a' * 70}-b-c-d-e": 404, "GET https://ep.test": 404,
    # Known paths with other methods (RFC 9110 section 15.5.6).
    "PUT /api/kernels": 405, "DELETE /api/kernels": 405, f"POST /api/kernels/{KERNEL}": 405,
    f"PATCH /api/kernels/{KERNEL}": 405, f"GET /api/kernels/{KERNEL}/interrupt": 405,
    "POST /api/kernelspecs": 405, "DELETE /kernelspecs/python3/logo.png": 405,
    f"POST /api/kernels/{KERNEL}/channels": 405, f"HEAD /api/kernels/{KERNEL}/restart": 405,
}

# From endpoint /ep towards endpoint /two of the same host, with a session for /ep alone.
CROSSINGS = [
    "/ep/../two/api/kernels", "/ep/%2e%2e/two/api/kernels", "/ep/.%2e/two/api/kernels",
    "/ep/..%2ftwo/api/kernels", "/ep%2f..%2ftwo/api/kernels", "/ep/..;/two/api/kernels",
    "/ep/..\\two\\api\\kernels", "/ep/..%5ctwo/api/kernels", "/ep//two/api/kernels",
    "//two/api/kernels", "/ep/%c0%ae%c0%ae/two/api/kernels", "/ep/%c0%af../two/api/kernels",
    "/ep;/../two/api/kernels", "/ep/./../two/api/kernels", "/ep/api/../../two/api/kernels",
    "/ep/api/kernels/../../../two/api/kernels", "/%74wo/api/kernels", "/TWO/api/kernels",
    "/two", "/two/api/kernels", "/two/../ep/api/kernels", "/./two/api/kernels",
    "/ep/two/api/kernels", "/eptwo/api/kernels", "https://ep.test/two/api/kernels",
]


@dataclass(frozen=True)
class Forwarded:
    """Goes up as this request: with these fields (None: absent) and this body."""

    rfc: str
    sent: bytes
    target: str = PLAIN
    fields: dict = field(default_factory=dict)
    body: bytes = b""
    kept: bool = True
    method: str = "GET"


POST = f"POST /api/kernels/{KERNEL}/interrupt HTTP/1.1\r\n".encode() + HOST + AUTH
INTERRUPT = {"target": f"/api/kernels/{KERNEL}/interrupt", "method": "POST"}
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
OTHER = b"/files/x"


def _get(target, *fields, version=b"1.1"):
    return b"GET " + target + b" HTTP/" + version + b"\r\n" + HOST + AUTH + b"".join(fields)


VALID = {
    "plain": Forwarded("9112 2.1", AUTHORISED + b"\r\n", fields={
        "Host": "ep.test", "Via": "1.1 kernelgate", "X-Forwarded-For": "127.0.0.1"}),
    "one_empty_line_before": Forwarded("9112 2.2", b"\r\n" + AUTHORISED + b"\r\n"),
    "two_empty_lines_before": Forwarded("9112 2.2", b"\r\n\r\n" + AUTHORISED + b"\r\n"),
    "names_without_case": Forwarded("9110 5.1", LINE + HOST.lower() + b"AUTHORIZATION:Token @TOKEN@"
                                    b"\r\nX-A:b\r\n\r\n", fields={"X-A": "b"}),
    "white_space_around_values": Forwarded("9110 5.5", AUTHORISED + b"X-A: \t b c\t \r\n\r\n",
                                           fields={"X-A": "b c"}),
    "empty_value": Forwarded("9110 5.5", AUTHORISED + b"X-A:\r\n\r\n", fields={"X-A": ""}),
    "obs_text": Forwarded("9110 5.5", AUTHORISED + b"X-A: caf\xc3\xa9\r\n\r\n",
                          fields={"X-A": "caf\u00c3\u00a9"}),
    "128_fields": Forwarded("9110 5.4", AUTHORISED + b"X-A: b\r\n" * 126 + b"\r\n"),
    "host_with_port": Forwarded("9110 7.2", LINE + b"Host: EP.test:8443\r\n" + AUTH + b"\r\n",
                                fields={"Host": "EP.test:8443"}),
    "absolute_form": Forwarded("9112 3.2.2", _get(b"https://ep.test" + ONE + b"?a=b", b"\r\n")),
    "absolute_form_of_http": Forwarded("9112 3.2.2", _get(b"HTTP://ep.test" + ONE, b"\r\n")),
    "absolute_form_overrides_host": Forwarded(
        "9112 3.2.2", b"GET https://ep.test:444" + ONE + b" HTTP/1.1\r\nHost: two.test\r\n" + AUTH +
        b"\r\n", fields={"Host": "ep.test:444", "X-Forwarded-Host": "ep.test:444"}),
    "http_1_0": Forwarded("9112 9.3", _get(ONE, b"\r\n", version=b"1.0"), kept=False,
                          fields={"Via": "1.0 kernelgate"}),
    "http_1_0_kept": Forwarded("9112 9.3", _get(ONE, b"Connection: keep-alive\r\n\r\n",
                                                version=b"1.0")),
    "http_1_0_knows_no_upgrade": Forwarded(
        "9110 7.8", _get(ONE, b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
                         version=b"1.0"), kept=False, fields={"Upgrade": None}),
    "http_1_0_knows_no_expect": Forwarded(
        "9110 10.1.1", _get(ONE, b"Expect: 100-continue\r\n\r\n", version=b"1.0"),
        kept=False, fields={"Expect": None}),
    "close": Forwarded("9112 9.6", AUTHORISED + b"Connection: x, Close\r\n\r\n", kept=False,
                       fields={"Connection": None}),
    "named_fields": Forwarded(
        "9110 7.6.1", AUTHORISED + b"Connection: X-Mine, X-Forwarded-For, Via, Host\r\n"
        b"X-Mine: 1\r\nX-Other: 2\r\n\r\n", fields={
            "X-Mine": None, "X-Other": "2", "X-Forwarded-For": "127.0.0.1", "Host": "ep.test",
            "Via": "1.1 kernelgate"}),
    "hop_by_hop": Forwarded(
        "9110 7.6.1", AUTHORISED + b"Keep-Alive: timeout=5\r\nProxy-Authorization: Basic eDp5\r\n"
        b"TE: trailers\r\nTrailer: X-T\r\nProxy-Connection: close\r\n\r\n",
        fields=dict.fromkeys(("Keep-Alive", "Proxy-Authorization", "TE", "Trailer",
                              "Proxy-Connection"))),
    "underscore_names": Forwarded("9110 5.1", AUTHORISED + b"Content_Length: 5\r\n"
                                  b"X_Forwarded_For: 6.6.6.6\r\n\r\n",
                                  fields={"Content_Length": None, "X_Forwarded_For": None}),
    "max_forwards_of_get": Forwarded("9110 7.6.2", AUTHORISED + b"Max-Forwards: 0\r\n\r\n",
                                     fields={"Max-Forwards": None}),
    "max_forwards_of_options": Forwarded(
        "9110 7.6.2", b"OPTIONS " + OTHER + b" HTTP/1.1\r\n" + HOST + AUTH +
        b"Max-Forwards: 5\r\n\r\n", target="/files/x", method="OPTIONS",
        fields={"Max-Forwards": "4"}),
    "upgrade_to_http_2": Forwarded(
        "7540 3.2", AUTHORISED + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        fields=dict.fromkeys(("Upgrade", "Connection", "HTTP2-Settings"))),
    "upgrade_to_http_2_by_halves": Forwarded(
        "7540 3.2", AUTHORISED + b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        fields=dict.fromkeys(("Upgrade", "HTTP2-Settings"))),
    "upgrade_to_tls": Forwarded(
        "9110 7.8", AUTHORISED + b"Connection: Upgrade\r\nUpgrade: TLS/1.3\r\n\r\n",
        fields=dict.fromkeys(("Upgrade", "Connection"))),
    "websocket_where_there_is_none": Forwarded(
        "9110 7.8", AUTHORISED + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        fields=dict.fromkeys(("Upgrade", "Connection", "Sec-WebSocket-Key"))),
    # Bodies.
    "length_0": Forwarded("9112 6.3", POST + b"Content-Length: 0\r\n\r\n", **INTERRUPT),
    "length_with_zeros": Forwarded("9110 8.6", POST + b"Content-Length: 0002\r\n\r\n{}", body=b"{}",
                                   fields={"Content-Length": "2"}, **INTERRUPT),
    "chunked": Forwarded("9112 7.1", CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", body=b"{}",
                         fields={"Content-Length": None}, **INTERRUPT),
    "coding_without_case": Forwarded(
        "9112 7", POST + b"transfer-encoding:\tChunKed\r\n\r\n2\r\n{}\r\n0\r\n\r\n", body=b"{}",
        fields={"Transfer-Encoding": "chunked"}, **INTERRUPT),
    "chunk_size_in_capitals": Forwarded("9112 7.1", CHUNKED + b"0A\r\n0123456789\r\n00\r\n\r\n",
                                        body=b"0123456789", **INTERRUPT),
    "chunk_extensions": Forwarded(
        "9112 7.1.1", CHUNKED + b'2;a="b;c" ;d=e\r\n{}\r\n0;last\r\n\r\n', body=b"{}", **INTERRUPT),
    "trailers": Forwarded("9110 6.5.1", CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 9\r\nHost: x"
                          b"\r\n\r\n", body=b"{}", fields={"Host": "ep.test"}, **INTERRUPT),
    "body_of_get": Forwarded("9110 9.3.1", AUTHORISED + b"Content-Length: 2\r\n\r\n{}",
                             body=b"{}"),
    # Credentials: none but the gateway's own goes up (J6).
    "token_in_the_query": Forwarded(
        "J6", _get(ONE + b"?token=@TOKEN@&%74oken=@TOKEN@;tok%65n=@TOKEN@", b"\r\n")),
    "session_in_the_query": Forwarded(
        "J6", b"GET " + ONE + b"?%74oken=@TOKEN@ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "token_in_another_query": Forwarded(
        "J6", _get(b"/files/x?a=1&%74oken=@TOKEN@;b=2&tok%65n=@TOKEN@&+token=3", b"\r\n"),
        target="/files/x?a=1;b=2&+token=3"),
    "form_as_an_interrupt": Forwarded(
        "J6", POST + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\n"
        b"token=x", body=b"token=x", fields={"Content-Type": "application/json"}, **INTERRUPT),
    "multipart_as_an_interrupt": Forwarded(
        "J6", POST + b"Content-Type: multipart/form-data; boundary=a\r\n"
        b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n--a\r\n0\r\n\r\n",
        body=b"--a", fields={"Content-Type": "application/json"}, **INTERRUPT),
    "form_type_without_body": Forwarded(
        "9110 8.3", _get(OTHER, b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"),
        target="/files/x"),
    "another_body_of_another_path": Forwarded(
        "9110 8.3", b"PUT /files/x HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: text/plain\r\n"
        b"Content-Length: 7\r\n\r\ntoken=x", target="/files/x", method="PUT", body=b"token=x",
        fields={"Content-Type": "text/plain"}),
    "via": Forwarded("9110 7.6.3", GET + AUTH + b"Via: 2 alb.test\r\n\r\n"),
}
