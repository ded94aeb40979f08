"""What kernels are doing is read from their messages, of which no byte changes."""

import json
import os
import time

import pytest

from support.admin_client import AdminClient, admin_config
from support.frames import CONTINUATION, TEXT
from support.kernel_messages import (LEGACY, LEGACY_BINARY, V1, Notebook, answer, execute, pack,
                                     reply, request, status, stream)
from support.kernels import create
from support.stage import KERNEL

MESSAGES = "kernelgate_kernel_messages_total"
SOCKETS = "kernelgate_kernel_websockets"
FRAMINGS = [V1, LEGACY, LEGACY_BINARY]


def kernels(stage, state):
    stage.proxy.wait_metric(SOCKETS, 1, endpoint="ep", state=state)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_cell_is_counted_and_timed(stage, framing):
    notebook = Notebook(stage, framing)
    kernels(stage, "unknown")
    asked = notebook.ask(execute("print('x')"))
    notebook.say(status, asked, "busy")
    kernels(stage, "busy")
    for _ in range(5):
        notebook.say(stream, asked)
    notebook.say(answer, asked, "comm_msg", {"comm_id": "1", "data": {}},
                 buffers=[] if framing == LEGACY else [b"12345678", b""])
    notebook.say(answer, asked, "input_request", {"prompt": "?", "password": False}, "stdin")
    notebook.ask(request("input_reply", {"value": "bob", "status": "ok"}, "stdin"))
    notebook.say(reply, asked)
    notebook.say(status, asked, "idle")
    kernels(stage, "idle")
    notebook.run_cell(outputs=12)
    stage.moved("kernelgate_kernel_first_output_seconds_count", by=2, kernelspec="other")
    stage.moved("kernelgate_kernel_reply_seconds_count", by=2, kernelspec="other")
    stage.moved("kernelgate_kernel_cells_total", by=2, endpoint="ep")
    stage.moved("kernelgate_kernel_comm_messages_total", endpoint="ep")
    stage.moved("kernelgate_kernel_input_requests_total", endpoint="ep")
    stage.moved(MESSAGES, by=4, endpoint="ep", channel="shell")
    stage.moved(MESSAGES, by=2, endpoint="ep", channel="stdin")
    stage.moved(MESSAGES, by=22, endpoint="ep", channel="iopub")
    stage.unmoved(MESSAGES, endpoint="ep", channel="unread")
    notebook.close()
    stage.proxy.wait_metric(SOCKETS, 0, endpoint="ep", state="idle")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_large_messages_pass_and_are_told_by_their_head(stage, framing):
    """S11: above 10 MiB, in one frame and in fragments."""
    notebook = Notebook(stage, framing)
    asked = notebook.ask(execute())
    buffers = [] if framing == LEGACY else [os.urandom(1024) * 11 * 1024]
    text = "y" * (11 * 1024 * 1024) if framing == LEGACY else "y"
    for fragments in (1, 11):
        notebook.say(answer, asked, "display_data", {"data": {"text/plain": text}, "metadata": {}},
                     buffers=buffers, fragments=fragments)
    notebook.say(reply, asked)
    stage.moved(MESSAGES, by=2, endpoint="ep", channel="iopub")
    stage.moved("kernelgate_kernel_first_output_seconds_count", kernelspec="other")
    stage.moved("kernelgate_kernel_reply_seconds_count", kernelspec="other")
    stage.unmoved(MESSAGES, endpoint="ep", channel="unread")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_heads_in_fragments_and_in_pieces_are_told(stage, framing):
    notebook = Notebook(stage, framing)
    asked = execute("a = 1")
    opcode, payload = pack(framing, *asked, from_client=True)
    for i, size in enumerate((0, 7, 70)):  # in fragments
        notebook.mine.send(CONTINUATION if i else opcode, payload[:size], fin=False)
        payload = payload[size:]
    notebook.mine.send(CONTINUATION, payload)
    for _ in range(4):
        notebook.upstream.read()
    opcode, payload = pack(framing, *status(asked, 1, "busy"))
    frame = notebook.upstream.encode(opcode, payload)
    before = stage.proxy.metrics().value("kernelgate_payload_bytes_total", endpoint="ep",
                                         direction="from_upstream")
    for at in range(0, len(frame), 40):  # in pieces
        notebook.upstream.wire.send(frame[at:at + 40])
        stage.proxy.wait_metric("kernelgate_payload_bytes_total",
                                before + min(at + 40, len(frame)), endpoint="ep",
                                direction="from_upstream")
    assert notebook.mine.read().payload == payload
    kernels(stage, "busy")
    notebook.say(reply, asked)
    stage.moved("kernelgate_kernel_reply_seconds_count", kernelspec="other")


