"""Who may use an endpoint at all, by address: judged before sessions, and by whom a proxy names."""

import pytest

from support.http_text import build_request
from support.stage import CHANNELS, PLAIN

TRUSTED = "127.0.0.5"


@pytest.fixture
def stage(make_stage):
    stage = make_stage(endpoint={"allow_sources": ["127.0.0.2", "10.0.0.0/8", "2001:db8::/32"]},
                       listener={"trusted_proxies": [TRUSTED + "/32"]})
    stage.gateway.serve(lambda call: call.reply(200, b"{}"))
    return stage


def ask(stage, source, forwarded_for=None, token=True):
    client = stage.connect(source=source)
    fields = [("Host", "ep.test")]
    fields += [("Authorization", f"token {stage.token()}")] if token else []
    fields += [("X-Forwarded-For", forwarded_for)] if forwarded_for else []
    client.send(build_request("GET", PLAIN, fields))
    return client.read_response()


def test_peers_by_their_own_address(stage):
    assert ask(stage, "127.0.0.2").status == 200
    response = ask(stage, "127.0.0.3")
    assert response.status == 403
    assert "allow_sources" in response.json()["message"]
    assert ask(stage, "127.0.0.3", forwarded_for="10.0.0.1").status == 403  # nobody believes it
    stage.moved("kernelgate_errors_total", by=2, reason="foreign_source", endpoint="ep")
    assert len(stage.gateway.requests) == 1


def test_clients_by_the_name_that_a_trusted_proxy_gives(stage):
    for allowed in ("10.1.2.3", "192.0.2.1, 10.1.2.3", "2001:db8::7", "10.1.2.3:4711"):
        assert ask(stage, TRUSTED, allowed).status == 200, allowed
    for foreign in ("192.0.2.1", "10.1.2.3, 192.0.2.1", "2001:db9::7", "unknown", None):
        assert ask(stage, TRUSTED, foreign).status == 403, foreign


def test_sessions_and_preflights_are_not_even_looked_at(stage):
    assert ask(stage, "127.0.0.3", token=False).status == 403
    assert ask(stage, "127.0.0.2", token=False).status == 401
    client = stage.connect(source="127.0.0.3")
    client.send(build_request("OPTIONS", PLAIN, [
        ("Host", "ep.test"), ("Origin", "https://lab.test"),
        ("Access-Control-Request-Method", "GET")]))
    assert client.read_response().status == 403
    client = stage.connect(source="127.0.0.3")
    client.send_upgrade(CHANNELS, token=stage.token())
    assert client.read_response().status == 403
