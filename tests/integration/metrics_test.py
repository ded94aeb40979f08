"""The metrics page: every documented family is there, well-formed, with closed label sets."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.feed import Feed
from support.stage import KERNEL, PLAIN

ROOT = Path(__file__).resolve().parents[2]
LABELS = {"endpoint", "virtual_cluster", "code", "operation", "reason", "direction", "result",
          "kind", "side", "le", "version", "openssl_version", "limit", "resource",
          "listener", "certificate", "purpose", "pod", "state", "channel", "kernelspec"}


@pytest.fixture
def busy(make_stage):
    """A stage after some traffic of every sort."""
    stage = make_stage(config={"workers": 2})
    stage.gateway.serve(lambda call: call.accept_websocket().read() if "channels" in
                        call.request.target else call.reply(200, b'{"id": "%s"}' % KERNEL.encode()))
    client = stage.connect()
    assert client.exchange("GET", f"/api/kernels/{KERNEL}",
                           token=stage.token()).status == 200
    assert client.exchange("POST", "/api/kernels", body=b'{"name": "x"}',
                           token=stage.token()).status == 200
    assert client.exchange("GET", PLAIN).status == 401
    key = client.send_upgrade(f"/api/kernels/{KERNEL}/channels", token=stage.token())
    client.read_upgrade(key)
    return stage


def test_every_documented_metric_exists_and_every_metric_is_documented(busy, make_stage, tmp_path):
    feed = Feed(tmp_path / "controller")
    fed = make_stage(config={"feed": feed.config()})
    documented = set(re.findall(r"`(kernelgate_[a-z0-9_]+)`",
                                (ROOT / "metrics/README.md").read_text()))
    exported = set(busy.proxy.metrics().types) | set(fed.proxy.metrics().types)
    feed.close()
    assert exported - documented == set(), "not in metrics/README.md"
    assert documented - exported == set(), "in metrics/README.md, but not exported"


def test_names_types_and_labels(busy):
    metrics = busy.proxy.metrics()
    for family, kind in metrics.types.items():
        assert family.startswith("kernelgate_"), family
        assert metrics.help[family], family
        assert (kind == "counter") == family.endswith("_total"), family
        if kind == "histogram":
            assert family.endswith("_seconds"), family
    for name, labels in metrics.samples:
        assert {label for label, _ in labels} <= LABELS, name


def test_no_kernel_and_no_person_is_a_label(busy):
    # A listener's address is the operator's own.
    text = re.sub(r'listener="[^"]*"', "", busy.proxy.metrics().text)
    assert KERNEL not in text and "alice" not in text and "127.0.0.1" not in text


def test_histograms_are_cumulative_and_complete(busy):
    metrics = busy.proxy.metrics()
    series = {}
    for (name, labels), value in metrics.samples.items():
        if name.endswith("_bucket"):
            bound = dict(labels)["le"]
            rest = frozenset(item for item in labels if item[0] != "le")
            series.setdefault((name[:-7], rest), []).append((float(bound), value))
    assert series
    for (family, rest), buckets in series.items():
        buckets.sort()
        values = [value for _, value in buckets]
        assert values == sorted(values), family
        assert buckets[-1][0] == float("inf")
        assert buckets[0][0] == 0.0001 and buckets[-2][0] == 400, family
        assert values[-1] == metrics.samples[family + "_count", rest], family
        assert metrics.samples[family + "_sum", rest] >= 0


def test_an_exchange_moves_what_it_should(stage):
    stage.get()
    stage.moved("kernelgate_requests_total", endpoint="ep", virtual_cluster="analytics", code="2xx")
    stage.moved("kernelgate_upstream_connect_seconds_count")
    stage.moved("kernelgate_payload_bytes_total", by=2, direction="from_upstream", endpoint="ep")
    for name in ("kernelgate_errors_total", "kernelgate_kernel_launches_total",
                 "kernelgate_websockets_total", "kernelgate_tls_handshake_errors_total"):
        stage.unmoved(name)
    client = stage.connect()
    assert client.exchange("GET", PLAIN).status == 401
    stage.moved("kernelgate_requests_total", endpoint="ep", code="4xx")
    stage.moved("kernelgate_request_duration_seconds_count", code="4xx")


def test_gauges_return_to_zero(stage):
    mine, upstream = stage.websocket()
    stage.proxy.wait_metric("kernelgate_websockets_open", 1)
    stage.proxy.wait_metric("kernelgate_connections_open", 1)
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 1)
    mine.wire.close()
    upstream.wire.read_to_end()
    upstream.wire.close()
    for gauge in ("kernelgate_websockets_open", "kernelgate_connections_open",
                  "kernelgate_upstream_connections_open"):
        stage.proxy.wait_metric(gauge, 0)


def test_a_kernel_launch_counts_to_the_101(stage):
    """A gateway may answer 201 before the kernel is up: the WebSocket tells when it is."""
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b'{"name": "python3"}', token=stage.token())
    stage.gateway.next_call().reply(201, b'{"id": "%s"}' % KERNEL.encode(),
                                    [("Location", f"/api/kernels/{KERNEL}")])
    assert client.read_response().status == 201
    key = client.send_upgrade(f"/api/kernels/{KERNEL}/channels", token=stage.token())
    call = stage.gateway.next_call()
    client.expect_open_and_silent(0.3)
    call.accept_websocket()
    client.read_upgrade(key)
    stage.moved("kernelgate_kernel_launch_seconds_count")
    assert stage.proxy.metrics().value("kernelgate_kernel_launch_seconds_sum") >= 0.3


def test_endpoints_above_the_limit_share_other(make_stage, workshop):
    stage = make_stage(config={"metrics": {"endpoints_max": 1}},
                       more_endpoints=lambda s: [workshop.endpoint("two", s.gateway.port)])
    for endpoint in ("ep", "two"):
        client = stage.connect()
        client.send_request("GET", PLAIN, token=stage.token(endpoint),
                            host=f"{endpoint}.test")
        stage.gateway.next_call().reply(200, b"[]")
        assert client.read_response().status == 200
    stage.moved("kernelgate_requests_total", endpoint="ep", code="2xx")
    stage.moved("kernelgate_requests_total", endpoint="other", code="2xx")
    assert "two" not in stage.proxy.metrics().label_values("endpoint")


def test_promtool_likes_the_page(busy):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (Debian package prometheus)")
    done = subprocess.run(["promtool", "check", "metrics"], input=busy.proxy.metrics().text,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
