"""SIGTERM: unready at once, a lame duck that still serves, then 1012 for WebSockets and exit 0."""

import signal
import time

import pytest

from support.kernel_messages import Notebook, execute, reply, status, stream
from support.proxy_process import sanitized
from support.stage import PLAIN
from support.waiting import wait_until


def drain_stage(make_stage, lame_duck="1s", deadline="3s", **config):
    return make_stage(config={"drain": {"lame_duck": lame_duck, "deadline": deadline}, **config})


def start_drain(stage):
    stage.proxy.signal(signal.SIGTERM)
    wait_until(lambda: stage.proxy.monitoring("/readyz")[0] == 503, "readyz to be 503")
    return time.monotonic()


def test_readiness_falls_at_once_and_liveness_does_not(make_stage):
    stage = drain_stage(make_stage)
    client = stage.connect()
    assert client.exchange("GET", "/readyz").status == 200
    assert stage.proxy.metrics().value("kernelgate_draining") == 0
    start_drain(stage)
    assert stage.proxy.monitoring("/healthz")[0] == 200
    assert stage.proxy.metrics().value("kernelgate_draining") == 1
    response = stage.connect().exchange("GET", "/readyz")
    assert response.status == 503
    assert stage.connect().exchange("GET", "/healthz").status == 200


def test_the_lame_duck_serves_and_says_close(make_stage):
    stage = drain_stage(make_stage)
    old = stage.connect()
    stage.get(client=old)
    start_drain(stage)
    for client in (old, stage.connect()):
        client.send_request("GET", PLAIN, token=stage.token())
        stage.gateway.next_call().reply(200, b"[]")
        response = client.read_response()
        assert response.status == 200 and response.get("Connection").lower() == "close"
        client.expect_end("close")


def test_after_the_lame_duck_nobody_is_let_in(make_stage):
    stage = drain_stage(make_stage, lame_duck="300ms", deadline="3s")
    mine, upstream = stage.websocket()  # keeps the process alive
    start_drain(stage)

    def refused():
        try:
            stage.connect().close()
        except OSError:
            return True
        return False

    wait_until(refused, "the listener to close")
    upstream.answer_close()
    mine.read_close()
    mine.wire.close()
    upstream.wire.close()
    assert stage.proxy.wait_exit() == 0


def test_websockets_close_with_1012_and_the_process_with_0(make_stage):
    stage = drain_stage(make_stage, lame_duck="200ms", deadline="2s")
    pairs = [stage.websocket() for _ in range(10)]
    began = start_drain(stage)
    mine, upstream = pairs[0]
    mine.send_text("still relayed")
    assert upstream.read_text() == "still relayed"
    for mine, upstream in pairs:
        assert upstream.answer_close().close_code == 1012
        closing = mine.read_close()
        assert closing.close_code == 1012 and closing.close_reason
        mine.send_close(1012)
        mine.wire.expect_end("close")
        mine.wire.close()
        upstream.wire.expect_end("close")
    assert stage.proxy.wait_exit() == 0
    took = time.monotonic() - began
    assert took < 4, took
    lines = stage.proxy.wait_log(count=10, operation="ConnectKernel")
    assert {(line["close_code"], line["closed_by"]) for line in lines} == {(1012, "proxy")}
    assert {line["error"] for line in lines} == {"draining"}


def test_closes_are_spread(make_stage):
    """So that their clients do not all reconnect in the same moment."""
    # A drain that comes late on a busy machine has that much less left to spread over.
    deadline = "8s" if sanitized() else "2s"
    stage = drain_stage(make_stage, lame_duck="0s", deadline=deadline)
    pairs = [stage.websocket() for _ in range(20)]
    began = start_drain(stage)
    seen = {}

    def all_closed():
        for number, (_, upstream) in enumerate(pairs):
            if number not in seen and upstream.wire.readable():
                seen[number] = time.monotonic() - began
                upstream.answer_close()
        return len(seen) == len(pairs)

    wait_until(all_closed, lambda: f"20 Closes; {len(seen)} came")
    assert max(seen.values()) - min(seen.values()) > 0.5, sorted(seen.values())
    for mine, _ in pairs:
        assert mine.read_close().close_code == 1012
        mine.wire.close()
    assert stage.proxy.wait_exit() == 0


