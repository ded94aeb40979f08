"""Connections are kept and reused on both sides, and ended when one side says so."""

import pytest

from support.http_text import build_request
from support.stage import PLAIN


def test_both_sides_are_kept(stage):
    client = stage.connect()
    for _ in range(5):
        response, _ = stage.get(client=client)
        assert response.get("Connection", "keep-alive").lower() == "keep-alive"
    assert len(stage.gateway.wires) == 1
    stage.moved("kernelgate_connections_accepted_total", by=1)
    stage.moved("kernelgate_upstream_connections_opened_total", by=1)
    stage.moved("kernelgate_upstream_connections_reused_total", by=4)
    lines = stage.proxy.wait_log(count=5, operation="GetKernel")
    assert [line.get("upstream_reused") for line in lines] == [None, True, True, True, True]
    assert len({line["request_id"] for line in lines}) == 5


def test_the_upstream_connection_outlives_its_client(make_stage):
    stage = make_stage(config={"workers": 1})  # each worker has a pool of its own
    first = stage.connect()
    first.send_request("GET", PLAIN, [("Connection", "close")], token=stage.token())
    call = stage.gateway.next_call()
    assert call.request.get("Connection", "keep-alive").lower() == "keep-alive"
    call.reply(200, b"[ ]")
    response = first.read_response()
    assert response.get("Connection").lower() == "close" and response.body == b"[ ]"
    first.expect_end("close")
    stage.get()
    assert len(stage.gateway.wires) == 1


def test_upstream_close_does_not_end_the_client(stage):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    call = stage.gateway.next_call()
    call.reply(200, b"[]", [("Connection", "close")])
    response = client.read_response()
    assert response.status == 200
    assert "close" not in response.get("Connection", "").lower()
    stage.get(client=client)
    assert len(stage.gateway.wires) == 2


def test_an_idle_connection_that_the_gateway_closed_is_not_used(stage):
    client = stage.connect()
    _, call = stage.get(client=client)
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 1)
    call.wire.close()
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 0)
    stage.get(client=client)
    assert len(stage.gateway.wires) == 2
    stage.unmoved("kernelgate_upstream_retries_total")


def test_bytes_that_nobody_asked_for_end_an_idle_connection(stage):
    client = stage.connect()
    _, call = stage.get(client=client)
    call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 0)
    response, _ = stage.get(client=client, answer=b"good", target=PLAIN)
    assert response.body == b"good"


def test_bytes_after_an_answer_never_reach_the_next_request(stage):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
                   b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    assert client.read_response().body == b"[]"
    response, _ = stage.get(client=client, answer=b"good", target=PLAIN)
    assert response.body == b"good"
    assert len(stage.gateway.wires) == 2


def test_http_1_0_is_answered_and_closed(stage):
    client = stage.connect()
    client.send(build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")], version="HTTP/1.0"))
    stage.gateway.next_call().reply(200, b"[]", framing="chunked")
    response = client.read_response()
    assert response.body == b"[]" and not response.has("Transfer-Encoding")
    client.expect_end("close")


def test_http_1_0_keep_alive(stage):
    client = stage.connect()
    for _ in range(2):
        client.send(build_request("GET", PLAIN, [
            ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
            ("Connection", "keep-alive")], version="HTTP/1.0"))
        stage.gateway.next_call().reply(200, b"[]")
        response = client.read_response()
        assert response.get("Connection").lower() == "keep-alive" and response.body == b"[]"


@pytest.mark.parametrize("sizes", [[10**9], [1], [7, 100, 3]])
def test_pipelined_requests_are_answered_in_order(stage, sizes):
    client = stage.connect()
    fields = [("Host", "ep.test"), ("Authorization", f"token {stage.token()}")]
    client.send_in_pieces(b"".join(
        build_request("GET", f"/api/kernelspecs/k{i}", fields) for i in range(4)), sizes)
    for i in range(4):
        call = stage.gateway.next_call()
        assert call.request.target == f"/api/kernelspecs/k{i}?user=alice"
        call.reply(200, b"answer %d" % i)
    for i in range(4):
        assert client.read_response().body == b"answer %d" % i
    paths = [line["path"] for line in stage.proxy.wait_log(count=4)]
    assert paths == [f"/api/kernelspecs/k{i}" for i in range(4)]


def test_a_pipelined_refusal_comes_after_the_answers_before_it(stage):
    client = stage.connect()
    good = build_request("GET", PLAIN, [("Host", "ep.test"),
                                        ("Authorization", f"token {stage.token()}")])
    client.send(good + b"BAD REQUEST LINE\r\n\r\n" + good)
    stage.gateway.next_call().reply(200, b"first")
    assert client.read_response().body == b"first"
    assert client.read_response().status == 400
    client.expect_end("close")
    assert len(stage.gateway.requests) == 1


def test_an_empty_line_before_a_request_is_skipped(stage):
    client = stage.connect()
    client.send(b"\r\n")
    stage.get(client=client)
