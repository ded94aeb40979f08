"""The WebSocket handshake passes both ways as it should: subprotocols, refusals, early data."""

import pytest

from support import frames
from support.stage import CHANNELS, GATEWAY_TOKEN, KERNEL, PLAIN

V1 = "v1.kernel.websocket.jupyter.org"


def test_the_handshake_goes_up_as_the_gateway_wants_it(stage):
    client = stage.connect()
    key = client.send_upgrade(CHANNELS + f"?session_id=abc&token={stage.token()}&x=1", [
        ("Origin", "https://ep.test"), ("Cookie", "a=b")], token=stage.token())
    call = stage.gateway.next_call()
    request = call.request
    assert (request.method, request.target) == ("GET", CHANNELS + "?session_id=abc")
    assert request.get("Upgrade").lower() == "websocket"
    assert request.get("Connection").lower() == "upgrade"
    assert request.get("Sec-WebSocket-Key") == key
    assert request.get("Sec-WebSocket-Version") == "13"
    assert request.get("Authorization") == f"token {GATEWAY_TOKEN}"
    assert not request.has("Origin") and not request.has("Cookie")
    assert not request.has("Sec-WebSocket-Protocol")
    upstream = call.accept_websocket()
    mine = client.read_upgrade(key)
    assert mine.handshake.get("X-Request-Id")
    stage.proxy.wait_metric("kernelgate_websockets_open", 1, endpoint="ep")
    mine.send_text("hello")
    assert upstream.read_text() == "hello"
    client.close()
    upstream.wire.read_to_end()
    upstream.wire.close()
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")
    stage.moved("kernelgate_websockets_total", endpoint="ep")
    stage.moved("kernelgate_websocket_upgrade_seconds_count")
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert line["status"] == 101 and line["websocket"] and line["kernel"] == KERNEL


@pytest.mark.parametrize("offered, chosen", [
    (None, None), ([V1], V1), ([V1], None), ([V1, "other"], "other"), (["a", "b"], None)])
def test_subprotocols_are_the_gateways_choice(stage, offered, chosen):
    """G24 to G26: never one that the gateway did not choose, never dropped if it did."""
    mine, upstream = stage.websocket(protocols=offered, chosen=chosen)
    wanted = ", ".join(offered) if offered else None
    assert upstream.handshake.get("Sec-WebSocket-Protocol") == wanted
    assert mine.handshake.get("Sec-WebSocket-Protocol") == chosen
    mine.send_text("x")
    assert upstream.read_text() == "x"


def test_a_credential_among_the_subprotocols_stays_here(stage):
    mine, upstream = stage.websocket(
        protocols=[V1, f"v1.token.websocket.jupyter.org.{stage.token()}"], chosen=V1)
    assert upstream.handshake.get("Sec-WebSocket-Protocol") == V1
    assert mine.handshake.get("Sec-WebSocket-Protocol") == V1
    assert stage.token().encode() not in upstream.wire.received


@pytest.mark.parametrize("status, body", [
    (404, b'{"reason":"Not Found","message":"Kernel does not exist"}\n'), (302, b"over there"),
    (403, b'{"reason":"Forbidden","message":""}\n'), (200, b"a page")])
def test_a_refused_handshake_is_an_ordinary_answer(stage, status, body):
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token())
    stage.gateway.next_call().reply(status, body)
    response = client.read_response()
    assert (response.status, response.body) == (status, body)
    assert not response.has("Upgrade") and not response.has("Sec-WebSocket-Accept")
    stage.get(client=client)  # both connections are still good
    assert len(stage.gateway.wires) == 1
    assert stage.proxy.wait_log(operation="ConnectKernel")["status"] == status
    stage.unmoved("kernelgate_websockets_total")


