"""Certificates that controllers announce: served by name at once, and no connection feels it."""

import json
import ssl

import pytest

from support.feed import Feed, announced
from support.tls_socket import VERSIONS
from support.waiting import wait_until


@pytest.fixture
def feed(tmp_path):
    feed = Feed(tmp_path / "controller")
    yield feed
    feed.close()


def certificate(workshop, name, hosts, made_for=None, **changes):
    chain, key = workshop.keyring.server_certificate(*(made_for or hosts))
    return {"key": f"certificate/analytics/{name}", "namespace": "analytics", "endpoint": "",
            "payload": {"schema": 1, "kind": "certificate", "namespace": "analytics",
                        "hosts": hosts, "chain": chain.read_text(), "key": key.read_text(),
                        **changes}}


def feed_stage(make_stage, workshop, feed, **config):
    """On two workers, with a file's certificate."""
    return make_stage(config={"feed": feed.config(), "workers": 2, **config},
                      certificates=[workshop.keyring.server_certificate("own.sni.test")])


def served(stage, sni, context=None):
    """The first name of what is presented for it."""
    client = stage.connect(sni=sni, context=context or stage.context)
    names = client.tls.getpeercert()["subjectAltName"]
    client.close()
    return names[0][1]


@pytest.fixture
def careless(workshop):
    """A client that takes a certificate of another name."""
    context = workshop.context()
    context.check_hostname = False
    return context


def test_renewed_and_removed_under_an_open_websocket(make_stage, workshop, feed, careless):
    stage = feed_stage(make_stage, workshop, feed)
    workshop.keyring.server_certificate("renewed.sni.test", "one.sni.test")
    feed.wait_taken(feed.publish(announced(workshop, "one", [stage.gateway], ["one.sni.test"]),
                                 certificate(workshop, "tls", ["one.sni.test"])))
    sockets = []
    for _ in range(4):  # on either worker
        client = stage.connect(sni="one.sni.test")
        key = client.send_upgrade("/api/kernels/6bb19c3b-26f6-4b4d-bfc9-be831a9e648f/channels",
                                  token=stage.token("one"), host="one.sni.test")
        theirs = stage.gateway.next_call().accept_websocket(None)
        sockets.append((client.read_upgrade(key), theirs))
    for turn in range(50):
        made_for = ["renewed.sni.test", "one.sni.test"] if turn % 2 == 0 else ["one.sni.test"]
        version = feed.publish(certificate(workshop, "tls", ["one.sni.test"], made_for))
    feed.wait_taken(feed.publish(
        certificate(workshop, "tls", ["one.sni.test"], ["renewed.sni.test", "one.sni.test"])))
    assert version and {served(stage, "one.sni.test") for _ in range(6)} == {"renewed.sni.test"}
    feed.wait_taken(feed.publish(deletes=["certificate/analytics/tls"]))
    assert {served(stage, "one.sni.test", careless) for _ in range(6)} == {"own.sni.test"}
    for mine, theirs in sockets:
        mine.send_text("still here")
        assert theirs.read_text() == "still here"


def test_a_wildcard_is_for_one_label_and_behind_exact_names(make_stage, workshop, feed, careless):
    stage = feed_stage(make_stage, workshop, feed)
    feed.wait_taken(feed.publish(
        certificate(workshop, "wild", ["*.wild.sni.test"]),
        certificate(workshop, "exact", ["x.wild.sni.test", "own.sni.test"], ["x.wild.sni.test"])))
    assert served(stage, "any.wild.sni.test") == "*.wild.sni.test"
    assert served(stage, "x.wild.sni.test") == "x.wild.sni.test"
    assert served(stage, "two.labels.wild.sni.test", careless) == "own.sni.test"
    assert served(stage, "own.sni.test") == "own.sni.test"  # the file's comes first


