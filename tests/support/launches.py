"""Kernel starts against a scripted gateway, step by step."""

import json

RUNNING = "kernelgate_launches_running"
WAITING = "kernelgate_launches_waiting"
DELETED = "kernelgate_orphans_deleted_total"


def ask(stage, subject="alice", wanted=None, timeout=None):
    """A client that has asked for a kernel."""
    env = {"KERNEL_ID": wanted} if wanted else {}
    if timeout:
        env["KERNEL_LAUNCH_TIMEOUT"] = str(timeout)
    client = stage.connect()
    client.send_request("POST", "/api/kernels", token=stage.token(subject=subject),
                        body=json.dumps({"name": "python3", "env": env}).encode())
    return client


def id_of(call):
    return json.loads(call.request.body)["env"]["KERNEL_ID"]


def started(call, status=201):
    """The gateway has started it."""
    kernel = id_of(call)
    call.reply_json(json.dumps({"id": kernel, "name": "python3"}), status,
                    [("Location", f"/api/kernels/{kernel}")])
    return kernel


def next_call(stage, method):
    call = stage.gateway.next_call()
    assert call.request.method == method, call.request.target
    return call


def expect_delete(stage, kernel, status=204):
    call = next_call(stage, "DELETE")
    assert call.request.target == f"/api/kernels/{kernel}"
    call.reply(status)
    stage.moved(DELETED)
    stage.proxy.wait_metric("kernelgate_launches_followed", 0)


def expect_lost(response):
    assert response.status == 503 and int(response.get("Retry-After")) >= 1
    assert response.json()["reason"] == "Service Unavailable"
    assert "broke off while the kernel started" in response.json()["message"]


def leave(stage, client):
    client.close()
    stage.proxy.wait_log(operation="CreateKernel", error="client_gone")
    stage.proxy.wait_metric("kernelgate_launches_followed", 1)
