"""A crowd of idle WebSockets as a program of its own, which tells when their Close frames came.

  python3 -m support.crowd PORT CA HOST TARGET WEBSOCKETS

Reads its token from stdin, speaks in JSON lines on stdout: {"open": N}, then, once every WebSocket
was closed, {"closed": N, "codes": {code: count}, "last": when, as time.monotonic()}.
"""

import json
import selectors
import socket
import ssl
import sys
import time

from . import frames
from .raw_client import client_context

PATIENCE_SECONDS = 60


def open_one(port, context, host, target, token):
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    wire = context.wrap_socket(plain, server_hostname=host)
    key = frames.new_key()
    wire.sendall((
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: token {token}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = wire.recv(4096)
        assert piece, f"no 101, but {head}"
        head += piece
    assert head.startswith(b"HTTP/1.1 101 "), head
    wire.setblocking(False)
    return wire


def close_code_of(wire):
    """The code of the Close frame that came; None if nothing but TLS's own did."""
    try:
        data = wire.recv(4096)
    except ssl.SSLWantReadError:
        return None
    assert data[:1] == b"\x88", f"not a Close: {data[:80]}"
    return int.from_bytes(data[2:4], "big")


def main():
    port, ca, host, target, count = sys.argv[1:6]
    token = sys.stdin.readline().strip()
    context = client_context(ca)
    selector = selectors.DefaultSelector()
    for _ in range(int(count)):
        wire = open_one(int(port), context, host, target, token)
        selector.register(wire, selectors.EVENT_READ)
    print(json.dumps({"open": int(count)}), flush=True)
    codes, last = {}, 0.0
    while selector.get_map():
        ready = selector.select(PATIENCE_SECONDS)
        assert ready, f"{len(selector.get_map())} WebSockets are still open"
        last = time.monotonic()
        for key, _ in ready:
            code = close_code_of(key.fileobj)
            if code is None:
                continue
            codes[code] = codes.get(code, 0) + 1
            selector.unregister(key.fileobj)  # closed with the process: it would take time here
    print(json.dumps({"closed": int(count), "codes": codes, "last": last}), flush=True)


if __name__ == "__main__":
    main()
