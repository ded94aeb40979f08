"""421: a request for a host that the connection's certificate does not speak for, and only that."""

import json

import pytest

from support.frames import new_key
from support.stage import CHANNELS, KERNEL
from support.tls_socket import VERSIONS

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list

REASON = "misdirected_request"


@pytest.fixture
def three_hosts(make_stage, workshop):
    def make(listener=None, certificates=None):
        pairs = certificates if certificates is not None else [
            workshop.keyring.server_certificate("ep.test", "*.wild.test"),
            workshop.keyring.server_certificate("two.test")]
        stage = make_stage(certificates=pairs, start=False, more_endpoints=lambda stage: [
            workshop.endpoint(name, stage.gateway.port) for name in ("two", "three")])
        stage.proxy.config["listeners"][0].update(listener or {})
        stage.start()
        stage.gateway.serve(lambda call: call.reply(200, call.request.get("Host").encode()))
        return stage

    return make


def ask(stage, client, host, endpoint):
    return client.exchange("GET", ONE, token=stage.token(endpoint), host=host)


def refused(stage, client, host, endpoint="two", count=1):
    response = ask(stage, client, host, endpoint)
    assert response.status == 421
    body = json.loads(response.body)
    assert body["reason"] == "Misdirected Request" and "SNI" in body["message"], body
    assert body["request_id"] == response.get("X-Request-Id")
    stage.moved("kernelgate_errors_total", by=count, reason=REASON)
    line = stage.proxy.wait_log(request_id=body["request_id"])
    assert line["error"] == REASON and line["status"] == 421 and "endpoint" not in line


def test_a_host_of_another_certificate_is_refused(three_hosts):
    stage = three_hosts()
    client = stage.connect(sni="ep.test")
    refused(stage, client, "two.test")
    assert not stage.gateway.requests
    assert ask(stage, client, "ep.test", "ep").body == b"ep.test"  # the connection goes on
    refused(stage, client, "three.test", "three", count=2)
    assert ask(stage, stage.connect(sni="two.test"), "two.test", "two").status == 200


def test_a_connection_without_a_server_name_carries_three_hosts_in_turn(three_hosts):
    """As an ALB sends them."""
    stage = three_hosts()
    client = stage.connect(sni=None)
    for name in ("ep", "two", "three", "ep"):
        assert ask(stage, client, f"{name}.test", name).body == f"{name}.test".encode()
    stage.unmoved("kernelgate_errors_total", reason=REASON)


def test_a_trusted_proxy_may_send_every_host(three_hosts):
    stage = three_hosts(listener={"trusted_proxies": ["127.0.0.0/8"]})
    client = stage.connect(sni="ep.test")
    for name in ("ep", "two", "three"):
        assert ask(stage, client, f"{name}.test", name).status == 200


@pytest.mark.parametrize("host", ["ep.test:8443", "EP.Test", "ep.test.", "one.wild.test",
                                  "127.0.0.1:18888"])
def test_what_the_certificate_covers_is_not_misdirected(three_hosts, host):
    stage = three_hosts()
    assert ask(stage, stage.connect(sni="ep.test"), host, "ep").status in (200, 404)
    stage.unmoved("kernelgate_errors_total", reason=REASON)


@pytest.mark.parametrize("host", ["two.wild.test.two.test", "a.b.wild.test", "wild.test"])
def test_a_wildcard_covers_one_label(three_hosts, host):
    stage = three_hosts()
    refused(stage, stage.connect(sni="ep.test"), host)


def test_who_asked_for_that_very_name_has_got_what_there_is(three_hosts):
    """No certificate has the name; another connection would be answered by the same one."""
    stage = three_hosts()
    assert ask(stage, stage.connect(sni="three.test"), "three.test", "three").status == 200
    refused(stage, stage.connect(sni="three.test"), "two.test")


def test_a_self_signed_certificate_speaks_for_every_host(three_hosts, workshop):
    stage = three_hosts(certificates=[], listener={"tls": {}})
    context = workshop.context()
    context.verify_mode = 0
    client = stage.connect(context=context, sni="ep.test")
    assert ask(stage, client, "two.test", "two").status == 200


def test_a_websocket_handshake_is_judged_like_any_request(three_hosts):
    stage = three_hosts()
    client = stage.connect(sni="ep.test")
    client.send_upgrade(CHANNELS, token=stage.token("two"), host="two.test", key=new_key())
    assert client.read_response().status == 421


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_connection_is_judged_by_its_name_too(three_hosts, workshop, version):
    stage = three_hosts()
    context = workshop.context(minimum=version, maximum=version)
    for sni in ("ep.test", "unknown.test"):
        first = stage.connect(context=context, sni=sni)
        assert first.exchange("GET", "/healthz").status == 200
        client = stage.connect(context=context, sni=sni, session=first.tls.session)
        assert client.tls.session_reused
        assert ask(stage, client, "two.test", "two").status == 421


def test_health_checks_name_any_host(three_hosts):
    client = three_hosts().connect(sni="ep.test")
    assert client.exchange("GET", "/healthz", host="10.0.0.1:8443").status == 200
