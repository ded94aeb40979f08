"""However one side of a WebSocket ends, the other is told, promptly and after all it was sent.

A lost gateway is not looked for here: websocket_reconnect_test.py does that.
"""

import time

import pytest

from support.frames import BINARY
from support.stage import CHANNELS, PLAIN


@pytest.fixture
def stage(make_stage):
    return make_stage(endpoint={"gateway": {"websocket_reconnect": "off"}})


def test_gateway_gone_is_1011_with_a_reason(stage):
    mine, upstream = stage.websocket()
    upstream.send_text("before the end")
    started = time.monotonic()
    upstream.wire.close()
    assert mine.read_text() == "before the end"
    closing = mine.read_close()
    assert closing.close_code == 1011 and closing.close_reason
    assert time.monotonic() - started < 1
    mine.send_close(1011)
    mine.wire.expect_end("close")
    mine.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert line["close_code"] in (1006, 1011) and line["closed_by"] == "upstream"
    assert line["error"] in ("upstream_gone", "upstream_reset")
    stage.moved("kernelgate_errors_total", reason=line["error"], endpoint="ep")


def test_gateway_reset_is_1011_with_a_reason(stage):
    mine, upstream = stage.websocket()
    started = time.monotonic()
    upstream.wire.reset()
    closing = mine.read_close()
    assert closing.close_code == 1011 and closing.close_reason
    assert time.monotonic() - started < 1
    mine.wire.close()
    assert stage.proxy.wait_log(operation="ConnectKernel")["closed_by"] == "upstream"


def test_a_gateway_that_hangs_up_on_a_close_is_no_fault(stage):
    """Many servers do so on a Close that they do not like; the client knows what it said."""
    mine, upstream = stage.websocket()
    mine.send_close(1000)
    assert upstream.read_close().close_code == 1000
    upstream.wire.close()
    mine.wire.expect_end("close")
    mine.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["closed_by"], line["close_code"]) == ("client", 1000) and "error" not in line
    stage.unmoved("kernelgate_errors_total")


def test_gateway_gone_inside_a_frame_injects_nothing(stage):
    """A Close may stand only between frames: in the middle of one the transport just ends."""
    mine, upstream = stage.websocket()
    partial = upstream.encode(BINARY, b"half of a message")[:10]
    upstream.wire.send(partial)
    assert mine.wire.read_exact(10, "the part that came") == partial
    upstream.wire.close()
    mine.wire.expect_end(None)
    mine.wire.close()
    assert stage.proxy.wait_log(operation="ConnectKernel")["closed_by"] == "upstream"


def test_client_gone_ends_the_gateways_side(stage):
    mine, upstream = stage.websocket()
    mine.send_text("before the end")
    mine.wire.close()
    assert upstream.read_text() == "before the end"
    rest = upstream.wire.read_to_end()
    if rest:  # a Close of the proxy's own is welcome, masked like a client's
        assert rest[0] == 0x88 and rest[1] & 0x80, rest
    upstream.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert line["closed_by"] == "client"
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")


def test_client_reset_ends_the_gateways_side(stage):
    mine, upstream = stage.websocket()
    mine.wire.reset()
    rest = upstream.wire.read_to_end()
    assert not rest or rest[0] == 0x88
    upstream.wire.close()
    assert stage.proxy.wait_log(operation="ConnectKernel")["closed_by"] == "client"


def test_client_reset_after_the_gateway_has_ended(stage):
    """The loss of the second side ends the relay in the same call that reports it."""
    mine, upstream = stage.websocket()
    upstream.send_close(1000)
    upstream.wire.half_close()
    assert mine.read_close().close_code == 1000
    mine.wire.reset()
    assert stage.proxy.wait_log(operation="ConnectKernel")["close_code"] == 1000
    upstream.wire.expect_end(None)


def test_after_the_clients_half_close_answers_still_arrive(stage):
    mine, upstream = stage.websocket()
    mine.send_text("question")
    mine.send_close(1000)
    mine.wire.half_close()
    assert upstream.read_text() == "question"
    assert upstream.read_close().close_code == 1000
    for i in range(20):
        upstream.send_text(f"answer {i}")
    upstream.send_close(1000)
    upstream.wire.close()
    assert [mine.read_text() for _ in range(20)] == [f"answer {i}" for i in range(20)]
    assert mine.read_close().close_code == 1000
    mine.wire.expect_end("close")


def test_after_the_gateways_half_close_bytes_still_go_up(stage):
    mine, upstream = stage.websocket()
    upstream.send_text("that was all")
    upstream.send_close(1001, "going")
    upstream.wire.half_close()
    assert mine.read_text() == "that was all"
    assert mine.read_close().close_code == 1001
    mine.send_text("one more")
    mine.send_close(1001)
    assert upstream.read_text() == "one more"
    assert upstream.read_close().close_code == 1001
    mine.wire.close()
    upstream.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel", timeout=15)
    assert line["close_code"] == 1001


def test_a_half_closed_side_is_not_kept_for_ever(stage):
    mine, upstream = stage.websocket()
    started = time.monotonic()
    mine.wire.half_close()
    upstream.wire.read_to_end(timeout=8)  # the proxy ends it, though the gateway says nothing
    mine.wire.read_to_end(timeout=8)
    assert time.monotonic() - started < 7
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")


def test_a_megabyte_before_the_close_arrives_whole(stage):
    mine, upstream = stage.websocket()
    for i in range(16):
        upstream.send(BINARY, bytes([i]) * 65536)
    upstream.send_close(1000, "done")
    upstream.wire.close()
    for i in range(16):
        assert mine.read().payload == bytes([i]) * 65536
    assert mine.read_close().close_reason == "done"


def test_a_gateway_that_dies_under_many_websockets(stage):
    pairs = [stage.websocket() for _ in range(20)]
    started = time.monotonic()
    stage.gateway.kill()
    for mine, _ in pairs:
        assert mine.read_close().close_code == 1011
    assert time.monotonic() - started < 1 + 2  # 1 s is promised for one; the test reads in turn
    for mine, _ in pairs:
        mine.wire.close()
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")
    stage.proxy.wait_log(count=20, operation="ConnectKernel", closed_by="upstream")


@pytest.mark.parametrize("order", ["client", "gateway"])
def test_nothing_is_left_behind(stage, order):
    files = None
    for turn in range(12):
        mine, upstream = stage.websocket()
        mine.send_text("x")
        assert upstream.read_text() == "x"
        (mine if order == "client" else upstream).wire.close()
        (upstream if order == "client" else mine).wire.read_to_end()
        (upstream if order == "client" else mine).wire.close()
        stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")
        if turn in (4, 11):
            stage.wait_quiet()
        if turn == 4:
            files = stage.proxy.open_files()
    assert stage.proxy.open_files() <= files + 2


def test_an_answer_with_upgrade_is_not_reused(stage):
    """The connection of a WebSocket never returns to the pool."""
    mine, upstream = stage.websocket()
    mine.wire.close()
    upstream.wire.read_to_end()
    upstream.wire.close()
    stage.get()
    assert stage.gateway.requests[-1].target == PLAIN
    assert stage.gateway.requests[0].target == CHANNELS
