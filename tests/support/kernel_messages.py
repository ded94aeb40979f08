"""Kernel messages on a WebSocket as their programs write them, in each framing (G33, G34): requests
as a notebook's, answers as Jupyter Enterprise Gateway's with ipykernel."""

import json
import struct
import threading
import uuid

from .frames import BINARY, CONTINUATION, TEXT

V1 = "v1.kernel.websocket.jupyter.org"
PARTS = ("header", "parent_header", "metadata", "content")
LEGACY, LEGACY_BINARY = "legacy", "legacy with buffers"


def request(msg_type, content, channel="shell"):
    """(channel, message) of a client."""
    header = {"date": "2026-11-26T10:00:00.123Z", "msg_id": str(uuid.uuid4()),
              "msg_type": msg_type, "session": "0f2c1f3e-5a36-4b7e-a4c6-0123456789ab",
              "username": "", "version": "5.2"}
    return channel, {"header": header, "parent_header": {}, "metadata": {}, "content": content}


def execute(code="1+1"):
    return request("execute_request", {
        "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True,
        "stop_on_error": True, "code": code})


def answer(asked, number, msg_type, content, channel="iopub"):
    """(channel, message) of the gateway about a request, or about none (null)."""
    header = {"msg_id": f"17159c93-370eea1e5c9014717f5ca975_{number}", "msg_type": msg_type,
              "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975",
              "date": "2026-11-26T19:04:49.145328Z", "version": "5.3"}
    return channel, {"header": header, "parent_header": asked[1]["header"] if asked else {},
                     "metadata": {}, "content": content}


def status(asked, number, state):
    return answer(asked, number, "status", {"execution_state": state})


def stream(asked, number, text="x\n"):
    return answer(asked, number, "stream", {"name": "stdout", "text": text})


def reply(asked, number):
    return answer(asked, number, "execute_reply",
                  {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []},
                  "shell")


def pack(framing, channel, message, buffers=(), from_client=False):
    """(opcode, payload)"""
    if framing == V1:
        parts = [channel.encode(), *(json.dumps(message[name]).encode() for name in PARTS),
                 *buffers]
        offsets = [8 * (len(parts) + 2)]
        for part in parts:
            offsets.append(offsets[-1] + len(part))
        table = struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets)
        return BINARY, table + b"".join(parts)
    header = message["header"]
    if from_client:  # a notebook's members, in the order of their names
        whole = {"buffers": [], "channel": channel,
                 **{name: message[name] for name in sorted(PARTS)}}
        text = json.dumps(whole, separators=(",", ":")).encode()
    else:
        whole = {"header": header, "msg_id": header["msg_id"], "msg_type": header["msg_type"],
                 "parent_header": message["parent_header"], "metadata": message["metadata"],
                 "content": message["content"], "buffers": [], "channel": channel}
        text = json.dumps(whole).encode()
    if framing == LEGACY:
        return TEXT, text
    offsets = [4 * (len(buffers) + 2)]
    for part in (text, *buffers):
        offsets.append(offsets[-1] + len(part))
    table = struct.pack(f">{len(buffers) + 2}I", len(buffers) + 1, *offsets[:-1])
    return BINARY, table + text + b"".join(buffers)


class Notebook:
    """Both ends of a WebSocket through the proxy, that say kernel messages to one another."""

    def __init__(self, stage, framing=LEGACY, target=None, headers=()):
        self.framing = framing
        options = {"target": target} if target else {}
        protocols, chosen = ([V1], V1) if framing == V1 else (None, None)
        self.mine, self.upstream = stage.websocket(protocols=protocols, chosen=chosen,
                                                   headers=headers, **options)
        self.number = 0

    def ask(self, asked, buffers=()):
        opcode, payload = pack(self.framing, *asked, buffers, from_client=True)
        self.mine.send(opcode, payload)
        got = self.upstream.read()
        assert (got.opcode, got.payload) == (opcode, payload)
        return asked

    def say(self, make, asked, *details, buffers=(), fragments=1):
        """One message of the gateway, made by status, stream, reply or answer."""
        self.number += 1
        opcode, payload = pack(self.framing, *make(asked, self.number, *details), buffers)
        size = -(-len(payload) // fragments)
        parts = [payload[at:at + size] for at in range(0, len(payload), size)]

        def send():
            for i, part in enumerate(parts):
                self.upstream.send(CONTINUATION if i else opcode, part, fin=i == len(parts) - 1)

        # In a thread: a large one does not fit between the two ends.
        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        got = [self.mine.read(timeout=30) for _ in parts]
        sending.join()
        assert b"".join(frame.payload for frame in got) == payload
        assert [(frame.opcode, frame.fin) for frame in got] == [
            (CONTINUATION if i else opcode, i == len(parts) - 1) for i in range(len(parts))]

    def run_cell(self, outputs=1):
        asked = self.ask(execute())
        self.say(status, asked, "busy")
        for _ in range(outputs):
            self.say(stream, asked)
        self.say(reply, asked)
        self.say(status, asked, "idle")

    def close(self):
        self.mine.wire.close()
        self.upstream.wire.close()
