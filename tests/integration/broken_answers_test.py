"""An answer that breaks off: never repeated, never made to look whole."""

import pytest

from support.http_text import build_request
from support.stage import KERNEL


@pytest.mark.parametrize("part", [b"HTTP/1.1 204 No Con", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_a_request_is_not_repeated_once_a_byte_of_its_answer_came(stage, part):
    client = stage.connect()
    stage.get(client=client)  # a pooled connection: alone its silent end would allow a retry
    client.send_request("DELETE", f"/api/kernels/{KERNEL}", token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send(part)
    call.wire.close()
    assert client.read_response("DELETE").status == 502
    assert len(stage.gateway.requests) == 2
    stage.proxy.wait_log(operation="DeleteKernel", error="upstream_gone")


def test_an_answer_to_http_1_0_that_breaks_off_ends_without_close_notify(open_stage):
    """Its end is the end of the connection: a clean one would say that it is whole."""
    stage, client = open_stage, open_stage.connect()
    client.send(build_request("GET", "/page", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")], version="HTTP/1.0"))
    call = stage.gateway.next_call()
    call.wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n")
    client.read_until(b"only this", "the bytes that came")
    call.wire.close()
    client.expect_end("truncated")
