"""At the bound of descriptors, connections or memory new work is turned away with a clear answer;
what is open goes on, and the proxy recovers by itself."""

import copy
import os
import resource
import signal

import pytest

from support.http_text import build_request
from support.proxy_process import needs_descriptors, sanitized
from support.stage import CHANNELS, KERNEL
from support.waiting import wait_until

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list

TRUSTED = "127.0.0.5"


def hits(stage, limit):
    return stage.proxy.metrics().value("kernelgate_limits_hit_total", limit=limit)


def overloaded(stage, resource_name, value):
    stage.proxy.wait_metric("kernelgate_overloaded", value, resource=resource_name)


def fill(stage, most=400):
    """Clients until one is turned away."""
    held = []
    while len(held) < most:
        try:
            held.append(stage.connect())
        except OSError:
            return held
    raise AssertionError(f"{most} clients were let in")


def echo(mine, theirs):
    mine.send_text("up")
    assert theirs.read_text() == "up"
    theirs.send_text("down")
    assert mine.read_text() == "down"


def log_count(stage, words):
    return sum(words in line for line in stage.proxy.stderr_lines)


def assert_turned_away_and_recovers(stage, resource_name, limit, websocket, held):
    for _ in range(20):
        with pytest.raises(OSError):
            stage.connect()
    assert hits(stage, limit) >= 20
    overloaded(stage, resource_name, 1)
    echo(*websocket)
    stage.get(client=held[0])  # who is in is served
    assert stage.proxy.monitoring("/readyz")[0] == 200  # open WebSockets would be cut otherwise
    assert log_count(stage, f"overload begins resource={resource_name}") == 1
    for client in held:
        client.close()
    stage.proxy.wait_metric("kernelgate_connections_open", 1)
    stage.get()
    overloaded(stage, resource_name, 0)
    wait_until(lambda: log_count(stage, f"overload ended resource={resource_name}") == 1,
               "the log's word of its end")
    echo(*websocket)


def test_out_of_descriptors(make_stage):
    stage = make_stage(descriptors=128)
    websocket = stage.websocket()
    held = fill(stage)
    assert len(held) > 50  # with four workers the process holds about 40 itself
    assert stage.proxy.open_files() <= 128 - 32 + 1  # a part is kept for gateways and scrapes
    assert_turned_away_and_recovers(stage, "descriptors", "descriptors", websocket, held)


def test_at_the_bound_of_connections(make_stage):
    stage = make_stage(config={"limits": {"connections": 11}})
    websocket = stage.websocket()
    held = fill(stage)
    assert len(held) == 10
    assert_turned_away_and_recovers(stage, "connections", "connections", websocket, held)


def test_descriptors_taken_by_gateway_connections(make_stage):
    """Clients that are in may need more descriptors than there are: they are told."""
    stage = make_stage(descriptors=128)
    websocket = stage.websocket()
    held = fill(stage)
    refused = None
    for client in held:
        key = client.send_upgrade(CHANNELS, token=stage.token())
        if client.arrived(0.2 if stage.proxy.open_files() > 105 else 0):
            refused = client.read_response()
            break
        stage.gateway.next_call().accept_websocket()
        client.read_upgrade(key)
    assert refused is not None and refused.status == 503, refused
    assert refused.get("Retry-After") == "2"
    assert refused.json()["message"].startswith("The proxy is at its limit.")
    stage.moved("kernelgate_errors_total", reason="overloaded")
    echo(*websocket)


def test_a_bound_lowered_from_outside_leaves_nobody_hanging(make_stage):
    """Not even the listening socket gets a descriptor: waiting clients are closed all the same."""
    # Of several workers one may serve a client with the descriptor that another gave up.
    stage = make_stage(config={"workers": 1})
    websocket = stage.websocket()
    if needs_descriptors():
        return
    before = resource.prlimit(stage.proxy.pid, resource.RLIMIT_NOFILE)
    taken = {int(name) for name in os.listdir(f"/proc/{stage.proxy.pid}/fd")}
    few = min(set(range(1000)) - taken)
    resource.prlimit(stage.proxy.pid, resource.RLIMIT_NOFILE, (few, before[1]))
    for _ in range(20):
        with pytest.raises(OSError):
            stage.connect(timeout=5)
    echo(*websocket)
    resource.prlimit(stage.proxy.pid, resource.RLIMIT_NOFILE, before)
    assert hits(stage, "descriptors") >= 20
    stage.get()
    stage.proxy.wait_for_stderr("overload begins resource=descriptors", "the one line about it")


def set_memory(stage, size):
    config = copy.deepcopy(stage.proxy.config)
    config["limits"] = {"memory_bytes": f"{size}B"}
    stage.proxy.write_config(config)
    stage.proxy.signal(signal.SIGHUP)
    stage.moved("kernelgate_config_reloads_total", result="ok")


def never_read(stage, count):
    """So many clients that ask for an answer of 1 MiB and take nothing of it."""
    clients = [stage.connect(source=TRUSTED, receive_buffer=4096, keep_record=False)
               for _ in range(count)]
    for client in clients:
        client.send_request("GET", ONE, token=stage.token())
    return clients


def test_short_of_memory(make_stage):
    stage = make_stage(listener={"trusted_proxies": [TRUSTED + "/32"]})
    websocket = stage.websocket()
    stage.gateway.serve(lambda call: call.reply(200, b"m" * 1_000_000))
    set_memory(stage, max(stage.proxy.rss() + (8 << 20), 16 << 20))
    hogs = []
    wait_until(lambda: hogs.extend(never_read(stage, 20)) or stage.proxy.metrics().value(
        "kernelgate_overloaded", resource="memory"), "the proxy to run short of memory", 60)
    with pytest.raises(OSError):
        stage.connect()
    through_alb = stage.connect(source=TRUSTED)  # it carries many clients: judged one by one
    starts = hits(stage, "memory_bytes")
    for _ in range(2):  # the connection stays usable
        response = through_alb.exchange("POST", "/api/kernels", body=b"", token=stage.token())
        assert response.status == 503, response
        assert response.get("Retry-After") == "2"
        assert response.json()["message"].startswith("The proxy is at its limit.")
    through_alb.send_upgrade(CHANNELS, token=stage.token())
    assert through_alb.read_response().status == 503
    assert hits(stage, "memory_bytes") == starts + 3
    assert through_alb.exchange("GET", "/readyz").status == 200
    assert through_alb.exchange("GET", ONE, token=stage.token()).status == 200
    echo(*websocket)
    assert log_count(stage, "overload begins resource=memory") == 1
    for client in hogs:
        client.close()
    if sanitized():
        return  # these builds keep what was freed
    overloaded(stage, "memory", 0)
    client = stage.connect()
    request = [("Host", "ep.test"), ("Authorization", f"token {stage.token()}")]
    client.send(build_request("POST", "/api/kernels", request, b'{"name": "python3"}'))
    assert client.read_response().status == 200
    echo(*websocket)
