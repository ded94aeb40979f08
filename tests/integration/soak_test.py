"""The soak: 1,000 WebSockets and 200 REST clients for a minute, no error, no leak.

KG_SOAK=1 runs it; KG_SOAK_SECONDS (60), KG_SOAK_WEBSOCKETS (1000), KG_SOAK_REST (200) scale it.
Memory is judged on builds without a sanitizer, leaks on builds with one (at exit).
"""

import os
import threading

import pytest

from support.peer_process import PeerGateway, PeerProcess
from support.proxy_process import sanitized
from support.stage import CHANNELS

SECONDS = int(os.environ.get("KG_SOAK_SECONDS", "60"))
WEBSOCKETS = int(os.environ.get("KG_SOAK_WEBSOCKETS", "1000"))
REST = int(os.environ.get("KG_SOAK_REST", "200"))
PROCESSES = 2
SETTLE_SECONDS = 10


def later(seconds):
    """Lets that much time pass."""
    threading.Event().wait(seconds)


def warm_up(stage, ca):
    """A few clients of each kind come and go: what is made or read on first use is there then."""
    few = PeerProcess("support.soak_peers", "clients", stage.proxy.port, ca, "ep.test", CHANNELS, 8,
                      8, 1, given=stage.token())
    assert few.wait_for("messages", 60)["errors"] == []
    few.close()
    stage.wait_quiet()
    stage.before = stage.proxy.metrics()


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("KG_SOAK") != "1", reason="the soak runs with KG_SOAK=1")
def test_soak(make_stage, workshop):
    stage = make_stage(gateway=PeerGateway(), config={
        "workers": 2, "limits": {"connections_per_address": 2 * (WEBSOCKETS + REST)}})
    warm_up(stage, workshop.keyring.ca)
    memory = {"start": stage.proxy.rss()}
    crowds = [stage.closes(PeerProcess(
        "support.soak_peers", "clients", stage.proxy.port, workshop.keyring.ca, "ep.test", CHANNELS,
        WEBSOCKETS // PROCESSES, REST // PROCESSES, SECONDS, given=stage.token()))
        for _ in range(PROCESSES)]
    for crowd in crowds:
        crowd.wait_for("open", 300)
    stage.proxy.wait_metric("kernelgate_websockets_open", WEBSOCKETS, endpoint="ep")
    later(SECONDS / 2)
    memory["middle"] = stage.proxy.rss()
    later(max(0, SECONDS / 2 - 2))
    memory["end"] = stage.proxy.rss()
    results = [crowd.wait_for("messages", SECONDS + 120) for crowd in crowds]
    errors = [error for result in results for error in result["errors"]]
    assert not errors, f"{len(errors)} errors, the first: {errors[:5]}"
    messages = sum(result["messages"] for result in results)
    requests = sum(result["requests"] for result in results)
    stage.proxy.wait_metric("kernelgate_connections_open", 0, timeout=30)
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")
    later(SETTLE_SECONDS)
    memory["after"] = stage.proxy.rss()
    print(f"soak: {messages} messages, {requests} requests; memory MiB: "
          + ", ".join(f"{name} {size / 2**20:.1f}" for name, size in memory.items()))
    stage.unmoved("kernelgate_errors_total")
    for direction in ("from_client", "from_upstream"):
        stage.moved("kernelgate_websocket_messages_total", by=messages, direction=direction)
    if not sanitized():
        assert memory["end"] <= memory["middle"] * 1.02, memory
        assert memory["after"] <= memory["start"] * 1.05, memory
