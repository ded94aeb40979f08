"""Client certificates as sessions: which name counts, where they end, and that nothing names an
endpoint by itself."""

import signal

import pytest

from support.http_text import build_request
from support.stage import CHANNELS, GATEWAY_TOKEN, KERNEL, PLAIN

URI = "spiffe://example.com/alice"


@pytest.fixture(scope="module")
def alice(workshop):
    return workshop.keyring.client_certificate("session-alice", "/O=Team/CN=alice",
                                               f"URI:{URI},email:alice@example.com")


@pytest.fixture(scope="module")
def two_names(workshop):
    return workshop.keyring.client_certificate("session-two", "/CN=alice/CN=bob",
                                               f"URI:{URI},URI:spiffe://example.com/bob")


@pytest.fixture
def asking(make_stage, workshop):
    """A stage whose listener asks for certificates; sessions are those of `subject` alone."""
    def make(subject="cn", mode="optional", listener=True, **sessions):
        link = {"client_certificate": {"realm": "pki", "subject": subject}}
        stage = make_stage(endpoint={"sessions": {"authenticators": [link], **sessions}},
                           start=False)
        if listener:
            stage.proxy.config["listeners"][0]["tls"]["client_certificates"] = {
                "ca_file": str(workshop.keyring.ca), "mode": mode}
        return stage

    return make


def context_of(workshop, pair):
    context = workshop.context()
    context.load_cert_chain(*map(str, pair))
    return context


def get(stage, client, headers=()):
    client.send(build_request("GET", PLAIN, [("Host", "ep.test"), *headers]))
    return client.read_response()


@pytest.mark.parametrize("subject", ["cn", "san_uri", "san_email"])
def test_a_certificate_names_no_endpoint(asking, workshop, alice, subject):
    """Default deny: a CA's customers are not an endpoint's users."""
    stage = asking(subject).start()
    assert get(stage, stage.connect(context=context_of(workshop, alice))).status == 403
    line = stage.proxy.wait_log(status=403, error="forbidden")
    assert line["client_certificate"] == "CN=alice,O=Team"
    stage.gateway.assert_untouched()


NAMES = {"cn": "alice", "san_uri": URI, "san_email": "alice@example.com"}


@pytest.mark.parametrize("subject", NAMES)
def test_the_policy_names_whom_a_certificate_lets_in(asking, workshop, alice, subject):
    name = NAMES[subject]
    stage = asking(subject, allow={"realms": ["pki"], "subjects": [name]}).start()
    context = context_of(workshop, alice)
    client = stage.connect(context=context)
    client.send(build_request("GET", PLAIN, [("Host", "ep.test")]))
    call = stage.gateway.next_call()
    assert call.request.all("Authorization") == [f"token {GATEWAY_TOKEN}"]
    call.reply(200, b"[]")
    assert client.read_response().status == 200
    line = stage.proxy.wait_log(status=200)
    assert (line["subject"], line["realm"]) == (name, "pki")
    resumed = stage.connect(context=context, session=client.tls.session)
    assert resumed.tls.session_reused
    resumed.send(build_request("GET", PLAIN, [("Host", "ep.test")]))
    stage.gateway.next_call().reply(200, b"[]")
    assert resumed.read_response().status == 200
    assert stage.proxy.wait_log(tls_resumed=True)["subject"] == name


def test_a_websocket_of_a_certificate_is_judged_again_by_it(asking, workshop, alice):
    stage = asking(allow={"subjects": ["alice"]}).start()
    client = stage.connect(context=context_of(workshop, alice))
    key = client.send_upgrade(CHANNELS)
    upstream = stage.gateway.next_call().accept_websocket()
    mine = client.read_upgrade(key)
    stage.proxy.signal(signal.SIGHUP)
    stage.moved("kernelgate_session_cache_misses_total", by=2)  # the handshake, and this
    mine.send_text("still here")
    assert upstream.read_text() == "still here"


def test_the_name_of_another_kind_is_not_the_subject(asking, workshop, alice):
    stage = asking("cn", allow={"subjects": ["alice@example.com", URI]}).start()
    assert get(stage, stage.connect(context=context_of(workshop, alice))).status == 403
    stage.gateway.assert_untouched()


def test_a_foreign_page_may_not_act_by_certificate(asking, workshop, alice):
    """The browser shows it whichever page asks."""
    stage = asking(allow={"subjects": ["alice"]}).start()
    context = context_of(workshop, alice)
    for origin, status in (("https://evil.test", 403), ("null", 403)):
        client = stage.connect(context=context)
        client.send(build_request("DELETE", f"/api/kernels/{KERNEL}",
                                  [("Host", "ep.test"), ("Origin", origin)]))
        assert client.read_response().status == status
        client = stage.connect(context=context)
        client.send_upgrade(CHANNELS, [("Origin", origin)])
        assert client.read_response().status == status
    stage.moved("kernelgate_errors_total", by=4, reason="foreign_origin", endpoint="ep")
    stage.gateway.assert_untouched()
    client = stage.connect(context=context)
    client.send(build_request("DELETE", f"/api/kernels/{KERNEL}",
                              [("Host", "ep.test"), ("Origin", "https://ep.test")]))
    stage.gateway.next_call().reply(204)
    assert client.read_response().status == 204


@pytest.mark.parametrize("subject", ["cn", "san_uri", "san_email", "san_dns"])
def test_a_certificate_without_one_such_name_is_nobodys(asking, workshop, two_names, subject):
    stage = asking(subject).start()
    assert get(stage, stage.connect(context=context_of(workshop, two_names))).status == 401
    assert "one name" in stage.proxy.wait_log(status=401)["detail"]
    stage.gateway.assert_untouched()


def test_without_a_certificate_there_is_no_session(asking):
    stage = asking().start()
    assert get(stage, stage.connect()).status == 401
    stage.gateway.assert_untouched()


def test_a_token_beside_it_is_asked_for_first(asking, workshop, alice):
    sessions = workshop.endpoint("ep", 1)["sessions"]
    stage = asking(jwt=sessions["jwt"]).start()
    client = stage.connect(context=context_of(workshop, alice))
    client.send_request("GET", PLAIN, token=stage.token(subject="bob"))
    stage.gateway.next_call().reply(200, b"[]")
    assert client.read_response().status == 200
    assert stage.proxy.wait_log(status=200)["subject"] == "bob"


def test_without_a_listener_that_asks_it_is_a_mistake(asking):
    stage = asking(listener=False)
    with pytest.raises(AssertionError, match="no listener asks clients for a certificate"):
        stage.start()
    stage.proxy.wait_exit()
