"""A kernel's requests go to the pod that holds it, or nowhere: by no verb is another one asked."""

import functools
import uuid

import pytest

from support.waiting import wait_until

REVIVALS = "kernelgate_kernel_revivals_total"
REHOMED = "kernelgate_kernels_rehomed_total"
RESTARTS = "kernelgate_pod_restarts_suspected_total"
QUICK = {"interval": "100ms", "timeout": "1s", "unhealthy_after": 1, "healthy_after": 1}
VERBS = [("GET", ""), ("POST", "/interrupt"), ("POST", "/restart")]


def use_every_verb(stage, kernel, replica):
    """Each verb works, and reaches that replica alone: another one would destroy its record."""
    stage.forget()
    for method, verb in VERBS:
        response = stage.ask(method, f"/api/kernels/{kernel}{verb}")
        assert response.status in (200, 204), (method, verb, response)
    stage.open_websocket(kernel)
    stage.gateway_end(replica, kernel)
    assert stage.ask("DELETE", f"/api/kernels/{kernel}").status == 204
    stage.assert_asked_only(replica, kernel)
    assert not replica.refused
    stage.assert_nothing_destroyed()


@pytest.mark.parametrize("replication", [False, True])
def test_every_verb_goes_to_the_holder(make_replicas, replication):  # S7
    stage = make_replicas(replication=replication, config={"workers": 2})
    for replica in stage.replicas:
        use_every_verb(stage, stage.seed(replica), replica)
    stage.unmoved(REHOMED)
    if not replication:
        stage.unmoved(REVIVALS)


def test_a_kernel_that_is_started_is_used_where_it_started(make_replicas):
    stage = make_replicas(replication=True, config={"workers": 1})
    kernel, replica = stage.start_kernel()
    use_every_verb(stage, kernel, replica)
    stage.unmoved(REVIVALS)  # the 201 told that it is there


def test_a_foreign_id_goes_to_the_pod_that_lists_it(make_replicas):
    stage = make_replicas(config={"workers": 1})
    kernel = stage.seed(stage.replicas[2], kernel=str(uuid.uuid4()))
    use_every_verb(stage, kernel, stage.replicas[2])
    lists = [replica.asked.count(("GET", "/api/kernels")) for replica in stage.replicas]
    assert lists == [1, 1, 1]  # asked once, then it is known


@pytest.mark.parametrize("replication", [False, True])
def test_an_id_that_nobody_has_is_tried_nowhere(make_replicas, replication):
    stage = make_replicas(replication=replication)
    foreign = str(uuid.uuid4())
    for method, verb in [*VERBS, ("DELETE", "")]:
        response = stage.ask(method, f"/api/kernels/{foreign}{verb}")
        assert response.status == 404
        assert response.json()["message"] == f"Kernel does not exist: {foreign}"
    assert not [entry for replica in stage.replicas for entry in replica.asked
                if foreign in entry[1]]
    assert stage.proxy.wait_log(operation="DeleteKernel")["detail"] == "no gateway lists it"
    stage.moved("kernelgate_errors_total", by=4, reason="no_kernel")


def test_a_foreign_id_waits_for_a_pod_that_does_not_list(make_replicas):
    stage = make_replicas()
    stage.replicas[1].first = lambda call: call.reply(403, b"{}") or True
    response = stage.ask("GET", f"/api/kernels/{uuid.uuid4()}")
    assert response.status == 503
    assert response.get("Retry-After")
    stage.moved("kernelgate_errors_total", reason="kernel_unplaced")
    stage.assert_nothing_destroyed()


def test_an_id_of_the_gateways_own_choice_is_learned(make_replicas):
    stage = make_replicas(config={"workers": 1})
    chosen = str(uuid.uuid4())

    def create_under_another_id(replica, call):
        if call.request.method != "POST" or call.request.target != "/api/kernels":
            return False
        replica.kernels[chosen] = "python3"
        call.reply_json(f'{{"id": "{chosen}"}}', 201, [("Location", f"/api/kernels/{chosen}")])
        return True

    for replica in stage.replicas:
        replica.first = functools.partial(create_under_another_id, replica)
    response = stage.connect().exchange("POST", "/api/kernels", body=b"{}", token=stage.token())
    assert response.json()["id"] == chosen
    replica = next(replica for replica in stage.replicas if replica.asked)
    stage.moved("kernelgate_kernel_id_mismatches_total")
    assert stage.ask("POST", f"/api/kernels/{chosen}/interrupt").status == 204
    stage.assert_asked_only(replica, chosen)
    assert not any(("GET", "/api/kernels") in other.asked for other in stage.replicas)


