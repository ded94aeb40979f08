"""Clients that send much and read late: order is kept, nothing that was answered gets lost."""

import threading

from support.http_text import build_request, read_response_head


def request(stage, target="/api/kernels", *more):
    return build_request("GET", target, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"), *more])


def test_pipelined_requests_beyond_one_read_keep_their_order(stage):
    stage.gateway.serve(lambda call: call.reply(200, call.request.get("X-Number").encode()))
    count = 250
    for _ in range(3):
        client = stage.connect(keep_record=False)
        wanted = b"".join(request(stage, "/api/kernels", ("X-Number", str(i)), ("X-Pad", "y" * 3000))
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


def test_a_client_that_ends_its_side_early_gets_its_whole_answer(open_stage):
    stage = open_stage
    client = stage.connect(receive_buffer=65536, keep_record=False)
    left = 12_000_000
    client.send(request(stage, "/big"))
    call = stage.gateway.next_call()
    call.wire.keep_record = False
    thread = threading.Thread(target=call.reply, args=(200, b"z" * left), daemon=True)
    thread.start()
    read_response_head(client)
    while not stage.proxy.log_lines():  # the exchange is over, the answer is not yet all here
        left -= len(client.read_exact(4096, "the body"))
    client.sock.fin_without_close_notify()
    client.read_exact(left, "the rest of the body")
    client.expect_end("close")
    thread.join()
