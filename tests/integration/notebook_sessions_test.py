"""The session API of Jupyter servers, made of kernel operations: same owners, same pods."""

import json
import threading

import pytest

from support.http_text import build_request
from support.replicas import model
from support.waiting import wait_until

BASE = "/api/sessions"


@pytest.fixture
def stage(make_replicas):
    return make_replicas(count=2, endpoint={"notebook_sessions": True}, config={"workers": 2})


def send(stage, method, target, subject="alice", **body):
    client = stage.connect()
    response = client.exchange(method, target, token=stage.token(subject=subject),
                               body=json.dumps(body).encode())
    client.close()
    return response


def start(stage, path="work/a.ipynb", subject="alice", **more):
    response = send(stage, "POST", BASE, subject, path=path, type="notebook",
                    **{"kernel": {"name": "python3"}, **more})
    assert response.status == 201, response
    session = response.json()
    assert response.get("Location") == f"{BASE}/{session['id']}"
    return session


def listed(stage, subject="alice"):
    response = stage.ask("GET", BASE, subject)
    assert response.status == 200, response
    return response.json()


def test_a_session_is_a_stamped_kernel_on_one_pod(stage):
    seen = []

    def keep(call):
        if call.request.method == "POST":
            seen.append(json.loads(call.request.body))
        return False

    for replica in stage.replicas:
        replica.first = keep
    session = start(stage, name="a.ipynb")
    kernel = session["kernel"]["id"]
    assert session["id"] == kernel, "any proxy finds the kernel by the session's id"
    assert session["notebook"] == {"path": "work/a.ipynb", "name": "a.ipynb"}
    assert seen == [{"name": "python3", "env": {"KERNEL_USERNAME": "alice", "KERNEL_ID": kernel}}]
    assert stage.holder(kernel)
    line = stage.proxy.wait_log(operation="CreateSession")
    assert (line["status"], line["kernel"]) == (201, kernel)
    stage.moved("kernelgate_kernel_launches_total", result="ok", endpoint="ep")


def test_sessions_are_their_owners(stage):
    session = start(stage)
    target = f"{BASE}/{session['id']}"
    assert [one["path"] for one in listed(stage)] == ["work/a.ipynb"]
    assert listed(stage, "bob") == []
    for method in ("GET", "PATCH", "DELETE"):
        response = send(stage, method, target, "bob", path="stolen")
        assert response.status == 404
        assert response.json() == {"reason": "Not Found",
                                   "message": f"Session not found: {session['id']}"}
    other = start(stage, "b.ipynb", "bob")["kernel"]["id"]
    assert send(stage, "POST", BASE, path="x", type="console",
                kernel={"id": other}).status == 404, "nor by attaching to a kernel"
    assert send(stage, "PATCH", target, kernel={"id": other}).status == 404
    assert [one["path"] for one in listed(stage)] == ["work/a.ipynb"]
    stage.assert_nothing_destroyed()


def test_a_session_may_be_renamed_on_every_worker(stage):
    target = f"{BASE}/{start(stage)['id']}"
    # As JupyterLab does it, two changes at a time: both stay.
    clients = [stage.connect(), stage.connect()]
    for client, change in zip(clients, ({"path": "moved.ipynb"}, {"name": "moved"})):
        client.send_request("PATCH", target, body=json.dumps(change).encode(), token=stage.token())
    for client in clients:
        assert client.read_response("PATCH").status == 200
    for _ in range(8):  # connections of both workers
        seen = stage.ask("GET", target).json()
        assert (seen["path"], seen["name"], seen["type"]) == ("moved.ipynb", "moved", "notebook")
    stage.reload(lambda endpoint: None)
    assert [one["path"] for one in listed(stage)] == ["moved.ipynb"]


def attach(stage, kernel, path="console"):
    response = send(stage, "POST", BASE, path=path, type="console", kernel={"id": kernel})
    assert response.status == 201, response
    return response.json()


def test_a_second_session_shares_a_kernel(stage):
    first = start(stage)
    second = attach(stage, first["kernel"]["id"])
    assert second["kernel"]["id"] == first["kernel"]["id"] and second["id"] != first["id"]
    assert {one["path"] for one in listed(stage)} == {"work/a.ipynb", "console"}
    assert len([k for r in stage.replicas for k in r.kernels]) == 1
    stage.unmoved("kernelgate_limits_hit_total", limit="notebooks")
    for number in range(7):
        attach(stage, first["kernel"]["id"], f"{number}")
    paths = {one["path"] for one in listed(stage)}
    assert paths == {"work/a.ipynb", *"0123456"}, "its oldest further one is forgotten"
    stage.moved("kernelgate_limits_hit_total", limit="notebooks")


