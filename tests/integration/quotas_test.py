"""What one user may hold and do at one endpoint: WebSockets, kernel starts, requests."""

import json
import threading

import pytest

from support.kernels import create
from support.stage import CHANNELS, GATEWAY_TOKEN, PLAIN
from support.waiting import PATIENCE, wait_until


def staged(make_stage, **quotas):
    return make_stage(endpoint={"quotas": quotas})


def hit(stage, limit, times=1):
    stage.moved("kernelgate_limits_hit_total", times, limit=limit)


def refused(stage, response, what):
    assert response.status == 429, response
    assert int(response.get("Retry-After")) >= 1
    assert what in response.json()["message"]
    stage.proxy.wait_log(error="quota", status=429)


def test_open_websockets_are_bounded_for_each_user(make_stage):
    stage = staged(make_stage, websockets=1)
    mine, upstream = stage.websocket()
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token())
    refused(stage, client.read_response(), "WebSockets")
    hit(stage, "websockets")
    other = stage.connect()
    key = other.send_upgrade(CHANNELS, token=stage.token(subject="bob"))
    stage.gateway.next_call().accept_websocket()
    other.read_upgrade(key)
    mine.wire.close()
    upstream.wire.read_to_end()
    upstream.wire.close()
    stage.proxy.wait_metric("kernelgate_websockets_open", 1, endpoint="ep")
    stage.websocket()  # what ended has its place back
    hit(stage, "websockets")  # not one more


def test_kernel_starts_at_a_time_are_bounded_for_each_user(make_stage):
    stage = staged(make_stage, launches=1)
    first, second = stage.connect(), stage.connect()
    first.send_request("POST", "/api/kernels", body=b'{"name":"python3"}', token=stage.token())
    call = stage.gateway.next_call()
    second.send_request("POST", "/api/kernels", body=b'{"name":"python3"}', token=stage.token())
    refused(stage, second.read_response("POST"), "kernel starts")
    hit(stage, "launches")
    second = stage.connect()  # a refusal does not wait for the body, and so ends the connection
    stage.get(client=second)  # everything else goes on
    call.reply(500, b"{}")
    assert first.read_response("POST").status == 500
    second.send_request("POST", "/api/kernels", body=b'{"name":"python3"}', token=stage.token())
    stage.gateway.next_call().reply(500, b"{}")
    assert second.read_response("POST").status == 500


def test_a_start_counts_on_when_its_client_has_left(make_stage):
    """J15: the gateway goes on with it, so leaving is no way around the quota."""
    stage = staged(make_stage, launches=1)
    leaver = stage.connect()
    leaver.send_request("POST", "/api/kernels", body=b'{"name":"python3"}', token=stage.token())
    stage.gateway.next_call()
    leaver.close()
    stage.proxy.wait_log(operation="CreateKernel", error="client_gone")
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b'{"name":"python3"}', token=stage.token())
    refused(stage, client.read_response("POST"), "kernel starts")
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b'{"name":"python3"}',
                        token=stage.token(subject="bob"))
    stage.gateway.next_call().reply(500, b"{}")
    assert client.read_response("POST").status == 500


def test_requests_come_at_the_configured_rate(make_stage):
    stage = staged(make_stage, requests_per_second=1, request_burst=3)
    stage.gateway.serve(lambda call: call.reply(200, b"[]"))
    client = stage.connect()

    def ask(subject="alice"):
        return client.exchange("GET", PLAIN, token=stage.token(subject=subject))

    answers = []
    while len(answers) < 50 and 429 not in [answer.status for answer in answers]:
        answers.append(ask())
    assert [answer.status for answer in answers[:3]] == [200] * 3, "the burst"
    refused(stage, answers[-1], "requests")
    assert answers[-1].get("Retry-After") == "1"
    hit(stage, "requests_per_second")
    assert ask("bob").status == 200, "another user"
    wait_until(lambda: ask().status == 200, "the rate lets one more pass")


