"""A gateway is rolled under people's hands: closed for new kernels, left to those it has until they
end, restarted, opened again. No kernel is lost."""

from types import SimpleNamespace

import peers
import pytest
from support.admin_client import AdminClient, admin_config
from support.waiting import wait_until

KEYS = {"replication": True, "census": "200ms", "health_check": {"interval": "500ms"}}
CELL = "import time\nfor i in range(15): print(i, flush=True); time.sleep(0.1)"


@pytest.fixture
def rolling(start_replicas, workshop, tmp_path):
    """Two real gateways behind one proxy with an admin interface."""
    replicas = start_replicas(2)
    proxy = peers.Kernelgate(tmp_path, workshop, {"shared": 0}, {"pods": replicas.pods(), **KEYS},
                             config=admin_config(tmp_path))
    admin = AdminClient(SimpleNamespace(proxy=proxy))

    def call(method, replica, verb=""):
        status, body = admin.call(method, f"/pods/shared/{replica.name}{verb}")
        assert status == 200, body
        return body
    yield SimpleNamespace(replicas=replicas, client=proxy.client("shared"), call=call)
    proxy.stop()


def held_by(replica):
    return {model["id"] for model in replica.client.expect(200, "GET", "/api/kernels").json()}


def start(client, number):
    kernel = client.create()
    with client.connect(kernel) as channels:
        assert channels.execute(f"mine = {number}").status == "ok"
    return kernel


def check(client, kernel, number):
    with client.connect(kernel) as channels:
        assert channels.execute("mine").result == str(number)


def test_a_gateway_is_rolled_and_no_kernel_is_lost(rolling):
    client, call = rolling.client, rolling.call
    kernel = start(client, 0)
    rolled = next(replica for replica in rolling.replicas if kernel in held_by(replica))
    other = next(replica for replica in rolling.replicas if replica is not rolled)
    seen = []

    def close(_):
        if not seen:
            seen.append(call("POST", rolled, "/cordon"))
            wait_until(lambda: call("GET", rolled)["kernels"]["busy"] == 1, "a busy kernel there")
    with client.connect(kernel) as channels:
        cell = channels.execute(CELL, on_output=close)
    assert cell.stdout.split() == [str(i) for i in range(15)] and cell.status == "ok"
    assert seen[0]["cordoned"] and not seen[0]["takes_new_kernels"]

    before = held_by(rolled)
    young = {start(client, number): number for number in (1, 2)}
    assert set(young) <= held_by(other) and held_by(rolled) == before
    every_verb(client, kernel)
    wait_until(lambda: call("GET", rolled)["kernels"]["idle"] == 1, "an idle kernel there")
    assert not call("GET", rolled)["empty"]
    listed = {model["id"] for model in client.expect(200, "GET", "/api/kernels").json()}
    assert listed == {kernel, *young}

    client.delete(kernel)
    wait_until(lambda: call("GET", rolled)["empty"], "it to be empty")
    rolled.terminate()
    rolled.start()
    assert not call("POST", rolled, "/uncordon")["cordoned"]
    for one, number in young.items():
        check(client, one, number)
    call("POST", other, "/cordon")
    wait_until(lambda: call("GET", rolled)["takes_new_kernels"], "it to be healthy")
    last = start(client, 3)
    assert last in held_by(rolled)
    check(client, last, 3)
    listed = {model["id"] for model in client.expect(200, "GET", "/api/kernels").json()}
    assert listed == {last, *young}
    assert other.deleted_records() == []


def every_verb(client, kernel):
    client.expect(200, "GET", f"/api/kernels/{kernel}")
    check(client, kernel, 0)
    with client.connect(kernel) as channels:
        busy = "import time\nprint('busy', flush=True)\nwhile True: time.sleep(0.01)"
        cell = channels.execute(busy, on_output=lambda _: client.interrupt(kernel))
        assert cell.error == "KeyboardInterrupt"
    client.restart(kernel)
    with client.connect(kernel) as channels:
        assert channels.execute("mine").error == "NameError"
        assert channels.execute("mine = 0").status == "ok"