def test_a_changed_kernel_takes_the_place_of_the_old_one(make_replicas, tmp_path):
    audit = tmp_path / "audit.log"
    stage = make_replicas(count=2, endpoint={"notebook_sessions": True},
                          config={"audit_log": {"path": str(audit)}})
    session = start(stage)
    old = session["kernel"]["id"]
    attach(stage, old)
    response = send(stage, "PATCH", f"{BASE}/{session['id']}", kernel={"name": "other"})
    assert response.status == 200, response
    changed = response.json()
    new = changed["kernel"]["id"]
    assert changed["id"] == session["id"] and changed["path"] == "work/a.ipynb" and new != old
    wait_until(lambda: not any(old in replica.kernels for replica in stage.replicas),
               "the end of the old kernel")
    assert stage.holder(new).kernels[new] == "other"
    assert stage.ask("GET", f"{BASE}/{session['id']}").json()["kernel"]["id"] == new
    stage.moved("kernelgate_kernel_launches_total", 2, result="ok", endpoint="ep")
    wait_until(lambda: [one["id"] for one in listed(stage)] == [session["id"]],
               "its session alone")

    def events():
        found = [json.loads(line) for line in audit.read_text().splitlines()]
        return [(one["event"], one["kernel"]) for one in found]

    wait_until(lambda: len(events()) == 3, lambda: f"three events: {events()}")
    assert sorted(events()) == sorted([("create", old), ("create", new), ("delete", old)])


def test_a_kernel_is_left_only_by_who_may_delete_it(make_replicas):
    stage = make_replicas(count=1, endpoint={
        "notebook_sessions": True,
        "session_rules": {"operations": [{"deny": ["DeleteKernel"]}]}})
    session = start(stage)
    target = f"{BASE}/{session['id']}"
    assert send(stage, "PATCH", target, kernel={"name": "other"}).status == 403
    assert send(stage, "DELETE", target).status == 403
    assert list(stage.replicas[0].kernels) == [session["kernel"]["id"]]
    assert send(stage, "PATCH", target, path="b").json()["path"] == "b"


def test_a_deleted_session_takes_its_kernel_along(stage):
    session = start(stage)
    assert stage.ask("DELETE", f"{BASE}/{session['id']}").status == 204
    assert not any(replica.kernels for replica in stage.replicas)
    assert listed(stage) == []
    assert stage.ask("GET", f"{BASE}/{session['id']}").status == 404


def test_a_culled_kernel_is_no_session(stage):
    session = start(stage)
    stage.holder(session["id"]).kernels.clear()
    for method in ("GET", "PATCH", "DELETE"):
        assert send(stage, method, f"{BASE}/{session['id']}").status == 404, method


def test_a_proxy_that_was_not_told_finds_the_kernel(stage):
    session = start(stage)
    second = attach(stage, session["kernel"]["id"])
    other = stage.another_proxy()
    for one in (session, second):
        seen = stage.ask("GET", f"{BASE}/{one['id']}", proxy=other).json()
        assert seen["kernel"]["id"] == session["kernel"]["id"] and seen["path"] == one["id"]
        assert stage.ask("GET", f"{BASE}/{one['id']}", "bob", proxy=other).status == 404
    assert stage.ask("DELETE", f"{BASE}/{second['id']}", proxy=other).status == 204
    assert not any(replica.kernels for replica in stage.replicas)
    stage.assert_nothing_destroyed()


@pytest.mark.parametrize("headers", [(), [("Transfer-Encoding", "chunked")]])
def test_a_body_that_nobody_reads_does_not_go_up(make_replicas, headers):
    stage = make_replicas(count=1, endpoint={"notebook_sessions": True}, config={"workers": 1})
    replica, session, spared = stage.replicas[0], start(stage), start(stage)
    replica.forget()
    smuggled = f"DELETE /api/kernels/{spared['id']} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(smuggled), smuggled) if headers else smuggled
    client = stage.connect()
    target = f"{BASE}/{session['id']}"
    # In one piece, then with the body on its way while the gateway is asked.
    assert client.exchange("GET", target, headers, body, stage.token()).status == 200
    late = build_request("DELETE", target, [("Host", client.host), *headers, (
        "Authorization", f"token {stage.token()}")], body)
    client.send(late[:-len(body)])
    assert client.read_response("DELETE").status == 204
    client.send(body)
    client.expect_end()
    assert stage.ask("GET", f"{BASE}/{spared['id']}").status == 200
    kernel = f"/api/kernels/{session['id']}"
    assert replica.asked == [("GET", kernel), ("DELETE", kernel),
                             ("GET", f"/api/kernels/{spared['id']}")]


