"""Requests find their endpoint by host, by path prefix or both, and the gateway its paths."""

import json

import pytest

from support.scripted_gateway import ScriptedGateway
from support.stage import GATEWAY_TOKEN, KERNEL

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list

TWO = {"hosts": ["two.test", "zwei.test"]}


def prefix_stage(make_stage, **changes):
    return make_stage(endpoint={"hosts": None, "path_prefix": "/abc123", **changes})


def ask(stage, target, host="ep.test", endpoint="ep"):
    client = stage.connect(sni=None)
    client.send_request("GET", target, token=stage.token(endpoint), host=host)
    return client


@pytest.mark.parametrize("host", ["ep.test", "EP.TEST", "ep.test:18888", "ep.test:443"])
def test_hosts_match_without_case_and_port(stage, host):
    client = ask(stage, ONE, host)
    call = stage.gateway.next_call()
    assert call.request.get("Host") == host
    call.reply(200, b"[]")
    assert client.read_response().status == 200
    assert stage.proxy.wait_log(operation="GetKernel")["host"] == host


@pytest.mark.parametrize("target, host", [
    ("/api/kernels", "unknown.test"), ("/api/kernels", "sub.ep.test"), ("/api/kernels", "test"),
    ("/abc123/api/kernels", "unknown.test"), ("/", "127.0.0.1")])
def test_unknown_hosts_are_404_json(stage, target, host):
    response = ask(stage, target, host).read_response()
    assert response.status == 404 and set(response.json()) >= {"reason", "message"}
    assert stage.proxy.wait_log(status=404)["error"] == "no_route"
    stage.moved("kernelgate_errors_total", reason="no_route")
    stage.gateway.assert_untouched()


def test_a_wildcard_is_one_label(make_stage):
    stage = make_stage(endpoint={"hosts": ["*.ep.test"]})
    client = ask(stage, ONE, "any.ep.test")
    stage.gateway.next_call().reply(200, b"[]")
    assert client.read_response().status == 200
    for host in ["ep.test", "a.b.ep.test"]:
        assert ask(stage, ONE, host).read_response().status == 404
        assert stage.proxy.wait_log(host=host)["error"] == "no_route"


@pytest.mark.parametrize("host", ["ep.test", "127.0.0.1:8443", "anything.example"])
def test_a_stripped_prefix(make_stage, host):
    stage = prefix_stage(make_stage)
    client = ask(stage, f"/abc123{ONE}?x=y", host)
    call = stage.gateway.next_call()
    assert call.request.target == ONE and call.request.get("Host") == host
    call.reply(200, b"[]")
    assert client.read_response().status == 200
    assert stage.proxy.wait_log(operation="GetKernel")["path"] == f"/abc123{ONE}"


def test_a_kept_prefix(make_stage):
    stage = prefix_stage(make_stage, strip_prefix=False)
    client = ask(stage, f"/abc123/api/kernels/{KERNEL}")
    call = stage.gateway.next_call()
    assert call.request.target == f"/abc123/api/kernels/{KERNEL}"
    call.reply(200, b"{}")
    assert client.read_response().status == 200
    assert stage.proxy.wait_log(operation="GetKernel")["kernel"] == KERNEL


@pytest.mark.parametrize("target, status", [
    ("/abc1234/api/kernels", 404), ("/abc/api/kernels", 404), ("/api/kernels", 404),
    ("/ABC123/api/kernels", 404), ("/abc123/../api/kernels", 400), ("/abc123%2fapi/kernels", 404),
    ("/abc123//api/kernels", 400), ("/%61bc123/api/kernels", 404)])
def test_prefixes_match_whole_segments_as_written(make_stage, target, status):
    stage = prefix_stage(make_stage)
    response = ask(stage, target).read_response()
    assert response.status == status
    stage.gateway.assert_untouched()


