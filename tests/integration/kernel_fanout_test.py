"""A list of kernels is that of all pods: exact, cheap, and whole or not at all (domain G28, R5)."""

import json
import threading
import time

import pytest

from support.replicas import model
from support.waiting import wait_until

LIST = "/api/kernels"


@pytest.fixture
def fleet(make_replicas):
    """fleet(count, gateway=..., ...): replicas whose kernels have owners."""
    def make(count=3, gateway=None, **options):
        return make_replicas(count=count, endpoint={
            "foreign_ids": options.pop("foreign_ids", "deny"), "gateway": gateway or {},
            **options.pop("endpoint", {})}, **options)
    return make


def seeded(stage, each=2):
    """Alice's kernels, on every replica."""
    return {stage.seed(replica) for replica in stage.replicas for _ in range(each)}


def listed(stage, subject="alice", client=None):
    response = stage.ask("GET", LIST, subject, client)
    assert response.status == 200, response
    return [kernel["id"] for kernel in response.json()]


def fails_lists(how):
    """Replica.first: answers its lists by how(call), nothing else."""
    def first(call):
        if call.request.method != "GET" or call.request.target != LIST:
            return False
        how(call)
        return True
    return first


def lists_asked(replica):
    return replica.asked.count(("GET", LIST))


def outdate(stage):
    """So that no list from before is shared any more: a kernel of somebody else goes."""
    kernel = stage.seed(stage.replicas[-1], "nobody")
    assert stage.ask("DELETE", f"{LIST}/{kernel}", "nobody").status == 204


def test_a_list_holds_each_kernel_once_from_its_holder_and_no_deleted_one(fleet):
    stage = fleet()
    holder, other, third = stage.replicas
    first, second, last = (stage.seed(replica) for replica in stage.replicas)
    assert set(listed(stage)) == {first, second, last} and listed(stage, "bob") == []
    other.kernels[first] = "a copy"  # as a replica that once loaded it goes on listing it (0.12)
    holder.kernels[second] = third.kernels[second] = "a copy"
    assert stage.ask("DELETE", f"{LIST}/{second}").status == 204
    entries = stage.ask("GET", LIST).json()
    assert [entry["name"] for entry in entries if entry["id"] == first] == ["python3"]
    assert second not in [entry["id"] for entry in entries]
    assert len(entries) == len({entry["id"] for entry in entries})
    stage.unmoved("kernelgate_kernel_lists_stale_total", endpoint="ep")


def test_of_a_foreign_kernel_on_two_pods_the_connected_one_counts(fleet):
    stage = fleet(2, foreign_ids="endpoint")
    foreign = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f"
    for replica, connections in zip(stage.replicas, (0, 2)):
        entry = {**model(foreign), "connections": connections}
        replica.first = fails_lists(lambda call, entry=entry: call.reply_json(json.dumps([entry])))
    assert [entry["connections"] for entry in stage.ask("GET", LIST).json()] == [2]


def test_fifty_lists_at_a_time_ask_each_pod_once(fleet):
    stage = fleet(config={"workers": 1})
    kernel = stage.seed(stage.replicas[1])
    released = threading.Event()

    def hold(call):
        released.wait(30)
        return False

    for replica in stage.replicas:
        replica.first = hold
    clients = [stage.connect() for _ in range(50)]
    for client in clients:
        client.send_request("GET", LIST, token=stage.token())
    for replica in stage.replicas:
        wait_until(lambda replica=replica: lists_asked(replica), f"a list at {replica.name}")
    released.set()
    for client in clients:
        assert [entry["id"] for entry in client.read_response().json()] == [kernel]
    assert listed(stage) == [kernel], "still the same list"
    assert [lists_asked(replica) for replica in stage.replicas] == [1, 1, 1]


def test_a_list_from_before_a_start_or_a_delete_counts_no_more(fleet):
    stage = fleet(config={"workers": 1})
    client = stage.connect()
    assert listed(stage, client=client) == []
    kernel, _ = stage.start_kernel()
    assert listed(stage, client=client) == [kernel]
    assert stage.ask("DELETE", f"{LIST}/{kernel}").status == 204
    assert listed(stage, client=client) == []


