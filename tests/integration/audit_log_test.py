"""The audit log: who changed a kernel and who was turned away, in a stream of its own."""

import json
import signal

import pytest

from support.admin_client import AdminClient, admin_config
from support.http_text import build_request
from support.kernels import create
from support.scripted_gateway import ScriptedGateway
from support.stage import CHANNELS, KERNEL
from support.tokens import ISSUER
from support.waiting import wait_until


@pytest.fixture
def audited(make_stage, tmp_path):
    def make(**audit):
        stage = make_stage(config={"audit_log": {"path": str(tmp_path / "audit.log"), **audit}})
        stage.audit_file = tmp_path / "audit.log"
        return stage

    return make


def lines(stage, file=None):
    text = (file or stage.audit_file).read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def wait_lines(stage, count, file=None):
    def probe():
        found = lines(stage, file)
        return len(found) >= count and found

    found = wait_until(probe, lambda: f"{count} audit lines; there are {lines(stage, file)}")
    assert len(found) == count, found
    return sorted(found, key=lambda line: line["time"])  # workers write when they come to it


def ask(stage, method, target, status, body=b"", answer=b"", headers=(), subject="alice"):
    client = stage.connect()
    client.send_request(method, target, body=body, token=stage.token(subject=subject))
    stage.gateway.next_call().reply(status, answer, headers)
    assert client.read_response(method).status == status
    return client


CHANGES = [("POST", "/api/kernels", 201, "create", "CreateKernel"),
           ("POST", f"/api/kernels/{KERNEL}/interrupt", 204, "interrupt", "InterruptKernel"),
           ("POST", f"/api/kernels/{KERNEL}/restart", 200, "restart", "RestartKernel"),
           ("DELETE", f"/api/kernels/{KERNEL}", 204, "delete", "DeleteKernel")]


@pytest.mark.parametrize("method, target, status, event, operation", CHANGES)
def test_a_change_of_a_kernel_is_written(audited, method, target, status, event, operation):
    stage = audited()
    headers = [("Location", f"/api/kernels/{KERNEL}")] if event == "create" else []
    client = ask(stage, method, target, status, b'{"name": "python3"}' if headers else b"",
                 b"{}", headers)
    line, = wait_lines(stage, 1)
    access = stage.proxy.wait_log(operation=operation)
    assert line["event"] == event and line["result"] == "ok" and line["operation"] == operation
    assert line["subject"] == "alice" and line["realm"] == access["realm"]
    assert line["kernel"] == KERNEL and line["endpoint"] == "ep" and line["status"] == status
    assert line["client"] == client.address and line["time"].endswith("Z")
    assert line["request_id"] == access["request_id"] and "error" not in line


def test_what_the_gateway_refuses_failed(audited):
    stage = audited()
    ask(stage, "DELETE", f"/api/kernels/{KERNEL}", 404, answer=b'{"reason": "x", "message": "y"}')
    line, = wait_lines(stage, 1)
    assert (line["event"], line["result"], line["status"]) == ("delete", "failed", 404)


def test_a_gateway_that_is_not_there_failed(make_stage, tmp_path):
    stage = make_stage(config={"audit_log": {"path": str(tmp_path / "audit.log")}},
                       gateway=ScriptedGateway(listening=False))
    response = stage.connect().exchange("DELETE", f"/api/kernels/{KERNEL}", token=stage.token())
    line, = wait_lines(stage, 1, tmp_path / "audit.log")
    assert (line["event"], line["result"], line["status"]) == ("delete", "failed", response.status)
    assert line["error"] == "upstream_connect"


def test_refusals_are_written_with_their_reason(audited):
    stage = audited()
    client = stage.connect()
    client.send(build_request("GET", "/api/kernels", [("Host", "ep.test"),
                                                      ("Authorization", "token bad")]))
    assert client.read_response().status == 401
    other = stage.connect()
    other.send_upgrade(CHANNELS, token=stage.token("other", "mallory"))
    assert other.read_response().status == 403
    first, second = sorted(wait_lines(stage, 2), key=lambda line: line["status"])
    assert first["event"] == second["event"] == "refuse"
    assert first["result"] == second["result"] == "refused"
    assert (first["error"], first["status"], first["client"]) == ("unauthorized", 401,
                                                                  client.address)
    assert first["detail"] and "subject" not in first
    assert (second["error"], second["subject"]) == ("forbidden", "mallory")
    assert second["operation"] == "ConnectKernel" and second["kernel"] == KERNEL


def test_reading_is_no_event(audited):
    stage = audited()
    stage.get()
    stage.connect().exchange("GET", "/nothing", token=stage.token())
    stage.connect().exchange("GET", "/api/%2e", token=stage.token())
    assert stage.connect().exchange("GET", "/api/kernels").status == 401
    line, = wait_lines(stage, 1)
    assert line["event"] == "refuse"


def test_subjects_may_be_hashed_with_a_key_of_the_operators(audited, tmp_path):
    key = tmp_path / "audit-key"
    key.write_text("k" * 32)
    key.chmod(0o600)
    stage = audited(subjects="hashed", hash_key_file=str(key))
    shown = []
    for subject in ("alice", "bob", "alice"):  # one after the other: workers write for themselves
        ask(stage, "DELETE", f"/api/kernels/{KERNEL}", 204, subject=subject)
        shown = [line["subject"] for line in wait_lines(stage, len(shown) + 1)]
    assert shown[0] == shown[2] != shown[1] and all(len(text) == 37 for text in shown)
    assert "alice" not in stage.audit_file.read_text()
    again = audited(subjects="hashed", hash_key_file=str(key))  # another process, the same key
    ask(again, "DELETE", f"/api/kernels/{KERNEL}", 204)
    assert wait_lines(again, 4)[3]["subject"] == shown[0]