def test_what_a_gateway_says_of_another_kernel_is_not_passed_on(stage):
    session, other = start(stage), start(stage, "b.ipynb", "bob")
    seen = []

    def answer(call):
        if call.request.method == "GET" and session["id"] in call.request.target:
            seen.append(call.request)
            call.reply_json(json.dumps(model(other["id"])))
            return True
        return False

    stage.holder(session["id"]).first = answer
    client = stage.connect()
    response = client.exchange("GET", f"{BASE}/{session['id']}", [("If-None-Match", "x")],
                               token=stage.token())
    assert response.status == 502 and other["id"] not in response.body.decode()
    assert not seen[0].has("If-None-Match"), "nobody would understand a 304"
    assert send(stage, "PATCH", f"{BASE}/{session['id']}", path="c").status == 502
    assert [one["path"] for one in listed(stage, "bob")] == ["b.ipynb"]


def test_who_leaves_while_a_session_starts_leaves_no_kernel(stage):
    asked, left = threading.Event(), threading.Event()

    def slow(call):
        if call.request.method == "POST":
            asked.set()
            assert left.wait(10)
        return False

    for replica in stage.replicas:
        replica.first = slow
    client = stage.connect()
    client.send_request("POST", BASE, body=b'{"path": "a"}', token=stage.token())
    assert asked.wait(10)
    client.close()
    stage.proxy.wait_log(operation="CreateSession", error="client_gone")
    left.set()
    stage.moved("kernelgate_orphans_deleted_total", endpoint="ep")
    assert not any(replica.kernels for replica in stage.replicas)


def test_support_has_no_part_in_sessions(make_replicas):
    stage = make_replicas(count=1, endpoint={
        "notebook_sessions": True, "session_rules": {"support": {"subjects": ["carol"]}}})
    session = start(stage)
    assert [one["id"] for one in stage.ask("GET", "/api/kernels", "carol").json()] == [
        session["id"]]
    assert listed(stage, "carol") == []
    for method in ("GET", "PATCH", "DELETE"):
        assert send(stage, method, f"{BASE}/{session['id']}", "carol").status == 404, method


@pytest.mark.parametrize("body, says", [
    (b"[]", "one JSON object"), (b"{}", "path is missing"), (b'{"path": 1}', "must be a text"),
    (b'{"path": "a", "kernel": {"id": "x"}}', "kernel.id"), (b"\xff", "one JSON object")])
def test_a_body_that_is_none_is_400_and_says_why(stage, body, says):
    client = stage.connect()
    response = client.exchange("POST", BASE, token=stage.token(), body=body)
    assert response.status == 400 and says in response.json()["message"], response
    assert not any(replica.asked for replica in stage.replicas)


def test_a_body_is_bounded(stage):
    client = stage.connect()
    response = client.exchange("POST", BASE, token=stage.token(), body=b"x" * (64 * 1024 + 1))
    assert response.status == 413


def test_rules_for_kernels_hold_for_sessions(make_replicas):
    stage = make_replicas(count=1, endpoint={
        "notebook_sessions": True,
        "session_rules": {"operations": [{"deny": ["CreateKernel"], "subjects": ["alice"]}]}})
    assert send(stage, "POST", BASE, path="a", type="notebook").status == 403
    assert send(stage, "POST", BASE, "bob", path="a", type="notebook").status == 201


def test_the_version_tells_clients_that_a_server_is_there(stage):
    assert "version" in stage.ask("GET", "/api").json()
    assert not any(replica.asked for replica in stage.replicas)
    assert stage.connect().exchange("GET", "/api").status == 401


def test_it_is_off_by_default_even_where_other_paths_go_up(make_replicas):
    stage = make_replicas(count=1, endpoint={"other_paths": "forward"})
    for method, target in (("GET", BASE), ("POST", BASE), ("GET", f"{BASE}/a-b-c-d-e")):
        assert stage.ask(method, target).status == 404, (method, target)
    assert stage.ask("GET", "/api").status == 200, "the gateway's"
    assert stage.proxy.wait_log(count=3, error="no_operation")
