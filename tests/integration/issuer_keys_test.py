"""An issuer's keys by URL: fetched, kept, renewed and withdrawn; and what an issuer cannot do."""

import json
import signal
import time

import pytest

from support import tokens
from support.certificates import openssl
from support.http_text import build_request
from support.scripted_service import ScriptedService
from support.stage import PLAIN
from support.waiting import wait_until


class Issuer(ScriptedService):
    """Publishes the public halves of these keys."""

    def __init__(self, workshop, **options):
        super().__init__(workshop.keyring, **options)
        self._jwks = {}

    def publishes(self, *keys):
        for key in keys:
            if key not in self._jwks:
                self._jwks[key] = json.loads(tokens.public_jwks(key))["keys"]
        self.says({"keys": [jwk for key in keys for jwk in self._jwks[key]]})


@pytest.fixture
def issuer(workshop):
    issuer = Issuer(workshop)
    yield issuer
    issuer.close()


@pytest.fixture
def make(make_stage, issuer, workshop):
    """make(keys of jwt) starts a stage whose sessions are signed by the issuer's keys."""
    def start(**changes):
        options = {key: changes.pop(key) for key in ("config", "more_endpoints")
                   if key in changes}
        jwt = {"issuer": tokens.ISSUER, "audience": tokens.AUDIENCE,
               "keys_url": issuer.url("/jwks"), "ca_file": str(workshop.keyring.ca), **changes}
        stage = make_stage(endpoint={"sessions": {"authenticators": [{"jwt": jwt}]}}, **options)
        stage.gateway.serve(lambda call: call.reply_json("[]"))
        return stage
    return start


def ask(stage, token, host="ep.test", client=None):
    """The answer to a list with this token."""
    client = client or stage.connect()
    client.send(build_request("GET", PLAIN, [("Host", host),
                                                      ("Authorization", f"token {token}")]))
    return client.read_response()


def other_token(workshop, subject="bob"):
    return tokens.mint(workshop.keyring.other_session_key, "ep", subject)


def unknown_kid(number):
    """A token of the issuer with a kid that nobody has, and no signature to speak of."""
    return tokens.forge(None, tokens.claims("ep"), kid=f"nobody-{number}", signature=b"x" * 64)


def test_a_session_by_an_issuers_key_is_let_in(make, issuer, workshop):
    issuer.publishes(workshop.keyring.session_key)
    stage = make()
    assert ask(stage, stage.token()).status == 200
    # Not by how much it moved: the first fetch may end before the proxy is ready.
    wait_until(lambda: stage.proxy.metrics().value(
        "kernelgate_fetches_total", purpose="keys", result="answered") >= 1, "a fetch of keys")
    request = issuer.asked[0]
    assert (request.method, request.target) == ("GET", "/jwks")
    assert not request.all("Authorization") and not request.all("Cookie")
    assert ask(stage, other_token(workshop)).status == 401


def test_a_new_key_works_after_one_fetch(make, issuer, workshop):
    issuer.publishes(workshop.keyring.session_key)
    stage = make()
    assert ask(stage, stage.token()).status == 200
    issuer.publishes(workshop.keyring.session_key, workshop.keyring.other_session_key)
    before = len(issuer.asked)
    assert ask(stage, other_token(workshop)).status == 200
    assert len(issuer.asked) == before + 1
    assert ask(stage, stage.token()).status == 200


def test_sessions_of_a_withdrawn_key_end_with_the_next_fetch(make, issuer, workshop):
    issuer.publishes(workshop.keyring.session_key)
    stage = make(keys_refresh="1s")
    client = stage.connect()
    assert ask(stage, stage.token(), client=client).status == 200
    issuer.publishes(workshop.keyring.other_session_key)
    fetched = len(issuer.asked)
    wait_until(lambda: ask(stage, stage.token(), client=client).status == 401,
               "the end of the session")
    assert len(issuer.asked) <= fetched + 2
    stage.proxy.wait_log(status=401, error="unauthorized")
    assert ask(stage, other_token(workshop)).status == 200


def test_an_issuer_that_is_down_at_start_is_asked_again(make, issuer, workshop):
    stage = make()
    response = ask(stage, stage.token())
    assert response.status == 503, response
    assert response.json()["reason"]
    stage.proxy.wait_log(status=503, error="session_unknown")
    stage.proxy.wait_for_stderr("session keys cannot be fetched", "the issuer's name")
    assert stage.proxy.metrics().value("kernelgate_session_keys_age_seconds") == -1
    issuer.publishes(workshop.keyring.session_key)
    wait_until(lambda: ask(stage, stage.token()).status == 200, "a session")
    stage.proxy.wait_for_stderr("session keys fetched", "that keys came")


def test_the_last_good_keys_serve_while_an_issuer_is_down(make, issuer, workshop):
    issuer.publishes(workshop.keyring.session_key)
    stage = make(keys_refresh="1s")
    assert ask(stage, stage.token()).status == 200
    issuer.says_status(500)
    issuer.wait_asked(len(issuer.asked) + 2)
    assert ask(stage, stage.token(subject="somebody new")).status == 200
    assert ask(stage, other_token(workshop)).status == 503  # it may be a key of today
    stage.proxy.wait_for_stderr("the last good ones serve on", "the issuer's name")


