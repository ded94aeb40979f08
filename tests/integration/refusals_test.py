"""What two parsers could read differently is refused before any decision, and the line is cut."""

import pytest

from support.http_text import build_request

BIG = "x" * 20_000
GET = b"GET /api/kernels HTTP/1.1\r\nHost: ep.test\r\n"
SMUGGLED = b"GET /api/kernelspecs HTTP/1.1\r\nHost: ep.test\r\n\r\n"

# Name -> (bytes as sent, status). What follows a refused head is never read as a request.
HEADS = {
    "bare_lf": (b"GET /api/kernels HTTP/1.1\nHost: ep.test\n\n", 400),
    "bare_lf_in_fields": (GET + b"A: b\nC: d\r\n\r\n", 400),
    "bare_cr_in_value": (GET + b"A: b\rC: d\r\n\r\n", 400),
    "bare_cr_as_line_end": (b"GET /api/kernels HTTP/1.1\rHost: ep.test\r\n\r\n", 400),
    "cr_cr_lf": (GET + b"A: b\r\r\n\r\n", 400),
    "nul_in_value": (GET + b"A: b\0c\r\n\r\n", 400),
    "nul_in_target": (b"GET /api/ker\0nels HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "control_in_value": (GET + b"A: b\x01c\r\n\r\n", 400),
    "obs_fold": (GET + b"A: b\r\n c\r\n\r\n", 400),
    "obs_fold_tab": (GET + b"A: b\r\n\tc\r\n\r\n", 400),
    "space_before_colon": (GET + b"Content-Length : 5\r\n\r\nhello", 400),
    "tab_before_colon": (GET + b"A\t: b\r\n\r\n", 400),
    "space_before_first_field": (b"GET /api/kernels HTTP/1.1\r\n Host: ep.test\r\n\r\n", 400),
    "no_colon": (GET + b"NoColon\r\n\r\n", 400),
    "empty_name": (GET + b": value\r\n\r\n", 400),
    "bad_name": (GET + b"A(b): c\r\n\r\n", 400),
    "no_host": (b"GET /api/kernels HTTP/1.1\r\nA: b\r\n\r\n", 400),
    "two_hosts": (GET + b"Host: other.test\r\n\r\n", 400),
    "bad_host": (b"GET /api/kernels HTTP/1.1\r\nHost: ep.test/evil\r\n\r\n", 400),
    "host_with_userinfo": (b"GET /api/kernels HTTP/1.1\r\nHost: a@ep.test\r\n\r\n", 400),
    "length_and_coding": (GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "coding_and_length": (GET + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
    "two_lengths": (GET + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    "length_list": (GET + b"Content-Length: 5, 5\r\n\r\n", 400),
    "length_sign": (GET + b"Content-Length: +5\r\n\r\n", 400),
    "length_negative": (GET + b"Content-Length: -5\r\n\r\n", 400),
    "length_hex": (GET + b"Content-Length: 0x5\r\n\r\n", 400),
    "length_empty": (GET + b"Content-Length: \r\n\r\n", 400),
    "length_huge": (GET + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
    "coding_twice": (GET + 2 * b"Transfer-Encoding: chunked\r\n" + b"\r\n", None),
    "coding_chunked_not_last": (GET + b"Transfer-Encoding: chunked, gzip\r\n\r\n", None),
    "coding_obscured": (GET + b"Transfer-Encoding: \x0bchunked\r\n\r\n", 400),
    "coding_in_1_0": (b"POST /api/kernels HTTP/1.0\r\nHost: ep.test\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "coding_gzip": (GET + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "version_2_0": (b"GET /api/kernels HTTP/2.0\r\nHost: ep.test\r\n\r\n", 505),
    "version_1_2": (b"GET /api/kernels HTTP/1.2\r\nHost: ep.test\r\n\r\n", 505),
    "http_2_preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "no_version": (b"GET /api/kernels\r\n\r\n", 400),
    "bad_version": (b"GET /api/kernels HTTP/1.x\r\nHost: ep.test\r\n\r\n", 400),
    "two_spaces": (b"GET  /api/kernels HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "tab_in_line": (b"GET\t/api/kernels HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "bad_method": (b"GE@T /api/kernels HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "fragment": (b"GET /api/kernels#x HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "non_ascii_target": (b"GET /api/k\xc3\xa4 HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "relative_target": (b"GET api/kernels HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "userinfo": (b"GET https://a:b@ep.test/api/kernels HTTP/1.1\r\nHost: ep.test\r\n\r\n", 400),
    "long_target": (f"GET /{BIG} HTTP/1.1\r\nHost: ep.test\r\n\r\n".encode(), 414),
    "many_fields": (GET + b"A: b\r\n" * 200 + b"\r\n", 431),
    "large_head": (GET + b"".join(b"A%d: %s\r\n" % (i, b"v" * 9000) for i in range(12)) + b"\r\n",
                   431),
    "expect_unknown": (GET + b"Expect: 200-maybe\r\n\r\n", 417),
}
LABELS = {400: "bad_request", 414: "uri_too_long", 417: "expectation_failed",
          431: "head_too_large", 501: "not_implemented", 505: "version_not_supported"}


@pytest.mark.parametrize("name", HEADS)
def test_refused_heads(shared_stage, name):
    stage = shared_stage
    data, status = HEADS[name]
    before = stage.proxy.metrics()
    client = stage.connect()
    client.send_to_the_end(data + SMUGGLED)
    response = client.read_response()
    assert response.status == status or (status is None and response.status in (400, 501)), response
    assert response.get("Connection").lower() == "close"
    client.expect_end("close")  # nothing of what followed was answered
    said = response.json()
    assert set(said) >= {"reason", "message"} and said["reason"] and said["message"]
    assert response.get("Content-Type").startswith("application/json")
    label = LABELS[response.status]
    line = stage.proxy.wait_log(client=client.address)
    assert (line["status"], line["error"]) == (response.status, label)
    count = before.value("kernelgate_errors_total", reason=label)
    stage.proxy.wait_metric("kernelgate_errors_total", count + 1, reason=label)
    stage.gateway.assert_untouched()


@pytest.mark.parametrize("name", ["bare_lf", "nul_in_value", "length_and_coding", "obs_fold"])
def test_refusals_do_not_depend_on_how_bytes_arrive(shared_stage, name):
    client = shared_stage.connect()
    data, status = HEADS[name]
    try:
        client.send_in_pieces(data, [1])
    except ConnectionError:
        pass  # it was refused before the last byte
    assert client.read_response().status == status


# Name -> bytes of a chunked body that the reader must not guess about.
CHUNKS = {
    "size_not_hex": b"zz\r\nhello\r\n0\r\n\r\n",
    "size_signed": b"+5\r\nhello\r\n0\r\n\r\n",
    "size_0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "size_too_long": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "size_overflow": b"ffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
    "size_space": b"5 \r\nhello\r\n0\r\n\r\n",
    "bare_lf_after_size": b"5\nhello\r\n0\r\n\r\n",
    "bare_lf_in_extension": b"5;a=b\nhello\r\n0\r\n\r\n",
    "extension_too_long": b"5;" + b"a" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
    "data_too_long": b"5\r\nhello!\r\n0\r\n\r\n",
    "bare_lf_after_data": b"5\r\nhello\n0\r\n\r\n",
    "missing_size": b"\r\nhello\r\n0\r\n\r\n",
    "bare_lf_at_the_end": b"5\r\nhello\r\n0\r\n\n",
}


@pytest.mark.parametrize("name", CHUNKS)
def test_refused_chunks(open_stage, name):
    stage, client = open_stage, open_stage.connect()
    client.send_to_the_end(build_request("POST", "/upload", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
        ("Transfer-Encoding", "chunked")]) + CHUNKS[name] + SMUGGLED)
    response = client.read_response()
    assert response.status == 400 and response.get("Connection").lower() == "close"
    client.expect_end("close")
    assert stage.proxy.wait_log(status=400)["error"] == "bad_request"
    assert len(stage.proxy.log_lines()) == 1
    # The gateway may have seen the beginning, never an end of that request.
    for wire in stage.gateway.accept_waiting():
        assert b"0\r\n\r\n" not in wire.read_to_end()


def test_get_with_a_body_does_not_desynchronise(stage):
    """A body on a kernel GET is legal and meaningless: dropped or refused, never a request."""
    client = stage.connect()
    client.send(build_request("GET", "/api/kernels", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")], SMUGGLED))
    try:
        call = stage.gateway.next_call(timeout=1)
    except AssertionError:
        assert client.read_response().status in (400, 413)
    else:
        call.reply(200, b"[]")
        assert client.read_response().status == 200
    assert len(stage.gateway.requests) <= 1
    for request in stage.gateway.requests:
        assert request.target == "/api/kernels"
