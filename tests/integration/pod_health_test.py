"""Gateway pods are checked and suspected; the only pod is asked all the same."""

import re
import resource
import signal
import time

import pytest

from support.proxy_process import needs_descriptors
from support.scripted_gateway import ScriptedGateway
from support.stage import GATEWAY_TOKEN, PLAIN
from support.waiting import wait_until

QUICK = {"interval": "100ms", "timeout": "2s", "unhealthy_after": 3, "healthy_after": 2}


class Checked:
    """A gateway on its own: `status` answers checks (None: never), everything else gets 200."""

    def __init__(self, target):
        self.target, self.status = target, 200
        self.arrivals = []
        self.gateway = ScriptedGateway()
        self.gateway.serve(self._answer)

    def _answer(self, call):
        if call.request.target != self.target:
            return call.reply(200, b"[]")
        self.arrivals.append(time.monotonic())
        if self.status:
            call.reply(self.status, b'{"version": "3.2.3"}')

    def checks(self):
        return [r for r in self.gateway.requests if r.target == self.target]


@pytest.fixture
def checked(make_stage):
    """checked(KEY=...): (stage, Checked) with those health_check keys."""
    def make(target="/api", endpoint=None, config=None, **keys):
        answers = Checked(target)
        endpoint = {"gateway": {"health_check": {**QUICK, **keys}}, **(endpoint or {})}
        return make_stage(gateway=answers.gateway, endpoint=endpoint, config=config), answers
    return make


def healthy(stage, value):
    stage.proxy.wait_metric("kernelgate_pod_healthy", value, endpoint="ep",
                            virtual_cluster="analytics")


def served(stage):
    return stage.connect().exchange("GET", PLAIN, token=stage.token()).status == 200


def test_a_pod_that_answers_is_healthy(checked):
    stage, answers = checked()
    wait_until(lambda: len(answers.checks()) >= 3, "three checks")
    healthy(stage, 1)
    check = answers.checks()[0]
    assert (check.method, check.get("Authorization")) == ("GET", f"token {GATEWAY_TOKEN}")
    assert check.get("Host") == f"127.0.0.1:{answers.gateway.port}"
    assert stage.proxy.metrics().value("kernelgate_pod_health_checks_total", result="ok") >= 2
    stage.unmoved("kernelgate_pod_health_checks_total", result="failed")
    stage.unmoved("kernelgate_upstream_connections_opened_total")  # those serve requests


def test_an_unhealthy_pod_is_told_and_still_asked(checked):
    stage, answers = checked()
    healthy(stage, 1)
    answers.status = 500
    healthy(stage, 0)
    line = stage.proxy.wait_for_stderr(r"pod unhealthy (.*)", "the change in the log")[1]
    assert "endpoint=ep pod=jeg-0 status=500" in line
    assert stage.proxy.metrics().value(
        "kernelgate_pod_health_checks_total", result="failed", endpoint="ep") >= 3
    assert served(stage)  # an endpoint's last pod is never left out
    answers.status = 200
    healthy(stage, 1)
    stage.proxy.wait_for_stderr("pod healthy endpoint=ep pod=jeg-0", "the way back in the log")
    assert sum("pod unhealthy" in line for line in stage.proxy.stderr_lines) == 1


def test_a_check_that_fails_now_and_then_changes_nothing(checked):
    stage, answers = checked(interval="100ms", unhealthy_after=100)
    answers.status = 503
    wait_until(lambda: len(answers.checks()) >= 5, "five checks")
    healthy(stage, 1)


@pytest.mark.parametrize("status, said", [(401, "the token is not accepted"), (302, "not 200"),
                                          (204, "not 200"), (None, "no answer in time")])
def test_what_is_no_200_in_time_fails(checked, status, said):
    stage, answers = checked(unhealthy_after=1, timeout="200ms")
    answers.status = status
    stage.proxy.wait_for_stderr(f'pod unhealthy .*reason="{said}"', "the reason")
    healthy(stage, 0)
    assert served(stage)


def test_a_pod_that_refuses_connections_is_unhealthy_until_it_listens(make_stage):
    gateway = ScriptedGateway(listening=False)
    stage = make_stage(gateway=gateway, endpoint={"gateway": {"health_check": QUICK}})
    stage.proxy.wait_for_stderr('pod unhealthy .*reason="upstream_connect"', "the reason")
    healthy(stage, 0)
    gateway.start_listening()
    gateway.serve(lambda call: call.reply(200, b"{}"))
    healthy(stage, 1)


