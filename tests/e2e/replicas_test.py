"""What the tests of several gateways stand on: real replicas that share kernels, and say what they
were asked."""

import os

import pytest
from kernel_client import KernelError
from replica_set import inhabitants
from support.waiting import wait_until


def statuses(replica, kernel, method, ending=""):
    return [status for verb, path, status in replica.requests(kernel)
            if verb == method and path.endswith(ending)]


def test_a_kernel_outlives_its_gateway_and_moves_on(start_replicas):
    replicas = start_replicas(2)
    first, second = replicas
    kernel = first.client.create()
    with first.client.connect(kernel) as channels:
        channels.execute("kept = 41")
    # What a misroute does shows: an interrupt at a gateway that has not loaded the kernel.
    assert second.client.call("POST", f"/api/kernels/{kernel}/interrupt", {}).status == 404
    # It logs a request after it has answered it.
    wait_until(lambda: statuses(second, kernel, "POST", "/interrupt") == [404], "it in the log")
    assert second.kernels_asked_for() == first.kernels_asked_for() == {kernel}

    first.kill()
    assert second.client.call("GET", f"/api/kernels/{kernel}").status == 200
    with second.client.connect(kernel) as channels:
        assert channels.execute("kept + 1").result == "42"
        busy = "import time\nprint('busy', flush=True)\nwhile True: time.sleep(0.01)"
        cell = channels.execute(busy, on_output=lambda _: second.client.interrupt(kernel))
        assert cell.error == "KeyboardInterrupt"
        assert channels.execute("kept + 1").result == "42"
    second.client.restart(kernel)
    with second.client.connect(kernel) as channels:
        assert channels.execute("kept").error == "NameError"
    assert replicas.records() == {kernel}

    first.start()
    assert first.client.call("GET", f"/api/kernels/{kernel}").status == 200
    first.freeze()
    with pytest.raises(KernelError):
        first.client.call("GET", "/api", timeout=0.5)
    first.thaw()
    first.client.delete(kernel)
    assert replicas.records() == set()
    assert first.deleted_records() == [kernel] and second.deleted_records() == []


def test_nothing_of_them_is_left(start_replicas):
    replicas = start_replicas(1)
    replicas[0].client.create()

    def inside():
        return inhabitants(replicas.namespace)

    wait_until(lambda: len(inside()) == 3, "pid 1, the gateway and its kernel")
    # As when the test run is killed: nobody is left to clean up.
    os.kill(replicas.process.pid, 9)
    wait_until(lambda: not inside(), lambda: f"an end of {inside()}")
