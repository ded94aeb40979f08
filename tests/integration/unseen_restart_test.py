"""A gateway that restarted unseen is made to load a kernel that it refuses, and asked once more."""

import pytest

from support.replicas import refuse
from support.waiting import wait_until

REVIVALS = "kernelgate_kernel_revivals_total"
RESTARTS = "kernelgate_pod_restarts_suspected_total"
RESENT = "kernelgate_upstream_retries_total"
STATUS = {"interrupt": 204, "restart": 200}


@pytest.fixture
def fleet(make_replicas):
    """fleet(kernels, ...): (stage, a replica, kernels that a worker has seen there)."""
    def make(kernels=1, replication=True, **options):
        stage = make_replicas(replication=replication, config={"workers": 1}, **options)
        replica = stage.replicas[1]
        made = [stage.seed(replica) for _ in range(kernels)]
        for kernel in made:
            assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200
        return stage, replica, made
    return make


def forget_all(stage, replica):
    replica.restart_unseen()
    stage.forget()


def say(stage, kernel, verb):
    client = stage.connect()
    return client.exchange("POST", f"/api/kernels/{kernel}/{verb}", body=b"{}",
                           token=stage.token())


def asked_of(replica, kernel):
    return [(method, path.partition(kernel)[2]) for method, path in replica.asked if kernel in path]


@pytest.mark.parametrize("verb", STATUS)
def test_a_verb_that_was_not_done_is_said_once_more(fleet, verb):
    stage, replica, (kernel, other) = fleet(2)
    forget_all(stage, replica)
    assert say(stage, kernel, verb).status == STATUS[verb]
    post = ("POST", f"/{verb}")
    assert asked_of(replica, kernel) == [post, ("GET", ""), post]
    stage.moved(RESENT, endpoint="ep")
    stage.moved(RESTARTS, endpoint="ep", pod="jeg-1")
    # From now on it is known: what else was there is loaded first, this one not again.
    for known in (other, kernel):
        assert say(stage, known, verb).status == STATUS[verb]
    assert asked_of(replica, other) == [("GET", ""), post]
    assert asked_of(replica, kernel) == [post, ("GET", ""), post, post]
    stage.moved(REVIVALS, by=2)
    stage.unmoved(RESTARTS, pod="jeg-0")
    for each in (kernel, other):
        stage.assert_asked_only(replica, each)
    stage.assert_nothing_destroyed()


@pytest.mark.parametrize("verb, status, message", [
    ("interrupt", 404, "Kernel does not exist"), ("restart", 500, "Exception restarting kernel")])
def test_a_kernel_that_has_ended_stays_ended(fleet, verb, status, message):
    stage, replica, (kernel,) = fleet()
    stage.shared.records.clear()
    forget_all(stage, replica)
    response = say(stage, kernel, verb)
    assert response.status == status and message in response.json()["message"]
    assert "traceback" not in response.json()
    assert asked_of(replica, kernel) == [("POST", f"/{verb}"), ("GET", "")]
    stage.unmoved(RESENT)
    stage.unmoved(RESTARTS)


def test_a_restart_that_began_is_not_said_again(fleet):
    stage, replica, (kernel,) = fleet()
    stage.forget()
    replica.first = lambda call: refuse(call, kernel, "restart", raised_in="launch_kernel") or True
    assert say(stage, kernel, "restart").status == 500
    assert asked_of(replica, kernel) == [("POST", "/restart")]
    stage.unmoved(REVIVALS)


def test_a_gateway_that_always_refuses_is_asked_twice(fleet):
    stage, replica, (kernel,) = fleet()
    stage.forget()
    replica.first = lambda call: (call.request.target.endswith("/interrupt")
                                  and (refuse(call, kernel, "interrupt") or True))
    assert say(stage, kernel, "interrupt").status == 404
    post = ("POST", "/interrupt")
    assert asked_of(replica, kernel) == [post, ("GET", ""), post]
    stage.unmoved(RESTARTS)  # nothing is proved


@pytest.mark.parametrize("answer, status, error", [
    (503, 502, "upstream_protocol"), (401, 502, "upstream_token")])
def test_where_nobody_knows_whether_it_has_ended_the_answer_is_no_404(fleet, answer, status, error):
    stage, replica, (kernel,) = fleet()
    forget_all(stage, replica)
    replica.first = lambda call: call.request.method == "GET" and (
        call.reply(answer, b"{}") or True)
    assert say(stage, kernel, "interrupt").status == status
    stage.proxy.wait_log(operation="InterruptKernel", error=error)
    stage.unmoved(RESENT)


def test_a_client_that_leaves_meanwhile_is_not_spoken_for(fleet):
    stage, replica, (kernel,) = fleet()
    forget_all(stage, replica)
    held = []
    replica.first = lambda call: call.request.method == "GET" and not held.append(call)
    client = stage.connect()
    client.send_request("POST", f"/api/kernels/{kernel}/restart", token=stage.token(), body=b"{}")
    wait_until(lambda: held, "the GET")
    client.reset()
    stage.proxy.wait_log(operation="RestartKernel", error="client_gone")
    held[0].reply_json("{}")
    replica.first = None
    assert say(stage, kernel, "interrupt").status == 204
    assert asked_of(replica, kernel).count(("POST", "/restart")) == 1


def test_a_get_and_a_delete_need_no_help(fleet):
    stage, replica, (kernel,) = fleet()
    forget_all(stage, replica)
    assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200
    assert asked_of(replica, kernel) == [("GET", "")]
    forget_all(stage, replica)
    assert stage.ask("DELETE", f"/api/kernels/{kernel}").status == 204
    assert asked_of(replica, kernel) == [("DELETE", "")]
    assert kernel not in stage.shared.records and kernel not in replica.kernels
    assert say(stage, kernel, "interrupt").status == 404
    assert not replica.kernels and not stage.shared.records, "it is not brought back"
    stage.unmoved(RESENT)


@pytest.mark.parametrize("loads", [True, False])
def test_a_websocket_opens(fleet, loads):
    """Gateways before 3.3.0 load no kernel for it (J21)."""
    stage, replica, (kernel,) = fleet()
    forget_all(stage, replica)

    def as_before_3_3(call):
        unknown = "/channels" in call.request.target and kernel not in replica.kernels
        return unknown and (refuse(call, kernel, "channels") or True)

    if not loads:
        replica.first = as_before_3_3
    mine = stage.open_websocket(kernel)
    stage.gateway_end(replica, kernel).send_text("hello")
    assert mine.read_text() == "hello"
    upgrade = ("GET", "/channels")
    assert asked_of(replica, kernel) == ([upgrade] if loads else [upgrade, ("GET", ""), upgrade])
    stage.assert_nothing_destroyed()


@pytest.mark.parametrize("verb, status", [("interrupt", 404), ("restart", 500)])
def test_without_shared_records_the_answer_passes(fleet, verb, status):
    stage, replica, (kernel,) = fleet(replication=False)
    forget_all(stage, replica)
    assert say(stage, kernel, verb).status == status
    assert asked_of(replica, kernel) == [("POST", f"/{verb}")]
    stage.assert_nothing_destroyed()