def test_a_pod_that_left_the_file_takes_its_kernels_with_it(make_replicas):
    stage = make_replicas()
    kernel = stage.seed(stage.replicas[2])
    stage.reload(lambda endpoint: endpoint["gateway"]["pods"].pop())
    response = stage.ask("POST", f"/api/kernels/{kernel}/interrupt")
    assert response.status == 404
    assert "The kernel gateway that held this kernel is gone" in response.json()["message"]
    stage.moved("kernelgate_errors_total", reason="kernel_lost")
    stage.assert_nothing_destroyed()


def test_a_pod_with_a_new_name_keeps_its_kernels(make_replicas):
    stage = make_replicas()
    kernel = stage.seed(stage.replicas[1])

    def rename(endpoint):
        endpoint["gateway"]["pods"][1]["name"] = "renamed"

    stage.reload(rename)
    use_every_verb(stage, kernel, stage.replicas[1])


def test_a_gone_pods_kernels_are_loaded_by_one_other_pod(make_replicas):
    """Through two proxies of two workers, by a verb that loads nothing itself (S8)."""
    stage = make_replicas(replication=True, config={"workers": 2})
    kernels = [stage.seed(stage.replicas[2]) for _ in range(4)]
    stage.reload(lambda endpoint: endpoint["gateway"]["pods"].pop())
    proxies = [stage.proxy, stage.another_proxy()]
    for kernel in kernels:
        for proxy in proxies * 3:
            interrupt = f"/api/kernels/{kernel}/interrupt"
            assert stage.ask("POST", interrupt, proxy=proxy).status == 204
        holders = [r for r in stage.replicas[:2] if kernel in r.kernels]
        assert len(holders) == 1
        asked = [entry for entry in holders[0].asked if kernel in entry[1]]
        assert asked[0] == ("GET", f"/api/kernels/{kernel}")
        stage.assert_asked_only(holders[0], kernel)
    assert not stage.replicas[2].asked
    stage.assert_nothing_destroyed()
    assert stage.proxy.metrics().value(REHOMED, endpoint="ep") == len(kernels)


def test_a_rehomed_kernel_that_has_ended_is_404(make_replicas):
    stage = make_replicas(replication=True)
    kernel = stage.seed(stage.replicas[2])
    stage.shared.records.clear()
    stage.reload(lambda endpoint: endpoint["gateway"]["pods"].pop())
    assert stage.ask("POST", f"/api/kernels/{kernel}/restart").status == 404
    line = stage.proxy.wait_log(operation="RestartKernel")
    assert (line["error"], line["detail"]) == ("no_kernel", "its gateway does not know it")
    stage.unmoved(REHOMED)


@pytest.mark.parametrize("method, verb", [("POST", "/interrupt"), ("POST", "/restart"),
                                          ("DELETE", ""), ("GET", "/channels")])
def test_after_a_restart_in_place_a_kernel_is_loaded_first(make_replicas, method, verb):
    stage = make_replicas(replication=True, config={"workers": 1})
    replica = stage.replicas[1]
    kernel = stage.seed(replica)
    assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200
    replica.restart()
    stage.moved(RESTARTS)
    stage.forget()
    if verb == "/channels":
        stage.open_websocket(kernel)
    else:
        assert stage.ask(method, f"/api/kernels/{kernel}{verb}").status in (200, 204)
    asked = [entry for entry in replica.asked if kernel in entry[1]]
    assert asked == [("GET", f"/api/kernels/{kernel}"), (method, f"/api/kernels/{kernel}{verb}")]
    stage.assert_asked_only(replica, kernel)
    stage.assert_nothing_destroyed()
    stage.moved(REVIVALS)


