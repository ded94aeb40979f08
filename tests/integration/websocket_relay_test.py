"""An open WebSocket carries every frame unchanged, in order, at any size."""

import os
import random
import threading

import pytest

from support import frames
from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from support.proxy_process import sanitized
from support.waiting import wait_until

MIB = 1024 * 1024
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 200_000]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_any_size_both_ways(stage, opcode):
    mine, upstream = stage.websocket()
    total = 0
    for size in SIZES:
        payload = b"a" * size if opcode == TEXT else os.urandom(size)
        mine.send(opcode, payload)
        got = upstream.read()
        assert (got.opcode, got.payload, got.fin) == (opcode, payload, True)
        upstream.send(opcode, payload[::-1])
        got = mine.read()
        assert (got.opcode, got.payload, got.fin) == (opcode, payload[::-1], True)
        total += size
    for direction in ("from_client", "from_upstream"):
        stage.moved("kernelgate_websocket_messages_total", by=len(SIZES), direction=direction)
    mine.wire.close()
    upstream.wire.read_to_end()
    upstream.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert line["messages_in"] == line["messages_out"] == len(SIZES)
    assert line["bytes_in"] >= total and line["bytes_out"] >= total


def test_10_mib_both_ways(stage):
    mine, upstream = stage.websocket()
    for sender, receiver in ((mine, upstream), (upstream, mine)):
        payload = os.urandom(MIB) * 10
        thread = threading.Thread(target=sender.send, args=(BINARY, payload), daemon=True)
        thread.start()
        assert receiver.read(timeout=30).payload == payload
        thread.join(10)