def test_what_is_no_kernel_message_is_unread(stage):
    notebook = Notebook(stage)
    notebook.mine.send_text("hello")
    notebook.upstream.read_text()
    notebook.upstream.send(TEXT, b'{"header": {"msg_id": "status"}}')
    notebook.mine.read()
    stage.moved(MESSAGES, by=2, endpoint="ep", channel="unread")


def test_compressed_messages_are_not_looked_at(stage):
    client = stage.connect()
    key = client.send_upgrade(f"/api/kernels/{KERNEL}/channels",
                              [("Sec-WebSocket-Extensions", "permessage-deflate")], stage.token())
    upstream = stage.gateway.next_call().accept_websocket(
        headers=[("Sec-WebSocket-Extensions", "permessage-deflate")])
    mine = client.read_upgrade(key)
    upstream.send(TEXT, b"\xaa\x02", rsv=4)
    opcode, payload = pack(LEGACY, *status(execute(), 1, "idle"))
    upstream.send(opcode, payload)
    mine.read(), mine.read()
    stage.moved(MESSAGES, by=2, endpoint="ep", channel="unread")
    kernels(stage, "unknown")


def test_the_kernel_spec_of_a_kernel_started_here_is_known(make_stage):
    stage = make_stage(endpoint={"foreign_ids": "deny"})
    kernel = create(stage)
    notebook = Notebook(stage, target=f"/api/kernels/{kernel}/channels")
    notebook.run_cell()
    stage.moved("kernelgate_kernel_reply_seconds_count", kernelspec="python3")


def test_off_nothing_is_looked_at(make_stage):
    stage = make_stage(config={"websocket": {"kernel_activity": "off"}})
    Notebook(stage, V1).run_cell()
    stage.moved("kernelgate_websocket_messages_total", by=4, endpoint="ep",
                direction="from_upstream")
    for channel in ("shell", "iopub", "unread"):
        stage.unmoved(MESSAGES, endpoint="ep", channel=channel)


def test_operators_see_what_kernels_do(make_stage, tmp_path):
    stage = make_stage(config={"workers": 2, **admin_config(tmp_path)})
    admin = AdminClient(stage)
    assert admin.call("GET", "/kernels", token="wrong-token-of-some-length")[0] == 401
    notebook = Notebook(stage)
    began = int(time.time())
    notebook.say(status, None, "idle")

    def seen():
        code, body = admin.call("GET", "/kernels")
        assert code == 200 and body["websockets"] == 1 and body["left_off"] == 0, body
        return body["kernels"][0]

    idle = seen()
    assert (idle["kernel_id"], idle["endpoint"], idle["state"]) == (KERNEL, "ep", "idle")
    assert idle["worker"] in (0, 1) and idle["cells_in_flight"] == 0
    assert idle["last_human_activity"] is None
    assert began - 1 <= idle["last_message"] <= time.time() + 1
    asked = notebook.ask(execute())
    notebook.say(status, asked, "busy")
    busy = seen()
    assert (busy["state"], busy["cells_in_flight"]) == ("busy", 1)
    assert began - 1 <= busy["last_human_activity"] <= time.time() + 1
    assert "msg_id" not in json.dumps(busy)
