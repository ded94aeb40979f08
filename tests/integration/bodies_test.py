"""Bodies pass unchanged in every framing, streamed with backpressure, never whole in memory."""

import hashlib
import os
import socket
import threading

import pytest

from support.http_text import build_request, chunked, read_response_head
from support.proxy_process import sanitized
from support.stage import PLAIN
from support.waiting import wait_until

MIB = 1024 * 1024
BODY = os.urandom(100_000)


def fields(stage, *more):
    return [("Host", "ep.test"), ("Authorization", f"token {stage.token()}"), *more]


@pytest.mark.parametrize("sizes", [[10**9], [1000, 17, 65536]])
def test_sized_request_body(open_stage, sizes):
    stage, client = open_stage, open_stage.connect()
    client.send_in_pieces(build_request("POST", "/upload", fields(stage), BODY), sizes)
    call = stage.gateway.next_call()
    assert call.request.body == BODY and call.request.get("Content-Length") == str(len(BODY))
    call.reply(200, b"took it")
    assert client.read_response().body == b"took it"
    line = stage.proxy.wait_log(operation="Other", method="POST", path="/upload")
    assert line["bytes_in"] == len(BODY) and line["bytes_out"] == len(b"took it")
    stage.moved("kernelgate_payload_bytes_total", by=len(BODY), direction="from_client")
    stage.moved("kernelgate_payload_bytes_total", by=7, direction="from_upstream")


@pytest.mark.parametrize("sizes", [[10**9], [5, 1, 1, 1, 3000]])
def test_chunked_request_body(open_stage, sizes):
    stage, client = open_stage, open_stage.connect()
    framed = chunked(BODY[:1], BODY[1:70_000], BODY[70_000:])
    head = build_request("POST", "/upload", fields(stage, ("Transfer-Encoding", "chunked")))
    client.send_in_pieces(head + framed, sizes)
    call = stage.gateway.next_call()
    assert call.request.body == BODY and not call.request.has("Content-Length")
    call.reply(204)
    assert client.read_response().status == 204
    stage.get(client=client)


def test_chunk_extensions_and_trailers_stay_here(open_stage):
    stage, client = open_stage, open_stage.connect()
    head = build_request("POST", "/upload", fields(stage, ("Transfer-Encoding", "chunked")))
    client.send(head + b"3;name=value\r\nabc\r\n0\r\nX-Trailer: evil\r\n\r\n")
    call = stage.gateway.next_call()
    assert call.request.body == b"abc"
    assert b"name=value" not in call.wire.received and b"X-Trailer" not in call.wire.received
    call.reply(200)
    assert client.read_response().status == 200


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_response_body(stage, framing):
    client = stage.connect()
    for turn in range(2):
        client.send_request("GET", PLAIN, token=stage.token())
        stage.gateway.next_call().reply(200, BODY, framing=framing)
        response = client.read_response()
        assert response.body == BODY and not response.until_close, f"turn {turn}"
    assert len(stage.gateway.wires) == (2 if framing == "close" else 1)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_empty_bodies(stage, framing):
    client = stage.connect()
    for _ in range(2):
        client.send_request("GET", PLAIN, token=stage.token())
        stage.gateway.next_call().reply(200, b"", framing=framing)
        assert client.read_response().body == b""


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body(stage, status):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call().reply(status, headers=[("ETag", '"x"')])
    response = client.read_response()
    assert response.status == status and response.get("ETag") == '"x"'
    stage.get(client=client)


def test_head_has_the_head_of_get_and_no_body(stage):
    client = stage.connect()
    client.send_request("HEAD", PLAIN, token=stage.token())
    call = stage.gateway.next_call()
    assert call.request.method == "HEAD"
    call.reply(200, headers=[("Content-Length", "12345")])
    response = client.read_response("HEAD")
    assert response.status == 200 and response.get("Content-Length") == "12345"
    stage.get(client=client)
    assert stage.proxy.wait_log(method="HEAD", status=200)["bytes_out"] == 0


def test_expect_100_continue(open_stage):
    stage, client = open_stage, open_stage.connect()
    client.send(build_request("POST", "/upload", fields(
        stage, ("Content-Length", "5"), ("Expect", "100-continue"))))
    assert client.read_until(b"\r\n\r\n", "100 Continue").startswith(b"HTTP/1.1 100 ")
    client.send(b"hello")
    call = stage.gateway.next_call()
    assert call.request.body == b"hello" and not call.request.has("Expect")
    call.reply(200, b"ok")
    response = client.read_response()
    assert response.status == 200 and not response.interim


def test_expect_100_continue_is_not_said_before_a_refusal(open_stage):
    client = open_stage.connect()
    client.send(build_request("POST", "/upload", [
        ("Host", "ep.test"), ("Content-Length", "5"), ("Expect", "100-continue")]))
    response = client.read_response()
    assert response.status == 401 and not response.interim
    assert response.get("Connection").lower() == "close"  # the body may or may not come now
    open_stage.gateway.assert_untouched()


def test_interim_responses_pass_but_100_stays_here(open_stage):
    stage, client = open_stage, open_stage.connect()
    client.send_request("GET", "/page", token=stage.token())
    call = stage.gateway.next_call()
    call.reply(100)
    call.reply(103, headers=[("Link", "</style.css>; rel=preload")])
    early = client.read_until(b"\r\n\r\n", "103 before the final answer")
    assert early.startswith(b"HTTP/1.1 103 ") and b"Link: </style.css>; rel=preload\r\n" in early
    call.reply(200, b"page")
    response = client.read_response()
    assert (response.status, response.body, response.interim) == (200, b"page", [])