def test_a_listener_needs_none_of_its_own(make_stage, workshop, feed, careless):
    stage = make_stage(config={"feed": feed.config()}, listener={"tls": {}})
    feed.wait_taken(feed.publish(certificate(workshop, "tls", ["one.sni.test"])))
    assert served(stage, "one.sni.test") == "one.sni.test"
    with pytest.raises(ssl.SSLCertVerificationError):
        stage.connect(sni="two.sni.test")


def test_a_broken_one_is_refused_whole_and_named(make_stage, workshop, feed, careless):
    stage = feed_stage(make_stage, workshop, feed)
    feed.wait_taken(feed.publish(certificate(workshop, "tls", ["one.sni.test"])))
    key = (workshop.keyring.folder / "one.sni.test.key").read_text()
    feed.publish(announced(workshop, "two", [stage.gateway], ["two.sni.test"]),
                 certificate(workshop, "tls", ["one.sni.test"], ["other.sni.test"], key=key))
    wait_until(lambda: feed.status()["refusals"], "a refusal")
    assert "certificate/analytics/tls: tls.key holds no usable key" in feed.status()["refusals"][0]
    assert served(stage, "one.sni.test") == "one.sni.test"
    client = stage.connect(sni=None)
    client.send_request("GET", "/api/kernels", token=stage.token("two"), host="two.sni.test")
    assert client.read_response().status == 404
    log = "\n".join(stage.proxy.stderr_lines)
    assert key.splitlines()[1] not in log and "PRIVATE KEY" not in log


def test_a_connection_is_for_the_hosts_of_its_certificate(make_stage, workshop, feed):
    stage = feed_stage(make_stage, workshop, feed)
    feed.wait_taken(feed.publish(
        announced(workshop, "one", [stage.gateway], ["one.sni.test", "x.one.sni.test"]),
        announced(workshop, "two", [stage.gateway], ["two.sni.test"]),
        certificate(workshop, "tls", ["one.sni.test", "*.one.sni.test"],
                    ["all.sni.test", "one.sni.test", "*.one.sni.test", "two.sni.test"])))
    client = stage.connect(sni="one.sni.test")
    path = "/api/kernels/6bb19c3b-26f6-4b4d-bfc9-be831a9e648f"
    for host in ("one.sni.test", "x.one.sni.test"):
        client.send_request("GET", path, token=stage.token("one"), host=host)
        stage.gateway.next_call().reply(200, b"{}")
        assert client.read_response().status == 200
    client.send_request("GET", path, token=stage.token("two"), host="two.sni.test")
    response = client.read_response()
    assert response.status == 421 and "SNI" in json.loads(response.body)["message"]


@pytest.mark.parametrize("version", VERSIONS)
def test_tickets_stay_with_their_certificate(make_stage, workshop, feed, version):
    stage = feed_stage(make_stage, workshop, feed)
    feed.wait_taken(feed.publish(certificate(workshop, "one", ["one.sni.test"]),
                                 certificate(workshop, "two", ["two.sni.test"])))
    context = workshop.context(minimum=version, maximum=version)
    context.check_hostname = False

    def session_of(sni, session=None):
        client = stage.connect(sni=sni, context=context, session=session)
        client.send_request("GET", "/healthz", host=sni)
        assert client.read_response().status == 200
        taken = client.tls.session, client.tls.session_reused
        client.half_close()
        client.expect_end("close")
        return taken

    session, _ = session_of("one.sni.test")
    assert session_of("one.sni.test", session)[1]
    assert not session_of("two.sni.test", session)[1]
    session, _ = session_of("one.sni.test")
    feed.wait_taken(feed.publish(
        certificate(workshop, "one", ["one.sni.test"], ["renewed.sni.test", "one.sni.test"])))
    assert session_of("one.sni.test", session)[1]
    session, _ = session_of("one.sni.test")
    feed.wait_taken(feed.publish(deletes=["certificate/analytics/one"]))
    assert not session_of("one.sni.test", session)[1]