def test_keys_that_are_too_old_are_not_believed(make, issuer, workshop):
    issuer.publishes(workshop.keyring.session_key)
    stage = make(keys_refresh="1s", keys_stale="2s")
    assert ask(stage, stage.token()).status == 200
    issuer.says_status(500)
    wait_until(lambda: ask(stage, stage.token()).status == 503, "the end of the keys")
    issuer.publishes(workshop.keyring.session_key)
    wait_until(lambda: ask(stage, stage.token()).status == 200, "a session")


def test_a_thousand_unknown_keys_are_two_fetches(make, issuer, workshop):
    issuer.publishes(workshop.keyring.session_key)
    stage = make(config={"workers": 1})
    begin = time.monotonic()
    token = stage.token()
    assert ask(stage, token).status == 200
    client = stage.connect()
    # 429 once they have taken more of the worker's time than one client may.
    said = {ask(stage, unknown_kid(number), client=client).status for number in range(1000)}
    assert 401 in said and said <= {401, 429}
    # Whom the worker knows already is asked for no check, also at the address of all those.
    assert ask(stage, token).status == 200
    # One at start, at most one for the first that nobody knows, and one each 10 s.
    assert len(issuer.asked) <= 2 + (time.monotonic() - begin) / 10


def test_a_slow_issuer_delays_nobody_else(make, issuer, workshop):
    issuer.holds()
    stage = make(more_endpoints=lambda stage: [workshop.endpoint("quick", stage.gateway.port)])
    quick_token = stage.token("quick")
    waiting = stage.connect()
    waiting.send(build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")]))
    issuer.wait_asked(1)
    client = stage.connect()
    for _ in range(20):
        assert ask(stage, quick_token, host="quick.test", client=client).status == 200
    assert len(stage.proxy.wait_log(count=20, endpoint="quick")) == 20
    assert not [line for line in stage.proxy.log_lines() if line["client"] == waiting.address]
    issuer.publishes(workshop.keyring.session_key)
    issuer.release()
    assert waiting.read_response().status == 200


def test_a_client_may_leave_while_its_issuer_is_asked(make, issuer, workshop):
    issuer.holds()
    stage = make()
    client = stage.connect()
    client.send(build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")]))
    issuer.wait_asked(1)
    client.close()
    stage.proxy.wait_log(error="client_gone")
    stage.wait_quiet()
    issuer.publishes(workshop.keyring.session_key)
    issuer.release()
    wait_until(lambda: ask(stage, stage.token()).status == 200, "a session")
    assert len(stage.gateway.requests) == 1


def test_the_process_may_end_while_an_issuer_is_asked(make, issuer):
    issuer.holds()
    stage = make()
    client = stage.connect()
    client.send(build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")]))
    issuer.wait_asked(1)
    stage.proxy.signal(signal.SIGTERM)
    assert stage.proxy.wait_exit() == 0


def test_a_reload_forgets_no_key(make, issuer, workshop):
    issuer.publishes(workshop.keyring.session_key)
    stage = make()
    assert ask(stage, stage.token()).status == 200
    issuer.says_status(500)
    fetched = len(issuer.asked)
    stage.proxy.signal(signal.SIGHUP)
    stage.proxy.wait_for_stderr("reloaded file=", "the reload")
    assert ask(stage, stage.token()).status == 200
    assert len(issuer.asked) == fetched


@pytest.mark.parametrize("name", ["redirect", "large", "no json", "private key", "head"])
def test_what_is_no_key_set_brings_no_keys(make, issuer, workshop, name):
    good = tokens.public_jwks(workshop.keyring.session_key)
    elsewhere = Issuer(workshop)
    elsewhere.says(good)
    answers = {
        "redirect": lambda call: call.reply(302, b"", [("Location", elsewhere.url("/jwks"))]),
        "large": lambda call: call.reply_json(good + " " * 300_000),
        "no json": lambda call: call.reply(200, b"<html>"),
        "private key": lambda call: call.reply_json('{"keys":[{"kty":"oct","k":"AAAA"}]}'),
        "head": lambda call: call.reply(200, good.encode(), [("X-Long", "x" * 90_000)]),
    }
    issuer.answer = answers[name]
    stage = make()
    assert ask(stage, stage.token()).status == 503
    assert not elsewhere.asked
    elsewhere.close()


def test_an_issuer_of_another_ca_is_not_believed(make_stage, workshop, tmp_path):
    stranger = tmp_path / "stranger.crt"
    key = workshop.keyring.new_ec_key("stranger.key")
    openssl("req", "-x509", "-new", "-key", str(key), "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-out", str(stranger))
    issuer = Issuer(workshop, certificate=(stranger, key))
    issuer.publishes(workshop.keyring.session_key)
    stage = make_stage(endpoint={"sessions": {"authenticators": [{"jwt": {
        "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "keys_url": issuer.url("/jwks"),
        "ca_file": str(workshop.keyring.ca)}}]}})
    stage.closes(issuer)
    assert ask(stage, stage.token()).status == 503
    assert not issuer.asked
    assert stage.proxy.metrics().value("kernelgate_fetches_total", purpose="keys",
                                       result="tls") >= 1
    stage.gateway.assert_untouched()
