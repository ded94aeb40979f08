"""A gateway that is lost under an open WebSocket is found again, and the client notices nothing:
nothing is lost of what could be said, and nothing is said twice."""

import threading

import pytest

from support import frames
from support.frames import BINARY, TEXT
from support.reconnects import GAPS, HELD, SESSION, TRIES, V1, message_of, reconnecting, rejoin
from support.stage import CHANNELS


@pytest.mark.parametrize("protocol", [None, V1])
@pytest.mark.parametrize("cut", ["reset", "close"])
def test_a_cut_between_messages_is_not_noticed(make_stage, protocol, cut):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION, protocols=protocol and [protocol],
                                     chosen=protocol)
    mine.send_text("before")
    assert upstream.read_text() == "before"
    upstream.send_text("an answer")
    assert mine.read_text() == "an answer"
    getattr(upstream.wire, cut)()
    again = rejoin(stage, protocol)
    first, second = upstream.handshake, again.handshake
    assert second.target == first.target == SESSION, "the same session_id: what it missed is kept"
    assert second.get("Sec-WebSocket-Protocol") == protocol
    assert second.get("Authorization") == first.get("Authorization")
    assert second.get("Sec-WebSocket-Key") != first.get("Sec-WebSocket-Key")
    again.send_text("after")
    assert mine.read_text() == "after"
    mine.send_text("and on")
    assert again.read_text() == "and on"
    stage.moved(GAPS, result="mended")
    stage.moved(TRIES)
    stage.moved("kernelgate_websocket_gap_seconds_count")
    stage.unmoved("kernelgate_errors_total", reason="upstream_lost", endpoint="ep")
    mine.send_close(1000)
    assert again.read_close().close_code == 1000
    mine.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["reconnects"], line["messages_in"], line["messages_out"]) == (1, 2, 2)
    assert "error" not in line


@pytest.mark.parametrize("code", [1001, 1011, 1012])
def test_a_gateway_that_says_that_it_goes_is_found_again(make_stage, code):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    upstream.send_text("the last word")
    upstream.send_close(code, "going")
    assert upstream.wire.read_to_end() == b"", "the old connection is closed before the new one"
    upstream.wire.close()
    again = rejoin(stage)
    again.send_text("back")
    assert [mine.read_text(), mine.read_text()] == ["the last word", "back"]


def test_what_the_client_says_in_the_gap_arrives_once_and_in_order(make_stage):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    mine.send_text("before")
    assert upstream.read_text() == "before"
    half = mine.encode(TEXT, b"cut in the middle")
    mine.wire.send(half[:9])
    assert upstream.wire.read_exact(9, "a part of a message") == half[:9]
    upstream.wire.reset()
    call = stage.gateway.next_call()
    mine.wire.send(half[9:])
    for i in range(20):
        mine.send_text(f"message {i}")
    stage.moved(HELD, 21)
    again = call.accept_websocket()
    mine.send_text("behind it")
    seen = [again.read_text() for _ in range(22)]
    assert seen == ["cut in the middle", *(f"message {i}" for i in range(20)), "behind it"]


def test_a_flood_in_the_gap_is_held_back_and_loses_nothing(make_stage):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    upstream.wire.reset()
    call = stage.gateway.next_call()
    count, payload = 120, b"f" * 65536  # 7.5 MiB

    def flood():
        for i in range(count):
            mine.send(BINARY, i.to_bytes(4, "big") + payload)

    thread = threading.Thread(target=flood, daemon=True)
    before = stage.proxy.metrics().value("kernelgate_process_resident_memory_bytes")
    thread.start()
    stage.moved(HELD, 1)
    after = stage.proxy.metrics().value("kernelgate_process_resident_memory_bytes")
    assert after - before < 4 << 20
    again = call.accept_websocket()
    for i in range(count):
        assert int.from_bytes(again.read().payload[:4], "big") == i
    thread.join(10)
    assert not thread.is_alive()


def test_a_message_cut_on_its_way_up_is_said_again_whole_up_to_its_bound(make_stage):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    message = mine.encode(BINARY, b"h" * 1_000_000)
    mine.wire.send(message[:900_000])
    upstream.wire.read_exact(900_000, "a part of a large message")
    upstream.wire.reset()
    again = rejoin(stage)
    mine.wire.send(message[900_000:])
    assert again.read().payload == b"h" * 1_000_000
    mine.send_text("next")
    assert again.read_text() == "next"


