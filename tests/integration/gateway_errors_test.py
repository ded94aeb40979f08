"""A gateway's error reaches the client as reason and message; its details stay in the cluster."""

import gzip
import json

import pytest

from support.http_text import build_request
from support.stage import CHANNELS, KERNEL, PLAIN

TRACEBACK = 'Traceback (most recent call last):\n  File "/opt/jeg/handlers.py", line 1'
SAID = {"reason": "Internal Server Error", "message": "No such kernel spec: r"}
JSON = [("Content-Type", "application/json; charset=UTF-8")]
REDUCED, REPLACED = (f"kernelgate_gateway_errors_{what}_total" for what in ("reduced", "replaced"))


def ask(stage, body, status=500, headers=(), method="GET", target=PLAIN, client=None,
        framing="length"):
    client = client or stage.connect()
    client.send_request(method, target, token=stage.token(),
                        body=b'{"name": "python3"}' if method == "POST" else b"")
    stage.gateway.next_call().reply(status, body, headers, framing)
    return client, client.read_response(method)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("status", [400, 403, 404, 409, 418, 500, 503])
def test_tracebacks_stay_here(stage, status, framing):  # S14
    body = json.dumps({**SAID, "traceback": TRACEBACK}).encode()
    client, response = ask(stage, body, status, [
        *JSON, ("Etag", '"x"'), ("Content-Language", "en"), ("X-Kept", "1"), ("Retry-After", "9"),
        ("Server", "TornadoServer/6")], framing=framing)
    assert response.status == status and response.json() == SAID
    assert response.get("Content-Type") == "application/json"
    assert response.get("Content-Length") == str(len(response.body))
    assert response.get("X-Kept") == "1" and response.get("Retry-After") == "9"
    for name in ("Etag", "Content-Language", "Server", "Transfer-Encoding"):
        assert not response.has(name), name
    stage.moved(REDUCED)
    stage.unmoved(REPLACED)
    line = stage.proxy.wait_log(status=status)
    assert "error" not in line and line["bytes_out"] == len(response.body)
    assert "raceback" not in stage.proxy.access_log.read_text()
    stage.unmoved("kernelgate_errors_total")
    stage.moved("kernelgate_requests_total", code=f"{status // 100}xx", endpoint="ep")
    stage.get(client=client)  # the connection goes on
    assert len(stage.gateway.wires) == (2 if framing == "close" else 1)


@pytest.mark.parametrize("method, target", [
    ("POST", "/api/kernels"), ("DELETE", f"/api/kernels/{KERNEL}"),
    ("POST", f"/api/kernels/{KERNEL}/restart"), ("GET", f"/api/kernels/{KERNEL}"),
    ("GET", "/api/kernelspecs/r"), ("GET", "/kernelspecs/r/logo.png")])
def test_of_every_operation(stage, method, target):
    _, response = ask(stage, json.dumps({**SAID, "traceback": TRACEBACK}).encode(), 500, JSON,
                      method, target)
    assert response.status == 500 and response.json() == SAID


def test_reason_and_message_alone_are_not_counted(stage):
    _, response = ask(stage, json.dumps(SAID).encode(), 404, JSON)
    assert response.json() == SAID
    stage.unmoved(REDUCED)
    stage.unmoved(REPLACED)


@pytest.mark.parametrize("sent, shown", [
    ({"message": "Exception restarting kernel", "traceback": "T"},
     {"reason": "Internal Server Error", "message": "Exception restarting kernel"}),
    ({"message": "Unhandled error", "reason": None, "traceback": "T"},
     {"reason": "Internal Server Error", "message": "Unhandled error"}),
    ({"reason": "x", "message": {"traceback": "T"}}, {"reason": "x", "message": ""}),
    ({"reason": "x", "message": "m" * 10_000}, {"reason": "x", "message": "m" * 4096})])
def test_odd_errors_are_made_regular(stage, sent, shown):
    _, response = ask(stage, json.dumps(sent).encode(), 500)
    assert response.json() == shown
    stage.moved(REDUCED)


UNREADABLE = {
    "html": (b"<html><title>500: Internal Server Error</title></html>", [("Content-Type",
                                                                          "text/html")]),
    "empty": (b"", []),
    "other json": (b'{"error": "File /opt/jeg/x.py"}', JSON),
    "a list": (b'["message"]', JSON),
    "two messages": (b'{"message": "a", "message": "b"}', JSON),
    "text after it": (b'{"message": "a"} File /opt/jeg/x.py', JSON),
    "no utf-8": (b'{"message": "\xff"}', JSON),
    "gzip": (gzip.compress(json.dumps(SAID).encode()), [*JSON, ("Content-Encoding", "gzip")]),
    "larger than 64 KiB": (json.dumps({**SAID, "traceback": "T" * 70_000}).encode(), JSON),
}


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_replaced(stage, name, framing):
    body, headers = UNREADABLE[name]
    client, response = ask(stage, body, 500, headers, framing=framing)
    said = response.json()
    assert response.status == 500 and set(said) == {"reason", "message", "request_id"}
    assert said["request_id"] == response.get("X-Request-Id")
    assert said["reason"] == "Internal Server Error" and said["message"]
    assert not response.has("Content-Encoding") and b"/opt" not in response.body
    assert response.get("Content-Type") == "application/json"
    stage.moved(REPLACED)
    stage.get(client=client)


