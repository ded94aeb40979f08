"""Debian's own Prometheus and promtool read the monitoring address."""

import json
import subprocess
import urllib.parse
import urllib.request

import peers
import pytest
from support.waiting import wait_until


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read()


def is_ready(base):
    try:
        return get(f"{base}/-/ready") is not None
    except OSError:
        return False


@pytest.fixture
def prometheus(tmp_path, proxy):
    """Base URL of a Prometheus that scrapes the proxy every second."""
    config = tmp_path / "prometheus.yml"
    target = proxy.monitoring_url.removeprefix("http://")
    config.write_text(json.dumps({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "kernelgate", "static_configs": [{"targets": [target]}]}]}))
    address = f"127.0.0.1:{peers.free_port()}"
    process = peers.Process("prometheus", tmp_path, [
        peers.require_program("prometheus"), f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address={address}"])
    process.wait_ready(lambda: is_ready(f"http://{address}"))
    yield f"http://{address}"
    process.stop()


def query(base, expression):
    parameters = urllib.parse.urlencode({"query": expression})
    return json.loads(get(f"{base}/api/v1/query?{parameters}"))["data"]["result"]


def test_prometheus_scrapes_what_a_kernel_did(prometheus, through_proxy, kernel):
    with through_proxy.connect(kernel) as channels:
        assert channels.execute("1 + 1").result == "2"
    for expression in (
        'up{job="kernelgate"}',
        'kernelgate_requests_total{endpoint="shared", code="2xx"}',
        'kernelgate_kernel_launches_total{endpoint="shared", result="ok"}',
        "histogram_quantile(0.95, sum by (le) (kernelgate_kernel_launch_seconds_bucket))",
        'sum(kernelgate_request_first_byte_seconds_count{operation="CreateKernel"})',
    ):
        wait_until(lambda: query(prometheus, f"{expression} > 0"), f"{expression} > 0", 30)


def test_promtool_finds_nothing_to_say(proxy):
    done = subprocess.run([peers.require_program("promtool"), "check", "metrics"],
                          input=get(f"{proxy.monitoring_url}/metrics"), capture_output=True,
                          timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_neither_kernels_nor_users_are_in_the_metrics(proxy, through_proxy, kernel):
    with through_proxy.connect(kernel) as channels:
        assert channels.execute("1 + 1").result == "2"
    text = proxy.metrics().text
    assert "kernelgate_" in text
    assert kernel not in text
    assert "alice" not in text
