"""Kernel starts: their answers, and what becomes of those that lose client or gateway."""

import json

import pytest

from support.launches import (DELETED, RUNNING, WAITING, ask, expect_delete, expect_lost, id_of,
                              leave, next_call, started)

# ---- one gateway: the answer ----


def test_no_byte_comes_before_the_answer_of_a_slow_start(stage):  # S1
    client = ask(stage)
    call = stage.gateway.next_call()
    stage.get(client=stage.connect())  # others are served meanwhile
    assert not client.arrived(0.05)
    kernel = started(call)
    response = client.read_response("POST")
    assert response.status == 201 and response.get("Location") == f"/api/kernels/{kernel}"
    assert response.json() == {"id": kernel, "name": "python3"}


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_201_reaches_its_client_whole_or_not_at_all(stage, framing):
    client = ask(stage)
    call = stage.gateway.next_call()
    kernel = id_of(call)
    call.reply(201, json.dumps({"id": kernel}).encode(),
               [("Location", f"/api/kernels/{kernel}"), ("X-Of-The-Gateway", "1")], framing)
    response = client.read_response("POST")
    assert (response.status, response.json()) == (201, {"id": kernel})
    assert response.get("X-Of-The-Gateway") == "1"
    client = ask(stage)
    call = stage.gateway.next_call()
    kernel = id_of(call)
    call.wire.send(b"HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{\"id\"")
    call.wire.reset()
    expect_lost(client.read_response("POST"))
    next_call(stage, "GET").reply_json(json.dumps([{"id": kernel}]))
    expect_delete(stage, kernel)


def test_a_start_that_never_answers_is_504_and_its_kernel_goes(make_stage):  # S2
    stage = make_stage(endpoint={"gateway": {"kernel_launch_timeout": "1s"}},
                       config={"timeouts": {"first_byte": {"launch_margin": "100ms"}}})
    client = ask(stage)
    kernel = id_of(stage.gateway.next_call())
    assert client.read_response("POST").status == 504
    stage.proxy.wait_log(operation="CreateKernel", error="upstream_timeout", kernel=kernel)
    next_call(stage, "GET").reply_json("[]")  # not yet
    next_call(stage, "GET").reply_json(json.dumps([{"id": kernel}]))
    expect_delete(stage, kernel)
    stage.moved("kernelgate_launches_lost_total")


@pytest.mark.parametrize("status", [204, 404])
def test_a_start_that_is_broken_off_is_503_and_its_kernel_goes(stage, status):  # S3
    client = ask(stage)
    call = stage.gateway.next_call()
    kernel = id_of(call)
    call.wire.reset()
    expect_lost(client.read_response("POST"))
    line = stage.proxy.wait_log(operation="CreateKernel", error="launch_lost")
    assert line["kernel"] == kernel and line["status"] == 503
    listing = next_call(stage, "GET")
    assert listing.request.target == "/api/kernels"
    listing.reply_json(json.dumps([{"id": kernel}]))
    expect_delete(stage, kernel, status)


def test_after_a_lost_start_the_same_id_is_not_used_again(stage):
    client = ask(stage, wanted="mine")
    next_call(stage, "GET").reply_json("[]")  # whether it runs already
    call = next_call(stage, "POST")
    lost = id_of(call)
    call.wire.reset()
    expect_lost(client.read_response("POST"))
    client = ask(stage, wanted="mine")
    calls = [stage.gateway.next_call(), stage.gateway.next_call()]
    assert sorted(call.request.method for call in calls) == ["GET", "POST"]
    listing, start = sorted(calls, key=lambda call: call.request.method)
    assert started(start) != lost
    assert client.read_response("POST").status == 201
    listing.reply_json(json.dumps([{"id": lost}]))
    expect_delete(stage, lost)


# ---- clients that leave ----


def test_a_client_that_leaves_leaves_no_kernel(stage):
    client = ask(stage)
    call = stage.gateway.next_call()
    leave(stage, client)
    assert stage.proxy.metrics().value(RUNNING, endpoint="ep") == 1
    expect_delete(stage, started(call))
    stage.proxy.wait_metric(RUNNING, 0)


def test_what_cannot_be_deleted_at_once_is_deleted_later(stage):
    client = ask(stage)
    call = stage.gateway.next_call()
    leave(stage, client)
    kernel = started(call)
    next_call(stage, "DELETE").reply(500)
    next_call(stage, "DELETE").wire.reset()
    expect_delete(stage, kernel)


