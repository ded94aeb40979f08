"""Every timeout of the client's side acts, answers as promised, and counts."""

import socket

import pytest

from support.http_text import build_request
from support.stage import CHANNELS, KERNEL, PLAIN

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list

SHORT = "300ms"


def staged(make_stage, **timeouts):
    """Other paths are forwarded, so that any method and path may carry a body."""
    first_byte = timeouts.pop("first_byte", {})
    return make_stage(endpoint={"other_paths": "forward"},
                      config={"timeouts": {**timeouts, "first_byte": first_byte}})


def hit(stage, limit, times=1):
    stage.moved("kernelgate_limits_hit_total", times, limit=limit)


def assert_answer(response, status, words):
    assert response.status == status, response
    assert words in response.json()["message"], response.body


def open_body(stage, target="/thing"):
    """A client in the middle of a request body of 100,000 bytes, none sent."""
    client = stage.connect()
    client.send(build_request("POST", target, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
        ("Content-Length", "100000")]))
    return client


def test_a_handshake_that_does_not_come_ends_the_connection(make_stage):
    stage = staged(make_stage, handshake=SHORT)
    silent = stage.closes(socket.create_connection(("127.0.0.1", stage.proxy.port), 10))
    assert silent.recv(1) == b""
    hit(stage, "handshake")
    stage.moved("kernelgate_tls_handshake_errors_total")


def test_a_head_that_trickles_is_answered_408(make_stage):
    stage = staged(make_stage, request_head=SHORT)
    client = stage.connect()
    client.send(b"GET /api/kernels HTTP/1.1\r\nHost: ep.test\r\n")
    while not client.arrived(0.02):
        client.send(b"X: y\r\n")
    assert_answer(client.read_response(), 408, "head not complete")
    client.expect_end("close")
    hit(stage, "request_head")
    stage.moved("kernelgate_errors_total", reason="request_timeout")


def test_a_connection_without_a_request_is_closed(make_stage):
    stage = staged(make_stage, keep_alive=SHORT)
    client = stage.connect()
    stage.get(client=client)
    client.expect_end("close")
    hit(stage, "keep_alive")


@pytest.mark.parametrize("target", ["/thing", "/api/kernels"])
def test_a_body_that_stops_is_answered_408(make_stage, target):
    stage = make_stage(endpoint={"other_paths": "forward"}, config={
        "timeouts": {"request_body_idle": SHORT}, "limits": {"body_min_rate": "1B"}})
    client = open_body(stage, target)
    client.send(b"some")
    assert_answer(client.read_response(), 408, "the body stopped")
    client.expect_end("close")
    hit(stage, "request_body_idle")
    stage.unmoved("kernelgate_limits_hit_total", limit="body_min_rate")


@pytest.mark.parametrize("target", ["/thing", "/api/kernels"])
def test_a_body_that_trickles_is_answered_408(make_stage, target):
    stage = staged(make_stage, request_body_idle="1s")
    client = open_body(stage, target)
    sent = 0
    while not client.arrived(0.1):  # about 10 bytes a second, 500 are asked for
        client.send(b"x")
        sent += 1
    assert_answer(client.read_response(), 408, "too slowly")
    client.expect_end("close")
    assert sent >= 5
    hit(stage, "body_min_rate")
    stage.unmoved("kernelgate_limits_hit_total", limit="request_body_idle")


def test_a_slow_body_above_the_least_rate_passes(make_stage):
    stage = make_stage(endpoint={"other_paths": "forward"}, config={
        "timeouts": {"request_body_idle": "1s"}, "limits": {"body_min_rate": "500B"}})
    client = stage.connect()
    client.send(build_request("POST", "/thing", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
        ("Content-Length", "4000")]))
    call = stage.gateway.next_call(body=False)
    for _ in range(20):  # about 2,000 bytes a second, for twice the time of silence
        assert not client.arrived(0.1), client.read_response()
        client.send(b"x" * 200)
    assert call.read_body() == b"x" * 4000
    call.reply(200, b"whole")
    assert client.read_response().body == b"whole"
    stage.unmoved("kernelgate_limits_hit_total", limit="body_min_rate")


def test_a_body_rate_of_zero_lets_a_body_trickle(make_stage):
    stage = make_stage(endpoint={"other_paths": "forward"}, config={
        "timeouts": {"request_body_idle": "500ms"}, "limits": {"body_min_rate": "0B"}})
    client = stage.connect()
    client.send(build_request("POST", "/thing", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
        ("Content-Length", "20")]))
    call = stage.gateway.next_call(body=False)
    for _ in range(20):
        assert not client.arrived(0.05), client.read_response()
        client.send(b"x")
    assert call.read_body() == b"x" * 20
    call.reply(200)
    assert client.read_response().status == 200


def test_a_client_that_does_not_take_its_answer_is_cut(make_stage):
    stage = staged(make_stage, write_stall=SHORT)
    client = stage.connect(receive_buffer=4096, keep_record=False)
    client.send_request("GET", ONE, token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"z" * 65536 + b"\r\n"
    while not call.wire.ended and not call.wire.readable():
        call.wire.send_to_the_end(chunk)
    line = stage.proxy.wait_log(error="client_stalled")
    assert line["status"] == 200
    hit(stage, "write_stall")
    client.read_to_end()
    assert client.ended in ("reset", "truncated")


def test_a_pause_inside_an_answer_cuts_it(make_stage):
    stage = staged(make_stage, response_idle=SHORT)
    client = stage.connect()
    client.send_request("GET", ONE, token=stage.token())
    stage.gateway.next_call().wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    stage.proxy.wait_log(error="upstream_stalled", status=200)
    client.read_to_end()
    assert client.ended in ("reset", "truncated")
    hit(stage, "response_idle")


@pytest.mark.parametrize("key, method, target, body", [
    ("list", "GET", PLAIN, b""),
    ("list", "POST", f"/api/kernels/{KERNEL}/interrupt", b""),
    ("restart", "POST", f"/api/kernels/{KERNEL}/restart", b""),
    ("delete", "DELETE", f"/api/kernels/{KERNEL}", b""),
    ("other", "PUT", "/thing", b"x"),
])
def test_a_gateway_that_does_not_answer_is_504(make_stage, key, method, target, body):
    stage = staged(make_stage, first_byte={key: SHORT})
    client = stage.connect()
    client.send_request(method, target, body=body, token=stage.token())
    stage.gateway.next_call()
    assert client.read_response(method).status == 504
    stage.proxy.wait_log(error="upstream_timeout", status=504)
    hit(stage, "first_byte")
    stage.get(client=client)  # the client's connection lives on


def test_a_gateway_that_does_not_upgrade_is_504(make_stage):
    stage = staged(make_stage, first_byte={"upgrade": SHORT})
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token())
    stage.gateway.next_call()
    assert client.read_response().status == 504
    hit(stage, "first_byte")
