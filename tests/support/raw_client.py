"""RawClient: a TLS client that sends exactly what the test says and reads answers strictly."""

import socket
import ssl

from . import frames
from .http_text import build_request, read_response, read_response_head
from .tls_socket import TlsSocket
from .waiting import PATIENCE
from .wire import Wire


def client_context(ca, minimum=None, maximum=None, alpn=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(ca))
    context.check_hostname = False  # tests look at the certificate themselves
    # Python sets it: a connection cut without close_notify would look like a closed one.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class RawClient(Wire):
    """A connection after its handshake. `host` is the default Host (and, by default, the SNI)."""

    def __init__(self, port, context, host="ep.test", sni="host", session=None,
                 receive_buffer=None, keep_record=True, timeout=PATIENCE, source=None):
        raw = socket.socket()
        if source:  # any address of 127.0.0.0/8
            raw.bind((source, 0))
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(timeout)
        raw.connect(("127.0.0.1", port))
        name = host if sni == "host" else sni
        tls = TlsSocket(raw, context, server_hostname=name, session=session)
        super().__init__(tls, "client", keep_record)
        self.host = host
        self.address = "%s:%d" % raw.getsockname()
        tls.handshake()

    @property
    def tls(self):
        return self.sock.tls

    def send_request(self, method, target, headers=(), body=b"", token=None, host=None):
        """One request with Host; token adds Authorization: token TOKEN."""
        fields = [("Host", host or self.host)]
        if token:
            fields.append(("Authorization", f"token {token}"))
        self.send(build_request(method, target, [*fields, *headers], body))

    def read_response(self, method="GET", timeout=PATIENCE):
        return read_response(self, method, timeout)

    def exchange(self, method, target, headers=(), body=b"", token=None, host=None):
        """For answers that need nobody else: sends and reads."""
        self.send_request(method, target, headers, body, token, host)
        return self.read_response(method)

    def send_upgrade(self, target, headers=(), token=None, protocols=None, key=None, version="13",
                     then=b"", host=None):
        """The opening handshake's request, `then` in the same write. Returns the key."""
        key = key or frames.new_key()
        fields = [("Host", host or self.host), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                  ("Sec-WebSocket-Key", key), ("Sec-WebSocket-Version", version)]
        if token:
            fields.append(("Authorization", f"token {token}"))
        if protocols:
            fields.append(("Sec-WebSocket-Protocol", ", ".join(protocols)))
        self.send(build_request("GET", target, [*fields, *headers]) + then)
        return key

    def read_upgrade(self, key, timeout=PATIENCE):
        """The client's end after a valid 101."""
        response = read_response_head(self, timeout)
        assert response.status == 101, f"not upgraded: {response}"
        assert response.get("Upgrade", "").lower() == "websocket", response
        assert response.get("Connection", "").lower() == "upgrade", response
        assert response.get("Sec-WebSocket-Accept") == frames.accept_value(key), response
        assert not response.has("Content-Length") and not response.has("Transfer-Encoding")
        return frames.WebSocketEnd(self, client_side=True, handshake=response)
