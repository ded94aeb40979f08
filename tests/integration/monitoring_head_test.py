"""HEAD on the monitoring address, as raw bytes: clients of a library would hide a body."""

import socket

import pytest

from support.wire import Wire


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nothing"])
def test_head_has_no_body(stage, path):
    wire = stage.closes(Wire(socket.create_connection(
        ("127.0.0.1", stage.proxy.monitoring_port)), "monitoring"))
    wire.send(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b"\r\nContent-Length: " in wire.read_until(b"\r\n\r\n", "the head")
    assert wire.read_to_end() == b""
