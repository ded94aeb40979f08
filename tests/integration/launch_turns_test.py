"""Kernel starts: their turns, their pods, and the end of the process."""

import json
import threading

import pytest

from support import frames
from support.launches import RUNNING, WAITING, ask, id_of, leave, next_call, started
from support.waiting import wait_until

# ---- turns ----


class Starts:
    """Replica.first: kernel starts wait until they are let through."""

    def __init__(self, replicas=()):
        self.calls = []
        self.most = 0
        self.lock = threading.Lock()
        self.open = threading.Event()
        for replica in replicas:
            replica.first = self

    def __call__(self, call):
        if call.request.method != "POST":
            return False
        with self.lock:
            self.calls.append(call)
            self.most = max(self.most, len(self.calls))
        self.open.wait(60)
        with self.lock:
            self.calls.remove(call)
        return False


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("most, at_once", [(3, 9), (16, 30)])
def test_thirty_starts_at_once_succeed_a_few_at_a_time_on_all_pods(make_replicas, workers, most,
                                                                   at_once):
    stage = make_replicas(endpoint={"gateway": {"launches_max": most}, "quotas": {"launches": 30}},
                          config={"workers": workers})
    starts = [Starts([replica]) for replica in stage.replicas]
    clients = [ask(stage) for _ in range(30)]
    wait_until(lambda: sum(len(pod.calls) for pod in starts) == at_once,
               lambda: f"{at_once} starts; there are {[len(pod.calls) for pod in starts]}")
    stage.proxy.wait_metric(WAITING, 30 - at_once)
    assert stage.proxy.metrics().value(RUNNING, endpoint="ep") == at_once
    running = [len(pod.calls) for pod in starts]
    # Workers that choose at the same moment do not see each other.
    assert max(running) - min(running) <= (4 if at_once == 30 or workers > 1 else 0), running
    for pod in starts:
        pod.open.set()
    kernels = {client.read_response("POST").json()["id"] for client in clients}
    assert len(kernels) == 30
    assert sum(len(replica.kernels) for replica in stage.replicas) == 30
    assert max(pod.most for pod in starts) <= most + workers - 1
    stage.moved("kernelgate_launch_wait_seconds_count", by=30)
    stage.proxy.wait_metric(RUNNING, 0)
    waits = [line.get("launch_wait_seconds", 0) for line in
             stage.proxy.wait_log(30, operation="CreateKernel", status=201)]
    assert max(waits) > 0


def test_one_users_many_starts_do_not_hold_up_anothers_one(make_stage):
    stage = make_stage(endpoint={"gateway": {"launches_max": 1}})
    many = [ask(stage) for _ in range(5)]
    call = stage.gateway.next_call()
    stage.proxy.wait_metric(WAITING, 4)
    one = ask(stage, "bob")
    stage.proxy.wait_metric(WAITING, 5)
    users = []
    for _ in range(6):
        users.append(json.loads(call.request.body)["env"]["KERNEL_USERNAME"])
        started(call)
        if len(users) < 6:
            call = stage.gateway.next_call()
    assert users == ["alice", "alice", "bob", "alice", "alice", "alice"]
    assert [client.read_response("POST").status for client in [*many, one]] == [201] * 6


def test_a_full_queue_is_503_at_once_and_a_long_wait_in_the_end(make_stage):
    stage = make_stage(endpoint={"gateway": {"launches_max": 1, "launch_queue_max": 1,
                                             "kernel_launch_timeout": "1s"}})
    runs = ask(stage, timeout=60)
    call = stage.gateway.next_call()
    waits = ask(stage)
    stage.proxy.wait_metric(WAITING, 1)
    for client, why, limit in ((ask(stage), "the queue is full", "launch_queue_max"),
                               (waits, "no turn in time", "kernel_launch_timeout")):
        response = client.read_response("POST")
        assert response.status == 503 and int(response.get("Retry-After")) >= 1
        assert "Too many kernels are starting" in response.json()["message"]
        stage.proxy.wait_log(error="launch_queue", detail=why)
        stage.moved("kernelgate_limits_hit_total", limit=limit)
    stage.moved("kernelgate_launches_refused_total", by=2)
    stage.proxy.wait_metric(WAITING, 0)
    started(call)
    assert runs.read_response("POST").status == 201


def test_who_leaves_the_queue_starts_nothing(make_stage):
    stage = make_stage(endpoint={"gateway": {"launches_max": 1}})
    runs = ask(stage)
    call = stage.gateway.next_call()
    ask(stage).close()
    stage.proxy.wait_log(operation="CreateKernel", error="client_gone")
    stage.proxy.wait_metric(WAITING, 0)
    started(call)
    assert runs.read_response("POST").status == 201
    stage.proxy.wait_metric(RUNNING, 0)
    assert len(stage.gateway.requests) == 1