def test_a_client_that_leaves_a_failing_start_leaves_nothing_to_do(stage):
    client = ask(stage)
    call = stage.gateway.next_call()
    leave(stage, client)
    call.reply_json('{"message": "waited too long"}', 500)
    stage.proxy.wait_metric("kernelgate_launches_followed", 0)
    stage.unmoved(DELETED)
    stage.unmoved("kernelgate_orphans_left_total")


def test_a_followed_start_whose_gateway_breaks_off_is_looked_for(stage):
    client = ask(stage)
    call = stage.gateway.next_call()
    leave(stage, client)
    kernel = id_of(call)
    call.wire.reset()
    next_call(stage, "GET").reply(500)  # no list: nothing follows from that
    next_call(stage, "GET").reply_json(json.dumps([{"id": kernel}]))
    expect_delete(stage, kernel)


def test_the_token_that_was_forwarded_deletes_too(make_stage):
    stage = make_stage(endpoint={
        "gateway": {"credentials": "forward", "token_file": None},
        "sessions": {"authenticators": [{"delegated": {"gateway": "/api/kernelspecs"}}]}})
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b"{}", token="alices-own")
    next_call(stage, "GET").reply(200, b"{}")  # who she is
    call = next_call(stage, "POST")
    leave(stage, client)
    kernel = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f"
    call.reply_json("{}", 201, [("Location", f"/api/kernels/{kernel}")])
    call = next_call(stage, "DELETE")
    assert call.request.target == f"/api/kernels/{kernel}"
    assert call.request.get("Authorization") == "token alices-own"
    call.reply(204)
    stage.moved(DELETED)


# ---- the same start again ----


def test_a_start_under_way_is_not_sent_a_second_time(stage):  # S9: it would start twice
    first = ask(stage, wanted="mine")
    next_call(stage, "GET").reply_json("[]")
    call = next_call(stage, "POST")
    second, stranger = ask(stage, wanted="mine"), ask(stage, "bob", wanted="mine")
    other = stage.gateway.next_call()  # bob's "mine" is another kernel
    if other.request.method == "GET":  # the list is fresh still, but on one worker
        other.reply_json("[]")
        other = next_call(stage, "POST")
    stage.proxy.wait_metric(WAITING, 1)
    kernel = started(call)
    assert started(other) != kernel
    answers = [client.read_response("POST") for client in (first, second, stranger)]
    assert [answer.status for answer in answers] == [201, 201, 201]
    assert answers[0].json() == answers[1].json() == {"id": kernel, "name": "python3"}
    assert answers[0].get("Location") == answers[1].get("Location") == f"/api/kernels/{kernel}"
    stage.moved("kernelgate_launches_shared_total")
    assert [r.method for r in stage.gateway.requests].count("POST") == 2


def test_both_get_the_error_of_the_one_start(stage):
    first = ask(stage, wanted="mine")
    next_call(stage, "GET").reply_json("[]")
    call = next_call(stage, "POST")
    second = ask(stage, wanted="mine")
    stage.proxy.wait_metric(WAITING, 1)
    call.reply_json('{"reason": "no", "message": "waited too long", "traceback": "x"}', 500)
    for client in (first, second):
        response = client.read_response("POST")
        assert response.status == 500
        assert response.json() == {"reason": "no", "message": "waited too long"}


def test_a_start_whose_kernel_runs_is_answered_by_it(stage):  # S9: it would be 500
    client = ask(stage, wanted="mine")
    next_call(stage, "GET").reply_json("[]")
    kernel = started(next_call(stage, "POST"))
    assert client.read_response("POST").status == 201
    client = ask(stage, wanted="mine")
    listed = {"id": kernel, "name": "python3", "execution_state": "idle"}
    next_call(stage, "GET").reply_json(json.dumps([{"id": kernel[::-1]}, listed]))
    response = client.read_response("POST")
    assert response.status == 201 and response.json() == listed
    assert response.get("Location") == f"/api/kernels/{kernel}"
    stage.moved("kernelgate_launches_shared_total")


def test_who_asks_again_gets_the_kernel_of_the_one_who_left(stage):
    client = ask(stage, wanted="mine")
    next_call(stage, "GET").reply_json("[]")
    call = next_call(stage, "POST")
    leave(stage, client)
    again = ask(stage, wanted="mine")
    stage.proxy.wait_metric(WAITING, 1)
    kernel = started(call)
    response = again.read_response("POST")
    assert response.status == 201 and response.json()["id"] == kernel
    stage.proxy.wait_metric("kernelgate_launches_followed", 0)
    stage.unmoved(DELETED)