def cut(call):
    call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[")
    call.wire.close()


TOO_MANY = json.dumps([model("a-b-c-d-e")] * 10_001)
TOO_LONG = "[" + " " * 9_000_000 + "]"
FAILURES = {  # of the pod, and what is said once its last list is too old
    "500": (lambda call: call.reply_json('{"message": "no", "traceback": "x"}', 500),
            503, "list_incomplete", "no 200 for a list"),
    "403": (lambda call: call.reply_json("{}", 403), 403, "list_refused", ""),
    "401": (lambda call: call.reply_json("{}", 401), 502, "upstream_token", ""),
    "cut short": (cut, 503, "list_incomplete", None),
    "no list": (lambda call: call.reply_json("{}"),
                503, "list_incomplete", "a list that cannot be judged"),
    "too long": (lambda call: call.reply_json(TOO_LONG),
                 503, "list_incomplete", "the list is too long"),
    "too many": (lambda call: call.reply_json(TOO_MANY),
                 503, "list_incomplete", "a list that cannot be judged"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_pod_that_fails_is_listed_by_its_last_list_and_then_the_answer_is_no_list(fleet, failure):
    """S12: its list is refused, or comes in part."""
    how, status, label, detail = FAILURES[failure]
    stage = fleet(2, gateway={"list_stale_for": "1500ms"}, config={"workers": 1})
    kernels = seeded(stage)
    client = stage.connect()
    assert set(listed(stage, client=client)) == kernels
    stage.replicas[0].first = fails_lists(how)
    outdate(stage)
    assert set(listed(stage, client=client)) == kernels
    stage.moved("kernelgate_kernel_lists_stale_total", endpoint="ep")

    def refused():
        response = stage.ask("GET", LIST, client=client)
        if response.status != 200:
            return response
        assert {entry["id"] for entry in response.json()} == kernels, "a list with gaps"
        return None

    response = wait_until(refused, "an answer that is no list")
    assert response.status == status and response.json()["reason"] and "x" != response.body
    line = stage.proxy.wait_log(operation="ListKernels", error=label)
    assert line["pod"] == "jeg-0"
    if detail is not None:
        assert line.get("detail", "") == detail
    stage.moved("kernelgate_errors_total", endpoint="ep", reason=label)
    stage.replicas[0].first = None
    assert set(listed(stage, client=client)) == kernels


def test_a_pod_that_nobody_reaches_is_listed_by_its_last_list(fleet):
    stage = fleet(config={"workers": 1})
    kernels = seeded(stage)
    assert set(listed(stage)) == kernels
    stage.replicas[1].kill()
    stage.replicas[2].first = fails_lists(cut)
    outdate(stage)
    assert set(listed(stage)) == kernels
    stage.moved("kernelgate_kernel_lists_stale_total", endpoint="ep")


def test_without_a_last_list_a_failing_pod_leaves_none(fleet):
    stage = fleet(2)
    stage.replicas[1].kill()
    response = stage.ask("GET", LIST)
    assert response.status == 503 and response.get("Retry-After")
    line = stage.proxy.wait_log(operation="ListKernels", error="list_incomplete")
    assert (line["pod"], line["detail"]) == ("jeg-1", "connection refused")


def test_a_stalled_pod_slows_no_list(fleet):  # S12
    stage = fleet(config={"workers": 1})
    kernels = seeded(stage)
    assert set(listed(stage)) == kernels
    stage.replicas[0].first = fails_lists(lambda call: None)
    outdate(stage)
    assert set(listed(stage)) == kernels  # the first one waits for a second
    begun = time.monotonic()
    for _ in range(5):
        assert set(listed(stage)) == kernels
    assert time.monotonic() - begun < 0.9, "the others wait as well"
    assert lists_asked(stage.replicas[0]) == 2
    stage.moved("kernelgate_kernel_lists_stale_total", by=6, endpoint="ep")


def test_a_stalled_pod_without_a_last_list_ends_in_time(fleet):
    stage = fleet(2, config={"timeouts": {"first_byte": {"list": "200ms"}}})
    stage.replicas[1].first = fails_lists(lambda call: None)
    assert stage.ask("GET", LIST).status == 503
    stage.proxy.wait_log(operation="ListKernels", error="list_incomplete",
                         detail="no list of kernels in time", pod="jeg-1")
    stage.moved("kernelgate_limits_hit_total", limit="first_byte")


def test_an_old_list_shows_no_kernel_that_was_deleted_since(fleet):
    stage = fleet(1)
    kept, deleted = seeded(stage)
    assert set(listed(stage)) == {kept, deleted}
    stage.replicas[0].first = fails_lists(cut)
    assert stage.ask("DELETE", f"{LIST}/{deleted}").status == 204
    assert listed(stage) == [kept]
    stage.moved("kernelgate_kernel_lists_stale_total", endpoint="ep")


def test_an_old_list_does_not_serve_where_a_kernel_was_started_since(fleet):
    stage = fleet(1)
    first, = seeded(stage, 1)
    assert listed(stage) == [first]
    stage.replicas[0].first = fails_lists(cut)
    second, _ = stage.start_kernel()
    assert stage.ask("GET", LIST).status == 503, "it would look as if the second had been culled"
    assert stage.ask("DELETE", f"{LIST}/{second}").status == 204
    assert listed(stage) == [first]


def test_nothing_old_is_shown_where_the_endpoint_says_so(fleet):
    stage = fleet(1, gateway={"list_stale_for": "0s"})
    seeded(stage, 1)
    assert len(listed(stage)) == 1
    stage.replicas[0].first = fails_lists(cut)
    outdate(stage)
    assert stage.ask("GET", LIST).status == 503


def exact(stage, kernels):
    """A list, if there is one, has no gap."""
    response = stage.ask("GET", LIST)
    if response.status == 200:
        assert {entry["id"] for entry in response.json()} == kernels, "a list with gaps"
    return response.status == 200


HASTY = {"health_check": {"interval": "100ms", "timeout": "100ms", "unhealthy_after": 1,
                          "healthy_after": 1}, "gone_after": "1s"}


def test_a_pod_that_is_gone_is_listed_no_more(fleet):
    stage = fleet(2, gateway=HASTY, config={"workers": 1})
    dead, alive = stage.replicas
    kernels = seeded(stage)
    assert set(listed(stage)) == kernels
    dead.kill()
    wait_until(lambda: set(listed(stage)) == set(alive.kernels), "a list of the pod that is left")
    alive.kill()
    wait_until(lambda: stage.ask("GET", LIST).status == 503, "no list of nobody")


def test_a_restarted_gateway_loads_its_kernels_before_its_list_counts(fleet):
    stage = fleet(2, replication=True, config={"workers": 1})
    kernels = seeded(stage, 5)
    assert set(listed(stage)) == kernels
    victim = stage.replicas[1]
    held = set(victim.kernels)
    victim.restart()
    wait_until(lambda: exact(stage, kernels) and set(victim.kernels) == held,
               "its kernels back in its memory")
    stage.assert_nothing_destroyed()
    assert {kernel for replica in stage.replicas for kernel in replica.kernels} == kernels
    assert sum(len(replica.kernels) for replica in stage.replicas) == len(kernels), "copies"


def test_a_gateway_that_restarted_unseen_loads_its_kernels_before_its_list_counts(fleet):
    stage = fleet(2, replication=True, config={"workers": 1})
    kernels = seeded(stage, 3)
    assert set(listed(stage)) == kernels
    victim = stage.replicas[0]
    ended, *held = victim.kernels
    stage.shared.records.discard(ended)
    victim.restart_unseen()
    outdate(stage)
    stage.forget()
    assert set(listed(stage)) == kernels - {ended}
    assert set(victim.kernels) == set(held)
    stage.moved("kernelgate_pod_restarts_suspected_total", pod=victim.name)
    outdate(stage)
    assert set(listed(stage)) == kernels - {ended}
    each_once = [("GET", f"{LIST}/{kernel}") for kernel in (ended, *held)]
    assert sorted(entry for entry in victim.asked if entry[1] != LIST) == sorted(each_once)


def test_a_kernel_that_the_gateway_ended_is_asked_for_once(fleet):
    stage = fleet(1, replication=True, config={"workers": 1})
    kept, ended = seeded(stage, 2)
    assert set(listed(stage)) == {kept, ended}
    del stage.replicas[0].kernels[ended]
    stage.shared.records.discard(ended)
    for _ in range(2):
        outdate(stage)
        assert listed(stage) == [kept]
    assert stage.replicas[0].asked.count(("GET", f"{LIST}/{ended}")) == 1
    stage.unmoved("kernelgate_pod_restarts_suspected_total")


def test_kernels_of_a_gone_gateway_are_loaded_by_others_before_a_list_counts(fleet):
    stage = fleet(3, gateway=HASTY, replication=True, config={"workers": 1})
    kernels = seeded(stage)
    assert set(listed(stage)) == kernels
    dead = stage.replicas[0]
    dead.kill()
    left = stage.replicas[1:]
    wait_until(lambda: exact(stage, kernels)
               and {kernel for replica in left for kernel in replica.kernels} == kernels,
               "the dead replica's kernels at the others")
    stage.assert_nothing_destroyed()
    assert sum(len(replica.kernels) for replica in left) == len(kernels), "copies"
    dead.start()
    wait_until(lambda: exact(stage, kernels) and dead.kernels, "kernels at home again")
    stage.assert_nothing_destroyed()


def test_kernels_are_counted_on_all_pods(fleet):
    stage = fleet(config={"workers": 1}, endpoint={"quotas": {"kernels": 3}})
    seeded(stage, 1)
    client = stage.connect()
    refused = client.exchange("POST", LIST, body=b'{"name": "python3"}', token=stage.token())
    assert refused.status == 403
    stage.replicas[2].first = fails_lists(lambda call: call.reply_json("{}", 500))
    outdate(stage)
    refused = client.exchange("POST", LIST, body=b'{"name": "python3"}', token=stage.token())
    assert refused.status == 403, "its last list counts"
    stage.moved("kernelgate_kernel_lists_stale_total", endpoint="ep")
