"""Sessions of which somebody else decides: the endpoint's own gateway, or a service."""

import pytest

from support.http_text import build_request
from support.scripted_service import ScriptedService
from support.stage import GATEWAY_TOKEN, PLAIN
from support.waiting import wait_until

TOKEN = "emr-token-0123456789"


def send(stage, token=TOKEN, client=None):
    client = client or stage.connect()
    client.send(build_request("GET", PLAIN, [("Host", "ep.test"),
                                                      ("Authorization", f"token {token}")]))
    return client


def ask(stage, token=TOKEN, client=None):
    return send(stage, token, client).read_response()


@pytest.fixture
def by_gateway(make_stage):
    """A stage whose gateway knows TOKEN and its own token."""
    def start(answer=None, **changes):
        stage = make_stage(endpoint={"sessions": {"authenticators": [
            {"delegated": {"gateway": "/api/kernelspecs", **changes}}]}})
        known = {f"token {TOKEN}", f"token {GATEWAY_TOKEN}"}

        def serve(call):
            if call.request.get("Authorization") in known:
                return call.reply_json("[]")
            return call.reply(403 if call.request.get("Authorization") else 401)
        stage.gateway.serve(answer or serve)
        return stage
    return start


@pytest.fixture
def service(workshop):
    service = ScriptedService(workshop.keyring)
    yield service
    service.close()


@pytest.fixture
def by_service(make_stage, service, workshop):
    def start(**changes):
        link = {"url": service.url("/check"), "ca_file": str(workshop.keyring.ca), **changes}
        stage = make_stage(endpoint={"sessions": {"authenticators": [{"delegated": link}]}})
        stage.gateway.serve(lambda call: call.reply_json("[]"))
        return stage
    return start


def test_a_token_that_the_own_gateway_knows_is_let_in(by_gateway):
    stage = by_gateway()
    for _ in range(3):
        assert ask(stage).status == 200
    probe, *rest = stage.gateway.requests
    assert (probe.method, probe.target) == ("GET", "/api/kernelspecs")
    assert probe.all("Authorization") == [f"token {TOKEN}"]
    assert not probe.all("X-Kernelgate-Endpoint")
    assert [request.target for request in rest] == [PLAIN] * 3
    assert all(request.all("Authorization") == [f"token {GATEWAY_TOKEN}"] for request in rest)
    stage.moved("kernelgate_fetches_total", purpose="delegated", result="answered")


def test_a_token_that_the_own_gateway_does_not_know_is_refused(by_gateway):
    stage = by_gateway(refused_cache="5m")
    for _ in range(3):
        assert ask(stage, "a-strangers-token").status == 403
    assert [request.target for request in stage.gateway.requests] == ["/api/kernelspecs"]


def test_a_gateway_that_fails_says_nothing_about_a_token(by_gateway):
    stage = by_gateway(answer=lambda call: call.reply(500))
    assert ask(stage).status == 503
    stage.proxy.wait_log(status=503, error="session_unknown")


def test_a_large_answer_of_a_gateway_is_enough_with_its_head(by_gateway):
    def serve(call):
        probe = call.request.target == "/api/kernelspecs"
        call.reply(200, b"x" * 3_000_000 if probe else b"[]")
    stage = by_gateway(answer=serve)
    assert ask(stage).status == 200


def test_a_service_names_the_user(by_service, service):
    service.says_status(200, [("X-Auth-User", "alice"), ("X-Auth-Groups", "staff, admins")])
    stage = by_service(subject_header="X-Auth-User", groups_header="X-Auth-Groups")
    assert ask(stage).status == 200
    question, = service.asked
    assert (question.method, question.target) == ("GET", "/check")
    assert question.get("X-Kernelgate-Endpoint") == "ep"
    assert question.get("Authorization") == f"token {TOKEN}"


@pytest.mark.parametrize("headers", [
    [], [("X-Auth-User", "alice"), ("X-Auth-User", "bob")], [("X-Auth-User", "")],
], ids=["none", "two", "empty"])
def test_a_service_that_does_not_say_who_lets_nobody_in(by_service, service, headers):
    service.says_status(200, headers)
    stage = by_service(subject_header="X-Auth-User")
    assert ask(stage).status == 503
    assert not stage.gateway.requests


@pytest.mark.parametrize("status,answer", [(401, 401), (403, 403), (302, 503), (404, 503),
                                           (500, 503), (204, 503)])
def test_a_services_status_decides(by_service, service, status, answer):
    service.says_status(status)
    stage = by_service()
    assert ask(stage).status == answer
    assert not stage.gateway.requests


def test_a_revoked_token_ends_with_the_cache(by_service, service):
    service.says_status(200)
    stage = by_service(cache="1s")
    client = stage.connect()
    assert ask(stage, client=client).status == 200
    service.says_status(401)
    wait_until(lambda: ask(stage, client=client).status == 401, "the end of the session")


def test_a_tokens_line_end_reaches_no_service(by_service, service):
    service.says_status(200)
    stage = by_service()
    client = stage.connect()
    client.send(build_request("GET", "/api/kernels?token=a%0d%0aX-Auth-User:%20root",
                              [("Host", "ep.test")]))
    assert client.read_response().status == 401
    assert not service.asked and not stage.gateway.requests


def test_a_token_stays_out_of_all_logs(by_service, service):
    service.says_status(200)
    stage = by_service()
    assert ask(stage).status == 200
    stage.proxy.wait_log()
    said = "\n".join(stage.proxy.stderr_lines) + stage.proxy.access_log.read_text()
    assert TOKEN not in said
