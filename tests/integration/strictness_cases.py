"""What a client may send and what must happen: one table, each case with its RFC section.

Sections are of RFC 9112 (HTTP/1.1), 9110 (HTTP semantics), 6455 (WebSocket), 3986 (URI) and 7540
(HTTP/2); "J6" and "R16" are facts about gateways and load balancers. Nothing ambiguous is
forwarded, nothing valid is refused. @TOKEN@ stands for a session of endpoint `ep`.
"""

from dataclasses import dataclass

from support.stage import CHANNELS, PLAIN

HOST = b"Host: ep.test\r\n"
AUTH = b"Authorization: token @TOKEN@\r\n"
ONE = PLAIN.encode()
LINE = b"GET " + ONE + b" HTTP/1.1\r\n"
GET = LINE + HOST
AUTHORISED = GET + AUTH
BIG = b"x" * 20_000


@dataclass(frozen=True)
class Refused:
    """Answered here, nothing goes up. Closed, unless the end of the request is known."""

    rfc: str
    sent: bytes
    status: int = 400
    kept: bool = False
    label: str = ""  # of the error; by default that of the status


# Heads whose end or meaning two parsers might see differently.
HEADS = {
    "bare_lf": Refused("9112 2.2", b"GET /api/kernels HTTP/1.1\nHost: ep.test\n\n"),
    "bare_lf_in_fields": Refused("9112 2.2", GET + b"A: b\nC: d\r\n\r\n"),
    "bare_lf_at_the_end": Refused("9112 2.2", GET + b"\n"),
    "bare_cr_in_value": Refused("9112 2.2", GET + b"A: b\rC: d\r\n\r\n"),
    "bare_cr_as_line_end": Refused("9112 2.2",
                                   b"GET /api/kernels HTTP/1.1\rHost: ep.test\r\n\r\n"),
    "cr_cr_lf": Refused("9112 2.2", GET + b"A: b\r\r\n\r\n"),
    "three_empty_lines_before": Refused("9112 2.2", b"\r\n\r\n\r\n" + GET + b"\r\n"),
    "bare_lf_before": Refused("9112 2.2", b"\n" + GET + b"\r\n"),
    "space_before_first_field": Refused(
        "9112 2.2", b"GET /api/kernels HTTP/1.1\r\n Host: ep.test\r\n\r\n"),
    "line_of_spaces": Refused("9112 2.2", GET + b"   \r\n\r\n"),
    "nul_in_value": Refused("9110 5.5", GET + b"A: b\0c\r\n\r\n"),
    "nul_in_name": Refused("9110 5.1", GET + b"Transfer-Encoding\0: chunked\r\n\r\n"),
    "nul_in_target": Refused("9112 3.2", b"GET /api/ker\0nels HTTP/1.1\r\nHost: ep.test\r\n\r\n"),
    "control_in_value": Refused("9110 5.5", GET + b"A: b\x01c\r\n\r\n"),
    "delete_in_value": Refused("9110 5.5", GET + b"A: b\x7fc\r\n\r\n"),
    "vertical_tab_in_value": Refused("9110 5.5", GET + b"A: b\x0bc\r\n\r\n"),
    "obs_fold": Refused("9112 5.2", GET + b"A: b\r\n c\r\n\r\n"),
    "obs_fold_tab": Refused("9112 5.2", GET + b"A: b\r\n\tc\r\n\r\n"),
    "obs_fold_of_a_coding": Refused("9112 5.2",
                                    GET + b"Transfer-Encoding:\r\n chunked\r\n\r\n"),
    "space_before_colon": Refused("9112 5.1", GET + b"Content-Length : 5\r\n\r\nhello"),
    "space_before_colon_of_a_coding": Refused("9112 5.1",
                                              GET + b"Transfer-Encoding : chunked\r\n\r\n"),
    "tab_before_colon": Refused("9112 5.1", GET + b"A\t: b\r\n\r\n"),
    "no_colon": Refused("9112 5", GET + b"NoColon\r\n\r\n"),
    "empty_name": Refused("9112 5", GET + b": value\r\n\r\n"),
    "bad_name": Refused("9110 5.1", GET + b"A(b): c\r\n\r\n"),
    "name_outside_ascii": Refused("9110 5.1", GET + b"A\xe4: c\r\n\r\n"),
    "space_in_name": Refused("9110 5.1", GET + b"A b: c\r\n\r\n"),
    "many_fields": Refused("9110 5.4", GET + b"A: b\r\n" * 128 + b"\r\n", 431),
    "large_head": Refused("9110 5.4", GET + b"".join(
        b"A%d: %s\r\n" % (i, b"v" * 9000) for i in range(12)) + b"\r\n", 431),
}

