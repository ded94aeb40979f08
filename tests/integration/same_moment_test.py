"""What arrives together: the program is frozen, so that events meet in one turn of its loop."""

import contextlib
import signal
import socket
import threading
from pathlib import Path

import pytest

from support.http_text import build_request
from support.scripted_gateway import ScriptedGateway
from support.stage import PLAIN
from support.waiting import wait_until


@contextlib.contextmanager
def frozen(proxy):
    """Loopback delivers at once: what is sent meanwhile waits in the program's sockets."""
    def stopped():
        states = [path.read_text().rsplit(")", 1)[1].split()[0]
                  for path in Path(f"/proc/{proxy.pid}/task").glob("*/stat")]
        return set(states) == {"T"}

    proxy.signal(signal.SIGSTOP)
    wait_until(stopped, "every thread to stop")
    try:
        yield
    finally:
        proxy.signal(signal.SIGCONT)


def fields(stage, *more):
    return [("Host", "ep.test"), ("Authorization", f"token {stage.token()}"), *more]


def test_a_gateways_reset_right_behind_its_bytes_is_noticed(make_stage):
    stage = make_stage(endpoint={"gateway": {"websocket_reconnect": "off"}})
    mine, upstream = stage.websocket()
    with frozen(stage.proxy):
        upstream.send_text("last words")
        upstream.wire.reset()
    assert mine.read_text() == "last words"
    assert mine.read_close(timeout=5).close_code == 1011


def test_a_clients_reset_right_behind_its_bytes_is_noticed(stage):
    mine, upstream = stage.websocket()
    with frozen(stage.proxy):
        mine.send_text("last words")
        mine.wire.reset()
    assert upstream.read_text() == "last words"
    upstream.wire.read_to_end("the proxy to leave", timeout=5)


@pytest.mark.parametrize("size", [65_300, 65_400, 65_450])
def test_an_answer_of_one_whole_read_leaves_its_connection_usable(stage, size):
    client = stage.connect()
    for _ in range(2):
        client.send_request("GET", PLAIN, token=stage.token())
        call = stage.gateway.next_call()
        with frozen(stage.proxy):
            call.reply(200, b"x" * size)
        assert len(client.read_response().body) == size
    assert len(stage.gateway.wires) == 1


def test_a_request_that_cannot_be_repeated_avoids_a_closed_connection(open_stage):
    stage, client = open_stage, open_stage.connect()
    _, call = stage.get(client=client)
    with frozen(stage.proxy):
        client.send(build_request("PUT", "/thing", fields(stage), b"body"))
        call.wire.close()
    again = stage.gateway.next_call()
    assert again.request.method == "PUT" and again.request.body == b"body"
    again.reply(200)
    assert client.read_response().status == 200


def test_an_early_answer_survives_the_reset_of_a_stuck_upload(make_stage):
    stage = make_stage(endpoint={"other_paths": "forward"},
                       gateway=ScriptedGateway(receive_buffer=16384))
    client = stage.connect(keep_record=False)
    client.send(build_request("POST", "/upload", fields(stage, ("Content-Length", str(10**9)))))
    call = stage.gateway.next_call(body=False)
    sent = [0]

    def upload():
        with contextlib.suppress(OSError, AssertionError):
            while True:
                client.send(b"y" * 65536, timeout=20)
                sent[0] += 65536

    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    thread = threading.Thread(target=upload, daemon=True)
    thread.start()
    seen = [-1, 0]

    def stuck():
        seen[1] = seen[1] + 1 if seen[0] == sent[0] else 0
        seen[0] = sent[0]
        return seen[1] >= 40

    wait_until(stuck, "the upload to stop")
    with frozen(stage.proxy):
        call.wire.send(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        call.wire.close()
    response = client.read_response()
    assert response.status == 413 and response.body == b"no"
    client.close()
    thread.join(30)