@pytest.mark.parametrize("status", [500, 503])
def test_a_gateway_that_is_not_ready_yet_is_asked_again(make_stage, status):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    upstream.wire.reset()
    for _ in range(2):
        stage.gateway.next_call().reply(status, b"{}")
    again = rejoin(stage)
    again.send_text("ready")
    assert mine.read_text() == "ready"
    stage.moved(TRIES, 3)
    stage.moved(GAPS, result="mended")


def test_a_gateway_that_takes_its_time_is_waited_for_and_the_user_is_told(make_stage):
    """S10: a busy kernel holds the 101 up; what it said meanwhile comes behind it."""
    stage = reconnecting(make_stage, "300ms")  # the handshake itself may take longer
    mine, upstream = stage.websocket(target=SESSION)
    upstream.wire.reset()
    call = stage.gateway.next_call()
    kind, content = message_of(mine.read())
    assert kind == "stream" and content["name"] == "stderr"
    assert "once the kernel is free" in content["text"]
    mine.send_text("meanwhile")
    stage.moved(HELD)
    buffered = b"".join(frames.encode(TEXT, b"buffered %d" % i) for i in range(50))
    again = call.accept_websocket(then=buffered)
    assert [mine.read_text() for _ in range(50)] == [f"buffered {i}" for i in range(50)]
    assert again.read_text() == "meanwhile"
    stage.moved(GAPS, result="mended")
    stage.moved("kernelgate_notices_said_total")


def test_a_client_without_a_session_id_gets_one_of_ours(make_stage):
    """Older clients name none, and a gateway keeps what they miss for a session_id only."""
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket()
    target = upstream.handshake.target
    assert target.startswith(CHANNELS + "?session_id=") and len(target) == len(SESSION) + 26
    upstream.wire.reset()
    assert rejoin(stage).handshake.target == target
    other, second = stage.websocket()
    assert second.handshake.target != target


def test_pings_of_both_sides_go_on_behind_a_gap(make_stage):
    """S6: the gateway pings, and closes who does not answer; ours are taken out again."""
    stage = reconnecting(make_stage, config={"websocket": {"ping_after": "150ms"}})
    mine, upstream = stage.websocket(target=SESSION)
    ours = upstream.read()
    assert ours.opcode == frames.PING
    upstream.wire.reset()
    again = rejoin(stage)
    again.send(frames.PING, b"from the gateway")
    while (frame := mine.read()).payload != b"from the gateway":
        assert frame.opcode == frames.PING and len(frame.payload) == 8
    mine.send(frames.PONG, b"from the gateway")
    ping = again.read()
    while ping.opcode == frames.PING:
        again.send(frames.PONG, ping.payload)
        ping = again.read()
    assert (ping.opcode, ping.payload) == (frames.PONG, b"from the gateway")
    again.send_text("no pong before this")
    while (frame := mine.read()).opcode == frames.PING:
        pass
    assert frame.payload == b"no pong before this"


def test_two_hundred_that_are_cut_at_once_all_come_back(make_stage):
    stage = reconnecting(make_stage)
    count = 200

    def echo(call):
        end = call.accept_websocket()
        while True:
            text = end.read_text(timeout=3600)
            if text == "cut":
                call.wire.reset()
                return
            end.send_text(text)

    stage.gateway.serve(echo)
    ends = []
    for i in range(count):
        client = stage.connect()
        key = client.send_upgrade(f"{CHANNELS}?session_id=s{i}", (), stage.token())
        ends.append(client.read_upgrade(key))
    for end in ends:
        end.send_text("cut")
    stage.moved(GAPS, count, result="mended")
    for i, end in enumerate(ends):
        end.send_text(f"back {i}")
    for i, end in enumerate(ends):
        text = end.read_text()
        if text != f"back {i}":  # this gateway is slow where the machine is busy
            assert '"stream"' in text
            text = end.read_text()
        assert text == f"back {i}"
    stage.proxy.wait_metric("kernelgate_websockets_open", count, endpoint="ep")
