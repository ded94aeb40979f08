"""What a gateway may answer and what the client gets: one table, each case with its RFC section.

Sections are of RFC 9112 (HTTP/1.1) and 9110 (HTTP semantics). Answers are read as strictly as
requests: what is not HTTP is a 502, and never the beginning of another answer.
"""

from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\n"
END = b"Content-Length: 2\r\n\r\n[]"


def ok(fields):
    return OK + fields


# Name -> (RFC and section, bytes). All are 502.
MALFORMED = {
    "not_http": ("9112 4", b"hello\r\n\r\n"),
    "empty_line_before": ("9112 4", b"\r\n" + OK + END),
    "other_protocol": ("9112 4", b"ICY 200 OK\r\n" + END),
    "lower_case_version": ("9112 2.3", b"http/1.1 200 OK\r\n" + END),
    "http_2": ("9112 2.3", b"HTTP/2.0 200 OK\r\n\r\n"),
    "http_1_2": ("9112 2.3", b"HTTP/1.2 200 OK\r\n" + END),
    "http_0_9": ("9112 2.3", b"HTTP/0.9 200 OK\r\n" + END),
    "no_status": ("9112 4", b"HTTP/1.1 OK\r\n\r\n"),
    "status_99": ("9110 15", b"HTTP/1.1 99 Low\r\n\r\n"),
    "status_099": ("9110 15", b"HTTP/1.1 099 Low\r\n\r\n"),
    "status_600": ("9110 15", b"HTTP/1.1 600 High\r\n" + END),
    "status_1000": ("9110 15", b"HTTP/1.1 1000 High\r\n\r\n"),
    "status_signed": ("9110 15", b"HTTP/1.1 +20 OK\r\n" + END),
    "two_spaces": ("9112 4", b"HTTP/1.1  200 OK\r\n" + END),
    "no_space_after_status": ("9112 4", b"HTTP/1.1 200OK\r\n" + END),
    "nul_in_reason": ("9112 4", b"HTTP/1.1 200 O\0K\r\n" + END),
    "bare_lf": ("9112 2.2", b"HTTP/1.1 200 OK\nContent-Length: 2\n\n[]"),
    "bare_cr": ("9112 2.2", ok(b"A: b\rC: d\r\n") + END),
    "split_by_bare_cr": ("9112 2.2", ok(b"Location: /a\rSet-Cookie: evil=1\r\n") + END),
    "split_by_bare_lf": ("9112 2.2", ok(b"Location: /a\nSet-Cookie: evil=1\r\n") + END),
    "split_by_cr_cr": ("9112 2.2", ok(b"A: b\r\r\n\r\nHTTP/1.1 200 OK\r\n") + END),
    "obs_fold": ("9112 5.2", ok(b"A: b\r\n c\r\n") + END),
    "obs_fold_tab": ("9112 5.2", ok(b"A: b\r\n\tc\r\n") + END),
    "space_before_colon": ("9112 5.1", ok(b"Content-Length : 2\r\n\r\n[]")),
    "space_before_first_field": ("9112 2.2", ok(b" A: b\r\n") + END),
    "no_colon": ("9112 5", ok(b"NoColon\r\n") + END),
    "empty_name": ("9112 5", ok(b": b\r\n") + END),
    "bad_name": ("9110 5.1", ok(b"A(b): c\r\n") + END),
    "nul": ("9110 5.5", ok(b"A: b\0c\r\n") + END),
    "control": ("9110 5.5", ok(b"A: b\x08c\r\n") + END),
    "delete": ("9110 5.5", ok(b"A: b\x7fc\r\n") + END),
    "many_fields": ("9110 5.4", ok(b"A: b\r\n" * 300) + END),
    "large_head": ("9110 5.4", ok(b"A: " + b"x" * 200_000 + b"\r\n\r\n")),
    "both_framings": ("9112 6.1", ok(b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n[]")),
    "both_framings_turned": ("9112 6.1",
                             ok(b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n[]")),
    "two_lengths": ("9112 6.3", ok(b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]")),
    "two_equal_lengths": ("9112 6.3", ok(b"Content-Length: 2\r\n") + END),
    "length_list": ("9112 6.3", ok(b"Content-Length: 2, 2\r\n\r\n[]")),
    "length_signed": ("9110 8.6", ok(b"Content-Length: +2\r\n\r\n[]")),
    "length_hex": ("9110 8.6", ok(b"Content-Length: 0x2\r\n\r\n[]")),
    "length_empty": ("9110 8.6", ok(b"Content-Length:\r\n\r\n[]")),
    "length_huge": ("9110 8.6", ok(b"Content-Length: 18446744073709551616\r\n\r\n[]")),
    "unknown_coding": ("9112 6.1", ok(b"Transfer-Encoding: gzip\r\n\r\nxx")),
    "coding_gzip_chunked": ("9112 6.1", ok(b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
    "coding_twice": ("9112 6.1", ok(2 * b"Transfer-Encoding: chunked\r\n" + b"\r\n0\r\n\r\n")),
    "coding_not_last": ("9112 6.1", ok(b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n")),
    "coding_identity": ("9112 7", ok(b"Transfer-Encoding: identity\r\n\r\n[]")),
    "coding_empty": ("9112 6.1", ok(b"Transfer-Encoding:\r\n\r\n[]")),
    "coding_in_1_0": ("9112 6.1", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  b"0\r\n\r\n"),
    "switching_unasked": ("9110 15.2.2", b"HTTP/1.1 101 Switching Protocols\r\n"
                                         b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    "malformed_interim": ("9110 15.2", b"HTTP/1.1 100 Continue\r\nA : b\r\n\r\n" + OK + END),
    "endless_interims": ("9110 15.2", 40 * b"HTTP/1.1 100 Continue\r\n\r\n" + OK + END),
    "endless_hints": ("9110 15.2", 40 * b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK + END),
}


@dataclass(frozen=True)
class Relayed:
    """Reaches the client so: status, body, fields (None: absent). Ends: the gateway closes."""

    rfc: str
    sent: bytes
    status: int = 200
    body: bytes = b"[]"
    fields: dict = field(default_factory=dict)
    method: str = "GET"
    ends: bool = False
    reused: bool = True  # the gateway's connection serves the next request


VALID = {
    "plain": Relayed("9112 2.1", OK + END, fields={"Content-Length": "2", "Connection": None}),
    "no_reason": Relayed("9112 4", b"HTTP/1.1 200 \r\n" + END),
    "no_reason_and_no_space": Relayed("9112 4", b"HTTP/1.1 200\r\n" + END),
    "reason_outside_ascii": Relayed("9112 4", b"HTTP/1.1 200 \xc3\x9cber\tgut\r\n" + END),
    "unknown_status": Relayed("9110 15", b"HTTP/1.1 299 Odd\r\n" + END, 299),
    "redirect": Relayed("9110 15.4.3", b"HTTP/1.1 302 Found\r\nLocation: /login\r\n" + END, 302,
                        fields={"Location": "/login"}),
    "names_without_case": Relayed("9110 5.1", OK + b"CONTENT-LENGTH:2\r\nx-a:b\r\n\r\n[]",
                                  fields={"X-A": "b", "Content-Length": "2"}),
    "white_space_around_values": Relayed("9110 5.5", ok(b"X-A: \t b \r\nX-B:\r\n") + END,
                                         fields={"X-A": "b", "X-B": ""}),
    "obs_text": Relayed("9110 5.5", ok(b"X-A: \xe9\r\n") + END, fields={"X-A": "\u00e9"}),
    "dated": Relayed("9110 6.6.1", ok(b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") + END,
                     fields={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}),
    "named_fields": Relayed("9110 7.6.1", ok(b"Connection: X-Mine, X-Request-Id\r\nX-Mine: 1\r\n") +
                            END, fields={"X-Mine": None, "Connection": None}),
    "close": Relayed("9112 9.6", ok(b"Connection: close\r\n") + END, reused=False,
                     fields={"Connection": None}),
    "via": Relayed("9110 7.6.3", ok(b"Via: 1.1 inner\r\n") + END, fields={"Via": "1.1 inner"}),
    # Framing.
    "length_0": Relayed("9112 6.3", ok(b"Content-Length: 0\r\n\r\n"), body=b""),
    "length_with_zeros": Relayed("9110 8.6", ok(b"Content-Length: 0002\r\n\r\n[]"),
                                 fields={"Content-Length": "2"}),
    "chunked": Relayed("9112 7.1", ok(b"transfer-encoding: Chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n"
                                      b"0\r\n\r\n")),
    "chunk_extensions": Relayed("9112 7.1.1", ok(b"Transfer-Encoding: chunked\r\n\r\n"
                                                 b'2 ;a="b"\r\n[]\r\n0;c\r\n\r\n')),
    "trailers": Relayed("9110 6.5.1", ok(b"Trailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         b"2\r\n[]\r\n0\r\nX-T: 1\r\nSet-Cookie: a=b\r\n\r\n"),
                        fields={"Trailer": None, "X-T": None, "Set-Cookie": None}),
    "until_close": Relayed("9112 6.3", OK + b"\r\n[]", ends=True, reused=False),
    "http_1_0": Relayed("9112 2.3", b"HTTP/1.0 200 OK\r\n\r\n[]", ends=True, reused=False),
    "http_1_0_sized": Relayed("9112 9.3", b"HTTP/1.0 200 OK\r\n" + END, reused=False),
    "http_1_0_kept": Relayed("9112 9.3", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + END),
    # Answers without a body, whatever they say of its length.
    "no_content": Relayed("9110 15.3.5", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "no_content_with_length": Relayed("9110 8.6", b"HTTP/1.1 204 No Content\r\n"
                                      b"Content-Length: 0\r\n\r\n", 204, b"",
                                      {"Content-Length": None}),
    "no_content_with_content": Relayed("9112 6.3", b"HTTP/1.1 204 No Content\r\n"
                                       b"Content-Length: 4\r\n\r\nevil", 204, b"",
                                       {"Content-Length": None}, reused=False),
    "not_modified": Relayed("9110 15.4.5", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n"
                            b'ETag: "x"\r\n\r\n', 304, b"", {"ETag": '"x"', "Content-Length": "9"}),
    "head": Relayed("9110 9.3.2", ok(b"Content-Length: 12345\r\n\r\n"), 200, b"",
                    {"Content-Length": "12345"}, "HEAD"),
    "head_of_a_chunked_answer": Relayed("9112 6.3", ok(b"Transfer-Encoding: chunked\r\n\r\n"), 200,
                                        b"", {"Content-Length": None}, "HEAD"),
    "head_with_content": Relayed("9112 6.3", ok(b"Content-Length: 4\r\n\r\nevil"), 200, b"",
                                 {"Content-Length": "4"}, "HEAD", reused=False),
    # More than the answer: it belongs to no request.
    "second_answer": Relayed("9112 9.2", 2 * (OK + END), reused=False),
    "bytes_after_the_end": Relayed("9112 9.2", OK + END + b"\r\n", reused=False),
    "bytes_after_the_chunks": Relayed("9112 9.2", ok(b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]"
                                                     b"\r\n0\r\n\r\nevil"), reused=False),
    # Interim answers.
    "continue_stays_here": Relayed("9110 15.2.1", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + END),
    "early_hints_pass": Relayed("9110 15.2", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
                                             b"Content-Length: 5\r\n\r\n" + OK + END),
    "thirty_interims": Relayed("9110 15.2", 30 * b"HTTP/1.1 102 Processing\r\n\r\n" + OK + END),
}
