"""A revoked session ends at once, on every worker, by the watched file and by admin calls."""

import json
import os
import time

import pytest

from support import tokens
from support.admin_client import AdminClient, admin_config
from support.peer_process import PeerGateway, PeerProcess
from support.proxy_process import sanitized
from support.stage import CHANNELS, PLAIN
from support.waiting import wait_until

CROWD = int(os.environ.get("KG_CROWD", "300"))  # open WebSockets
RELOADS = "kernelgate_revocation_reloads_total"
REVOKED = "kernelgate_websockets_revoked_total"


def websocket(stage, **claims):
    """An open WebSocket of a session with those claims: (token, client's end, gateway's end)."""
    token = tokens.forge(stage.workshop.keyring.session_key, tokens.claims("ep", **claims))
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, (), token)
    upstream = stage.gateway.next_call().accept_websocket()
    return token, client.read_upgrade(key), upstream


def answers(stage, token):
    """What a GET is answered with by ten connections, of which either worker takes some."""
    found = set()
    for _ in range(10):
        client = stage.connect()
        client.send_request("GET", PLAIN, token=token)
        found.add(client.read_response().status)
    return found


def wait_refused(stage, token):
    """A worker takes the list when it next turns: until then it passes requests on."""
    stage.gateway.serve(lambda call: call.reply_json("[]"))
    wait_until(lambda: answers(stage, token) == {401}, "both workers to know of the revocation")


def write_lines(file, *entries):
    fresh = file.with_suffix(".fresh")
    fresh.write_text("# revoked\n" + "".join(json.dumps(entry) + "\n" for entry in entries))
    os.replace(fresh, file)


@pytest.fixture
def revocations_file(tmp_path):
    file = tmp_path / "revocations"
    write_lines(file)
    return file


@pytest.fixture
def file_stage(make_stage, revocations_file):
    return make_stage(config={"workers": 2, "revocations_file": str(revocations_file)})


@pytest.mark.parametrize("entry", [
    {"token_id": "stolen"}, {"session": "login-7"}, {"endpoint": "ep"},
    {"subject": "mallory", "realm": tokens.ISSUER}])
def test_the_file_ends_what_it_names(file_stage, revocations_file, entry):
    token, mine, upstream = websocket(file_stage, sub="mallory", jti="stolen", sid="login-7")
    _, other, others_upstream = websocket(file_stage, sub="alice", jti="good", sid="login-8")
    write_lines(revocations_file, entry)
    close = mine.read_close()
    assert (close.close_code, close.close_reason) == (
        1008, "The session was revoked. Sign in again, or ask the platform team.")
    assert upstream.read_close().close_code == 1008
    wait_refused(file_stage, token)
    if "endpoint" in entry:
        assert other.read_close().close_code == 1008
    else:
        others_upstream.send_text("untouched")
        assert other.read_text() == "untouched"
    file_stage.moved(RELOADS, result="ok")
    file_stage.moved(REVOKED, by=2 if "endpoint" in entry else 1)
    assert file_stage.proxy.wait_log(operation="ConnectKernel")["error"] == "session_revoked"


def test_only_what_was_issued_before_is_revoked(file_stage, revocations_file):
    now = int(time.time())
    _, old, _ = websocket(file_stage, sub="mallory", iat=now - 100)
    # It ends sooner, or the old one would live on with it.
    _, new, upstream = websocket(file_stage, sub="mallory", iat=now, exp=now + 300)
    write_lines(revocations_file, {"subject": "mallory", "realm": tokens.ISSUER, "before": now})
    assert old.read_close().close_code == 1008
    upstream.send_text("signed in again")
    assert new.read_text() == "signed in again"


def test_a_broken_file_keeps_the_last_good_entries(file_stage, revocations_file):
    token, mine, _ = websocket(file_stage, jti="stolen")
    write_lines(revocations_file, {"token_id": "stolen"})
    assert mine.read_close().close_code == 1008
    wait_refused(file_stage, token)
    write_lines(revocations_file, {"token_id": "stolen"}, {"tokenid": "typing error"})
    file_stage.moved(RELOADS, result="failed")
    file_stage.proxy.wait_for_stderr(r"line 3 names no token_id", "the fault with its line")
    assert answers(file_stage, token) == {401}
    file_stage.proxy.wait_metric("kernelgate_revocations", 1)


def test_a_broken_file_at_start_is_an_error_of_the_configuration(make_stage, revocations_file):
    revocations_file.write_text("everybody\n")
    stage = make_stage(config={"revocations_file": str(revocations_file)}, start=False)
    stage.proxy.write_config()
    done = tokens.run_cli("check", "--config", stage.proxy.config_file)
    assert done.returncode != 0
    assert "revocations_file" in done.stdout + done.stderr
    assert "line 1 is not JSON" in done.stdout + done.stderr


def test_a_crowd_ends_within_a_second_of_the_call(make_stage, tmp_path):
    """KG_CROWD=5000 for the whole promise."""
    quotas = {"quotas": {"websockets": "none"}}
    stage = make_stage(gateway=PeerGateway(), endpoint=quotas, config={
        "workers": 2, "limits": {"connections_per_address": 2 * CROWD}, **admin_config(tmp_path),
        # The crowd says nothing while it grows, and is asked nothing.
        "alb": {"idle_timeout": "4000s"}, "websocket": {
            "ping_after": "30m", "client_dead_after": "2h", "gateway_dead_after": "2h"}})
    admin = AdminClient(stage)
    crowd = stage.closes(PeerProcess(
        "support.crowd", stage.proxy.port, stage.workshop.keyring.ca, "ep.test", CHANNELS, CROWD,
        given=stage.token()))
    crowd.wait_for("open", 300)
    called = time.monotonic()
    answer = admin.call("POST", "/revocations", {"subject": "alice", "realm": tokens.ISSUER})
    answered = time.monotonic() - called
    closed = crowd.wait_for("closed", 30)
    took = closed["last"] - called
    print(f"{CROWD} WebSockets: the call took {answered:.3f} s, the last Close {took:.3f} s")
    assert answer[1]["websockets_ended"] == CROWD, answer
    assert closed["codes"] == {"1008": CROWD}
    stage.moved(REVOKED, by=CROWD)
    assert sanitized() or took < 1
