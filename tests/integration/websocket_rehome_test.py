"""With replication a WebSocket whose pod goes goes on at the pod that has its kernel then."""

import pytest

from support.reconnects import GAPS, HELD, TRIES, expect_goodbye, message_of
from support.replicas import refuse
from support.waiting import wait_until

REHOMED = "kernelgate_kernels_rehomed_total"
REVIVALS = "kernelgate_kernel_revivals_total"
WEBSOCKETS = "kernelgate_pod_websockets"
HASTY = {"health_check": {"interval": "100ms", "timeout": "200ms", "unhealthy_after": 1,
                          "healthy_after": 1}, "gone_after": "1s"}


@pytest.fixture
def opened(make_replicas):
    """opened(count, ...): (stage, the replica of a kernel, the kernel, the client's end)."""
    def make(count=3, window="20s", **gateway):
        stage = make_replicas(count=count, replication=True, config={"workers": 1}, endpoint={
            "gateway": {**HASTY, "websocket_reconnect": window, **gateway}})
        replica = stage.replicas[0]
        kernel = stage.seed(replica)
        mine = stage.open_websocket(kernel)
        stage.gateway_end(replica, kernel)
        stage.proxy.wait_metric(WEBSOCKETS, 1, pod="jeg-0")
        stage.forget()
        return stage, replica, kernel, mine
    return make


def expect_rehomed(stage, kernel, mine, lost):
    """What was said in the gap arrives at the one replica that loaded the kernel; it answers."""
    holder = wait_until(lambda: next((r for r in stage.replicas if r is not lost
                                      and r.websockets), None), "a WebSocket at another replica")
    end = stage.gateway_end(holder, kernel)
    assert end.read_text() == "said in the gap"
    end.send_text("answered")
    while (text := mine.read_text()) != "answered":
        assert "being made anew" in text
    asked = [entry for entry in holder.asked if kernel in entry[1]]
    assert asked == [("GET", f"/api/kernels/{kernel}"), ("GET", f"/api/kernels/{kernel}/channels")]
    others = [r for r in stage.replicas if r not in (holder, lost)]
    assert not any(kernel in path for r in others for _, path in r.asked)
    stage.moved(REHOMED, endpoint="ep")
    stage.moved(GAPS, result="mended")
    stage.assert_nothing_destroyed()
    stage.proxy.wait_metric(WEBSOCKETS, 1, pod=holder.name)
    stage.proxy.wait_metric(WEBSOCKETS, 0, pod=lost.name)
    mine.wire.close()
    end.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["pod"], line["reconnects"]) == (holder.name, 1)
    stage.proxy.wait_metric(WEBSOCKETS, 0, pod=holder.name)


def test_a_pod_that_dies_is_left_for_the_one_that_has_its_kernels(opened):
    stage, replica, kernel, mine = opened()
    replica.kill()
    mine.send_text("said in the gap")
    stage.moved(HELD)
    expect_rehomed(stage, kernel, mine, replica)


def test_a_pod_that_stands_still_in_the_handshake_is_left_when_it_is_gone(opened):
    stage, replica, kernel, mine = opened()
    replica.first = lambda call: True  # takes requests, and its checks, and says nothing
    stage.gateway_end(replica, kernel).wire.reset()
    mine.send_text("said in the gap")
    wait_until(lambda: replica.asked, "a handshake")
    expect_rehomed(stage, kernel, mine, replica)
    assert replica.asked == [("GET", f"/api/kernels/{kernel}/channels")]


def test_a_kernel_that_went_with_its_pod_is_dead(opened):
    stage, replica, kernel, mine = opened()
    stage.shared.records.clear()
    replica.kill()
    assert message_of(mine.read()) == ("status", {"execution_state": "dead"})
    expect_goodbye(mine, 1011, "gone")
    stage.moved(GAPS, result="dead")
    stage.unmoved(REHOMED)


def test_where_no_pod_is_left_it_is_1012_in_time(opened):
    stage, replica, kernel, mine = opened(2, "2s")
    for each in stage.replicas:
        each.kill()
    expect_goodbye(mine, 1012, "could not be made anew")
    stage.moved(GAPS, result="timeout")
    assert stage.proxy.metrics().value("kernelgate_websocket_gap_seconds_sum") < 4


def test_a_pod_that_loads_no_kernel_for_a_websocket_is_asked_for_it_first(opened):
    """Gateways before 3.3.0 (J21): a 404 behind a restart does not mean that the kernel is dead."""
    stage, replica, kernel, mine = opened(1)
    end = stage.gateway_end(replica, kernel)

    def as_before_3_3(call):
        unknown = "/channels" in call.request.target and kernel not in replica.kernels
        return unknown and (refuse(call, kernel, "channels") or True)

    replica.first = as_before_3_3
    replica.websockets.clear()
    replica.restart_unseen()
    end.wire.reset()
    stage.gateway_end(replica, kernel).send_text("back")
    assert mine.read_text() == "back"
    stage.moved(TRIES, 2)
    stage.moved(REVIVALS, by=2)  # the one before was for the handshake
    stage.moved(GAPS, result="mended")