def test_both_directions_at_once(stage):
    mine, upstream = stage.websocket()
    count, payload = 40, os.urandom(100_000)
    threads = [threading.Thread(
        target=lambda end=end: [end.send(BINARY, b"%04d" % i + payload) for i in range(count)],
        daemon=True) for end in (mine, upstream)]
    received = {"mine": [], "upstream": []}
    threads += [threading.Thread(
        target=lambda end=end, name=name: received[name].extend(
            end.read(timeout=30).payload for _ in range(count)), daemon=True)
        for name, end in (("mine", mine), ("upstream", upstream))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expected = [b"%04d" % i + payload for i in range(count)]
    assert received["mine"] == expected and received["upstream"] == expected


def test_fragments_and_control_frames_between_them(stage):
    mine, upstream = stage.websocket()
    for sender, receiver in ((mine, upstream), (upstream, mine)):
        sender.send(TEXT, b"one ", fin=False)
        sender.send(PING, b"are you there")
        sender.send(CONTINUATION, b"two ", fin=False)
        sender.send(CONTINUATION, b"three")
        seen = [receiver.read() for _ in range(4)]
        assert [(f.opcode, f.payload, f.fin) for f in seen] == [
            (TEXT, b"one ", False), (PING, b"are you there", True),
            (CONTINUATION, b"two ", False), (CONTINUATION, b"three", True)]
    stage.moved("kernelgate_websocket_messages_total", direction="from_client")
    stage.moved("kernelgate_websocket_messages_total", direction="from_upstream")


def test_pings_and_pongs_are_the_peers_affair(stage):
    mine, upstream = stage.websocket()
    upstream.send(PING, b"p" * 125)
    assert mine.read() == frames.Frame(PING, b"p" * 125)
    mine.send(PONG, b"p" * 125)
    assert upstream.read().opcode == PONG
    mine.send(PING)
    assert upstream.read().opcode == PING
    mine.wire.expect_open_and_silent()
    upstream.wire.expect_open_and_silent()


def test_bytes_arrive_however_they_are_split(stage):
    mine, upstream = stage.websocket()
    data = b"".join(mine.encode(TEXT, b"message %d" % i) for i in range(20))
    mine.wire.send_in_pieces(data, [1])
    assert [upstream.read_text() for _ in range(20)] == [f"message {i}" for i in range(20)]
    data = b"".join(upstream.encode(TEXT, b"message %d" % i) for i in range(20))
    upstream.wire.send_in_pieces(data, [1])
    assert [mine.read_text() for _ in range(20)] == [f"message {i}" for i in range(20)]


def test_what_the_proxy_does_not_know_passes_too(stage):
    """Reserved bits and opcodes are between the two ends."""
    mine, upstream = stage.websocket()
    mine.send(0x3, b"future", rsv=5)
    got = upstream.read()
    assert (got.opcode, got.rsv, got.payload) == (0x3, 5, b"future")
    upstream.send(0xB, b"control")
    assert mine.read().opcode == 0xB


def test_unmasked_frames_of_a_client_pass_unchanged(stage):
    """The relay does not judge: the gateway answers 1002 itself."""
    mine, upstream = stage.websocket()
    mine.wire.send(frames.encode(TEXT, b"no mask"))
    frame = frames.read_frame(upstream.wire)
    assert frame.payload == b"no mask" and not frame.masked


def test_masked_frames_of_a_gateway_pass_unchanged(stage):
    mine, upstream = stage.websocket()
    frame = frames.encode(TEXT, b"masked", mask=b"\x01\x02\x03\x04")
    upstream.wire.send(frame)
    assert mine.wire.read_exact(len(frame), "a masked frame") == frame


ODD = {
    "every reserved bit": frames.encode(TEXT, b"compressed?", rsv=7),
    "unknown data opcodes": b"".join(frames.encode(code, b"data") for code in range(3, 8)),
    "unknown control opcodes": b"".join(frames.encode(code, b"ctl") for code in range(11, 16)),
    "invalid UTF-8": frames.encode(TEXT, b"\xc0\xaf\xed\xa0\x80\xff"),
    "UTF-8 cut in two": frames.encode(TEXT, b"\xe2\x82", fin=False) + frames.encode(0, b"\xac"),
    "lengths too long": frames.encode(TEXT, b"x", length_form=2)
    + frames.encode(TEXT, b"x", length_form=8),
    "a large ping": frames.encode(PING, b"p" * 300),
    "a fragmented ping": frames.encode(PING, b"p", fin=False) + frames.encode(0, b"q"),
    "a continuation of nothing": frames.encode(CONTINUATION, b"what?"),
    "a message within a message": frames.encode(TEXT, b"a", fin=False) + frames.encode(TEXT, b"b"),
}
CLOSES = {"no code": b"", "half a code": b"\x03", "a bad reason": b"\x03\xe8\xff\xfe"} | {
    str(code): frames.close_payload(code, "so") for code in
    (0, 999, 1000, 1004, 1005, 1006, 1009, 1015, 1016, 2999, 3000, 4999, 5000, 65535)}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("side", ["client", "gateway"])
def test_what_breaks_the_rules_passes_unchanged(stage, side, name):
    """Each end judges the other by itself; unmasked from a client, so that breaks a rule too."""
    mine, upstream = stage.websocket()
    sender, receiver = (mine, upstream) if side == "client" else (upstream, mine)
    sender.wire.send(ODD[name] + sender.encode(TEXT, b"and on"))
    assert receiver.wire.read_exact(len(ODD[name]), name) == ODD[name]
    assert receiver.read_text() == "and on"
    stage.unmoved("kernelgate_websocket_scan_lost_total")


@pytest.mark.parametrize("name", CLOSES)
def test_any_close_passes_and_what_comes_after_it(stage, name):
    mine, upstream = stage.websocket()
    for sender, receiver in ((mine, upstream), (upstream, mine)):
        data = sender.encode(CLOSE, CLOSES[name]) + sender.encode(TEXT, b"late") + b"\x00\xff"
        sender.wire.send(data)
        assert receiver.wire.read_exact(len(data), f"a Close with {name} and more") == data
    mine.wire.close()
    upstream.wire.expect_end("close")


@pytest.mark.parametrize("seed", ["lost at once", 1, 2, 3])
def test_70000_random_bytes_pass_unchanged_both_ways(stage, seed):
    """However they read as frames. Lost or not, the relay goes on."""
    mine, upstream = stage.websocket()
    lost = b"\x82\xff" + b"\xff" * 8 if seed == "lost at once" else b""
    source = random.Random(seed)
    for sender, receiver in ((mine, upstream), (upstream, mine)):
        data = lost + source.randbytes(70_000 - len(lost))
        sender.wire.send_in_pieces(data, [1, 13, 200, 4096, 1460])
        assert receiver.wire.read_exact(len(data), "70,000 random bytes") == data
    mine.wire.close()
    upstream.wire.read_to_end()
    upstream.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["bytes_in"], line["bytes_out"]) == (70_000, 70_000)
    if lost:
        stage.moved("kernelgate_websocket_scan_lost_total")


