"""What goes to a gateway is bounded, by configuration, and what the bounds do is counted."""

import socket
import time

import pytest

from support.scripted_gateway import ScriptedGateway
from support.stage import KERNEL

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list


def bounded(**gateway):
    """Each worker has a pool of its own: one worker, one pool."""
    return {"endpoint": {"gateway": gateway}, "config": {"workers": 1}}


def ask(stage, method="GET", target=None, body=b""):
    client = stage.connect()
    target = target or (ONE if method == "GET" else "/api/kernels")
    client.send_request(method, target, body=body, token=stage.token())
    return client


def test_beyond_connections_and_queue_requests_are_refused_at_once(make_stage):
    stage = make_stage(**bounded(connections_max=2, queue_max=1))
    running = [ask(stage) for _ in range(2)]
    calls = [stage.gateway.next_call() for _ in range(2)]
    queued = ask(stage)
    stage.proxy.wait_metric("kernelgate_upstream_requests_queued", 1, endpoint="ep")
    stage.proxy.wait_metric("kernelgate_upstream_requests_active", 2, endpoint="ep")
    for method, body in (("GET", b""), ("POST", b'{"name": "python3"}')):
        client = ask(stage, method, body=body)
        refused = client.read_response(timeout=5)
        assert refused.status == 503 and int(refused.get("Retry-After")) > 0
        assert refused.json()["reason"] == "Service Unavailable"
        line = stage.proxy.wait_log(client=client.address, error="upstream_busy")
        assert line["status"] == 503
    stage.moved("kernelgate_upstream_requests_refused_total", by=2, endpoint="ep")
    stage.moved("kernelgate_errors_total", by=2, reason="upstream_busy", endpoint="ep")
    assert len(stage.gateway.requests) == 2
    calls[0].reply(200, b"one")
    stage.gateway.next_call().reply(200, b"three")
    calls[1].reply(200, b"two")
    assert {client.read_response().body for client in running} == {b"one", b"two"}
    assert queued.read_response().body == b"three"
    stage.proxy.wait_metric("kernelgate_upstream_requests_active", 0, endpoint="ep")
    stage.proxy.wait_metric("kernelgate_upstream_requests_queued", 0, endpoint="ep")
    stage.get()


def test_a_client_that_leaves_the_queue_frees_its_place(make_stage):
    stage = make_stage(**bounded(connections_max=1, queue_max=1))
    first = ask(stage)
    call = stage.gateway.next_call()
    for _ in range(3):
        leaving = ask(stage)
        stage.proxy.wait_metric("kernelgate_upstream_requests_queued", 1)
        leaving.close()
        stage.proxy.wait_metric("kernelgate_upstream_requests_queued", 0)
    call.reply(200, b"[]")
    assert first.read_response().status == 200
    stage.unmoved("kernelgate_upstream_requests_refused_total")


def test_nobody_waits_longer_than_queue_timeout(make_stage):
    stage = make_stage(**bounded(connections_max=1, queue_max=1, queue_timeout="300ms"))
    first = ask(stage)
    call = stage.gateway.next_call()
    began = time.monotonic()
    waiting = ask(stage)
    refused = waiting.read_response(timeout=10)
    assert refused.status == 503 and time.monotonic() - began >= 0.3
    stage.moved("kernelgate_errors_total", by=1, reason="upstream_busy", endpoint="ep")
    stage.proxy.wait_metric("kernelgate_upstream_requests_queued", 0, endpoint="ep")
    call.reply(200, b"one")
    assert first.read_response().body == b"one"
    stage.get()


def test_open_websockets_take_no_place(make_stage):
    stage = make_stage(**bounded(connections_max=1, queue_max=0))
    for _ in range(3):
        stage.websocket()
        stage.get()
    stage.unmoved("kernelgate_upstream_requests_refused_total")


def test_a_gateway_that_does_not_accept_is_504_after_connect_timeout(make_stage):
    gateway = ScriptedGateway(listening=False)
    gateway.listener.listen(0)  # a backlog of one, taken here: the next SYN gets no answer
    stage = make_stage(gateway=gateway, **bounded(connect_timeout="200ms"))
    fillers = [stage.closes(socket.socket()) for _ in range(2)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", gateway.port))
    client = ask(stage)
    response = client.read_response()
    assert response.status == 504
    line = stage.proxy.wait_log(client=client.address, error="upstream_connect_timeout")
    assert 0.2 <= line["total_seconds"] < 3
    stage.moved("kernelgate_errors_total", reason="upstream_connect_timeout", endpoint="ep")


def test_an_unused_connection_ends_after_idle_timeout(make_stage):
    stage = make_stage(**bounded(idle_timeout="1s"))
    _, call = stage.get()
    call.wire.expect_end("close")
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 0)
    stage.get()
    assert len(stage.gateway.wires) == 2


def test_a_retry_budget_bounds_what_is_sent_twice(stage):
    """Every pooled connection drops its request: three retries, then the failure is told."""
    client = stage.connect()
    stage.get(client=client)
    for _ in range(3):
        client.send_request("GET", ONE, token=stage.token())
        stage.gateway.next_call().wire.close()
        stage.gateway.next_call().reply(200, b"again")
        assert client.read_response().body == b"again"
    stage.moved("kernelgate_upstream_retries_total", by=3, endpoint="ep")
    client.send_request("GET", ONE, token=stage.token())
    stage.gateway.next_call().wire.close()
    assert client.read_response().status == 502
    stage.moved("kernelgate_upstream_retries_total", by=3, endpoint="ep")
    stage.moved("kernelgate_upstream_retries_refused_total", endpoint="ep")
    stage.moved("kernelgate_errors_total", reason="upstream_reset", endpoint="ep")


@pytest.mark.parametrize("method, target", [
    ("POST", "/api/kernels"), ("POST", f"/api/kernels/{KERNEL}/restart")])
def test_a_failed_connect_is_no_reason_to_try_a_post_again(make_stage, method, target):
    stage = make_stage(gateway=ScriptedGateway(listening=False))
    response = ask(stage, method, target, b'{"name": "python3"}').read_response()
    assert response.status == 502
    stage.unmoved("kernelgate_upstream_retries_total")
    stage.unmoved("kernelgate_upstream_retries_refused_total")
    stage.moved("kernelgate_errors_total", reason="upstream_connect", endpoint="ep")
