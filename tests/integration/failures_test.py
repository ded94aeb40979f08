"""What a client gets when its gateway fails: one JSON answer, at most one safe retry, one count."""

import pytest

from support.scripted_gateway import ScriptedGateway
from support.stage import CHANNELS, KERNEL, PLAIN
from support.waiting import GaveUp

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list


def assert_gateway_error(stage, response, status, label, client):
    assert response.status == status, response
    said = response.json()
    assert {"reason", "message"} <= set(said)
    line = stage.proxy.wait_log(client=client.address, error=label)
    assert line["status"] == status
    stage.moved("kernelgate_errors_total", reason=label, endpoint="ep")


@pytest.mark.parametrize("method, target", [
    ("GET", PLAIN), ("POST", "/api/kernels"), ("DELETE", f"/api/kernels/{KERNEL}")])
def test_a_refused_connection_is_502(make_stage, method, target):
    stage = make_stage(gateway=ScriptedGateway(listening=False))
    client = stage.connect()
    body = b'{"name": "python3"}' if method == "POST" else b""
    response = client.exchange(method, target, body=body, token=stage.token())
    assert_gateway_error(stage, response, 502, "upstream_connect", client)
    stage.gateway.start_listening()  # it comes back, and is used at once
    stage.get(client=client)


def test_a_refused_connection_of_a_websocket_is_502(make_stage):
    stage = make_stage(gateway=ScriptedGateway(listening=False))
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token())
    assert_gateway_error(stage, client.read_response(), 502, "upstream_connect", client)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fresh_connection_that_ends_without_an_answer_is_502(open_stage, how, method):
    stage, client = open_stage, open_stage.connect()
    client.send_request(method, "/thing", body=b"x" * (method == "POST"), token=stage.token())
    getattr(stage.gateway.next_call().wire, how)()
    assert_gateway_error(stage, client.read_response(), 502, "upstream_reset", client)
    assert len(stage.gateway.requests) == 1  # it was no stale connection: no retry
    stage.get(client=client)


def reused_connection(stage, client):
    """A pooled connection; one that drops its next request looks stale."""
    _, call = stage.get(client=client)
    return call.wire


@pytest.mark.parametrize("how", ["close", "reset"])
def test_get_on_a_stale_connection_is_sent_again_once(stage, how):
    client = stage.connect()
    reused_connection(stage, client)
    client.send_request("GET", ONE, token=stage.token())
    getattr(stage.gateway.next_call().wire, how)()
    again = stage.gateway.next_call()
    assert (again.request.method, again.request.target) == ("GET", ONE)
    again.reply(200, b"second")
    assert client.read_response().body == b"second"
    assert len(stage.gateway.wires) == 2
    stage.moved("kernelgate_upstream_retries_total")
    assert len(stage.proxy.wait_log(count=2)) == 2  # the retry is no exchange of its own


def test_the_second_failure_is_final(stage):
    client = stage.connect()
    reused_connection(stage, client)
    client.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call().wire.close()
    stage.gateway.next_call().wire.close()
    assert_gateway_error(stage, client.read_response(), 502, "upstream_reset", client)
    assert len(stage.gateway.requests) == 3


@pytest.mark.parametrize("target", ["/api/kernels", f"/api/kernels/{KERNEL}/interrupt",
                                    f"/api/kernels/{KERNEL}/restart"])
def test_post_is_never_sent_twice(stage, target):
    client = stage.connect()
    reused_connection(stage, client)
    client.send_request("POST", target, body=b'{"name": "python3"}', token=stage.token())
    stage.gateway.next_call().wire.close()
    response = client.read_response()
    assert response.status in (502, 503)
    assert [r.method for r in stage.gateway.requests] == ["GET", "POST"]
    stage.unmoved("kernelgate_upstream_retries_total")


def test_a_reset_in_the_middle_of_an_answer_cuts_it(open_stage):
    stage, client = open_stage, open_stage.connect()
    client.send_request("GET", "/page", token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nstart")
    client.read_until(b"start", "the beginning")
    call.wire.reset()
    client.read_to_end()
    line = stage.proxy.wait_log(operation="Other")
    assert line["error"] in ("upstream_gone", "upstream_reset")
    assert (line["status"], line["bytes_out"]) == (200, 5)


def test_a_client_that_leaves_frees_the_gateway(stage):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    call = stage.gateway.next_call()
    client.close()
    call.wire.expect_end(None)
    assert stage.proxy.wait_log()["error"] == "client_gone"
    stage.wait_quiet()


def test_one_dead_gateway_does_not_disturb_another(make_stage, workshop):
    dead = ScriptedGateway(listening=False)
    stage = make_stage(more_endpoints=lambda _: [workshop.endpoint("two", dead.port)])
    stage.closes(dead)
    client = stage.connect()
    for _ in range(3):
        assert client.exchange("GET", PLAIN, token=stage.token("two"),
                               host="two.test").status == 502
        stage.get(client=client)


def test_a_stalled_gateway_does_not_hold_up_others(stage):
    stalled = stage.connect()
    stalled.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call()
    for _ in range(5):
        stage.get()
    with pytest.raises(GaveUp):
        stalled.read_response(timeout=0.1)


def test_killing_the_gateway_is_told_to_everyone_and_counted(make_stage):
    stage = make_stage(endpoint={"gateway": {"websocket_reconnect": "off"}})
    mine, _ = stage.websocket()
    waiting = stage.connect()
    waiting.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call()
    stage.gateway.kill()
    closing = mine.read_close(timeout=1)
    assert closing.close_code == 1011 and closing.close_reason
    assert waiting.read_response(timeout=1).status == 502
    response = stage.connect().exchange("GET", PLAIN, token=stage.token())
    assert response.status == 502 and {"reason", "message"} <= set(response.json())
    mine.wire.close()
    stage.proxy.wait_log(count=2, status=502)
    stage.proxy.wait_log(operation="ConnectKernel", closed_by="upstream", error="upstream_gone")
    stage.moved("kernelgate_requests_total", by=2, code="5xx", endpoint="ep")