def test_subjects_may_be_left_out(audited):
    stage = audited(subjects="off")
    ask(stage, "DELETE", f"/api/kernels/{KERNEL}", 204)
    line, = wait_lines(stage, 1)
    assert "subject" not in line and line["request_id"]


def test_a_short_key_is_no_key(make_stage, tmp_path):
    (tmp_path / "short").write_text("x" * 31)
    audit = {"path": "off", "subjects": "hashed", "hash_key_file": str(tmp_path / "short")}
    stage = make_stage(config={"audit_log": audit}, start=False)
    with pytest.raises(AssertionError, match="audit_log.hash_key_file.*less than 32 bytes"):
        stage.start()
    stage.proxy.wait_exit()


def test_it_is_reopened_for_rotation(audited):
    stage = audited()
    ask(stage, "DELETE", f"/api/kernels/{KERNEL}", 204)
    wait_lines(stage, 1)
    old = stage.audit_file.rename(stage.audit_file.with_suffix(".1"))
    stage.proxy.signal(signal.SIGUSR1)
    wait_until(stage.audit_file.exists, "a new audit log")
    ask(stage, "DELETE", f"/api/kernels/{KERNEL}", 204)
    wait_lines(stage, 1)
    wait_lines(stage, 1, old)


def test_both_logs_may_share_a_file(make_stage):
    stage = make_stage(start=False)
    stage.proxy.config["audit_log"] = dict(stage.proxy.config["access_log"])
    stage.start()
    ask(stage, "DELETE", f"/api/kernels/{KERNEL}", 204)
    access = stage.proxy.wait_log(operation="DeleteKernel", event=None)
    audit = stage.proxy.wait_log(operation="DeleteKernel", event="delete")
    assert access["request_id"] == audit["request_id"]


def test_it_is_off_by_default(stage):
    ask(stage, "DELETE", f"/api/kernels/{KERNEL}", 204)
    assert stage.proxy.wait_log(operation="DeleteKernel").get("event") is None


def test_a_change_of_the_audit_log_needs_a_restart(audited):
    stage = audited()
    stage.proxy.config["audit_log"]["subjects"] = "off"
    stage.proxy.write_config()
    stage.proxy.signal(signal.SIGHUP)
    stage.proxy.wait_for_stderr("audit_log changed: that needs a restart", "the refusal")


def test_somebody_elses_kernel_is_a_refusal(make_stage, keys_file, tmp_path):
    stage = make_stage(config={"kernel_ids": {"keys_file": str(keys_file)},
                               "audit_log": {"path": str(tmp_path / "audit.log")}},
                       endpoint={"foreign_ids": "deny"})
    stage.audit_file = tmp_path / "audit.log"
    kernel = create(stage)
    response = stage.connect().exchange("DELETE", f"/api/kernels/{kernel}",
                                        token=stage.token(subject="mallory"))
    assert response.status == 404
    made, refused = wait_lines(stage, 2)
    assert (made["event"], made["subject"], made["kernel"]) == ("create", "alice", kernel)
    assert (refused["event"], refused["result"], refused["error"]) == ("refuse", "refused",
                                                                       "no_kernel")
    assert (refused["subject"], refused["kernel"]) == ("mallory", kernel)
    assert refused["operation"] == "DeleteKernel" and refused["detail"] == "somebody else's"


def test_the_use_of_a_support_role_is_marked(make_stage, workshop, keys_file, tmp_path):
    sessions = workshop.endpoint("ep", 1)["sessions"]
    stage = make_stage(config={"kernel_ids": {"keys_file": str(keys_file)},
                               "audit_log": {"path": str(tmp_path / "audit.log")}},
                       endpoint={"foreign_ids": "deny",
                                 "sessions": {**sessions, "support": {"subjects": ["carol"]}}})
    stage.audit_file = tmp_path / "audit.log"
    kernel = create(stage)
    answer = json.dumps([{"id": kernel, "name": "python3"}]).encode()
    ask(stage, "GET", "/api/kernels", 200, answer=answer, subject="carol")
    ask(stage, "DELETE", f"/api/kernels/{kernel}", 204, subject="carol")
    ask(stage, "GET", "/api/kernels", 200, answer=b"[]", subject="carol")  # of nobody else's
    _, listed, deleted = wait_lines(stage, 3)
    assert (listed["event"], listed["operation"], listed["subject"]) == ("support", "ListKernels",
                                                                         "carol")
    assert (deleted["event"], deleted["kernel"], deleted["result"]) == ("delete", kernel, "ok")
    assert listed["support"] is True and deleted["support"] is True


def test_revocations_are_written(make_stage, tmp_path):
    """The call, what was taken back, and the WebSocket that it ended."""
    stage = make_stage(config={"audit_log": {"path": str(tmp_path / "audit.log")},
                               **admin_config(tmp_path)})
    stage.audit_file = tmp_path / "audit.log"
    client, _ = stage.websocket()
    admin = AdminClient(stage)
    alice = {"subject": "alice", "realm": ISSUER}
    assert admin.call("POST", "/revocations", alice)[1]["websockets_ended"] == 1
    assert client.read_close().close_code == 1008
    assert admin.call("DELETE", "/revocations", alice)[0] == 200
    found = {(line["event"], line.get("actor")): line for line in wait_lines(stage, 3)}
    revoked, back = found["revoke", "admin"], found["unrevoke", "admin"]
    assert revoked["subject"] == back["subject"] == "alice" and revoked["realm"] == ISSUER
    ended = found["revoke", None]
    assert ended["subject"] == "alice" and ended["kernel"] == KERNEL and ended["result"] == "ok"
    assert ended["error"] == "session_revoked" and ended["operation"] == "ConnectKernel"
