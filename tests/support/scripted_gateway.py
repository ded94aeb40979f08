"""ScriptedGateway: a kernel gateway that does only what the test tells it, and keeps every byte.

Two ways to use it. Driven by the test thread: next_call() accepts and reads one request, the test
answers it as it likes (well, late, wrongly, not at all). Or on its own: serve(answer) runs
answer(call) for every request in a thread per connection.
"""

import socket
import ssl
import threading
import time

from . import frames
from .http_text import chunked, has_no_body, read_body, read_request_head
from .tls_socket import TlsSocket
from .waiting import PATIENCE, GaveUp
from .wire import Ended, Wire

_REASONS = {100: "Continue", 101: "Switching Protocols", 103: "Early Hints", 200: "OK",
            201: "Created", 204: "No Content", 302: "Found", 304: "Not Modified",
            401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
            500: "Internal Server Error", 503: "Service Unavailable"}


class Call:
    """One request that arrived, and the connection to answer on."""

    def __init__(self, wire, request):
        self.wire = wire
        self.wire.busy = True  # next_call() leaves the connection alone until done()
        self.request = request

    def done(self):
        """The exchange is over, the next bytes are the next request. reply() calls it."""
        self.wire.busy = False

    def read_body(self, timeout=PATIENCE):
        read_body(self.wire, self.request, timeout=timeout)
        return self.request.body

    def reply(self, status=200, body=b"", headers=(), framing="length"):
        """framing: length, chunked (one chunk), close, or none (as the status wants)."""
        if has_no_body(self.request.method, status) or status < 200:
            framing = "none"
        self.wire.send(response_bytes(status, body, headers, framing))
        if framing == "close":
            self.wire.close()
        if status >= 200:
            self.done()

    def reply_json(self, text, status=200, headers=()):
        self.reply(status, text.encode(), [("Content-Type", "application/json"), *headers])

    def accept_websocket(self, protocol=None, accept=None, headers=(), then=b""):
        """Answers 101, `then` in the same write, and gives the gateway's end of the WebSocket."""
        value = accept or frames.accept_value(self.request.get("Sec-WebSocket-Key"))
        fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                  ("Sec-WebSocket-Accept", value), *headers]
        if protocol is not None:
            fields.append(("Sec-WebSocket-Protocol", protocol))
        self.wire.send(response_bytes(101, b"", fields, "none") + then)
        return frames.WebSocketEnd(self.wire, client_side=False, handshake=self.request)


def response_bytes(status, body=b"", headers=(), framing="length"):
    fields = [*headers]
    if framing == "length":
        fields.append(("Content-Length", str(len(body))))
    elif framing == "chunked":
        fields.append(("Transfer-Encoding", "chunked"))
        body = chunked(body) if body else chunked()
    elif framing == "none":
        body = b""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Something')}"]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class ScriptedGateway:
    def __init__(self, listening=True, receive_buffer=None, tls=None, port=0,
                 address="127.0.0.1"):
        """listening=False refuses connections (the port stays ours). receive_buffer: bytes, small
        for tests of backpressure. tls: the ssl.SSLContext of a gateway that speaks TLS. port: one
        that the caller keeps (replicas.py). address: of this machine."""
        self.address = address
        self.listener = socket.socket()
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if port:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.port = self.listener.getsockname()[1]
        self.tls = tls
        self.handshake_errors = []  # ssl errors of handshakes that failed; their wires stay silent
        self.wires = []  # every connection that was ever accepted
        self.requests = []  # every request head that was ever read
        self._lock = threading.Lock()
        self._thread = None
        self._stopping = False
        if listening:
            self.start_listening()

    def start_listening(self):
        self.listener.listen(1024)

    # ---- driven by the test ----

    def accept(self, timeout=PATIENCE):
        """The next connection, whatever comes on it."""
        self.listener.settimeout(timeout)
        try:
            sock, _ = self.listener.accept()
        except TimeoutError:
            raise GaveUp(f"gateway: waited {timeout:g} s for a connection")
        return self._adopt(sock)

    def _adopt(self, sock):
        if self.tls:
            sock = self._shake_hands(sock)
        wire = Wire(sock, f"gateway connection {len(self.wires) + 1}")
        wire.busy = False
        with self._lock:
            self.wires.append(wire)
        return wire

    def _shake_hands(self, sock):
        sock.settimeout(PATIENCE)
        secured = TlsSocket(sock, self.tls, server_side=True)
        try:
            secured.handshake()
        except (ssl.SSLError, OSError) as error:
            self.handshake_errors.append(error)
            secured.close()
        return secured

    def next_call(self, timeout=PATIENCE, body=True):
        """The next request on any connection, new or open; body=False leaves its body unread."""
        deadline = time.monotonic() + timeout
        never = threading.Event()
        while True:
            for wire in self.wires:
                if not wire.busy and wire.fileno() >= 0 and not wire.ended and wire.readable():
                    call = self._read_call(wire, body)
                    if call:
                        return call
            self.listener.settimeout(0)
            try:
                self._adopt(self.listener.accept()[0])
                continue
            except BlockingIOError:
                pass
            if time.monotonic() > deadline:
                raise GaveUp(f"gateway: waited {timeout:g} s for a request; saw "
                             f"{[(r.method, r.target) for r in self.requests]}")
            never.wait(0.001)

    def _read_call(self, wire, body):
        """None if the connection ended instead."""
        try:
            request = read_request_head(wire)
        except Ended:
            return None
        with self._lock:
            self.requests.append(request)
        call = Call(wire, request)
        if body:
            call.read_body()
        return call

    def accept_waiting(self):
        """Takes every connection that is already there; all connections so far."""
        self.listener.settimeout(0)
        while True:
            try:
                self._adopt(self.listener.accept()[0])
            except OSError:  # none waits, or the listener is closed
                return self.wires

    def assert_untouched(self):
        """No connection ever came."""
        self.accept_waiting()
        seen = [bytes(wire.received) for wire in self.wires]
        assert not seen, f"the gateway was contacted: {seen}"

    # ---- on its own ----

    def serve(self, answer, body=True):
        """From now on every request is answered by answer(call), in a thread per connection."""
        self._thread = threading.Thread(target=self._serve, args=(answer, body), daemon=True)
        self._thread.start()
        return self

    def _serve(self, answer, body):
        while not self._stopping:
            self.listener.settimeout(0.2)
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            wire = self._adopt(sock)
            threading.Thread(target=self._serve_one, args=(wire, answer, body), daemon=True).start()

    def _serve_one(self, wire, answer, body):
        try:
            while not self._stopping:
                wire.sock.settimeout(3600)
                request = read_request_head(wire, timeout=3600)
                with self._lock:
                    self.requests.append(request)
                call = Call(wire, request)
                if body:
                    call.read_body()
                answer(call)
        except (Ended, OSError, ValueError, GaveUp):
            pass  # the connection ended, or the test closed it
        finally:
            wire.close()

    # ---- its end ----

    def stop_listening(self):
        """New connections are refused; open ones stay."""
        self.listener.close()

    def kill(self):
        """What the death of the process does: every connection is cut, new ones are refused."""
        self._stopping = True
        self.listener.close()
        for wire in self.wires:
            if wire.fileno() >= 0:
                wire.reset()

    def close(self):
        self._stopping = True
        self.listener.close()
        for wire in self.wires:
            wire.close()
        if self._thread:
            self._thread.join(PATIENCE)