def test_an_endless_error_is_not_waited_for(stage):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    wire = stage.gateway.next_call().wire
    wire.send(b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n")
    wire.send_to_the_end(b"10000\r\n" + b"x" * 65536 + b"\r\n1\r\nx\r\n")
    assert client.read_response().status == 500
    wire.expect_end(None)
    stage.get(client=client)


@pytest.mark.parametrize("cut", [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked"
                                 b"\r\n\r\n5\r\n{\"mes\r\n"])
def test_an_error_that_breaks_off_is_502(stage, cut):
    """Nothing of it went to the client yet: it can still be told what happened."""
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    wire = stage.gateway.next_call().wire
    wire.send(b"HTTP/1.1 404 Not Found\r\n" + cut)
    wire.close()
    assert client.read_response().status == 502
    assert stage.proxy.wait_log(status=502)["error"] == "upstream_gone"
    stage.get(client=client)


def test_a_client_that_leaves_while_an_error_comes_frees_the_gateway(stage):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    wire = stage.gateway.next_call().wire
    wire.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{")
    client.close()
    wire.expect_end(None)
    assert stage.proxy.wait_log()["error"] == "client_gone"
    stage.wait_quiet()


def test_the_head_of_an_error_has_no_length_of_the_old_body(stage):
    client, response = ask(stage, b"", 404, [*JSON, ("Content-Length", "999")], "HEAD")
    assert response.status == 404 and not response.has("Content-Length")
    assert response.get("Content-Type") == "application/json"
    stage.get(client=client)


def test_http_1_0_gets_it_too(stage):
    client = stage.connect()
    client.send(build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")], version="HTTP/1.0"))
    stage.gateway.next_call().reply(500, json.dumps({**SAID, "traceback": "T"}).encode(),
                                    framing="chunked")
    response = client.read_response()
    assert response.json() == SAID and response.get("Connection").lower() == "close"
    client.expect_end("close")


def test_a_refused_handshake_is_reduced_and_stays_http(stage):
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token())
    body = json.dumps({"reason": "Not Found", "message": "gone", "traceback": "T"}).encode()
    stage.gateway.next_call().reply(404, body, JSON)
    response = client.read_response()
    assert response.status == 404
    assert response.json() == {"reason": "Not Found", "message": "gone"}
    stage.get(client=client)
    assert len(stage.gateway.wires) == 1


def test_an_early_error_is_reduced_and_relayed(stage):
    """It comes before the request's body has ended: the client sees it, and no reset."""
    client, size = stage.connect(), 10 * 1024 * 1024
    client.send(build_request("POST", f"/api/kernels/{KERNEL}/restart", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
        ("Content-Length", str(size))]) + b"x" * 1000)
    stage.gateway.next_call(body=False).reply(
        413, json.dumps({**SAID, "traceback": TRACEBACK}).encode(), JSON)
    client.send_to_the_end(b"y" * 100_000)
    response = client.read_response()
    assert response.status == 413 and response.json() == SAID
    assert response.get("Connection").lower() == "close"
    client.expect_end("close")


def test_kernel_operations_ask_for_plain_answers(open_stage):
    """Of other requests, files for example, the gateway may choose the coding."""
    stage, client = open_stage, open_stage.connect()
    for target, crosses in ((PLAIN, False), ("/api/kernelspecs", False),
                            ("/kernelspecs/r/kernel.js", True), ("/files/x", True)):
        client.send_request("GET", target, [("Accept-Encoding", "gzip, br")], token=stage.token())
        call = stage.gateway.next_call()
        assert call.request.has("Accept-Encoding") == crosses, target
        call.reply(200, b"[]")
        assert client.read_response().status == 200


def test_errors_of_other_paths_pass_as_they_are(open_stage):
    body = json.dumps({**SAID, "traceback": TRACEBACK}).encode()
    _, response = ask(open_stage, body, 500, JSON, target="/files/x")
    assert (response.status, response.body) == (500, body)
    open_stage.unmoved(REDUCED)


@pytest.mark.parametrize("target", [PLAIN, "/kernelspecs/python3/logo-64x64.png"])
def test_the_endpoints_own_token_is_not_the_clients_fault(stage, target):
    client = stage.connect()
    client.send_request("GET", target, token=stage.token())
    stage.gateway.next_call().reply(401, b'{"reason": "Unauthorized", "message": ""}')
    answer = client.read_response()
    assert answer.status == 502 and answer.json()["reason"] == "Bad Gateway"
    assert "token_file" in answer.json()["message"]
    assert answer.get("WWW-Authenticate") is None
    stage.moved("kernelgate_errors_total", by=1, reason="upstream_token", endpoint="ep")
    stage.get()