def test_a_check_without_a_descriptor_says_nothing_of_the_pod(checked):
    stage, answers = checked(unhealthy_after=1)
    healthy(stage, 1)
    if needs_descriptors():
        return
    client = stage.connect()
    before = resource.prlimit(stage.proxy.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(stage.proxy.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    client.expect_open_and_silent(0.5)  # some intervals long
    resource.prlimit(stage.proxy.pid, resource.RLIMIT_NOFILE, before)
    seen = len(answers.checks())
    wait_until(lambda: len(answers.checks()) > seen, "checks to go on")
    assert not [line for line in stage.proxy.stderr_lines if "pod unhealthy" in line]
    stage.unmoved("kernelgate_pod_health_checks_total", result="failed")


def test_serving_waits_for_no_check(checked):
    stage, answers = checked(interval="1h")
    healthy(stage, 1)
    assert served(stage) and not answers.checks()


def test_a_pod_is_checked_once_however_many_workers(checked):
    stage, answers = checked(interval="500ms", config={"workers": 4})
    wait_until(lambda: len(answers.checks()) >= 4, "four checks")
    times = answers.arrivals
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert min(gaps) > 0.4, gaps  # 500 ms less a tenth, and no second checker in between


def test_the_check_knows_the_base_url_and_the_path(checked):
    stage, answers = checked("/base/api/status", endpoint={
        "path_prefix": "/base", "strip_prefix": False}, path="/api/status")
    wait_until(lambda: answers.checks(), "a check")
    healthy(stage, 1)


def test_off_means_off(make_stage):
    stage = make_stage()
    stage.get()
    samples = stage.proxy.metrics().samples
    assert not [name for name, _ in samples if name.startswith("kernelgate_pod_health")]


def test_a_reload_keeps_what_is_known_and_may_end_the_checks(checked):
    stage, answers = checked()
    answers.status = 500
    healthy(stage, 0)
    config = stage.proxy.config
    config["endpoints"][0]["gateway"]["health_check"]["interval"] = "1h"
    stage.proxy.write_config(config)
    stage.proxy.signal(signal.SIGHUP)
    stage.proxy.wait_metric("kernelgate_config_reloads_total", 1, result="ok")
    healthy(stage, 0)
    config["endpoints"][0]["gateway"]["health_check"] = "off"
    stage.proxy.write_config(config)
    stage.proxy.signal(signal.SIGHUP)
    stage.proxy.wait_metric("kernelgate_config_reloads_total", 2, result="ok")
    assert not re.search(r"^kernelgate_pod_healthy\{", stage.proxy.metrics().text, re.M)


# ---- suspicion: what real requests say ----

def test_a_pod_is_suspected_after_failures_in_a_row_and_asked_all_the_same(make_stage):
    gateway = ScriptedGateway(listening=False)
    stage = make_stage(gateway=gateway)
    client = stage.connect()
    for _ in range(5):
        stage.unmoved("kernelgate_pod_suspected_total")
        assert client.exchange("GET", PLAIN, token=stage.token()).status == 502
    stage.proxy.wait_metric("kernelgate_pod_suspect", 1, endpoint="ep")
    line = stage.proxy.wait_for_stderr("pod suspected (.*)", "suspicion in the log")[1]
    assert line.startswith('endpoint=ep pod=jeg-0 failures=5 last="upstream_connect"')
    gateway.start_listening()
    stage.get(client=client)  # at once: the last pod is never left out
    stage.proxy.wait_metric("kernelgate_pod_suspect", 0, endpoint="ep")
    stage.proxy.wait_for_stderr("pod answers again endpoint=ep", "its end in the log")
    stage.moved("kernelgate_pod_suspected_total", endpoint="ep")


def test_what_the_application_answers_is_no_reason_for_suspicion(stage):
    client = stage.connect()
    for status in [500, 403, 404, 500, 500, 500, 500] + [503, 502, 504, 503]:
        client.send_request("GET", PLAIN, token=stage.token())
        stage.gateway.next_call().reply(status, b"{}")
        assert client.read_response().status == status
    stage.unmoved("kernelgate_pod_suspected_total")
    client.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call().reply(503, b"{}")  # the fifth that no application gave
    assert client.read_response().status == 503
    stage.moved("kernelgate_pod_suspected_total", endpoint="ep")
    stage.get(client=client)
    stage.proxy.wait_metric("kernelgate_pod_suspect", 0)


def test_many_pods_share_a_thousand_checks_a_second(make_stage):
    """At 100 ms each of 640 pods would be asked ten times a second. Nobody is there to answer."""
    away = ScriptedGateway(listening=False)
    pods = [{"name": f"jeg-{index}", "address": f"127.0.0.{index + 1}:{away.port}"}
            for index in range(64)]
    stage = make_stage(more_endpoints=lambda stage: [
        stage.workshop.endpoint(f"many{index}", away.port,
                                gateway={"pods": pods, "health_check": QUICK})
        for index in range(10)])
    stage.closes(away)

    def checks():
        return stage.proxy.metrics().value("kernelgate_pod_health_checks_total", result="failed")

    wait_until(lambda: checks() > 640, "each pod to be asked")
    before, began = checks(), time.monotonic()
    wait_until(lambda: checks() > before + 640, "each to be asked again")
    assert time.monotonic() - began > 0.5