BAD_ANSWERS = {
    "bogus accept": [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                     ("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
    "no accept": [("Upgrade", "websocket"), ("Connection", "Upgrade")],
    "no upgrade": [("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "VALID")],
    "other protocol": [("Upgrade", "h2c"), ("Connection", "Upgrade"),
                       ("Sec-WebSocket-Accept", "VALID")],
    "not offered": [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                    ("Sec-WebSocket-Accept", "VALID"), ("Sec-WebSocket-Protocol", "evil")],
    "extension": [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                  ("Sec-WebSocket-Accept", "VALID"),
                  ("Sec-WebSocket-Extensions", "permessage-deflate")],
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_101_that_is_none_is_502(stage, name):
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, token=stage.token())
    call = stage.gateway.next_call()
    call.reply(101, headers=[(field, frames.accept_value(key) if value == "VALID" else value)
                             for field, value in BAD_ANSWERS[name]])
    response = client.read_response()
    assert response.status == 502 and set(response.json()) >= {"reason", "message"}
    call.wire.expect_end(None)
    assert stage.proxy.wait_log(operation="ConnectKernel")["error"] == "upstream_protocol"
    stage.moved("kernelgate_errors_total", reason="upstream_protocol", endpoint="ep")


def test_101_to_a_request_that_asked_for_none_is_502(stage):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call().reply(101, headers=[("Upgrade", "websocket"),
                                                  ("Connection", "Upgrade")])
    assert client.read_response().status == 502


BAD_REQUESTS = {
    "old version": (dict(version="8"), 426),
    "short key": (dict(key="c2hvcnQ="), 400),
    "no key": (dict(key=" "), 400),
    "body": (dict(headers=[("Content-Length", "5")], then=b"hello"), 400),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_handshake_does_not_reach_the_gateway(stage, name):
    options, status = BAD_REQUESTS[name]
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token(), **options)
    response = client.read_response()
    assert response.status == status
    if status == 426:  # RFC 6455 section 4.4
        assert response.get("Sec-WebSocket-Version") == "13"
    stage.gateway.assert_untouched()


def test_plain_get_of_channels_is_426(stage):
    response = stage.connect().exchange("GET", CHANNELS, token=stage.token())
    assert response.status == 426 and response.get("Upgrade", "").lower() == "websocket"
    stage.gateway.assert_untouched()


def test_upgrade_of_something_else_is_not_relayed(stage):
    client = stage.connect()
    client.send_upgrade(PLAIN, token=stage.token())
    try:
        call = stage.gateway.next_call(timeout=1)
    except AssertionError:
        assert client.read_response().status == 400
    else:
        assert not call.request.has("Upgrade")
        call.reply(200, b"[]")
        assert client.read_response().status == 200


def test_frames_in_the_same_packet_as_the_101(stage):
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, token=stage.token())
    early = frames.encode(frames.TEXT, b"status") + frames.encode(frames.BINARY, b"\x00" * 70_000)
    stage.gateway.next_call().accept_websocket(then=early)
    mine = client.read_upgrade(key)
    assert mine.read_text() == "status"
    assert mine.read().payload == b"\x00" * 70_000


@pytest.mark.parametrize("size", [10, 70_000])
def test_frames_in_the_same_packet_as_the_request(stage, size):
    """A client may not do it, but it loses nothing by it: the bytes wait for the 101."""
    client = stage.connect()
    frame = frames.encode(frames.BINARY, b"e" * size, mask=b"\x01\x02\x03\x04")
    key = client.send_upgrade(CHANNELS, token=stage.token(), then=frame)
    upstream = stage.gateway.next_call().accept_websocket()
    client.read_upgrade(key)
    assert upstream.read().payload == b"e" * size


def test_frames_sent_early_are_not_a_request_after_a_refusal(stage):
    client = stage.connect()
    frame = frames.encode(frames.TEXT, b"GET /api/kernels HTTP/1.1\r\n\r\n", mask=b"\0\0\0\0")
    client.send_upgrade(CHANNELS, token=stage.token(), then=frame)
    stage.gateway.next_call().reply(404, b"{}")
    assert client.read_response().status == 404
    rest = client.read_to_end()
    assert b"HTTP/1.1 2" not in rest
    assert len(stage.gateway.requests) == 1


def test_an_upgrade_answered_late(stage):
    """S4: gateways hold the 101 until the kernel is up (J30); meanwhile nothing is said."""
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, token=stage.token())
    call = stage.gateway.next_call()
    client.expect_open_and_silent(1.2)
    upstream = call.accept_websocket()
    mine = client.read_upgrade(key)
    upstream.send_text("up")
    assert mine.read_text() == "up"
    assert stage.proxy.metrics().value("kernelgate_websocket_upgrade_seconds_sum") >= 1.2


def test_a_client_that_leaves_before_the_101_frees_the_gateway(stage):
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token())
    call = stage.gateway.next_call()
    client.close()
    call.wire.expect_end(None)
    assert stage.proxy.wait_log(operation="ConnectKernel")["error"] == "client_gone"
