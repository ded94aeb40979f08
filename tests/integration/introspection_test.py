"""Sessions by RFC 7662: an authorization server says whose a token is, and is asked once."""

import base64

import pytest

from support.http_text import build_request
from support.scripted_service import ScriptedService
from support.stage import GATEWAY_TOKEN, PLAIN
from support.waiting import wait_until

TOKEN = "opaque-token+/=%41"
ALICE = {"active": True, "sub": "alice", "endpoint": "ep", "scope": "openid kernels"}


@pytest.fixture
def server(workshop):
    server = ScriptedService(workshop.keyring)
    server.says(ALICE)
    yield server
    server.close()


@pytest.fixture
def make(make_stage, server, workshop, tmp_path):
    def start(**changes):
        secret = tmp_path / "introspection-secret"
        secret.write_text("s3cret\n")
        secret.chmod(0o600)
        link = {"url": server.url("/introspect"), "ca_file": str(workshop.keyring.ca),
                "client_id": "kernelgate", "client_secret_file": str(secret), **changes}
        stage = make_stage(endpoint={"sessions": {"authenticators": [{"introspection": link}]}})
        stage.gateway.serve(lambda call: call.reply_json("[]"))
        return stage
    return start


def send(stage, token=TOKEN, client=None):
    client = client or stage.connect()
    client.send(build_request("GET", PLAIN, [("Host", "ep.test"),
                                                      ("Authorization", f"Bearer {token}")]))
    return client


def ask(stage, token=TOKEN, client=None):
    return send(stage, token, client).read_response()


def test_an_active_token_is_let_in_and_asked_for_once(make, server):
    stage = make()
    for _ in range(3):
        assert ask(stage).status == 200
    question, = server.asked
    assert (question.method, question.target) == ("POST", "/introspect")
    assert question.body == (b"token=opaque-token%2B%2F%3D%2541"
                             b"&token_type_hint=access_token")
    assert question.get("Content-Type") == "application/x-www-form-urlencoded"
    expected = base64.b64encode(b"kernelgate:s3cret").decode()
    assert question.all("Authorization") == [f"Basic {expected}"]
    assert all(request.get("Authorization") == f"token {GATEWAY_TOKEN}"
               for request in stage.gateway.requests)
    stage.moved("kernelgate_fetches_total", purpose="introspection", result="answered")


def test_an_inactive_token_is_refused_and_remembered(make, server):
    server.says({"active": False})
    stage = make(refused_cache="5m")
    for _ in range(3):
        assert ask(stage).status == 401
    assert len(server.asked) == 1
    assert not stage.gateway.requests


def test_a_revoked_token_ends_with_the_cache(make, server):
    stage = make(cache="1s")
    client = stage.connect()
    assert ask(stage, client=client).status == 200
    server.says({"active": False})
    wait_until(lambda: ask(stage, client=client).status == 401, "the end of the session")


@pytest.mark.parametrize("answer", [
    {"active": True, "sub": "alice", "endpoint": "other"},
    {"active": True, "sub": "alice"},
    {"active": True, "sub": "alice", "endpoint": "ep", "scope": "openid"},
], ids=["other endpoint", "no endpoint", "no scope"])
def test_an_active_token_may_still_not_be_for_this_endpoint(make, server, answer):
    server.says(answer)
    stage = make(scope="kernels")
    assert ask(stage).status == 403
    assert not stage.gateway.requests


@pytest.mark.parametrize("name", ["down", "401", "302", "no json", "active as text", "cut"])
def test_a_server_that_gives_no_answer_is_not_the_clients_fault(make, server, name):
    answers = {
        "down": lambda call: call.reply(503),
        "401": lambda call: call.reply(401),
        "302": lambda call: call.reply(302, b"", [("Location", server.url("/elsewhere"))]),
        "no json": lambda call: call.reply(200, b"active"),
        "active as text": lambda call: call.reply_json('{"active":"true","sub":"a"}'),
        "cut": lambda call: call.wire.close(),
    }
    server.answer = answers[name]
    stage = make()
    assert ask(stage).status == 503
    stage.proxy.wait_log(status=503, error="session_unknown")
    server.says(ALICE)
    assert ask(stage).status == 200


def test_a_server_that_is_silent_costs_its_deadline_only(make, server):
    server.holds()
    stage = make(timeout="300ms")
    assert ask(stage).status == 503
    stage.moved("kernelgate_fetches_total", purpose="introspection", result="timeout")


def test_many_requests_with_one_token_are_one_question(make, server):
    server.holds()
    stage = make()
    clients = [send(stage) for _ in range(30)]
    server.wait_asked(1)
    server.says(ALICE)
    server.release()
    assert [client.read_response().status for client in clients] == [200] * 30
    assert len(server.asked) == 1


def test_a_token_and_our_secret_stay_out_of_all_logs(make, server):
    stage = make()
    assert ask(stage).status == 200
    server.says_status(500)
    assert ask(stage, "another-secret-token").status == 503
    stage.proxy.wait_log(count=2)
    said = "\n".join(stage.proxy.stderr_lines) + stage.proxy.access_log.read_text()
    for secret in (TOKEN, "another-secret-token", "s3cret"):
        assert secret not in said
