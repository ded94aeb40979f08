"""websocket.message_bytes_max: what is too large is not passed on, and both sides hear why."""

import pytest

from support.frames import BINARY, CONTINUATION, PING, TEXT

MAX = 4096
KEYS = {"websocket": {"message_bytes_max": "4KiB"}}


@pytest.fixture
def limited(make_stage):
    return make_stage(config=KEYS)


def test_a_message_of_that_size_passes_both_ways(limited):
    mine, upstream = limited.websocket()
    for sender, receiver in ((mine, upstream), (upstream, mine)):
        for _ in range(3):  # each message counts anew
            sender.send(BINARY, b"a" * MAX)
            assert receiver.read().payload == b"a" * MAX
            sender.send(TEXT, b"b" * 4000, fin=False)
            sender.send(PING, b"p" * 125)  # control frames are not part of a message
            sender.send(CONTINUATION, b"b" * 96)
            assert [len(receiver.read().payload) for _ in range(3)] == [4000, 125, 96]
    limited.unmoved("kernelgate_errors_total")


def expect_end(stage, error, close_code):
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["error"], line["closed_by"], line["close_code"]) == (error, "proxy", close_code)
    stage.moved("kernelgate_errors_total", reason=error, endpoint="ep")
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")


def test_a_client_that_sends_more_is_told_1009(limited):
    mine, upstream = limited.websocket()
    mine.wire.send(mine.encode(TEXT, b"fine") + mine.encode(BINARY, b"a" * (MAX + 1)))
    closing = mine.read_close()
    assert closing.close_code == 1009 and "message_bytes_max" in closing.close_reason
    assert upstream.read_text() == "fine"
    assert upstream.read_close().close_code == 1001
    upstream.wire.expect_end("close")
    upstream.wire.close()
    mine.wire.expect_end("close")
    expect_end(limited, "message_too_large", 1009)


def test_a_gateway_that_sends_more_is_told_1009(limited):
    mine, upstream = limited.websocket()
    upstream.wire.send(upstream.encode(TEXT, b"fine") + upstream.encode(BINARY, b"a" * 70_000))
    assert mine.read_text() == "fine"
    closing = mine.read_close()
    assert closing.close_code == 1011 and "message_bytes_max" in closing.close_reason
    mine.wire.expect_end("close")
    mine.wire.close()
    assert upstream.read_close().close_code == 1009
    expect_end(limited, "upstream_message_too_large", 1011)


@pytest.mark.parametrize("side", ["client", "gateway"])
def test_fragments_count_together(limited, side):
    mine, upstream = limited.websocket()
    sender, receiver = (mine, upstream) if side == "client" else (upstream, mine)
    sender.send(BINARY, b"a" * 3000, fin=False)
    assert len(receiver.read().payload) == 3000
    sender.send(CONTINUATION, b"a" * 1000, fin=False)
    assert len(receiver.read().payload) == 1000
    sender.send(CONTINUATION, b"a" * 97)
    assert receiver.read_close().close_code == (1001 if side == "client" else 1011)
    assert sender.read_close().close_code == 1009


def test_a_huge_length_is_refused_before_its_bytes_come(limited):
    mine, upstream = limited.websocket()
    mine.wire.send(b"\x82\xff" + (1 << 40).to_bytes(8, "big") + b"mask")
    assert mine.read_close().close_code == 1009
    assert upstream.read_close().close_code == 1001


def test_a_header_that_began_to_pass_allows_no_close(limited):
    """A Close may stand only between frames; here one has begun already."""
    mine, upstream = limited.websocket()
    mine.wire.send(b"\x82")
    assert upstream.wire.read_exact(1, "the first byte of a header") == b"\x82"
    mine.wire.send(b"\xff" + (1 << 40).to_bytes(8, "big") + b"mask")
    assert mine.read_close().close_code == 1009
    upstream.wire.expect_end("close")


def test_bytes_after_the_refused_one_go_nowhere(limited):
    mine, upstream = limited.websocket()
    mine.wire.send_to_the_end(mine.encode(BINARY, b"a" * 1_000_000) + mine.encode(TEXT, b"more"))
    assert mine.read_close().close_code == 1009
    assert upstream.read_close().close_code == 1001
    upstream.wire.expect_end("close")
