"""A small Jupyter kernel client: REST plus one WebSocket per kernel, with the legacy JSON framing.

The quickstart and the end-to-end tests drive real kernels with it, through the proxy, through a
Jupyter server and straight to a gateway. Only the standard library and websocket-client.
"""

import http.client
import json
import ssl
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field

import websocket

UPGRADE_TIMEOUT_S = 70  # a gateway answers the handshake when the kernel is up, after 60 s at most


class KernelError(Exception):
    """A sentence for the user: what was asked, and what came instead."""


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Cell:
    """What one execute_request brought."""

    status: str = ""
    stdout: str = ""
    result: str = ""
    error: str = ""
    messages: list = field(default_factory=list, repr=False)
    seconds: float = 0.0


class Gateway:
    """Anything that speaks the Jupyter kernels API: `url` is http(s)://host:port[/prefix]."""

    def __init__(self, url, token="", ca_file=None, scheme="token"):
        self.url = url.rstrip("/")
        self.parts = urllib.parse.urlsplit(self.url)
        self.token = token
        self.scheme = scheme
        https = self.parts.scheme == "https"
        self.tls = ssl.create_default_context(cafile=ca_file) if https else None

    def headers(self):
        return {"Authorization": f"{self.scheme} {self.token}"} if self.token else {}

    def call(self, method, path, body=None, timeout=60):
        """One request on its own connection; any status is a Reply."""
        host, port = self.parts.hostname, self.parts.port
        if self.tls:
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=self.tls)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        headers = self.headers()
        data = None
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, self.parts.path + path, body=data, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        except (OSError, http.client.HTTPException) as error:
            said = error or type(error).__name__
            raise KernelError(f"{method} {self.url}{path} failed: {said}") from error
        finally:
            connection.close()

    def expect(self, status, method, path, body=None, timeout=60):
        reply = self.call(method, path, body, timeout)
        if reply.status != status:
            said = reply.body[:300].decode("utf-8", "replace")
            raise KernelError(f"{method} {path} answered {reply.status}, not {status}: {said}")
        return reply

    def specs(self):
        return self.expect(200, "GET", "/api/kernelspecs").json()

    def create(self, spec="python3", user="quickstart", timeout=400):
        body = {"name": spec, "env": {"KERNEL_USERNAME": user}}
        return self.expect(201, "POST", "/api/kernels", body, timeout).json()["id"]

    def interrupt(self, kernel):
        self.expect(204, "POST", f"/api/kernels/{kernel}/interrupt", {})

    def restart(self, kernel):
        self.expect(200, "POST", f"/api/kernels/{kernel}/restart", {})

    def delete(self, kernel):
        self.expect(204, "DELETE", f"/api/kernels/{kernel}")

    def connect(self, kernel, subprotocols=None, timeout=UPGRADE_TIMEOUT_S):
        return Channels(self, kernel, subprotocols, timeout)


class Channels:
    """The WebSocket of one kernel. receive() may raise websocket.WebSocketException."""

    def __init__(self, gateway, kernel, subprotocols=None, timeout=UPGRADE_TIMEOUT_S):
        self.session = uuid.uuid4().hex
        url = "ws" + gateway.url[4:] + f"/api/kernels/{kernel}/channels?session_id={self.session}"
        self.socket = websocket.create_connection(
            url, timeout=timeout, header=[f"{k}: {v}" for k, v in gateway.headers().items()],
            subprotocols=subprotocols, suppress_origin=True,
            sslopt={"context": gateway.tls} if gateway.tls else None,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close(timeout=2)

    def request(self, kind, content, channel="shell"):
        """Sends one message; returns its id."""
        message_id = uuid.uuid4().hex
        header = {"msg_id": message_id, "msg_type": kind, "username": "quickstart",
                  "session": self.session, "version": "5.3",
                  "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        self.socket.send(json.dumps({
            "channel": channel, "header": header, "parent_header": {}, "metadata": {},
            "content": content, "buffers": []}))
        return message_id

    def receive(self, timeout=60):
        until = time.monotonic() + timeout
        while True:  # a ping is answered by the library, and is no reason to wait longer
            self.socket.settimeout(max(0.01, until - time.monotonic()))
            opcode, data = self.socket.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise websocket.WebSocketConnectionClosedException("the WebSocket was closed")
            if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                return json.loads(data)

    def replies_to(self, message_id, timeout=60):
        """Messages whose parent is that request."""
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise KernelError(f"no answer from the kernel within {timeout} s")
            try:
                message = self.receive(left)
            except websocket.WebSocketTimeoutException:
                continue
            if message["parent_header"].get("msg_id") == message_id:
                yield message

    def execute(self, code, timeout=60, on_output=None):
        """Runs one cell. The reply and the `idle` may come in either order: waits for both."""
        begin = time.perf_counter()
        cell = Cell()
        request = self.request("execute_request", {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": False, "stop_on_error": True})
        replied = idle = False
        for message in self.replies_to(request, timeout):
            kind, content = message["msg_type"], message["content"]
            cell.messages.append(message)
            if kind == "stream":
                cell.stdout += content["text"]
                if on_output:
                    on_output(content["text"])
            elif kind == "execute_result":
                cell.result = content["data"].get("text/plain", "")
            elif kind == "error":
                cell.error = content["ename"]
            elif kind == "execute_reply":
                cell.status, replied = content["status"], True
            elif kind == "status" and content["execution_state"] == "idle":
                idle = True
            if replied and idle:
                break
        cell.seconds = time.perf_counter() - begin
        return cell

    def complete(self, code):
        request = self.request("complete_request", {"code": code, "cursor_pos": len(code)})
        for message in self.replies_to(request):
            if message["msg_type"] == "complete_reply":
                return message["content"]["matches"]
        return []