LOCATIONS = {
    f"/api/kernels/{KERNEL}": f"/abc123/api/kernels/{KERNEL}",
    "https://elsewhere.test/x": "https://elsewhere.test/x",
    "//elsewhere.test/x": "//elsewhere.test/x",
    "relative": "relative",
}


@pytest.mark.parametrize("location", LOCATIONS)
def test_location_regains_a_stripped_prefix(make_stage, location):
    stage = prefix_stage(make_stage)
    client = stage.connect()
    client.send_request("POST", "/abc123/api/kernels", body=b'{"name": "python3"}',
                        token=stage.token())
    stage.gateway.next_call().reply(201, json.dumps({"id": KERNEL}).encode(),
                                    [("Location", location)])
    response = client.read_response()
    assert response.status == 201 and response.get("Location") == LOCATIONS[location]


def test_location_is_left_alone_without_a_stripped_prefix(stage):
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b'{"name": "python3"}', token=stage.token())
    stage.gateway.next_call().reply(201, b"{}", [("Location", "/api/kernels/1")])
    assert client.read_response().get("Location") == "/api/kernels/1"


def test_websocket_below_a_prefix(make_stage):
    stage = prefix_stage(make_stage)
    mine, upstream = stage.websocket(target=f"/abc123/api/kernels/{KERNEL}/channels?session_id=s1")
    assert upstream.handshake.target == f"/api/kernels/{KERNEL}/channels?session_id=s1"
    mine.send_text("x")
    assert upstream.read_text() == "x"


@pytest.fixture
def two(make_stage, workshop):
    """ep on its gateway by host; two on another by two hosts; three by a prefix on ep's host."""
    second, third = ScriptedGateway(), ScriptedGateway()

    def more(stage):
        return [workshop.endpoint("two", second.port, **TWO),
                workshop.endpoint("three", third.port, hosts=["ep.test"], path_prefix="/three")]

    stage = make_stage(more_endpoints=more)
    stage.second, stage.third = stage.closes(second), stage.closes(third)
    return stage


@pytest.mark.parametrize("target, host, endpoint, gateway", [
    ("/api/kernels", "ep.test", "ep", "gateway"), ("/api/kernels", "two.test", "two", "second"),
    ("/api/kernels", "zwei.test", "two", "second"),
    ("/three/api/kernels", "ep.test", "three", "third")])
def test_each_request_finds_its_own_gateway(two, target, host, endpoint, gateway):
    client = ask(two, target, host, endpoint)
    call = getattr(two, gateway).next_call()
    assert call.request.get("Authorization") == f"token {GATEWAY_TOKEN}"
    call.reply(200, b"[]")
    assert client.read_response().status == 200
    line = two.proxy.wait_log(operation="ListKernels")
    assert line["endpoint"] == endpoint and line["virtual_cluster"] == "analytics"
    two.moved("kernelgate_requests_total", endpoint=endpoint, code="2xx")
    for other in {"gateway", "second", "third"} - {gateway}:
        getattr(two, other).assert_untouched()


def test_one_connection_may_ask_for_several_endpoints(two):
    """As an ALB does (A10): each request is routed and authenticated by itself."""
    client = two.connect()
    for host, endpoint, gateway in (("ep.test", "ep", two.gateway), ("two.test", "two", two.second),
                                    ("ep.test", "ep", two.gateway)):
        client.send_request("GET", ONE, token=two.token(endpoint), host=host)
        gateway.next_call().reply(200, endpoint.encode())
        assert client.read_response().body == endpoint.encode()
    response = client.exchange("GET", "/api/kernels", token=two.token("ep"), host="two.test")
    assert response.status == 403


def test_upstream_connections_are_not_shared_between_endpoints(two):
    two.get()
    client = two.connect()
    client.send_request("GET", ONE, token=two.token("two"), host="two.test")
    two.second.next_call().reply(200, b"2")
    assert client.read_response().body == b"2"
    assert len(two.gateway.wires) == len(two.second.wires) == 1
