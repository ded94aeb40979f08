"""Keys and opaque tokens of sessions come from files, which may change while the proxy serves."""

import hashlib
import json

import pytest

from support import tokens
from support.http_text import build_request
from support.stage import PLAIN

RELOADS = "kernelgate_session_file_reloads_total"


def get(stage, token, client=None):
    """A client that has sent GET /api/kernels with that token."""
    client = client or stage.connect()
    client.send(build_request("GET", PLAIN,
                              [("Host", "ep.test"), ("Authorization", f"token {token}")]))
    return client


def assert_let_in(stage, token, client=None):
    client = get(stage, token, client)
    stage.gateway.next_call().reply(200, b"[]")
    assert client.read_response().status == 200
    return client


def assert_kept_out(stage, token, label="unauthorized", client=None):
    client = get(stage, token, client)
    assert client.read_response().status == 401
    assert stage.proxy.wait_log(client=client.address, status=401)["error"] == label


@pytest.fixture
def opaque_stage(make_stage, tmp_path):
    """A stage whose sessions are opaque tokens, in stage.tokens_file."""
    file = tmp_path / "tokens"
    file.write_text("# none yet\n")
    stage = make_stage(endpoint={"sessions": {"authenticators": [
        {"opaque": {"realm": "desk", "file": str(file)}}]}})
    stage.tokens_file = file
    return stage


def test_an_opaque_token_is_let_in_once_its_line_is_there(opaque_stage):
    stage = opaque_stage
    token, line = tokens.mint_opaque("carol", endpoint="ep", group=["a", "b"], log_context="team-9")
    assert json.loads(line)["sha256"] == hashlib.sha256(token.encode()).hexdigest()
    assert_kept_out(stage, token)
    stage.gateway.assert_untouched()
    stage.tokens_file.write_text(line)
    stage.moved(RELOADS, result="ok")
    # Refusals are believed for some seconds: as a client that tries again, from elsewhere.
    another, more = tokens.mint_opaque("carol", endpoint="ep", log_context="team-9")
    stage.tokens_file.write_text(line + more)
    stage.moved(RELOADS, by=2, result="ok")
    client = assert_let_in(stage, another)
    entry = stage.proxy.wait_log(client=client.address, status=200)
    assert (entry["subject"], entry["log_context"]) == ("carol", "team-9")
    assert another not in json.dumps(entry)


def test_a_removed_line_ends_its_session_everywhere(opaque_stage):
    stage = opaque_stage
    token, line = tokens.mint_opaque("carol", endpoint="ep")
    other, stays = tokens.mint_opaque("dave", endpoint="ep")
    stage.tokens_file.write_text(line + stays)
    stage.moved(RELOADS, result="ok")
    carol, dave = assert_let_in(stage, token), assert_let_in(stage, other)
    stage.tokens_file.write_text(stays)
    stage.moved(RELOADS, by=2, result="ok")
    assert_kept_out(stage, token, client=carol)
    assert_let_in(stage, other, client=dave)


def test_a_broken_file_keeps_the_last_good_one(opaque_stage):
    stage = opaque_stage
    token, line = tokens.mint_opaque("carol", endpoint="ep")
    stage.tokens_file.write_text(line)
    stage.moved(RELOADS, result="ok")
    stage.tokens_file.write_text(line + line)
    stage.moved(RELOADS, result="failed")
    assert_let_in(stage, token)


def test_opaque_tokens_end_and_belong_to_an_endpoint(opaque_stage):
    stage = opaque_stage
    late, late_line = tokens.mint_opaque("carol", endpoint="ep")
    late_line = json.dumps({**json.loads(late_line), "exp": 1_600_000_000}) + "\n"
    other, other_line = tokens.mint_opaque("carol", endpoint="elsewhere")
    stage.tokens_file.write_text(late_line + other_line)
    stage.moved(RELOADS, result="ok")
    assert_kept_out(stage, late, "session_expired")
    assert get(stage, other).read_response().status == 403
    stage.gateway.assert_untouched()


def test_signed_and_opaque_tokens_side_by_side(make_stage, workshop, tmp_path):
    token, line = tokens.mint_opaque("carol", endpoint="ep")
    (tmp_path / "tokens").write_text(line)
    stage = make_stage(endpoint={"sessions": {
        "jwt": {"issuer": tokens.ISSUER, "audience": tokens.AUDIENCE,
                "keys_file": str(workshop.jwks)},
        "authenticators": [{"opaque": {"realm": "desk", "file": str(tmp_path / "tokens")}}]}})
    assert_let_in(stage, token)
    assert_let_in(stage, stage.token())
    assert_kept_out(stage, token[:-1])


def test_a_withdrawn_key_ends_its_sessions_and_a_new_one_begins_at_once(
        make_stage, workshop, tmp_path):
    old = workshop.keyring.session_key
    new = workshop.keyring.new_ed25519_key("rotation.pem")
    both = json.loads(tokens.public_jwks(old))["keys"] + json.loads(tokens.public_jwks(new))["keys"]
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": both[:1]}))
    stage = make_stage(endpoint={"sessions": {"jwt": {
        "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "keys_file": str(keys)}}})
    client = assert_let_in(stage, stage.token())
    keys.write_text(json.dumps({"keys": both}))
    stage.moved(RELOADS, result="ok")
    fresh = assert_let_in(stage, tokens.mint(new, "ep", "bob"))
    assert_let_in(stage, stage.token(), client)
    keys.write_text(json.dumps({"keys": both[1:]}))
    stage.moved(RELOADS, by=2, result="ok")
    assert_kept_out(stage, stage.token(), client=client)
    assert_let_in(stage, tokens.mint(new, "ep", "bob"), fresh)


def test_claims_may_have_an_issuers_own_names(make_stage, workshop):
    stage = make_stage(endpoint={"sessions": {"jwt": {
        "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "keys_file": str(workshop.jwks),
        "subject_claim": "oid", "endpoint_claim": "custom:endpoint", "groups_claim": "roles",
        "virtual_cluster_claim": "custom:cluster"}}})
    key = workshop.keyring.session_key
    ours = {"oid": "6f1c", "custom:endpoint": "ep", "custom:cluster": "analytics",
            "roles": ["Kernel.Use"]}
    client = assert_let_in(stage, tokens.forge(key, tokens.claims(None, "pairwise", **ours)))
    assert stage.proxy.wait_log(client=client.address, status=200)["subject"] == "6f1c"
    usual = get(stage, tokens.forge(key, tokens.claims("ep", "alice", oid="x")))
    assert usual.read_response().status == 403, "the usual name does not count"
    assert_kept_out(stage, tokens.forge(key, tokens.claims("ep", "alice")))
    for elsewhere in ({"custom:cluster": None}, {"custom:cluster": "science"}):
        claims = tokens.claims(None, "alice", **{**ours, **elsewhere})
        assert get(stage, tokens.forge(key, claims)).read_response().status == 403, elsewhere


def test_what_is_wrong_with_a_file_of_tokens_is_said_at_start(make_stage, tmp_path):
    (tmp_path / "tokens").write_text('{"sub": "a"}\n')
    stage = make_stage(endpoint={"sessions": {"authenticators": [
        {"opaque": {"realm": "desk", "file": str(tmp_path / "tokens")}}]}}, start=False)
    with pytest.raises(AssertionError) as failure:
        stage.start()
    stage.proxy.wait_exit()
    assert "authenticators[0].opaque.file" in str(failure.value)
    assert "line 1 has no sha256" in str(failure.value)
