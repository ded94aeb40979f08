"""Counts the instructions that looking at kernel messages adds to each of them, in Kernelgate's own
object and on the worker's thread: callgrind counts the real program with
`websocket.kernel_activity` on and off.

A client runs cells on a scripted gateway that answers each as Jupyter Enterprise Gateway does. Each
message is sent when the one before has arrived, so that every one is read by itself, in the same
order in all runs. Each count is that of a long run less that of a short one.

Called by bench/run, which has built and installed what is needed.
"""

import argparse
import base64
import contextlib
import hashlib
import itertools
import json
import os
import shutil
import socket
import ssl
import struct
import sys
import tempfile
import threading
import uuid
from collections import Counter
from pathlib import Path

import report
from callgrind import ELSEWHERE, Counted, busiest_thread
from contestants import Kernelgate, Keys
from processes import BenchError, on_signals

V1 = "v1.kernel.websocket.jupyter.org"
SHORT, LONG = 20, 120  # cells
STREAMS = 20  # lines of output in each cell
MESSAGES = STREAMS + 6  # of a cell, both ways
TEXT, BINARY = 1, 2


def header(msg_type, msg_id, session):
    """Members in the order of jupyter_client."""
    return {"msg_id": msg_id, "msg_type": msg_type, "username": "username", "session": session,
            "date": "2026-11-26T19:04:49.145328Z", "version": "5.3"}


def cell_request(number):
    """As JupyterLab writes it: (channel, message)."""
    request = {"date": "2026-11-26T19:04:48.123Z", "msg_id": str(uuid.UUID(int=number)),
               "msg_type": "execute_request", "session": "0f2c1f3e-5a36-4b7e-a4c6-0123456789ab",
               "username": "", "version": "5.2"}
    content = {"silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True,
               "stop_on_error": True, "code": f"for i in range({STREAMS}):\n    print(i)\n1 + 1"}
    return "shell", {"header": request, "parent_header": {}, "metadata": {}, "content": content}


def cell_answers(request, numbers):
    """What the gateway says to that, in order: (channel, message). Kernels number all that they
    say."""
    said = [("iopub", "status", {"execution_state": "busy"}),
            ("iopub", "execute_input", {"code": request["content"]["code"], "execution_count": 1}),
            *(("iopub", "stream", {"name": "stdout", "text": f"{i}\n"}) for i in range(STREAMS)),
            ("iopub", "execute_result",
             {"data": {"text/plain": "2"}, "metadata": {}, "execution_count": 1}),
            ("shell", "execute_reply",
             {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}),
            ("iopub", "status", {"execution_state": "idle"})]
    session = "17159c93-370eea1e5c9014717f5ca975"
    for channel, msg_type, content in said:
        yield channel, {
            "header": header(msg_type, f"{session}_{next(numbers)}", session),
            "parent_header": request["header"], "metadata": {}, "content": content}