def test_who_may_not_come_in_does_not_use_up_the_rate(make_stage):
    stage = staged(make_stage, requests_per_second=1, request_burst=1)
    stage.gateway.serve(lambda call: call.reply(200, b"[]"))
    client = stage.connect()
    for _ in range(5):
        assert client.exchange("GET", PLAIN, token=stage.token("other")).status == 403
    assert client.exchange("GET", PLAIN, token=stage.token()).status == 200


class CountingGateway:
    """Starts kernels under the ids that it is given, and lists them."""

    def __init__(self):
        self.kernels = []
        self.lists = []  # requests for one

    def answer(self, call):
        request = call.request
        if request.method == "POST":
            kernel = json.loads(request.body)["env"]["KERNEL_ID"]
            self.kernels.append(kernel)
            return call.reply_json(json.dumps({"id": kernel}), 201,
                                   [("Location", f"/api/kernels/{kernel}")])
        if request.method == "DELETE":
            self.kernels.remove(request.target.rsplit("/", 1)[1])
            return call.reply(204)
        self.lists.append(request)
        return call.reply_json(json.dumps([{"id": kernel} for kernel in self.kernels]))


@pytest.fixture
def counted(make_owned):
    def make(**quotas):
        stage = make_owned(quotas=quotas)
        stage.counting = CountingGateway()
        stage.gateway.serve(stage.counting.answer)
        return stage
    return make


def start(stage, subject="alice"):
    return stage.connect().exchange("POST", "/api/kernels", body=b'{"name": "python3"}',
                                    token=stage.token(subject=subject))


def test_running_kernels_are_counted_in_the_gateways_own_list(counted):
    stage = counted(kernels=2)
    kernels = [start(stage).json()["id"] for _ in range(2)]
    response = start(stage)
    assert response.status == 403
    assert response.json() == {"reason": "Forbidden", "message": (
        "A max kernels per user limit has been set to 2 and user 'alice' currently has 2 active "
        "and pending kernels.")}
    hit(stage, "kernels")
    stage.moved("kernelgate_errors_total", reason="too_many_kernels")
    assert start(stage, "bob").status == 201, "others' kernels do not count"
    deleted = stage.connect().exchange("DELETE", f"/api/kernels/{kernels[0]}", token=stage.token())
    assert deleted.status == 204
    assert start(stage).status == 201
    assert start(stage).status == 403
    for request in stage.counting.lists:
        assert request.target == "/api/kernels"
        assert request.get("Authorization") == f"token {GATEWAY_TOKEN}"


def test_starts_that_are_under_way_count_too(make_owned):
    stage = make_owned(quotas={"kernels": 1})
    begun, go_on = threading.Event(), threading.Event()

    def answer(call):
        if call.request.method == "GET":
            return call.reply_json("[]")
        begun.set()
        go_on.wait(PATIENCE)
        return call.reply(500, b"{}")

    stage.gateway.serve(answer)
    first = stage.connect()
    first.send_request("POST", "/api/kernels", body=b'{"name": "python3"}', token=stage.token())
    assert begun.wait(PATIENCE), "the first start reaches the gateway"
    response = start(stage)
    assert response.status == 403 and "currently has 1 active" in response.json()["message"]
    go_on.set()
    assert first.read_response("POST").status == 500


@pytest.mark.parametrize("status, body, answer", [
    (403, b"{}", 403), (500, b"{}", 503), (200, b"{}", 503), (200, b"no json", 503)])
def test_what_cannot_be_counted_does_not_start(make_owned, status, body, answer):
    stage = make_owned(quotas={"kernels": 1})
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b'{"name": "python3"}', token=stage.token())
    stage.gateway.next_call().reply(status, body)
    assert client.read_response("POST").status == answer
    assert [request.method for request in stage.gateway.requests] == ["GET"]


def test_without_a_quota_nobody_asks_for_a_list(make_owned):
    stage = make_owned()
    create(stage)
    assert [request.method for request in stage.gateway.requests] == ["POST"]