def test_an_answer_before_the_end_of_the_request(open_stage):
    """The gateway refuses early: the client gets that answer, and no reset eats it."""
    stage, client = open_stage, open_stage.connect()
    client.send(build_request("POST", "/upload", fields(stage, ("Content-Length", str(50 * MIB)))))
    client.send(b"x" * 1000)
    call = stage.gateway.next_call(body=False)
    call.reply(403, b"no", [("Connection", "close")])
    client.send_to_the_end(b"y" * 100_000)
    response = client.read_response()
    assert response.status == 403 and response.body == b"no"
    assert response.get("Connection").lower() == "close"
    client.read_to_end()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_truncated_answer_is_not_made_whole(open_stage, framing):
    stage, client = open_stage, open_stage.connect()
    client.send_request("GET", "/page", token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send(b"HTTP/1.1 200 OK\r\n" + {
        "length": b"Content-Length: 100\r\n\r\nonly this",
        "chunked": b"Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n"}[framing])
    assert read_response_head(client).status == 200
    client.read_until(b"only this", "the bytes that came")
    call.wire.close()
    rest = client.read_to_end()
    assert b"0\r\n" not in rest
    line = stage.proxy.wait_log(operation="Other")
    assert line["error"] in ("upstream_gone", "upstream_reset") and line["status"] == 200
    stage.moved("kernelgate_errors_total", reason=line["error"])


def test_a_truncated_request_never_looks_whole_to_the_gateway(open_stage):
    stage, client = open_stage, open_stage.connect()
    client.send(build_request("POST", "/upload", fields(stage, ("Transfer-Encoding", "chunked"))))
    client.send(b"5\r\nhello\r\n")
    call = stage.gateway.next_call(body=False)
    call.wire.read_until(b"hello", "the bytes that came")
    client.close()
    rest = call.wire.read_to_end("the gateway to be told")
    assert b"0\r\n\r\n" not in rest
    assert stage.proxy.wait_log(operation="Other")["error"] == "client_gone"


# ---- streaming ----

# Of 50 MiB, what may be under way while a side reads nothing: the kernel's buffers of both hops,
# which grow by themselves (tcp_rmem, tcp_wmem). The proxy's own share is its memory.
SLACK = 25 * MIB


def test_50_mib_down_to_a_slow_reader(open_stage):
    stage = open_stage
    client = stage.connect(receive_buffer=65536, keep_record=False)
    stage.get(client=client)
    before = stage.proxy.rss()
    digest, block, sent = hashlib.sha256(), os.urandom(MIB), [0]

    def answer(call):
        call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (50 * MIB))
        for i in range(50):
            piece = bytes([i]) + block[1:]
            call.wire.send(piece, timeout=60)
            digest.update(piece)
            sent[0] += len(piece)

    client.send_request("GET", "/big", token=stage.token())
    call = stage.gateway.next_call()
    call.wire.keep_record = False
    thread = threading.Thread(target=answer, args=(call,), daemon=True)
    thread.start()
    read_response_head(client)
    _wait_stalled(lambda: sent[0])
    assert sent[0] < SLACK, f"the proxy took {sent[0]} bytes for a client that reads nothing"
    if not sanitized():
        assert stage.proxy.rss() - before < 4 * MIB
    received, left = hashlib.sha256(), 50 * MIB
    while left:
        piece = client.read_some("the body", limit=left)
        received.update(piece)
        left -= len(piece)
    thread.join(10)
    assert received.digest() == digest.digest()
    if not sanitized():
        assert stage.proxy.rss() - before < 4 * MIB
    client.keep_record = True
    stage.proxy.wait_log(operation="Other", status=200, bytes_out=50 * MIB)


def test_50_mib_up_to_a_slow_gateway(open_stage):
    stage = open_stage
    stage.gateway.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client = stage.connect(keep_record=False)
    before = stage.proxy.rss()
    digest, block, sent = hashlib.sha256(), os.urandom(MIB), [0]

    def upload():
        client.send(build_request("POST", "/big", fields(
            stage, ("Content-Length", str(50 * MIB)))), timeout=60)
        for i in range(50):
            piece = bytes([i]) + block[1:]
            client.send(piece, timeout=60)
            digest.update(piece)
            sent[0] += len(piece)

    thread = threading.Thread(target=upload, daemon=True)
    thread.start()
    call = stage.gateway.next_call(body=False)
    call.wire.keep_record = False
    _wait_stalled(lambda: sent[0])
    assert sent[0] < SLACK, f"the proxy took {sent[0]} bytes for a gateway that reads nothing"
    if not sanitized():
        assert stage.proxy.rss() - before < 4 * MIB
    received, left = hashlib.sha256(), 50 * MIB
    while left:
        piece = call.wire.read_some("the body", limit=left)
        received.update(piece)
        left -= len(piece)
    thread.join(10)
    assert received.digest() == digest.digest()
    call.reply(200, b"all of it")
    assert client.read_response().body == b"all of it"
    stage.proxy.wait_log(operation="Other", status=200, bytes_in=50 * MIB)


def _wait_stalled(position):
    """Until a sender has not moved for 40 looks in a row."""
    seen = [-1, 0]

    def probe():
        now = position()
        seen[1] = seen[1] + 1 if now == seen[0] else 0
        seen[0] = now
        return seen[1] >= 40

    wait_until(probe, lambda: f"the sender to stall; it is at {position()}")