def pack_v1(channel, message):
    parts = [channel.encode(), *(json.dumps(message[name]).encode() for name in
                                 ("header", "parent_header", "metadata", "content"))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


def pack_from_client(framing, channel, message):
    if framing == V1:
        return BINARY, pack_v1(channel, message)
    whole = {"buffers": [], "channel": channel, **message}
    return TEXT, json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


def pack_from_gateway(framing, channel, message):
    if framing == V1:
        return BINARY, pack_v1(channel, message)
    first = message["header"]
    whole = {"header": first, "msg_id": first["msg_id"], "msg_type": first["msg_type"],
             "parent_header": message["parent_header"], "metadata": message["metadata"],
             "content": message["content"], "buffers": [], "channel": channel}
    return TEXT, json.dumps(whole).encode()


def frame(opcode, payload, mask=b""):
    bit = 0x80 if mask else 0
    size = (struct.pack(">B", bit | len(payload)) if len(payload) < 126 else
            struct.pack(">BH", bit | 126, len(payload)))
    if mask:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([0x80 | opcode]) + size + mask + payload


class End:
    """One end of a connection: heads and messages."""

    def __init__(self, sock):
        sock.settimeout(60)
        self.sock, self.kept = sock, b""

    def read(self, count):
        while len(self.kept) < count:
            more = self.sock.recv(65536)
            if not more:
                raise BenchError("a connection ended")
            self.kept += more
        taken, self.kept = self.kept[:count], self.kept[count:]
        return taken

    def read_head(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        return head.decode()

    def read_message(self):
        """The payload's size; what it says is known."""
        _, second = self.read(2)
        size = second & 0x7f
        if size == 126:
            size = struct.unpack(">H", self.read(2))[0]
        self.read(size + (4 if second & 0x80 else 0))
        return size


def field(head, name):
    for line in head.split("\r\n"):
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return ""


def open_pair(port, keys, gateway, framing):
    """A WebSocket through the proxy: (client's end, gateway's end)."""
    context = ssl.create_default_context(cafile=keys.certificate)
    plain = socket.create_connection(("127.0.0.1", port))
    client = End(context.wrap_socket(plain, server_hostname="localhost"))
    token = keys.session_token_file.read_text().strip()
    offer = f"Sec-WebSocket-Protocol: {V1}\r\n" if framing == V1 else ""
    key = base64.b64encode(os.urandom(16)).decode()
    client.sock.sendall((
        f"GET /api/kernels/{uuid.uuid4()}/channels HTTP/1.1\r\nHost: localhost\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nAuthorization: token {token}\r\n{offer}\r\n").encode())
    asked = ""
    while not asked:  # health checks come as well
        sock, _ = gateway.accept()
        upstream = End(sock)
        asked = field(upstream.read_head(), "sec-websocket-key")
    magic = (asked + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
    accept = base64.b64encode(hashlib.sha1(magic).digest()).decode()
    sock.sendall((f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{offer}\r\n").encode())
    head = client.read_head()
    if not head.startswith("HTTP/1.1 101"):
        raise BenchError(f"the answer is {head.splitlines()[0]}")
    return client, upstream


def run_cells(port, keys, gateway, framing, cells):
    client, upstream = open_pair(port, keys, gateway, framing)
    numbers = itertools.count(1_000)  # it has run for a while
    with client.sock, upstream.sock:
        for number in range(cells):
            channel, request = cell_request(number)
            asked = pack_from_client(framing, channel, request)
            client.sock.sendall(frame(*asked, b"\x12\x34\x56\x78"))
            upstream.read_message()
            for channel, message in cell_answers(request, numbers):
                upstream.sock.sendall(frame(*pack_from_gateway(framing, channel, message)))
                client.read_message()


def count(options, folder, keys, gateway, framing, state):
    """Instructions per message by function, in steady state."""
    runs = []
    for cells in (SHORT, LONG):
        name = f"{'v1' if framing == V1 else 'legacy'}-{state}-{cells}"
        with Counted(name, keys, folder, gateway.getsockname()[1], activity=state,
                     by_thread=True) as proxy:
            run_cells(proxy.port, keys, gateway, framing, cells)
        runs.append(busiest_thread(proxy.out, options.kernelgate, "kg::exchange::Relay::"))
    short, long = runs
    return Counter({function: (instructions - short[function]) / (LONG - SHORT) / MESSAGES
                    for function, instructions in long.items()})


def compare(options, folder, keys, gateway, framing):
    on = count(options, folder, keys, gateway, framing, "on")
    off = count(options, folder, keys, gateway, framing, "off")
    elsewhere = on.pop(ELSEWHERE, 0), off.pop(ELSEWHERE, 0)
    total_on, total_off = sum(on.values()), sum(off.values())
    added = total_on - total_off
    print(f"{framing or 'legacy framing'}: instructions per message in "
          f"{options.kernelgate.name}'s own object, steady state\n"
          f"  off            {total_off:8.1f}\n  on             {total_on:8.1f}\n"
          f"  it adds        {added:8.1f}  {added / total_off:.1%}\n"
          f"  in other objects (OpenSSL, the C library) {elsewhere[1]:.1f} off, "
          f"{elsewhere[0]:.1f} on")
    differences = Counter({name: on[name] - off[name] for name in on.keys() | off.keys()})
    for name, value in differences.most_common(10):
        if value > 0.05:
            print(f"    {value:8.1f}  {name[:100]}")
    print()
    return {"on": total_on, "off": total_off, "share": added / total_off, "elsewhere": elsewhere,
            "functions": dict(differences.most_common()), "everything": dict(off.most_common(60))}


def main():
    parser = argparse.ArgumentParser(prog="bench/run --peek")
    parser.add_argument("--bin-dir", type=Path, required=True)
    parser.add_argument("--kernelgate", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        raise BenchError("valgrind is not installed: bench/run without --bin-dir installs it")
    Kernelgate.binary = options.kernelgate
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kernelgate-bench-")))
        keys = Keys(folder, options.kernelgate)
        gateway = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        gateway.settimeout(60)
        results = {name: compare(options, folder, keys, gateway, framing)
                   for name, framing in (("v1", V1), ("legacy", ""))}
    report.write_json(options.out, results)
    print(f"All figures: {options.out}")


if __name__ == "__main__":
    on_signals()
    try:
        main()
    except BenchError as error:
        sys.exit(f"\nbench/run: {error}")