def test_a_gateway_that_stands_still_holds_up_its_own_starts_only(make_replicas):  # S17
    stage = make_replicas(count=2, endpoint={"gateway": {"launches_max": 2}}, config={
        "websocket": {"ping_after": "100ms", "client_dead_after": "30s",
                      "gateway_dead_after": "30s"}})
    kernel, stalled = stage.start_kernel()
    other = next(replica for replica in stage.replicas if replica is not stalled)
    socket = stage.open_websocket(kernel)
    gateway = stage.gateway_end(stalled, kernel)
    starts = Starts([stalled])
    clients = []
    while len(starts.calls) < 2:
        clients.append(ask(stage))
        wait_until(lambda: len(starts.calls) + len(other.kernels) == len(clients), "a start")
    # Its loop stands still: no start ends there, and pings have no answer.
    stage.moved("kernelgate_websocket_pings_total", side="upstream")
    for _ in range(5):
        assert ask(stage).read_response("POST").status == 201
    assert len(starts.calls) == 2
    starts.open.set()
    assert all(client.read_response("POST").status == 201 for client in clients)
    gateway.send_text("still here")
    while (frame := socket.read()).opcode == frames.PING:
        pass
    assert frame.payload == b"still here"


# ---- pods ----


def test_a_pod_that_cannot_be_reached_starts_nothing_and_another_one_does(make_replicas):
    stage = make_replicas(count=2)
    dead, alive = stage.replicas
    dead.kill()
    for _ in range(6):
        kernel, holder = stage.start_kernel()
        assert holder is alive
        assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200
    assert stage.proxy.metrics().value("kernelgate_upstream_retries_total", endpoint="ep") >= 1


def test_where_no_pod_can_be_reached_each_was_tried_once(make_replicas):
    stage = make_replicas()
    for replica in stage.replicas:
        replica.kill()
    assert ask(stage).read_response("POST").status == 502
    stage.moved("kernelgate_upstream_retries_total", by=2, endpoint="ep")


def test_where_no_pod_takes_new_kernels_a_start_is_503_and_nothing_is_sent(make_replicas):
    stage = make_replicas(count=2, endpoint={"gateway": {"health_check": {
        "path": "/api", "interval": "100ms", "timeout": "100ms", "unhealthy_after": 1}}})
    for replica in stage.replicas:
        replica.first = lambda call: call.request.target == "/api" and (call.reply(500) or True)
    stage.proxy.wait_metric("kernelgate_pod_healthy", 0, endpoint="ep")
    response = ask(stage).read_response("POST")
    assert response.status == 503 and int(response.get("Retry-After")) >= 1
    assert "No kernel gateway of this endpoint takes new kernels" in response.json()["message"]
    stage.proxy.wait_log(error="no_pod", status=503)
    assert not any(replica.asked for replica in stage.replicas)


def test_repeated_starts_come_to_one_pod(make_replicas):
    stage = make_replicas()
    for name in ("a", "b", "c", "d"):
        answers = [ask(stage, wanted=name).read_response("POST").json()["id"] for _ in range(3)]
        assert len(set(answers)) == 1
        stage.holder(answers[0])
    assert sum(len(replica.kernels) for replica in stage.replicas) == 4


# ---- the end of the process ----


def test_a_drain_waits_for_a_start_whose_client_left(make_stage):
    stage = make_stage(config={"drain": {"lame_duck": "0s", "deadline": "10s"}})
    client = ask(stage)
    call = stage.gateway.next_call()
    leave(stage, client)
    stage.proxy.signal(15)
    stage.proxy.wait_for_stderr("drain", "the drain's line")
    kernel = started(call)
    delete = next_call(stage, "DELETE")
    assert stage.proxy.process.poll() is None
    assert delete.request.target == f"/api/kernels/{kernel}"
    delete.reply(204)
    assert stage.proxy.wait_exit() == 0


def test_what_a_drain_cannot_wait_for_is_logged_by_id(stage):
    leaver, _ = ask(stage), ask(stage)
    kernels = [id_of(stage.gateway.next_call()) for _ in range(2)]
    leave(stage, leaver)
    stage.proxy.signal(15)
    assert stage.proxy.wait_exit() == 0
    log = "\n".join(stage.proxy.stderr_lines)
    for kernel in kernels:
        assert f"not followed to its end kernel={kernel} endpoint=ep pod=jeg-0" in log
    assert "alice" not in log
