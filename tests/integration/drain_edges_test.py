"""A drain meets connections in the middle of their own beginning or end."""

import signal
import socket

from support.tls_socket import TlsSocket
from support.waiting import wait_until


def test_a_gateways_close_is_not_followed_by_ours(make_stage):
    stage = make_stage(config={"drain": {"lame_duck": "0s", "deadline": "8s"}})
    mine, upstream = stage.websocket()
    upstream.send_close(1000, "bye")
    assert mine.read_close().close_code == 1000
    stage.proxy.signal(signal.SIGTERM)
    mine.wire.expect_end("close")
    assert stage.proxy.wait_exit() == 0
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["close_code"], line["closed_by"]) == (1000, "upstream")


def test_a_connection_in_its_handshake_does_not_hold_it_up(make_stage):
    stage = make_stage(config={"drain": {"lame_duck": "0s", "deadline": "60s"}})
    raw = stage.closes(socket.create_connection(("127.0.0.1", stage.proxy.port)))
    raw.settimeout(10)
    stage.proxy.wait_metric("kernelgate_connections_open", 1)
    stage.proxy.signal(signal.SIGTERM)

    def refused():
        try:
            socket.create_connection(("127.0.0.1", stage.proxy.port)).close()
        except OSError:
            return True
        return False

    wait_until(refused, "the listener to close")
    tls = TlsSocket(raw, stage.context, server_hostname="ep.test")
    tls.handshake()
    assert tls.recv(1) == b"" and tls.end_kind == "close"
    assert stage.proxy.wait_exit() == 0
