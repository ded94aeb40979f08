"""The session API of Jupyter servers, made of kernel operations: same owners, same pods."""

import json

import pytest

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
    assert response.field("location") == f"{BASE}/{session['id']}"
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
    session = start(stage)
    target = f"{BASE}/{session['id']}"
    response = send(stage, "PATCH", target, path="moved.ipynb")
    assert response.status == 200
    assert response.json()["path"] == "moved.ipynb"
    assert response.json()["type"] == "notebook"
    for _ in range(8):  # connections of both workers
        wait_until(lambda: stage.ask("GET", target).json()["path"] == "moved.ipynb", "the new path")


def test_a_second_session_shares_a_kernel(stage):
    first = start(stage)
    second = send(stage, "POST", BASE, path="console", type="console",
                  kernel={"id": first["kernel"]["id"]}).json()
    assert second["kernel"]["id"] == first["kernel"]["id"] and second["id"] != first["id"]
    assert {one["path"] for one in listed(stage)} == {"work/a.ipynb", "console"}
    assert len([k for r in stage.replicas for k in r.kernels]) == 1


def test_a_changed_kernel_takes_the_place_of_the_old_one(stage):
    session = start(stage)
    old = session["kernel"]["id"]
    response = send(stage, "PATCH", f"{BASE}/{session['id']}", kernel={"name": "other"})
    assert response.status == 200, response
    changed = response.json()
    new = changed["kernel"]["id"]
    assert changed["id"] == session["id"] and changed["path"] == "work/a.ipynb" and new != old
    wait_until(lambda: not any(old in replica.kernels for replica in stage.replicas),
               "the end of the old kernel")
    assert stage.holder(new).kernels[new] == "other"
    assert stage.ask("GET", f"{BASE}/{session['id']}").json()["kernel"]["id"] == new


def test_a_deleted_session_takes_its_kernel_along(stage):
    session = start(stage)
    assert stage.ask("DELETE", f"{BASE}/{session['id']}").status == 204
    assert not any(replica.kernels for replica in stage.replicas)
    assert listed(stage) == []
    assert stage.ask("GET", f"{BASE}/{session['id']}").status == 404


def test_a_proxy_that_was_not_told_finds_the_kernel(stage):
    session = start(stage)
    other = stage.another_proxy()
    seen = stage.ask("GET", f"{BASE}/{session['id']}", proxy=other).json()
    assert seen["kernel"]["id"] == session["kernel"]["id"] and seen["path"] == session["id"]


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
        "sessions": {"operations": [{"deny": ["CreateKernel"], "subjects": ["alice"]}]}})
    assert send(stage, "POST", BASE, path="a", type="notebook").status == 403
    assert send(stage, "POST", BASE, "bob", path="a", type="notebook").status == 201


def test_the_version_tells_clients_that_a_server_is_there(stage):
    assert "version" in stage.ask("GET", "/api").json()
    assert not any(replica.asked for replica in stage.replicas)


def test_it_is_off_by_default_even_where_other_paths_go_up(make_replicas):
    stage = make_replicas(count=1, endpoint={"other_paths": "forward"})
    for method, target in (("GET", BASE), ("POST", BASE), ("GET", f"{BASE}/a-b-c-d-e")):
        assert stage.ask(method, target).status == 404, (method, target)
    assert stage.proxy.wait_log(count=3, error="no_operation")