def test_a_restart_is_one_event_however_many_see_it(make_replicas):
    stage = make_replicas(replication=True, config={"workers": 2})
    replica = stage.replicas[0]
    kernels = [stage.seed(replica) for _ in range(6)]
    for kernel in kernels:
        stage.open_websocket(kernel)
    replica.kill()
    for kernel in kernels:
        assert stage.ask("GET", f"/api/kernels/{kernel}").status == 502
    stage.moved(RESTARTS)
    replica.start()
    for kernel in kernels:
        assert stage.ask("POST", f"/api/kernels/{kernel}/interrupt").status == 204
    assert not replica.refused
    replica.restart()
    wait_until(lambda: stage.proxy.metrics().value(RESTARTS) == 2, "the second one to be noticed")


def test_many_who_want_one_kernel_ask_for_it_once(make_replicas):
    stage = make_replicas(replication=True, config={"workers": 1})
    replica = stage.replicas[0]
    kernel = stage.seed(replica)
    held = []

    def hold_the_get(call):
        if call.request.method != "GET" or not call.request.target.endswith(kernel):
            return False
        held.append(call)
        return True

    replica.first = hold_the_get
    clients = [stage.connect() for _ in range(5)]
    for client in clients:
        client.send_request("POST", f"/api/kernels/{kernel}/interrupt", token=stage.token())
    wait_until(lambda: held, "the GET")
    leaving = clients.pop()
    leaving.reset()
    stage.proxy.wait_log(error="client_gone")
    held[0].reply_json(f'{{"id": "{kernel}"}}')
    assert [client.read_response("POST").status for client in clients] == [204] * 4
    assert len(held) == 1
    stage.moved(REVIVALS)


def test_an_unreachable_pod_keeps_its_kernels(make_replicas):
    stage = make_replicas(replication=True)
    kernel = stage.seed(stage.replicas[0])
    stage.replicas[0].kill()
    for method, verb in VERBS:
        assert stage.ask(method, f"/api/kernels/{kernel}{verb}").status == 502
    stage.unmoved(REHOMED)
    assert not any(kernel in entry[1] for r in stage.replicas[1:] for entry in r.asked)


@pytest.mark.parametrize("replication", [False, True])
def test_a_pod_that_fails_its_checks_for_long_is_gone_until_it_answers(make_replicas, replication):
    stage = make_replicas(replication=replication, config={"workers": 1}, endpoint={
        "gateway": {"health_check": QUICK, "gone_after": "1s"}})
    replica = stage.replicas[0]
    kernel = stage.seed(replica)
    assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200
    replica.kill()
    assert stage.ask("POST", f"/api/kernels/{kernel}/interrupt").status == 502
    stage.proxy.wait_for_stderr("pod gone", "that it is gone")
    response = stage.ask("POST", f"/api/kernels/{kernel}/interrupt")
    if replication:
        assert response.status == 204
        assert stage.holder(kernel) is not replica
    else:
        assert response.status == 404
        stage.moved("kernelgate_errors_total", reason="kernel_lost")
    stage.assert_nothing_destroyed()


def test_of_two_pods_that_ids_cannot_tell_apart_the_later_takes_no_kernels(make_replicas):
    names = ["jeg-3407", "jeg-4314"]  # the first 24 bits of their SHA-256 are equal
    stage = make_replicas(names=names, config={"workers": 1})
    for _ in range(6):
        kernel, replica = stage.start_kernel()
        assert replica is stage.replicas[0]
        assert stage.ask("POST", f"/api/kernels/{kernel}/interrupt").status == 204
    stage.proxy.wait_metric("kernelgate_pod_twins", 1, endpoint="ep")


def test_a_suspect_pod_gets_no_new_kernels_and_no_spec_requests(make_replicas):
    stage = make_replicas(config={"workers": 1})
    bad = stage.replicas[0]
    kernel = stage.seed(bad)
    bad.first = lambda call: call.reply(503, b"{}") or True
    for _ in range(5):
        assert stage.ask("GET", f"/api/kernels/{kernel}").status == 503
    stage.proxy.wait_metric("kernelgate_pod_suspect", 1, endpoint="ep")
    seen = len(bad.gateway.requests)
    for _ in range(6):
        assert stage.ask("GET", "/api/kernelspecs").status == 200
        assert stage.start_kernel()[1] is not bad
    others = [(r.method, r.target) for r in bad.gateway.requests[seen:]]
    assert not [entry for entry in others if entry != ("GET", "/api/kernels")]  # its census goes on
    bad.first = None
    assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200  # its own kernels all the same
    stage.proxy.wait_metric("kernelgate_pod_suspect", 0, endpoint="ep")
