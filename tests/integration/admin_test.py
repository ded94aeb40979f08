"""The admin interface: off unless configured, nothing without its token, JSON errors."""

import json

import pytest

from support import tokens
from support.admin_client import TOKEN, AdminClient, admin_config
from support.stage import PLAIN


@pytest.fixture
def admin_stage(make_stage, tmp_path):
    stage = make_stage(config={"workers": 2, **admin_config(tmp_path)})
    stage.admin = AdminClient(stage)
    return stage


def test_it_is_off_unless_configured(stage):
    stage.get()
    assert not any("admin" in line for line in stage.proxy.stderr_lines)


@pytest.mark.parametrize("method, path", [("POST", "/revocations"), ("DELETE", "/revocations"),
                                          ("GET", "/revocations"), ("GET", "/sessions"),
                                          ("GET", "/pods"), ("GET", "/pods/ep/jeg-0"),
                                          ("POST", "/pods/ep/jeg-0/cordon"),
                                          ("POST", "/pods/ep/jeg-0/uncordon"),
                                          ("POST", "/feed/reset")])
def test_every_call_needs_the_token(admin_stage, method, path):
    for token in (None, "", "wrong", TOKEN[:-1], TOKEN + "x"):
        status, body = admin_stage.admin.call(method, path, token=token)
        assert status == 401, (token, body)
        assert body["reason"] == "Unauthorized" and TOKEN not in json.dumps(body)


def test_what_is_no_call_is_said(admin_stage):
    call = admin_stage.admin.call
    assert call("GET", "/")[0] == 404
    assert call("POST", "/sessions")[0] == 405
    for body in ("", "[]", '{"token_id": 1}', '{"subject": "alice"}', '{"token_id": "a", "x": 1}'):
        status, answer = call("POST", "/revocations", body)
        assert status == 400 and answer["reason"] == "Bad Request", (body, answer)
    assert call("POST", "/revocations", "x" * 9000)[0] == 413
    assert call("GET", "/revocations")[1] == {"revocations": []}
    assert call("POST", "/feed/reset")[0] == 409, "there is no feed"


def assert_only_here(answer, **counts):
    """A good answer of a replica that follows no controller."""
    status, body = answer
    assert "this proxy alone" in body.pop("message")
    assert (status, body) == (200, {"applied": True, "told": "nobody", **counts})


def test_a_revoked_session_is_refused_at_once_and_taken_back(admin_stage):
    call = admin_stage.admin.call
    token = tokens.forge(admin_stage.workshop.keyring.session_key,
                         tokens.claims("ep", jti="stolen"))
    client = admin_stage.connect()

    def status():
        client.send_request("GET", PLAIN, token=token)
        response = client.read_response()
        return response.status, response.body

    admin_stage.gateway.serve(lambda each: each.reply_json("[]"))
    assert status()[0] == 200
    assert_only_here(call("POST", "/revocations", {"token_id": "stolen"}), websockets_ended=0)
    refused, body = status()
    assert refused == 401 and b"revoked" in body
    admin_stage.moved("kernelgate_errors_total", endpoint="ep", reason="session_revoked")
    admin_stage.proxy.wait_metric("kernelgate_revocations", 1)
    listed = call("GET", "/revocations")[1]["revocations"]
    assert [(one["token_id"], one["source"]) for one in listed] == [("stolen", "call")]
    assert listed[0]["until"] > 0
    assert_only_here(call("DELETE", "/revocations", {"token_id": "stolen"}), taken_back=1)
    assert call("DELETE", "/revocations", {"token_id": "stolen"})[0] == 404
    assert status()[0] == 200


def test_open_sessions_are_counted_by_user(admin_stage):
    mine, _ = admin_stage.websocket()
    admin_stage.websocket()
    status, body = admin_stage.admin.call("GET", "/sessions")
    assert status == 200 and body["websockets"] == 2 and body["left_off"] == 0
    one, = body["sessions"]
    assert (one["endpoint"], one["subject"], one["realm"], one["websockets"]) == (
        "ep", "alice", tokens.ISSUER, 2)
    assert one["expires_at"] > 0
    mine.wire.close()


def test_the_token_file_is_judged_at_start(make_stage, tmp_path):
    stage = make_stage(config=admin_config(tmp_path, "short"), start=False)
    stage.proxy.write_config()
    done = tokens.run_cli("check", "--config", stage.proxy.config_file)
    assert done.returncode != 0 and "16 to 1024" in done.stdout + done.stderr