def test_a_message_is_passed_on_before_it_is_whole(stage):
    """Streaming: a 10 MiB frame is never waited for."""
    mine, upstream = stage.websocket()
    whole = upstream.encode(BINARY, b"z" * 10 * MIB)
    upstream.wire.send(whole[:100_000])
    assert mine.wire.read_exact(100_000, "the first part of a message") == whole[:100_000]


def test_a_slow_client_slows_its_gateway(stage):
    client = stage.connect(receive_buffer=65536)
    mine, upstream = stage.websocket(client=client)
    before = stage.proxy.rss()
    sent, count, payload = [0], 200, b"o" * 262_144

    def flood():
        for i in range(count):
            upstream.wire.send(upstream.encode(BINARY, b"%04d" % i + payload), timeout=60)
            sent[0] += 1

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    last = [-1, 0]

    def stalled():
        last[1] = last[1] + 1 if last[0] == sent[0] else 0
        last[0] = sent[0]
        return last[1] >= 40

    wait_until(stalled, lambda: f"the flood to stall; {sent[0]} sent")
    assert sent[0] < count, "50 MiB went into the proxy for a client that reads nothing"
    if not sanitized():
        assert stage.proxy.rss() - before < 4 * MIB
    stage.get()  # others are served meanwhile
    for i in range(count):
        assert mine.read(timeout=30).payload[:4] == b"%04d" % i
    thread.join(10)


def test_one_flood_does_not_starve_the_others(make_stage):
    """Counted in what the flood passes meanwhile, so that a slow machine may be slow."""
    rounds, most = 50, 20_000  # frames of 64 KiB; the rounds take 700 to 3,000
    stage = make_stage(config={"workers": 1})
    loud, loud_upstream = stage.websocket()
    quiet, quiet_upstream = stage.websocket()
    stop = threading.Event()
    frame = loud_upstream.encode(BINARY, b"f" * 65536)
    passed = [0]

    def flood():
        while not stop.is_set() and passed[0] < most:
            loud_upstream.wire.send(frame, timeout=60)
            passed[0] += 1

    def swallow():  # to the end, so that the flood never hangs in its last send
        loud.wire.keep_record = False
        while loud.wire.read_some("the flood", timeout=60):
            pass

    threads = [threading.Thread(target=flood, daemon=True),
               threading.Thread(target=swallow, daemon=True)]
    for thread in threads:
        thread.start()
    wait_until(lambda: passed[0] > 10, "the flood to begin")
    for i in range(rounds):
        quiet.send_text(f"ping {i}")
        assert quiet_upstream.read_text(timeout=60) == f"ping {i}"
        quiet_upstream.send_text(f"pong {i}")
        assert quiet.read_text(timeout=60) == f"pong {i}"
    meanwhile = passed[0]
    stop.set()
    threads[0].join(10)
    assert meanwhile < most, f"{rounds} answers took as long as {meanwhile} frames of the flood"
    loud_upstream.send_close(1000)
    loud_upstream.wire.close()
    threads[1].join(10)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("first", ["client", "upstream"])
def test_close_codes_pass_and_end_both_sides(stage, first):
    mine, upstream = stage.websocket()
    sender, receiver = (mine, upstream) if first == "client" else (upstream, mine)
    sender.send_text("last words")
    sender.send_close(4001, "enough")
    assert receiver.read_text() == "last words"
    closing = receiver.read_close()
    assert (closing.close_code, closing.close_reason) == (4001, "enough")
    receiver.send_close(4001)
    assert sender.read_close().close_code == 4001
    upstream.wire.half_close()
    mine.wire.expect_end("close")
    mine.wire.close()
    upstream.wire.expect_end(None)
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["close_code"], line["closed_by"]) == (4001, first)
    assert "error" not in line
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")
    stage.moved("kernelgate_websocket_duration_seconds_count")
    stage.unmoved("kernelgate_errors_total")


def test_a_close_without_code_is_1005(stage):
    mine, upstream = stage.websocket()
    mine.send(CLOSE)
    assert upstream.read_close().payload == b""
    upstream.send(CLOSE)
    assert mine.read_close().payload == b""
    upstream.wire.close()
    mine.wire.expect_end("close")
    mine.wire.close()
    assert stage.proxy.wait_log(operation="ConnectKernel")["close_code"] == 1005
