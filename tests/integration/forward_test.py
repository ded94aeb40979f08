"""gateway.credentials: forward: the caller's own token goes up, and the gateway judges it."""

import json
import uuid

import pytest

from support import tokens
from support.http_text import build_request
from support.waiting import wait_until

FORWARD = {"credentials": "forward", "token_file": None}
DELEGATED = {"authenticators": [{"delegated": {"gateway": "/api/kernelspecs"}}]}


class ManagedGateway:
    """Knows tokens, shows each of them its own kernels only, and chooses kernel ids itself."""

    def __init__(self, *known):
        self.kernels = {token: [] for token in known}
        self.bodies = []

    def answer(self, call):
        request = call.request
        scheme, _, token = request.get("Authorization", "").partition(" ")
        if scheme != "token" or token not in self.kernels:
            return call.reply_json('{"reason":"Unauthorized","message":"no"}', 401)
        own = self.kernels[token]
        parts = request.target.split("?")[0].strip("/").split("/")
        if request.target.startswith("/api/kernelspecs") or parts == ["api"]:
            return call.reply_json("{}")
        if request.method == "POST" and parts == ["api", "kernels"]:
            self.bodies.append(json.loads(request.body))
            own.append(str(uuid.uuid4()))
            return call.reply_json(json.dumps({"id": own[-1], "name": "python3"}), 201,
                                   [("Location", f"/api/kernels/{own[-1]}")])
        if parts == ["api", "kernels"]:
            return call.reply_json(json.dumps([{"id": kernel} for kernel in own]))
        if parts[2] not in own:
            return call.reply_json('{"reason":"Not Found","message":"no such kernel"}', 404)
        if request.method == "DELETE":
            own.remove(parts[2])
            return call.reply(204)
        return call.reply_json(json.dumps({"id": parts[2]}))


@pytest.fixture
def managed(make_stage):
    def make(*known, **gateway):
        stage = make_stage(endpoint={"gateway": {**FORWARD, **gateway},
                                     "sessions": {**DELEGATED, "cookie": "kg"}})
        stage.managed = ManagedGateway(*known)
        stage.gateway.serve(stage.managed.answer)
        return stage
    return make


def ask(stage, token, method="GET", target="/api/kernels", body=b""):
    return stage.connect().exchange(method, target, body=body, token=token)


def created(stage, token):
    response = ask(stage, token, "POST", body=b'{"name": "python3"}')
    assert response.status == 201, response
    return response.json()["id"]


def test_the_callers_own_token_goes_up(managed):
    stage = managed("alice-token")
    client = stage.connect()
    for fields, target in (([("Authorization", "token alice-token")], "/api/kernels"),
                           ([("Authorization", "Bearer alice-token")], "/api/kernels"),
                           ([("Cookie", "kg=alice-token")], "/api/kernels"),
                           ([], "/api/kernels?token=alice-token")):
        client.send(build_request("GET", target, [("Host", "ep.test"), *fields]))
        assert client.read_response().status == 200
    assert {request.get("Authorization") for request in stage.gateway.requests} == {
        "token alice-token"}
    assert all("alice" not in request.target for request in stage.gateway.requests)
    assert "alice-token" not in stage.proxy.access_log.read_text()


def test_each_caller_sees_and_touches_its_own_kernels_only(managed):
    stage = managed("alice-token", "bob-token")
    mine = created(stage, "alice-token")
    theirs = created(stage, "bob-token")
    for token, own, other in (("alice-token", mine, theirs), ("bob-token", theirs, mine)):
        for _ in range(3):
            assert [kernel["id"] for kernel in ask(stage, token).json()] == [own]
        assert ask(stage, token, target=f"/api/kernels/{own}").status == 200
        assert ask(stage, token, target=f"/api/kernels/{other}").status == 404
        assert ask(stage, token, "DELETE", f"/api/kernels/{other}").status == 404
    assert ask(stage, "bob-token", "DELETE", f"/api/kernels/{theirs}").status == 204
    assert ask(stage, "bob-token").json() == []


def test_the_gateway_chooses_the_kernel_id(managed):
    stage = managed("alice-token")
    kernel = created(stage, "alice-token")
    assert "KERNEL_ID" not in stage.managed.bodies[0]["env"]
    assert stage.proxy.wait_log(operation="CreateKernel")["kernel"] == kernel
    stage.unmoved("kernelgate_kernel_id_mismatches_total", endpoint="ep")


def test_a_withdrawn_token_ends_at_the_gateway_at_once(managed):
    stage = managed("alice-token")
    kernel = created(stage, "alice-token")
    del stage.managed.kernels["alice-token"]
    assert ask(stage, "alice-token").status == 401
    assert ask(stage, "alice-token", target=f"/api/kernels/{kernel}").status == 401


def test_an_unknown_token_is_401(managed):
    stage = managed("alice-token")
    assert ask(stage, "mallory-token").status == 401


def test_a_token_that_is_no_header_value_goes_nowhere(managed):
    stage = managed("alice-token")
    for token in ("alice-token%0d%0aX-Evil:%201", "alice-token%20", "%00", "alice%E9"):
        client = stage.connect()
        client.send(build_request("GET", f"/api/kernels?token={token}", [("Host", "ep.test")]))
        assert client.read_response().status == 401, token
    assert stage.gateway.requests == []


def test_a_401_is_a_healthy_answer(managed):
    stage = managed("alice-token", health_check={"interval": "100ms", "unhealthy_after": 1})
    wait_until(lambda: len(stage.gateway.requests) >= 3, "health checks")
    assert not any(request.has("Authorization") for request in stage.gateway.requests)
    assert stage.proxy.metrics().value("kernelgate_pod_healthy", endpoint="ep") == 1
    stage.unmoved("kernelgate_pod_health_checks_total", endpoint="ep", result="failed")


@pytest.mark.parametrize("sessions", [
    {"jwt": {"issuer": tokens.ISSUER, "audience": tokens.AUDIENCE}},
    {"jwt": {"issuer": tokens.ISSUER, "audience": tokens.AUDIENCE}, **DELEGATED}])
def test_only_tokens_that_the_gateway_judges_are_forwarded(make_stage, sessions):
    stage = make_stage(start=False, endpoint={"gateway": FORWARD, "sessions": sessions})
    sessions["jwt"]["keys_file"] = str(stage.workshop.jwks)
    stage.proxy.write_config()
    done = tokens.run_cli("check", "--config", stage.proxy.config_file)
    assert done.returncode != 0
    assert "gateway.credentials" in done.stdout + done.stderr
    assert "delegated" in done.stdout + done.stderr
