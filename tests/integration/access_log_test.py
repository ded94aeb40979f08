"""One JSON line per exchange, in a file that can be rotated."""

import json
import re
import signal
from datetime import datetime, timezone
from pathlib import Path

from support import tokens
from support.stage import KERNEL, PLAIN
from support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def test_the_line_of_a_request(stage):
    client = stage.connect()
    client.send_request("GET", f"/api/kernels/{KERNEL}?x=secret", [("User-Agent", "jupyter/2")],
                        token=stage.token(log_context="team-7"), host="ep.test:8443")
    stage.gateway.next_call().reply(200, b"12345")
    assert client.read_response().status == 200
    line = stage.proxy.wait_log()
    exact = {
        "endpoint": "ep", "virtual_cluster": "analytics", "operation": "GetKernel", "method": "GET",
        "host": "ep.test:8443", "path": f"/api/kernels/{KERNEL}", "kernel": KERNEL, "pod": "jeg-0",
        "subject": "alice", "realm": tokens.ISSUER, "log_context": "team-7",
        "user_agent": "jupyter/2", "status": 200, "bytes_in": 0, "bytes_out": 5,
        "client": client.address}
    assert {key: line.get(key) for key in exact} == exact
    when = datetime.strptime(line["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    assert abs((datetime.now(timezone.utc) - when).total_seconds()) < 60
    assert 0 < line["first_byte_seconds"] <= line["total_seconds"] < 10
    assert 0 < line["upstream_connect_seconds"] <= line["total_seconds"]
    assert re.fullmatch(r"[0-9a-zA-Z-]{16,64}", line["request_id"])
    assert line["trace_id"].startswith("Root=1-")
    for absent in ("error", "close_code", "websocket", "closed_by", "messages_in"):
        assert absent not in line
    assert len(stage.proxy.log_lines()) == 1


def test_the_line_of_a_kernel_spec_names_it(stage):
    stage.get("/api/kernelspecs/python3")
    assert stage.proxy.wait_log(operation="GetKernelSpec")["spec"] == "python3"


def test_every_field_is_documented(stage):
    mine, upstream = stage.websocket()
    mine.send_text("x")
    assert upstream.read_text() == "x"
    upstream.send_close(1000)
    mine.read_close()
    mine.wire.close()
    upstream.wire.close()
    stage.connect().exchange("GET", PLAIN)
    lines = [stage.proxy.wait_log(operation="ConnectKernel"), stage.proxy.wait_log(status=401)]
    documented = set(re.findall(r"`([a-z_]+)`", (ROOT / "metrics/README.md").read_text()))
    assert set().union(*lines) <= documented


def test_a_websocket_is_one_line_at_its_end(stage):
    mine, upstream = stage.websocket()
    for _ in range(3):
        mine.send_text("12345")
        upstream.read_text()
    upstream.send_text("1")
    mine.read_text()
    assert stage.proxy.log_lines() == []
    upstream.send_close(1000, "bye")
    mine.read_close()
    mine.send_close(1000)
    upstream.read_close()
    upstream.wire.close()
    mine.wire.close()
    line = stage.proxy.wait_log()
    assert (line["status"], line["websocket"], line["close_code"]) == (101, True, 1000)
    assert (line["messages_in"], line["messages_out"], line["closed_by"]) == (3, 1, "upstream")
    assert len(stage.proxy.log_lines()) == 1


def test_hostile_text_stays_one_json_line(stage):
    client = stage.connect()
    agent = 'a"b\\c\u00e9 {"x":1}'
    client.send_request("GET", PLAIN, [("User-Agent", agent)])
    assert client.read_response().status == 401
    line = stage.proxy.wait_log(status=401)
    assert line["user_agent"].startswith('a"b\\c')
    assert len(stage.proxy.access_log.read_text().splitlines()) == 1


def test_lines_of_all_workers_are_whole(make_stage):
    stage = make_stage(config={"workers": 3})
    stage.gateway.serve(lambda call: call.reply(200, b"[]"))
    clients = [stage.connect() for _ in range(12)]
    for _ in range(10):
        for client in clients:
            client.send_request("GET", PLAIN, token=stage.token())
        for client in clients:
            assert client.read_response().status == 200
    lines = stage.proxy.wait_log(count=120, status=200)
    assert len({line["request_id"] for line in lines}) == 120


def test_reopened_after_rotation(stage):
    stage.get()
    stage.proxy.wait_log()
    rotated = stage.proxy.access_log.with_suffix(".1")
    stage.proxy.access_log.rename(rotated)
    stage.proxy.signal(signal.SIGUSR1)
    stage.get()

    def in_new_file():
        if not stage.proxy.access_log.exists():
            stage.get()  # a line written before the signal was handled went to the old file
            return False
        return stage.proxy.log_lines()

    wait_until(in_new_file, "a line in the new file")
    both = rotated.read_text().splitlines() + stage.proxy.access_log.read_text().splitlines()
    assert len({json.loads(line)["request_id"] for line in both}) == len(both)


def test_the_file_is_not_for_everybody(stage):
    stage.get()
    stage.proxy.wait_log()
    assert stage.proxy.access_log.stat().st_mode & 0o007 == 0


def test_off(make_stage):
    stage = make_stage(config={"access_log": {"path": "off"}})
    stage.get()
    assert not (stage.folder / "off").exists()
