"""Bodies far larger than memory bounds stream both ways, by plain HTTP and by TLS to the gateway:
a receiver that waits holds the sender up, and the proxy's memory stays where it was."""

import os
import re
import ssl
import threading
from pathlib import Path

import pytest

from support.http_text import build_request, read_response_head
from support.proxy_process import sanitized
from support.scripted_gateway import ScriptedGateway
from support.waiting import wait_until

MIB = 1024 * 1024
SIZE = 256 * MIB
BLOCK = os.urandom(MIB)
MEMORY = 4 * MIB


@pytest.fixture(params=["plain", "tls"])
def large_stage(make_stage, workshop, request):
    endpoint = {"other_paths": "forward"}
    context = None
    if request.param == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, workshop.keyring.server_certificate("jeg.test")))
        endpoint["gateway"] = {"tls": {"ca_file": str(workshop.keyring.ca),
                                       "server_name": "jeg.test"}}
    return make_stage(gateway=ScriptedGateway(receive_buffer=65536, tls=context),
                      endpoint=endpoint)


class Peak:
    """The most memory that the proxy had since this was made."""

    def __init__(self, stage):
        self.process = Path(f"/proc/{stage.proxy.pid}")
        self.before = stage.proxy.rss()
        (self.process / "clear_refs").write_text("5")  # proc(5): the peak begins anew

    def assert_bounded(self):
        if sanitized():
            return
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", (self.process / "status").read_text())[1])
        grown = peak * 1024 - self.before
        assert grown < MEMORY, f"{grown} bytes more for a body of {SIZE}"


def in_kernel(*ports):
    """Bytes in the socket queues of connections with these ports. Those buffers grow by themselves
    (tcp_rmem, tcp_wmem), so that what a proxy takes says little of what it keeps."""
    held = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if {int(end.split(":")[1], 16) for end in (local, remote)} & set(ports):
            held += sum(int(queue, 16) for queue in queues.split(":"))
    return held


class Sending(threading.Thread):
    """SIZE bytes to a wire, by a thread."""

    def __init__(self, wire):
        super().__init__(daemon=True)
        self.wire, self.sent = wire, 0
        wire.keep_record = False
        self.start()

    def run(self):
        while self.sent < SIZE:
            self.wire.send(BLOCK, timeout=120)
            self.sent += MIB

    def wait_held_up(self, stage):
        """Until it has not moved for 40 looks in a row, and the proxy itself holds little."""
        seen = [-1, 0]

        def probe():
            seen[1] = seen[1] + 1 if self.sent == seen[0] else 0
            seen[0] = self.sent
            return seen[1] >= 40

        wait_until(probe, lambda: f"the sender to be held up; it is at {self.sent}")
        held = self.sent - in_kernel(stage.proxy.port, stage.gateway.port)
        assert held < MEMORY, f"{held} of {self.sent} bytes held for a receiver that reads nothing"


def receive(wire):
    left, at = SIZE, 0
    while left:
        piece = wire.read_some("the body", limit=min(left, MIB - at), timeout=120)
        assert piece == BLOCK[at:at + len(piece)], f"{SIZE - left} bytes in"
        left -= len(piece)
        at = (at + len(piece)) % MIB


def test_256_mib_up(large_stage):
    stage = large_stage
    client = stage.connect(keep_record=False)
    client.send_request("GET", "/warm", token=stage.token())
    stage.gateway.next_call().reply(200)
    assert client.read_response().status == 200
    peak = Peak(stage)
    client.send(build_request("POST", "/big", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
        ("Content-Length", str(SIZE))]))
    sending = Sending(client)
    call = stage.gateway.next_call(body=False)
    call.wire.keep_record = False
    sending.wait_held_up(stage)
    receive(call.wire)
    sending.join(30)
    peak.assert_bounded()
    call.reply(200, b"all of it")
    assert client.read_response().body == b"all of it"
    assert stage.proxy.wait_log(path="/big")["bytes_in"] == SIZE


def test_256_mib_down(large_stage):
    stage = large_stage
    client = stage.connect(receive_buffer=65536, keep_record=False)
    client.send_request("GET", "/warm", token=stage.token())
    stage.gateway.next_call().reply(200)
    assert client.read_response().status == 200
    peak = Peak(stage)
    client.send_request("GET", "/big", token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    sending = Sending(call.wire)
    read_response_head(client)
    sending.wait_held_up(stage)
    receive(client)
    sending.join(30)
    peak.assert_bounded()
    assert stage.proxy.wait_log(path="/big")["bytes_out"] == SIZE
