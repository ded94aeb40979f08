"""The proxy pings who is silent, takes the pongs out again, and ends what is dead."""

import threading
import time

import pytest

from support import frames
from support.frames import BINARY, CONTINUATION, PING, PONG, TEXT
from support.scripted_gateway import ScriptedGateway
from support.waiting import GaveUp, wait_until

LONG = "600s"  # nobody dies of it here


def websocket_keys(ping_after="200ms", client=LONG, gateway=LONG):
    return {"websocket": {"ping_after": ping_after, "client_dead_after": client,
                          "gateway_dead_after": gateway}}


def read_past_pings(end):
    """The next frame that is no ping of the proxy's."""
    while (frame := end.read()).opcode == PING:
        assert len(frame.payload) == 8
    return frame


def test_a_silent_side_is_pinged_and_its_pong_goes_no_further(make_stage):
    stage = make_stage(config=websocket_keys())
    mine, upstream = stage.websocket()
    # Masked towards the gateway only: WebSocketEnd.read checks it.
    pings = {end: end.read() for end in (mine, upstream)}
    for end, other in ((mine, upstream), (upstream, mine)):
        ping = pings[end]
        assert ping.opcode == PING and len(ping.payload) == 8 and ping.fin and not ping.rsv
        end.send(PONG, ping.payload)
        end.send_text("after the pong")
        assert read_past_pings(other) == frames.Frame(TEXT, b"after the pong", masked=end is mine)
    for side in ("client", "upstream"):
        wait_until(lambda: stage.proxy.metrics().value(
            "kernelgate_websocket_pings_total", side=side) >= 1, f"a ping to the {side}")
        stage.moved("kernelgate_websocket_ping_seconds_count", side=side)


@pytest.mark.parametrize("side", ["client", "gateway"])
def test_a_pong_in_pieces_is_taken_out_whole(make_stage, side):
    stage = make_stage(config=websocket_keys())
    mine, upstream = stage.websocket()
    end, other = (mine, upstream) if side == "client" else (upstream, mine)
    for _ in range(3):
        ping = end.read()
        assert ping.opcode == PING
        data = (end.encode(TEXT, b"one") + end.encode(PONG, ping.payload)
                + end.encode(PONG, b"not ours") + end.encode(TEXT, b"two"))
        end.wire.send_in_pieces(data, [1])
        seen = [read_past_pings(other) for _ in range(3)]
        assert [(f.opcode, f.payload) for f in seen] == [
            (TEXT, b"one"), (PONG, b"not ours"), (TEXT, b"two")]


def test_who_talks_is_not_pinged(make_stage):
    stage = make_stage(config=websocket_keys("2s"))
    mine, upstream = stage.websocket()
    wait_a_moment = threading.Event()
    # The gateway says nothing and gets its ping; until then the client never stopped talking.
    end = time.monotonic() + 10
    while time.monotonic() < end:
        mine.send_text("I am here")
        if upstream.read().opcode == PING:
            break
        wait_a_moment.wait(0.05)
    else:
        pytest.fail("the gateway was never pinged")
    stage.unmoved("kernelgate_websocket_pings_total", side="client")
    assert not mine.wire.readable()


def test_a_ping_of_the_other_end_is_enough(make_stage):
    stage = make_stage(config=websocket_keys())
    mine, upstream = stage.websocket()
    upstream.send(PING, b"from the gateway")
    assert mine.read() == frames.Frame(PING, b"from the gateway")
    mine.wire.expect_open_and_silent(0.8)
    stage.unmoved("kernelgate_websocket_pings_total", side="client")
    mine.send(PONG, b"from the gateway")
    pong = read_past_pings(upstream)
    assert (pong.opcode, pong.payload) == (PONG, b"from the gateway")
    assert mine.read().opcode == PING, "now nothing waits for an answer any more"


def test_pings_stand_between_frames_only(make_stage):
    stage = make_stage(config=websocket_keys())
    mine, upstream = stage.websocket()
    first = upstream.encode(TEXT, b"first half ", fin=False)
    upstream.wire.send(first[:5])
    assert mine.wire.read_exact(5, "the beginning of a frame") == first[:5]
    mine.wire.expect_open_and_silent(0.6)  # due for long
    upstream.wire.send(first[5:])
    assert mine.wire.read_exact(len(first) - 5, "its rest") == first[5:]
    assert mine.read().opcode == PING, "between two fragments a control frame may stand"
    upstream.send(CONTINUATION, b"second half")
    assert read_past_pings(mine) == frames.Frame(CONTINUATION, b"second half")


def test_a_dead_client_is_said_to_the_gateway(make_stage):
    stage = make_stage(config=websocket_keys("100ms", client="500ms"))
    mine, upstream = stage.websocket()
    started = time.monotonic()
    closing = read_past_pings(upstream)
    assert closing.close_code == 1001 and "silent" in closing.close_reason
    assert time.monotonic() - started >= 0.5 - 0.05
    upstream.wire.expect_end("close")
    upstream.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["error"], line["closed_by"], line["close_code"]) == (
        "client_silent", "proxy", 1001)
    stage.moved("kernelgate_errors_total", reason="client_silent", endpoint="ep")
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")
    stage.wait_quiet()  # and the dead one's connection is gone too
    mine.wire.read_to_end()


