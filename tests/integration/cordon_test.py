"""A cordoned pod takes no new kernels and keeps its own: by any worker, through reloads and
restarts, until it is empty; and operators see which pod is what."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support import tokens
from support.admin_client import TOKEN, AdminClient, admin_config
from support.proxy_process import ProxyProcess
from support.replicas import model
from support.stage import GATEWAY_TOKEN
from support.stage import KERNEL as FOREIGN
from support.waiting import wait_until

README = Path(__file__).resolve().parents[2] / "config/README.md"
VERBS = [("GET", "", 200), ("POST", "/interrupt", 204), ("POST", "/restart", 200)]


@pytest.fixture
def admin_replicas(make_replicas, tmp_path):
    """admin_replicas(count=2, ...): a ReplicaStage with two workers, a census each 50 ms, an admin
    interface, and state that survives its process."""
    def make(count=2, gateway=None, config=None, **options):
        state = tmp_path / "state"
        state.mkdir(exist_ok=True)
        keys = {"workers": 2, "state_dir": str(state), **admin_config(tmp_path), **(config or {})}
        keys = {name: value for name, value in keys.items() if value is not None}
        stage = make_replicas(count=count, config=keys, **options,
                              endpoint={"foreign_ids": "deny",
                                        "gateway": {"census": "50ms", **(gateway or {})}})
        stage.admin = AdminClient(stage)
        return stage
    return make


def pod(stage, name):
    status, body = stage.admin.call("GET", f"/pods/ep/{name}")
    assert status == 200, body
    return body


def order(stage, name, verb):
    status, body = stage.admin.call("POST", f"/pods/ep/{name}/{verb}")
    assert status == 200, body
    return body


def create(stage):
    client = stage.connect()
    response = client.exchange("POST", "/api/kernels", body=b'{"name": "python3"}',
                               token=stage.token())
    client.close()
    return response


def others(stage, replica):
    return [other for other in stage.replicas if other is not replica]


def cordoned(stage, name, value):
    stage.proxy.wait_metric("kernelgate_pod_cordoned", value, endpoint="ep", pod=name)


def test_a_cordoned_pod_takes_no_new_kernels_and_keeps_its_own(admin_replicas):
    stage = admin_replicas()
    kernel, replica = stage.start_kernel()
    assert order(stage, replica.name, "cordon")["cordoned"] is True
    cordoned(stage, replica.name, 1)
    for _ in range(12):  # connections of their own: on any worker
        assert stage.start_kernel()[1] is not replica
    stage.forget()
    for _ in range(4):
        for method, verb, status in VERBS:
            assert stage.ask(method, f"/api/kernels/{kernel}{verb}").status == status
    end = stage.open_websocket(kernel)
    stage.gateway_end(replica, kernel).send_text("still here")
    assert end.read_text() == "still here"
    assert pod(stage, replica.name)["websockets"] == 1
    stage.assert_asked_only(replica, kernel)
    assert kernel in [entry["id"] for entry in stage.ask("GET", "/api/kernels").json()]
    assert stage.ask("DELETE", f"/api/kernels/{kernel}").status == 204
    order(stage, replica.name, "uncordon")
    cordoned(stage, replica.name, 0)
    for other in others(stage, replica):
        order(stage, other.name, "cordon")
    assert stage.start_kernel()[1] is replica
    stage.assert_nothing_destroyed()


def test_with_every_pod_cordoned_a_start_is_refused_and_says_why(admin_replicas):
    stage = admin_replicas()
    kernel, _ = stage.start_kernel()
    for replica in stage.replicas:
        order(stage, replica.name, "cordon")
    response = create(stage)
    assert response.status == 503 and response.get("Retry-After")
    assert "all pods are cordoned" in response.json()["message"]
    stage.moved("kernelgate_errors_total", endpoint="ep")
    assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200
    order(stage, "jeg-1", "uncordon")
    assert stage.start_kernel()[1].name == "jeg-1"


def test_an_only_pod_can_be_cordoned_too(admin_replicas):
    stage = admin_replicas(count=1)
    order(stage, "jeg-0", "cordon")
    assert create(stage).status == 503
    order(stage, "jeg-0", "uncordon")
    assert create(stage).status == 201


def test_a_cordon_survives_reloads_and_a_restart_of_the_proxy(admin_replicas):
    stage = admin_replicas()
    answer = order(stage, "jeg-0", "cordon")
    assert answer["survives_restart"] is True
    stage.reload(lambda endpoint: endpoint["gateway"].update(kernel_launch_timeout="30s"))
    assert pod(stage, "jeg-0")["cordoned"]
    assert stage.start_kernel()[1].name == "jeg-1"
    stage.proxy.stop()
    stage.proxy.stderr_lines.clear()
    stage.proxy = ProxyProcess(stage.folder, stage.proxy.config)
    stage.start()
    stage.admin = AdminClient(stage)
    assert pod(stage, "jeg-0")["cordoned"]
    assert stage.start_kernel()[1].name == "jeg-1"
    order(stage, "jeg-0", "uncordon")
    order(stage, "jeg-1", "cordon")
    assert stage.start_kernel()[1].name == "jeg-0"


def test_a_pod_that_left_the_configuration_comes_back_cordoned(admin_replicas):
    stage = admin_replicas(count=3)
    order(stage, "jeg-2", "cordon")
    pods = stage.proxy.config["endpoints"][0]["gateway"]["pods"]
    stage.reload(lambda endpoint: endpoint["gateway"].update(pods=pods[:2]))
    left = pod(stage, "jeg-2")
    assert left["configured"] is False and left["cordoned"] is True
    stage.reload(lambda endpoint: endpoint["gateway"].update(pods=pods))
    assert pod(stage, "jeg-2")["cordoned"]
    cordoned(stage, "jeg-2", 1)
    stage.reload(lambda endpoint: endpoint["gateway"].update(pods=pods[:2]))
    assert order(stage, "jeg-2", "uncordon")["cordoned"] is False
    assert stage.admin.call("GET", "/pods/ep/jeg-2")[0] == 404


def test_without_a_state_dir_a_cordon_says_that_it_ends_with_the_process(admin_replicas):
    stage = admin_replicas(config={"state_dir": None})
    assert order(stage, "jeg-0", "cordon")["survives_restart"] is False
    stage.proxy.wait_for_stderr("in memory only", "the warning")


def test_an_unusable_file_of_cordons_is_said_and_closes_nothing(admin_replicas, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "cordons").write_text("ep jeg-0\nnonsense\n")
    stage = admin_replicas()
    stage.proxy.wait_for_stderr("cordons line 2 is not an endpoint and a pod", "the error")
    assert not pod(stage, "jeg-0")["cordoned"]


def test_calls_are_idempotent_judged_and_audited(admin_replicas, tmp_path):
    log = tmp_path / "audit.log"
    stage = admin_replicas(config={"audit_log": {"path": str(log)}})
    call = stage.admin.call
    for _ in range(2):
        assert order(stage, "jeg-0", "cordon")["cordoned"] is True
    for _ in range(2):
        assert order(stage, "jeg-0", "uncordon")["cordoned"] is False
    for path in ("/pods/ep/jeg-9", "/pods/xx/jeg-0", "/pods/ep", "/pods/", "/pods/ep/jeg-0/cordon"):
        assert call("GET", path)[0] == 404, path
    for path in ("/pods/ep/jeg-9/cordon", "/pods/ep/jeg-0", "/pods/ep/jeg-0/drain", "/pods/cordon",
                 "/pods/ep/jeg-0/cordon/"):
        assert call("POST", path)[0] == 404, path
    assert call("DELETE", "/pods/ep/jeg-0")[0] == 405
    assert call("POST", "/pods/ep/jeg-0/cordon", token="wrong")[0] == 401
    assert not pod(stage, "jeg-0")["cordoned"]

    def lines():
        found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return found if len(found) >= 2 else None
    records = wait_until(lines, "two records")
    assert [(r["event"], r["endpoint"], r["pod"], r["actor"], r["result"]) for r in records] == [
        (event, "ep", "jeg-0", "admin", "ok") for event in ("cordon", "uncordon")]


# ---- what operators see ----

def test_kernels_are_counted_at_the_pod_that_holds_them(admin_replicas):
    stage = admin_replicas()
    kernel, replica = stage.start_kernel()
    order(stage, replica.name, "cordon")
    other = stage.start_kernel()[1]
    states = {kernel: "busy"}

    def listed(entries):
        def answer(call):
            if call.request.method != "GET" or call.request.target != "/api/kernels":
                return False
            call.reply_json(json.dumps([{**model(one), "execution_state": states.get(one, "idle")}
                                        for one in entries()]))
            return True
        return answer
    replica.first = listed(lambda: list(replica.kernels))
    other.first = listed(lambda: [*other.kernels, kernel])  # a copy that it once loaded
    for name, state in ((replica.name, "busy"), (other.name, "idle")):
        stage.proxy.wait_metric("kernelgate_pod_kernels", 1, pod=name, state=state)
    wait_until(lambda: pod(stage, other.name)["kernels"]["copies"] == 1, "the copy")
    seen = pod(stage, replica.name)["kernels"]
    assert (seen["busy"], seen["idle"], seen["other"], seen["copies"]) == (1, 0, 0, 0)
    states[kernel] = "starting"
    stage.proxy.wait_metric("kernelgate_pod_kernels", 1, pod=replica.name, state="other")
    stage.proxy.wait_metric("kernelgate_pod_kernels", 0, pod=replica.name, state="busy")


def test_a_list_that_cannot_be_had_is_unknown_and_never_empty(admin_replicas):
    stage = admin_replicas(gateway={"census": "50ms"})
    replica = stage.replicas[0]
    replica.first = lambda call: call.reply(403, b"{}") or True
    stage.proxy.wait_for_stderr('pod does not list its kernels endpoint=ep pod=jeg-0 status=403',
                                "the reason in the log")
    stage.reload(lambda endpoint: endpoint.update(virtual_cluster="other"))  # nothing known before
    order(stage, "jeg-0", "cordon")
    seen = pod(stage, "jeg-0")
    assert seen["kernels"] is None and seen["empty"] is False
    metrics = stage.proxy.metrics()
    assert not [labels for name, labels in metrics.samples
                if name == "kernelgate_pod_kernels" and ("pod", "jeg-0") in labels]


def test_the_census_asks_with_the_gateways_token_and_once_for_all_workers(admin_replicas):
    stage = admin_replicas(gateway={"census": "200ms"})
    replica = stage.replicas[0]

    def asked():
        found = [r for r in replica.gateway.requests if r.target == "/api/kernels"]
        return found if len(found) >= 4 else None
    first = wait_until(asked, "four lists")[0]
    assert first.get("Authorization") == f"token {GATEWAY_TOKEN}"
    stage.unmoved("kernelgate_upstream_connections_opened_total")  # those serve requests
    stage.reload(lambda endpoint: endpoint["gateway"].update(census="off"))
    assert pod(stage, "jeg-0")["kernels"] is None


def test_a_pod_is_gone_after_gone_after_and_comes_back_suspected(admin_replicas):
    stage = admin_replicas(gateway={"gone_after": "1s", "health_check": {
        "interval": "100ms", "unhealthy_after": 2, "healthy_after": 2}})
    first, second = stage.replicas
    stage.proxy.wait_metric("kernelgate_pod_healthy", 1, pod="jeg-0")
    first.kill()
    stage.proxy.wait_metric("kernelgate_pod_healthy", 0, pod="jeg-0")
    assert not pod(stage, "jeg-0")["takes_new_kernels"]
    assert stage.start_kernel()[1] is second
    stage.proxy.wait_metric("kernelgate_pod_gone", 1, pod="jeg-0")
    stage.proxy.wait_for_stderr("pod gone endpoint=ep pod=jeg-0", "the log")
    first.start()
    stage.proxy.wait_metric("kernelgate_pod_healthy", 1, pod="jeg-0")
    seen = pod(stage, "jeg-0")
    assert (seen["gone"], seen["healthy"], seen["restarts_suspected"]) == (False, True, 1)
    stage.moved("kernelgate_pod_restarts_suspected_total", pod="jeg-0")
    stage.unmoved("kernelgate_pod_restarts_suspected_total", pod="jeg-1")


def twins():
    """Two names of pods whose tags are equal: 24 bits of SHA-256 meet after some thousand names."""
    seen = {}
    for n in range(1 << 20):
        name = f"jeg-{n}"
        tag = hashlib.sha256(name.encode()).digest()[:3]
        if tag in seen:
            return seen[tag], name
        seen[tag] = name
    raise AssertionError("no two names with one tag")


def test_of_two_pods_with_one_tag_the_later_takes_no_new_kernels(admin_replicas):
    stage = admin_replicas()
    names = twins()
    pods = [{"name": name, "address": f"127.0.0.1:{replica.port}"}
            for name, replica in zip(names, stage.replicas)]
    stage.reload(lambda endpoint: endpoint["gateway"].update(pods=pods))
    assert [pod(stage, name)["takes_new_kernels"] for name in names] == [True, False]
    for _ in range(8):
        assert stage.start_kernel()[1] is stage.replicas[0]


# ---- the procedure of config/README.md ----

def test_the_documented_roll_waits_for_every_proxy_and_loses_no_kernel(admin_replicas, tmp_path):
    stage = admin_replicas()
    folder = tmp_path / "second"
    folder.mkdir()
    config = json.loads(json.dumps(stage.proxy.config))
    config["access_log"]["path"] = str(folder / "access.log")
    config["state_dir"] = str(folder)
    other = ProxyProcess(folder, config).start()
    try:
        roll(stage, other, tmp_path)
    finally:
        other.stop()


def roll(stage, other, tmp_path):
    kernel, replica = stage.start_kernel()
    ports = [stage.admin.port] + [int(re.search(r"admin interface address=\S+:(\d+)", line)[1])
                                  for line in other.stderr_lines if "admin interface" in line]
    block = re.search(r"```sh\n(call\(\).*?)```", README.read_text(), re.S)[1]
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.05\n")
    (programs / "kubectl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/kubectl.log\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
                   "PROXIES": " ".join(f"127.0.0.1:{port}" for port in ports),
                   "ENDPOINT": "ep", "POD": replica.name,
                   "ADMIN_TOKEN_FILE": str(tmp_path / "admin-token")}
    running = subprocess.Popen(["bash", "-euc", block], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        cordoned(stage, replica.name, 1)
        other.wait_metric("kernelgate_pod_cordoned", 1, pod=replica.name)
        assert stage.start_kernel()[1] is not replica
        stage.proxy.wait_metric("kernelgate_pod_kernels", 1, pod=replica.name, state="idle")
        assert running.poll() is None
        assert stage.ask("GET", f"/api/kernels/{kernel}").status == 200
        assert not (tmp_path / "kubectl.log").exists()  # nothing is restarted while it works
        assert stage.ask("DELETE", f"/api/kernels/{kernel}").status == 204
        output, _ = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 0, output
    assert output.count('"empty":true') == 2, output
    assert (tmp_path / "kubectl.log").read_text().splitlines() == [
        f"delete pod {replica.name}", f"wait --for=condition=Ready pod/{replica.name}"]
    cordoned(stage, replica.name, 0)
    other.wait_metric("kernelgate_pod_cordoned", 0, pod=replica.name)
    assert TOKEN not in output


# ---- explain ----

def explained(stage, method, target):
    """What it prints, and where the request goes."""
    done = tokens.run_cli("explain", "--config", stage.proxy.config_file, "--method", method,
                          "--url", f"https://ep.test{target}", "--token", stage.token())
    assert done.returncode == 0, done.stderr
    return done.stdout, re.search(r"^goes to +(.*)", done.stdout, re.M)[1]


def test_explain_names_the_pod_of_an_id_and_those_that_take_new_kernels(admin_replicas):
    stage = admin_replicas()
    kernel, replica = stage.start_kernel()
    assert "jeg-0 or jeg-1: " in explained(stage, "POST", "/api/kernels")[1]
    order(stage, "jeg-1", "cordon")
    text, goes_to = explained(stage, "GET", f"/api/kernels/{kernel}")
    assert goes_to == f"{replica.name}: the id names it"
    assert f"jeg-1 at 127.0.0.1:{stage.replicas[1].port} (cordoned: takes no new kernels)" in text
    assert "own list has it" in explained(stage, "GET", f"/api/kernels/{FOREIGN}")[1]
    assert explained(stage, "POST", "/api/kernels")[1].startswith("jeg-0: ")
    assert explained(stage, "GET", "/api/kernels")[1].startswith("all pods")
    order(stage, "jeg-0", "cordon")
    assert "none takes new kernels" in explained(stage, "POST", "/api/kernels")[1]
