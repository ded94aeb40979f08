"""Clients that send slowly, read slowly or not at all cost bounded memory; nobody else waits."""

import threading
import time

import pytest

from support.http_text import build_request
from support.proxy_process import sanitized
from support.stage import CHANNELS

CLIENTS = 30 if sanitized() else 150  # memory is judged on plain builds
IN_FLIGHT = 256  # of one worker to one pod
KIB = 1024
PIECE = b"b" * 100_000


def head(stage, method, target, *fields):
    return build_request(method, target, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"), *fields])


def pour(client, data):
    """Sends what the proxy takes until the test closes the client."""
    def run():
        try:
            client.send(data, 3600)
        except OSError:
            pass
    threading.Thread(target=run, daemon=True).start()
    return client


def slow_head(stage):
    """A head that never ends: 90 KiB of it."""
    client = stage.connect(keep_record=False)
    client.send(head(stage, "GET", "/big")[:-2] + b"".join(
        b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(90)))
    return client


def slow_body(stage):
    """A body that a gateway does not take: as much of it as the proxy lets in."""
    client = stage.connect(keep_record=False)
    client.send(head(stage, "PUT", "/stuck", ("Content-Length", "10000000")))
    return pour(client, b"x" * 10_000_000)


def never_reading(stage):
    """An answer of 10 MB that nobody takes."""
    client = stage.connect(receive_buffer=4096, keep_record=False)
    client.send(head(stage, "GET", "/big"))
    return client


def pipelining(stage):
    """Requests without end, answers never read."""
    client = stage.connect(receive_buffer=4096, keep_record=False)
    return pour(client, head(stage, "GET", "/small") * 2_000)


def deaf_websocket(stage):
    """A notebook that does not read what its kernel prints."""
    client = stage.connect(receive_buffer=4096, keep_record=False)
    client.send_upgrade(CHANNELS, token=stage.token())
    return client


def answer(call):
    if call.request.target == "/stuck":
        threading.Event().wait(3600)  # until the test ends
    elif call.request.target == "/big":
        call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        for _ in range(100):
            call.wire.send(PIECE, 3600)
        call.done()
    elif call.request.target == CHANNELS:
        end = call.accept_websocket()
        for _ in range(1_000):
            end.send(2, b"o" * 10_000)
    else:
        call.reply(200, b"s" * 1_000)


def idle_body(stage):
    """A body that does not come."""
    client = stage.connect(keep_record=False)
    client.send(head(stage, "PUT", "/small", ("Content-Length", "100000")) + b"some")
    return client


@pytest.mark.parametrize("attack", [idle_body, never_reading])
def test_clients_that_dawdle_take_no_place_from_others(make_stage, attack):
    """More of them than a worker lets be in flight to a pod."""
    stage = make_stage(endpoint={"other_paths": "forward"}, config={"workers": 1})
    stage.gateway.serve(answer)
    clients = [attack(stage) for _ in range(IN_FLIGHT + 10)]
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", len(clients))
    normal = stage.connect()
    normal.send(head(stage, "GET", "/normal"))
    assert normal.read_response().status == 200
    for client in clients:
        client.close()


@pytest.mark.parametrize("attack, bytes_each", [
    (slow_head, 150 * KIB), (slow_body, 250 * KIB), (never_reading, 250 * KIB),
    (pipelining, 250 * KIB), (deaf_websocket, 250 * KIB)])
def test_many_such_clients_cost_bounded_memory(make_stage, attack, bytes_each):
    stage = make_stage(endpoint={"other_paths": "forward"})
    stage.gateway.serve(answer, body=False)
    before = stage.proxy.rss()
    clients = [attack(stage) for _ in range(CLIENTS)]
    normal, worst, most = stage.connect(), 0, 0
    begun = time.monotonic()
    while time.monotonic() < begun + 2:
        asked = time.monotonic()
        normal.send(head(stage, "GET", "/normal"))
        assert normal.read_response().status == 200
        worst = max(worst, time.monotonic() - asked)
        most = max(most, stage.proxy.rss())
    assert worst < (10 if sanitized() else 2), f"a normal client waited {worst:.1f} s"
    each = (most - before) / CLIENTS
    print(f"{attack.__name__}: {each / KIB:.0f} KiB each, a normal client waited {worst:.3f} s")
    if not sanitized():
        assert each < bytes_each, f"{each / KIB:.0f} KiB each"
    for client in clients:
        client.close()