def test_a_dead_gateway_is_said_to_the_client(make_stage):
    stage = make_stage(config=websocket_keys("100ms", gateway="500ms"))
    mine, upstream = stage.websocket()
    closing = read_past_pings(mine)
    assert closing.close_code == 1011 and "silent" in closing.close_reason
    mine.wire.expect_end("close")
    mine.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["error"], line["closed_by"], line["close_code"]) == (
        "upstream_silent", "proxy", 1011)
    stage.moved("kernelgate_errors_total", reason="upstream_silent", endpoint="ep")
    upstream.wire.read_to_end()


def test_any_byte_proves_life(make_stage):
    """Even those of a frame that never gets whole."""
    stage = make_stage(config=websocket_keys("300ms", client="3s"))
    mine, upstream = stage.websocket()
    mine.wire.send(mine.encode(BINARY, b"z" * 100)[:6])
    never, end = threading.Event(), time.monotonic() + 5
    while time.monotonic() < end:
        mine.wire.send(b"z")
        never.wait(0.1)
    stage.proxy.wait_metric("kernelgate_websockets_open", 1, endpoint="ep")
    stage.unmoved("kernelgate_websocket_pings_total", side="client")


def test_where_frames_are_lost_nothing_is_injected(make_stage):
    stage = make_stage(config=websocket_keys("100ms", client="500ms", gateway="500ms"))
    mine, upstream = stage.websocket()
    lost = b"\x82\x7f" + b"\xff" * 8
    mine.wire.send(lost)
    assert upstream.wire.read_exact(10, "what is no frame") == lost
    mine.wire.expect_open_and_silent(1.2)
    upstream.wire.expect_open_and_silent()
    stage.unmoved("kernelgate_websocket_pings_total")


def fill(mine):
    """The client sends until the proxy, whose gateway does not read, takes no more."""
    frame = mine.encode(BINARY, b"o" * 65536)
    with pytest.raises(GaveUp):
        while True:
            mine.wire.send(frame, timeout=1)


def blocked_stage(make_stage, **keys):
    return make_stage(gateway=ScriptedGateway(receive_buffer=65536), config=websocket_keys(**keys))


def test_who_is_not_read_is_not_dead(make_stage):
    stage = blocked_stage(make_stage, ping_after="100ms", client="500ms")
    mine, upstream = stage.websocket()
    fill(mine)
    threading.Event().wait(1.5)
    stage.proxy.wait_metric("kernelgate_websockets_open", 1, endpoint="ep")
    stage.unmoved("kernelgate_errors_total", reason="client_silent")
    assert read_past_pings(upstream).payload == b"o" * 65536


def test_a_client_that_resets_while_it_is_not_read_is_noticed(make_stage):
    stage = blocked_stage(make_stage)
    mine, upstream = stage.websocket()
    fill(mine)
    mine.wire.reset()
    assert stage.proxy.wait_log(operation="ConnectKernel")["closed_by"] == "client"
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")


def test_a_gateway_that_takes_nothing_ends_a_client_that_has_left(make_stage):
    stage = blocked_stage(make_stage, ping_after="100ms", gateway="4s")
    mine, upstream = stage.websocket()
    fill(mine)
    mine.wire.sock.fin_without_close_notify()  # which waits behind what is not read
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["error"], line["closed_by"]) == ("upstream_silent", "proxy")
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")


def test_who_takes_is_not_dead(make_stage):
    """A slow reader says nothing, and our ping waits behind what it has not read yet."""
    stage = make_stage(config=websocket_keys("100ms", client="1500ms"))
    mine, upstream = stage.websocket(client=stage.connect(receive_buffer=8192))
    count, payload = 400, b"o" * 65536

    def flood():
        try:
            for _ in range(count):
                upstream.wire.send(upstream.encode(BINARY, payload), timeout=60)
        except OSError:
            pass  # the test is over

    threading.Thread(target=flood, daemon=True).start()
    never, end = threading.Event(), time.monotonic() + 4
    while time.monotonic() < end:
        mine.wire.read_some("a slow stream", limit=32768)
        never.wait(0.02)
    stage.proxy.wait_metric("kernelgate_websockets_open", 1, endpoint="ep")
    stage.unmoved("kernelgate_errors_total", reason="client_silent")


def test_a_close_that_is_never_answered_ends(make_stage):
    """Nothing may follow a Close, so it is the question itself."""
    stage = make_stage(config=websocket_keys("100ms", gateway="600ms"))
    mine, upstream = stage.websocket()
    mine.send_close(1000)
    assert read_past_pings(upstream).close_code == 1000
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["error"], line["close_code"], line["closed_by"]) == (
        "upstream_silent", 1000, "client")


def test_the_load_balancers_patience_bounds_the_silence(make_stage):
    stage = make_stage(config={"alb": {"idle_timeout": "1s"}, "websocket": {"ping_after": "30s"}})
    mine, _ = stage.websocket()
    started = time.monotonic()
    assert mine.read().opcode == PING
    assert 0.4 < time.monotonic() - started < 5
