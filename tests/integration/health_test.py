"""Health and readiness, on every listener and on the monitoring address (A11, A13)."""

import socket

import pytest

from support.http_text import build_request, read_response
from support.wire import Wire


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["ep.test", "10.0.3.7:8443", "anything.example"])
def test_listeners_answer_health_for_any_host_without_a_token(shared_stage, path, host):
    """As an ALB asks: no SNI, its own Host, no credential."""
    client = shared_stage.connect(sni=None)
    response = client.exchange("GET", path, [("User-Agent", "ELB-HealthChecker/2.0")], host=host)
    assert response.status == 200 and response.body
    shared_stage.gateway.assert_untouched()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_by_head_and_by_http_1_0(shared_stage, path):
    client = shared_stage.connect()
    assert client.exchange("HEAD", path).status == 200
    assert client.exchange("GET", path + "?x=1").status == 200
    client.send(build_request("GET", path, version="HTTP/1.0"))
    assert client.read_response().status == 200


def test_health_keeps_the_connection(shared_stage):
    client = shared_stage.connect()
    for _ in range(3):
        assert client.exchange("GET", "/healthz").status == 200


def test_health_paths_do_not_shadow_the_endpoint(make_stage):
    stage = make_stage(endpoint={"hosts": None, "path_prefix": "/abc", "other_paths": "forward"})
    client = stage.connect()
    client.send_request("GET", "/abc/healthz", token=stage.token())
    stage.gateway.next_call().reply(200, b"gateway's own")
    assert client.read_response().body == b"gateway's own"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_health_takes_get_only(shared_stage, method):
    client = shared_stage.connect()
    assert client.exchange(method, "/healthz").status in (401, 404, 405)


def test_health_checks_are_local_in_log_and_metrics(stage):
    client = stage.connect()
    assert client.exchange("GET", "/healthz").status == 200
    stage.moved("kernelgate_request_duration_seconds_count", operation="Local", code="2xx")
    assert stage.proxy.wait_log(client=client.address)["operation"] == "Local"


@pytest.mark.parametrize("path, content", [
    ("/healthz", "application/json"), ("/readyz", "application/json"),
    ("/metrics", "text/plain; version=0.0.4")])
def test_monitoring_pages(shared_stage, path, content):
    status, headers, text = shared_stage.proxy.monitoring(path)
    assert status == 200 and text and headers["Content-Type"].startswith(content)
    assert shared_stage.proxy.monitoring(path, "HEAD")[0] == 200


@pytest.mark.parametrize("method, path", [("GET", "/"), ("GET", "/api/kernels"),
                                          ("POST", "/metrics"), ("GET", "/metrics/../healthz")])
def test_monitoring_has_nothing_else(shared_stage, method, path):
    assert shared_stage.proxy.monitoring(path, method)[0] in (400, 404, 405, 501)
    shared_stage.gateway.assert_untouched()


def test_metrics_are_not_on_the_listener(shared_stage):
    assert shared_stage.connect().exchange("GET", "/metrics").status in (401, 404)


def test_monitoring_survives_nonsense(shared_stage):
    for data in (b"\x16\x03\x01", b"\r\n" * 1000, b"GET\r\n\r\n", b"A" * 100_000):
        raw = Wire(socket.create_connection(("127.0.0.1", shared_stage.proxy.monitoring_port)),
                   "monitoring client")
        raw.send_to_the_end(data)
        raw.close()
    raw = Wire(socket.create_connection(("127.0.0.1", shared_stage.proxy.monitoring_port)), "m")
    raw.send(build_request("GET", "/healthz", [("Host", "x"), ("Connection", "close")]))
    assert read_response(raw).status == 200
    raw.close()
