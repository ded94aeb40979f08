"""Clients that send much and read late: order is kept, nothing that was answered gets lost."""

import threading
from pathlib import Path

from support.http_text import build_request
from support.stage import PLAIN
from support.waiting import wait_until


def request(stage, *more):
    return build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"), *more])


def test_pipelined_requests_beyond_one_read_keep_their_order(stage):
    stage.gateway.serve(lambda call: call.reply(200, call.request.get("X-Number").encode()))
    count = 250
    for _ in range(3):
        client = stage.connect(keep_record=False)
        wanted = b"".join(request(stage, ("X-Number", str(i)), ("X-Pad", "y" * 3000))
                          for i in range(count))
        thread = threading.Thread(target=client.send_to_the_end, args=(wanted,), daemon=True)
        thread.start()
        for i in range(count):
            response = client.read_response()
            assert (response.status, response.body) == (200, str(i).encode())
        thread.join()


def test_pipelined_answers_wait_for_a_client_that_does_not_read(stage):
    body = b"q" * 60_000
    stage.gateway.serve(lambda call: call.reply(200, body))
    client = stage.connect(receive_buffer=4096, keep_record=False)
    count = 200
    client.send(request(stage) * count)
    stage.proxy.wait_log()  # it answers while nobody reads
    for _ in range(count):
        assert client.read_response().body == body


def queue_of(local=None, remote=None):
    """(unsent, unread) bytes that the system holds for the socket between these ports."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = [int(fields[i].split(":")[1], 16) for i in (1, 2)]
        if local in (None, ports[0]) and remote in (None, ports[1]):
            return [int(number, 16) for number in fields[4].split(":")]
    raise AssertionError(f"no socket from {local} to {remote}")


def answer_more_than_the_system_takes(stage, client, call):
    """Sends a chunked answer whose last 48,000 bytes stay in the program; its length."""
    call.wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece, sent, held = b"z" * 16_000, 0, [-1, -2, -3]
    while len(set(held)) > 1:  # three pieces in a row made the system hold no more
        call.wire.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        sent += len(piece)
        wait_until(lambda: queue_of(remote=stage.gateway.port)[1] == 0, "the piece to be taken")
        peer = int(client.address.rsplit(":", 1)[1])
        held = [*held[1:], queue_of(stage.proxy.port, peer)[0]]
    call.wire.send(b"0\r\n\r\n")
    stage.proxy.wait_log(status=200)
    return sent


def test_a_client_that_ends_its_side_early_gets_its_whole_answer(stage):
    client = stage.connect(receive_buffer=4096, keep_record=False)
    client.send(request(stage))
    size = answer_more_than_the_system_takes(stage, client, stage.gateway.next_call())
    client.sock.fin_without_close_notify()
    assert len(client.read_response().body) == size
    client.expect_end("close")