HOSTS = {
    "no_host": Refused("9112 3.2", LINE + b"A: b\r\n\r\n"),
    "two_hosts": Refused("9112 3.2", GET + b"Host: other.test\r\n\r\n"),
    "two_equal_hosts": Refused("9112 3.2", GET + HOST + b"\r\n"),
    "two_hosts_in_1_0": Refused("9112 3.2", b"GET /api/kernels HTTP/1.0\r\n" + 2 * HOST + b"\r\n"),
    "empty_host": Refused("9112 3.2", LINE + b"Host:\r\n\r\n"),
    "host_with_path": Refused("9110 7.2", LINE + b"Host: ep.test/evil\r\n\r\n"),
    "host_with_userinfo": Refused("9110 7.2", LINE + b"Host: a@ep.test\r\n\r\n"),
    "host_with_space": Refused("9110 7.2", LINE + b"Host: ep.test other.test\r\n\r\n"),
    "host_with_bad_port": Refused("9110 7.2", LINE + b"Host: ep.test:80x\r\n\r\n"),
    "host_with_large_port": Refused("9110 7.2", LINE + b"Host: ep.test:65536\r\n\r\n"),
    "host_half_bracketed": Refused("3986 3.2.2", LINE + b"Host: [::1\r\n\r\n"),
    "host_with_bad_triplet": Refused("3986 2.1", LINE + b"Host: ep%2\r\n\r\n"),
    "host_with_backslash": Refused("9110 7.2", LINE + b"Host: ep.test\\evil\r\n\r\n"),
}