def test_a_request_in_flight_is_finished(make_stage):
    stage = drain_stage(make_stage, lame_duck="100ms", deadline="5s")
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    call = stage.gateway.next_call()
    start_drain(stage)
    client.expect_open_and_silent(0.5)  # beyond the lame duck
    call.reply(200, b"[]")
    response = client.read_response()
    assert response.status == 200 and response.get("Connection").lower() == "close"
    client.expect_end("close")
    assert stage.proxy.wait_exit() == 0
    assert stage.proxy.wait_log(operation="GetKernel")["status"] == 200


def test_idle_connections_do_not_hold_it_up(make_stage):
    stage = drain_stage(make_stage, lame_duck="100ms", deadline="30s")
    idle = [stage.connect() for _ in range(5)]
    stage.get(client=idle[0])
    start_drain(stage)
    assert stage.proxy.wait_exit() == 0
    for client in idle:
        client.expect_end("close")


def test_nothing_open_ends_after_the_lame_duck(make_stage):
    stage = drain_stage(make_stage, lame_duck="500ms", deadline="30s")
    began = time.monotonic()
    stage.proxy.signal(signal.SIGTERM)
    assert stage.proxy.wait_exit() == 0
    assert 0.4 < time.monotonic() - began < 5


def test_the_deadline_ends_what_does_not_end(make_stage):
    stage = drain_stage(make_stage, lame_duck="100ms", deadline="1s")
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call()  # is never answered
    began = start_drain(stage)
    assert stage.proxy.wait_exit() == 0
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(make_stage, second):
    stage = drain_stage(make_stage, lame_duck="30s", deadline="60s")
    mine, _ = stage.websocket()
    began = start_drain(stage)
    stage.proxy.signal(second)
    code = stage.proxy.wait_exit()
    assert time.monotonic() - began < 3
    assert code in (0, 1, -second), code
    mine.wire.read_to_end()


def test_reload_does_not_end_a_drain(make_stage):
    stage = drain_stage(make_stage, lame_duck="1s", deadline="2s")
    start_drain(stage)
    stage.proxy.signal(signal.SIGHUP)
    assert stage.proxy.monitoring("/readyz")[0] == 503
    assert stage.proxy.wait_exit() == 0


def test_idle_kernels_go_first_and_busy_ones_may_finish_their_cell(make_stage):
    stage = drain_stage(make_stage, lame_duck="0s", deadline="30s")
    idle, busy = Notebook(stage), Notebook(stage)
    idle.say(status, None, "idle")
    busy.say(status, None, "idle")
    asked = busy.ask(execute())
    busy.say(status, asked, "busy")
    began = start_drain(stage)
    idle.upstream.answer_close()
    closing = idle.mine.read_close()
    assert closing.close_code == 1012 and "Reconnect" in closing.close_reason
    idle.close()
    busy.say(stream, asked)
    busy.say(reply, asked)  # the reply comes before idle, or behind it
    busy.say(status, asked, "idle")
    busy.upstream.answer_close()
    assert busy.mine.read_close().close_code == 1012
    busy.close()
    assert stage.proxy.wait_exit() == 0
    assert time.monotonic() - began < 20  # long before a busy one would have had to go


def test_a_cell_whose_reply_is_still_to_come_is_not_cut(make_stage):
    stage = drain_stage(make_stage, lame_duck="0s", deadline="30s")
    notebook = Notebook(stage)
    asked = notebook.ask(execute())
    notebook.say(status, asked, "idle")
    start_drain(stage)
    notebook.mine.wire.expect_open_and_silent(0.5)
    notebook.say(reply, asked)
    notebook.upstream.answer_close()
    assert notebook.mine.read_close().close_code == 1012
    notebook.close()
    assert stage.proxy.wait_exit() == 0


def test_kernels_that_nobody_can_read_count_as_busy(make_stage):
    stage = drain_stage(make_stage, lame_duck="0s", deadline="4s")
    silent, idle = Notebook(stage), Notebook(stage)
    idle.say(status, None, "idle")
    began = time.monotonic()
    start_drain(stage)
    for notebook in (idle, silent):
        assert not silent.upstream.wire.readable()
        notebook.upstream.answer_close()
        assert notebook.mine.read_close().close_code == 1012
    assert time.monotonic() - began > 2  # close to the deadline
    for notebook in (silent, idle):
        notebook.close()
    assert stage.proxy.wait_exit() == 0