# RFC 9112 section 6.3, and the request classes of load balancers (A26).
FRAMINGS = {
    "length_and_coding": Refused(
        "9112 6.1", GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "coding_and_length": Refused(
        "9112 6.1", GET + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
    "length_0_and_coding": Refused(
        "9112 6.1", GET + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "length_and_identity": Refused(
        "9112 6.1", GET + b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\nhello"),
    "two_lengths": Refused("9112 6.3", GET + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    "two_equal_lengths": Refused("9112 6.3", GET + 2 * b"Content-Length: 5\r\n" + b"\r\nhello"),
    "length_list": Refused("9112 6.3", GET + b"Content-Length: 5, 5\r\n\r\n"),
    "length_sign": Refused("9110 8.6", GET + b"Content-Length: +5\r\n\r\n"),
    "length_negative": Refused("9110 8.6", GET + b"Content-Length: -5\r\n\r\n"),
    "length_hex": Refused("9110 8.6", GET + b"Content-Length: 0x5\r\n\r\n"),
    "length_fraction": Refused("9110 8.6", GET + b"Content-Length: 5.0\r\n\r\n"),
    "length_with_inner_space": Refused("9110 8.6", GET + b"Content-Length: 1 0\r\n\r\n"),
    "length_empty": Refused("9110 8.6", GET + b"Content-Length: \r\n\r\n"),
    "length_huge": Refused("9110 8.6", GET + b"Content-Length: 99999999999999999999\r\n\r\n"),
    "coding_twice": Refused("9112 6.1", GET + 2 * b"Transfer-Encoding: chunked\r\n" + b"\r\n"),
    "coding_listed_twice": Refused("9112 6.1",
                                   GET + b"Transfer-Encoding: chunked, chunked\r\n\r\n"),
    "coding_chunked_not_last": Refused("9112 6.1",
                                       GET + b"Transfer-Encoding: chunked, gzip\r\n\r\n"),
    "coding_chunked_then_identity": Refused("9112 6.1",
                                            GET + b"Transfer-Encoding: chunked, identity\r\n\r\n"),
    "coding_obscured": Refused("9110 5.5", GET + b"Transfer-Encoding: \x0bchunked\r\n\r\n"),
    "coding_empty": Refused("9112 6.1", GET + b"Transfer-Encoding:\r\n\r\n"),
    "coding_with_comma": Refused("9112 6.1", GET + b"Transfer-Encoding: chunked,\r\n\r\n"),
    "coding_after_comma": Refused("9112 6.1", GET + b"Transfer-Encoding: , chunked\r\n\r\n"),
    "coding_quoted": Refused("9112 6.1", GET + b'Transfer-Encoding: "chunked"\r\n\r\n'),
    "coding_in_1_0": Refused("9112 6.1", b"POST /api/kernels HTTP/1.0\r\n" + HOST +
                             b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "coding_gzip": Refused("9112 6.1", GET + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "coding_gzip_chunked": Refused("9112 6.1",
                                   GET + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "coding_identity": Refused("9112 7", GET + b"Transfer-Encoding: identity\r\n\r\n", 501),
    "coding_like_chunked": Refused("9112 6.1", GET + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "coding_with_parameter": Refused("9112 7",
                                     GET + b"Transfer-Encoding: chunked;a=b\r\n\r\n", 501),
    "expect_unknown": Refused("9110 10.1.1", GET + b"Expect: 200-maybe\r\n\r\n", 417),
    "expect_two": Refused("9110 10.1.1", GET + b"Expect: 100-continue, x\r\n\r\n", 417),
}

LINES = {
    "version_0_9": Refused("9112 2.3", b"GET /api/kernels HTTP/0.9\r\n\r\n", 505),
    "version_2_0": Refused("9110 15.6.6", b"GET /api/kernels HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "version_3_0": Refused("9110 15.6.6", b"GET /api/kernels HTTP/3.0\r\n" + HOST + b"\r\n", 505),
    "version_1_2": Refused("9112 2.3", b"GET /api/kernels HTTP/1.2\r\n" + HOST + b"\r\n", 505),
    "http_2_preface": Refused("7540 3.5", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "no_version": Refused("9112 3", b"GET /api/kernels\r\n\r\n"),
    "bad_version": Refused("9112 2.3", b"GET /api/kernels HTTP/1.x\r\n" + HOST + b"\r\n"),
    "lower_case_version": Refused("9112 2.3", b"GET /api/kernels http/1.1\r\n" + HOST + b"\r\n"),
    "long_version": Refused("9112 2.3", b"GET /api/kernels HTTP/1.10\r\n" + HOST + b"\r\n"),
    "space_after_version": Refused("9112 3", b"GET /api/kernels HTTP/1.1 \r\n" + HOST + b"\r\n"),
    "two_spaces": Refused("9112 3", b"GET  /api/kernels HTTP/1.1\r\n" + HOST + b"\r\n"),
    "space_in_target": Refused("9112 3.2", b"GET /api /kernels HTTP/1.1\r\n" + HOST + b"\r\n"),
    "tab_in_line": Refused("9112 3", b"GET\t/api/kernels HTTP/1.1\r\n" + HOST + b"\r\n"),
    "bad_method": Refused("9112 3.1", b"GE@T /api/kernels HTTP/1.1\r\n" + HOST + b"\r\n"),
    "unknown_method": Refused("9110 9.1", b"BREW /api/kernels HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "lower_case_method": Refused("9110 9.1", b"get /api/kernels HTTP/1.1\r\n" + HOST + b"\r\n",
                                 501),
    "fragment": Refused("9112 3.2", b"GET /api/kernels#x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "non_ascii_target": Refused("9112 3.2", b"GET /api/k\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "overlong_utf_8": Refused("9112 3.2",
                              b"GET /api/\xc0\xae\xc0\xae/x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "relative_target": Refused("9112 3.2", b"GET api/kernels HTTP/1.1\r\n" + HOST + b"\r\n"),
    "long_target": Refused("9112 3", b"GET /" + BIG + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "userinfo": Refused("9110 4.2.4",
                        b"GET https://a:b@ep.test/api/kernels HTTP/1.1\r\n" + HOST + b"\r\n"),
    "other_scheme": Refused("9112 3.2.2", b"GET ftp://ep.test/x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "no_authority": Refused("9110 4.2.1", b"GET https:///x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "backslash_in_authority": Refused(
        "3986 3.2", b"GET https://ep.test\\@evil.test/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "authority_form_of_get": Refused("9112 3.2.3",
                                     b"GET ep.test:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "asterisk_form_of_get": Refused("9112 3.2.4", b"GET * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "connect_of_a_path": Refused("9112 3.2.3", b"CONNECT /x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "connect_without_port": Refused("9112 3.2.3", b"CONNECT ep.test HTTP/1.1\r\n" + HOST + b"\r\n"),
    "absolute_form_without_host": Refused("9112 3.2.2",
                                          b"GET https://ep.test/api/kernels HTTP/1.1\r\n\r\n"),
    # What a tunnel's bytes would be is nobody's request.
    "connect": Refused("9110 9.3.6", b"CONNECT ep.test:443 HTTP/1.1\r\n" + HOST + b"\r\n", 405),
}


def _upgrade(*fields, line=b"GET " + CHANNELS.encode() + b" HTTP/1.1\r\n", version=b"13",
             key=b"dGhlIHNhbXBsZSBub25jZQ==", protocol=b"websocket", body=b""):
    return (line + HOST + AUTH + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n" +
            b"Sec-WebSocket-Key: " + key + b"\r\nSec-WebSocket-Version: " + version + b"\r\n" +
            b"".join(fields) + b"\r\n" + body)


# The framing is clear, what is asked for is not served: the next request is welcome.
KEPT = {
    "options_asterisk": Refused("9112 3.2.4",
                                b"OPTIONS * HTTP/1.1\r\n" + HOST + AUTH + b"\r\n", 405, True),
    "trace": Refused("9110 9.3.8", b"TRACE /api/kernels HTTP/1.1\r\n" + HOST + AUTH +
                     b"Max-Forwards: 0\r\n\r\n", 405, True),
    "options_of_an_operation": Refused(
        "9110 9.3.7", b"OPTIONS /api/kernels HTTP/1.1\r\n" + HOST + AUTH + b"\r\n", 405, True),
    "options_that_ends_here": Refused(
        "9110 7.6.2", b"OPTIONS /files HTTP/1.1\r\n" + HOST + AUTH + b"Max-Forwards: 0\r\n\r\n",
        405, True),
    "form_as_a_kernel_start": Refused(
        "J6", b"POST /api/kernels HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: "
        b"application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\ntoken=x&a=bc", 400, True,
        "launch_malformed"),
    "no_session": Refused("9110 15.5.2", GET + b"\r\n", 401, True),
    "basic_credentials": Refused("9110 11.4", GET + b"Authorization: Basic eDp5\r\n\r\n", 401,
                                 True),
    "two_credentials": Refused("9110 11.6.2", AUTHORISED + AUTH + b"\r\n", 400, True),
    "http_2_cleartext_upgrade_of_a_websocket": Refused("7540 3.2", _upgrade(protocol=b"h2c"), 426,
                                                       True),
    "channels_without_upgrade": Refused(
        "6455 4.2.1", b"GET " + CHANNELS.encode() + b" HTTP/1.1\r\n" + HOST + AUTH + b"\r\n", 426,
        True),
    "websocket_version_8": Refused("6455 4.2.2", _upgrade(version=b"8"), 426, True),
    "websocket_key_too_short": Refused("6455 4.1", _upgrade(key=b"AAAA"), 400, True),
    "two_websocket_keys": Refused("6455 4.1", _upgrade(
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400, True),
    "websocket_by_post": Refused("6455 4.1", _upgrade(
        line=b"POST " + CHANNELS.encode() + b" HTTP/1.1\r\n"), 405, True),
}

# A body that nobody reads: what follows it cannot be told from it, so the connection ends.
KEPT_NOT = {
    "put": Refused("9110 15.5.6", b"PUT /api/kernels HTTP/1.1\r\n" + HOST + AUTH +
                   b"Content-Length: 2\r\n\r\n{}", 405),
    "websocket_with_a_body": Refused("6455 4.1", _upgrade(b"Content-Length: 5\r\n")),
    "websocket_with_chunks": Refused("6455 4.1", _upgrade(b"Transfer-Encoding: chunked\r\n")),
    "form_of_another_path": Refused(
        "J6", b"POST /files HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: "
        b"application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: 7\r\n\r\ntoken=x",
        415),
    "multipart_form_of_another_path": Refused(
        "J6", b"POST /files HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: Multipart/Form-Data; "
        b"boundary=a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntoken\r\n0\r\n\r\n", 415),
}

# Bytes of a chunked body that the reader must not guess about (RFC 9112 section 7.1), both ways.
CHUNKS = {
    "size_not_hex": b"zz\r\nhello\r\n0\r\n\r\n",
    "size_signed": b"+5\r\nhello\r\n0\r\n\r\n",
    "size_negative": b"-5\r\nhello\r\n0\r\n\r\n",
    "size_0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "size_too_long": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "size_overflow": b"ffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
    "size_space": b"5 \r\nhello\r\n0\r\n\r\n",
    "space_before_size": b" 5\r\nhello\r\n0\r\n\r\n",
    "bare_lf_after_size": b"5\nhello\r\n0\r\n\r\n",
    "bare_cr_after_size": b"5\rhello\r\n0\r\n\r\n",
    "bare_lf_in_extension": b"5;a=b\nhello\r\n0\r\n\r\n",
    "nul_in_extension": b"5;a=\0\r\nhello\r\n0\r\n\r\n",
    "extension_too_long": b"5;" + b"a" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
    "data_too_long": b"5\r\nhello!\r\n0\r\n\r\n",
    "data_too_short": b"6\r\nhello\r\n0\r\n\r\n",
    "bare_lf_after_data": b"5\r\nhello\n0\r\n\r\n",
    "missing_size": b"\r\nhello\r\n0\r\n\r\n",
    "bare_lf_at_the_end": b"5\r\nhello\r\n0\r\n\n",
    "obs_fold_in_trailer": b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
    "trailer_without_colon": b"5\r\nhello\r\n0\r\nA\r\n\r\n",
    "trailer_too_long": b"5\r\nhello\r\n0\r\nA: " + b"b" * 9000 + b"\r\n\r\n",
}
