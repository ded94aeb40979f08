"""HTTP/1.1 messages read strictly from a Wire: what is not exactly RFC 9112 fails the test."""

import json
import re
from dataclasses import dataclass, field

from .waiting import PATIENCE

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_FIELD = re.compile(rf"({_TOKEN}):[ \t]*([\x21-\x7e\x80-\xff]?(?:[\t\x20-\x7e\x80-\xff]*"
                    r"[\x21-\x7e\x80-\xff])?)[ \t]*")
_STATUS_LINE = re.compile(r"HTTP/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
_REQUEST_LINE = re.compile(rf"({_TOKEN}) ([\x21-\x7e]+) HTTP/1\.1")


@dataclass
class Message:
    head: bytes = b""
    headers: list = field(default_factory=list)  # (name, value) as sent, in order
    body: bytes = b""
    body_on_wire: bytes = b""  # with its framing

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else default

    def has(self, name):
        return bool(self.all(name))

    def json(self):
        return json.loads(self.body)


@dataclass
class Request(Message):
    method: str = ""
    target: str = ""


@dataclass
class Response(Message):
    status: int = 0
    reason: str = ""
    interim: list = field(default_factory=list)  # 1xx responses that came before
    until_close: bool = False


def parse_head(head, line_pattern):
    text = head.decode("latin-1")
    assert text.endswith("\r\n\r\n")
    lines = text[:-4].split("\r\n")
    match = line_pattern.fullmatch(lines[0])
    assert match, f"not a valid first line: {lines[0]!r}"
    headers = []
    for line in lines[1:]:
        parsed = _FIELD.fullmatch(line)
        assert parsed, f"not a valid field line: {line!r}"
        headers.append((parsed[1], parsed[2]))
    return match, headers


def read_request_head(wire, timeout=PATIENCE):
    head = wire.read_until(b"\r\n\r\n", "a request head", timeout)
    match, headers = parse_head(head, _REQUEST_LINE)
    return Request(head=head, headers=headers, method=match[1], target=match[2])


def read_response_head(wire, timeout=PATIENCE):
    """The final head, with the interim ones before it. A 101 is final."""
    interim = []  # of the final one alone
    while True:
        head = wire.read_until(b"\r\n\r\n", "a response head", timeout)
        match, headers = parse_head(head, _STATUS_LINE)
        response = Response(head=head, headers=headers, status=int(match[1]), reason=match[2])
        if response.status >= 200 or response.status == 101:
            response.interim = interim
            return response
        interim.append(response)


def read_body(wire, message, allow_until_close=False, timeout=PATIENCE):
    """Fills message.body by the message's framing; both framings at once fail."""
    coding, length = message.get("Transfer-Encoding"), message.get("Content-Length")
    assert coding is None or length is None, "Content-Length beside Transfer-Encoding"
    if coding is not None:
        assert coding == "chunked", coding
        _read_chunks(wire, message, timeout)
    elif length is not None:
        assert re.fullmatch(r"[0-9]+", length), length
        message.body = wire.read_exact(int(length), f"a body of {length} bytes", timeout)
        message.body_on_wire = message.body
    elif allow_until_close:
        message.until_close = True
        message.body = wire.read_to_end("a body that ends with the connection", timeout)
    return message


def _read_chunks(wire, message, timeout):
    body, raw = bytearray(), bytearray()
    while True:
        line = wire.read_until(b"\r\n", "a chunk size", timeout)
        assert re.fullmatch(rb"[0-9A-Fa-f]+\r\n", line), f"not a chunk size: {line!r}"
        size = int(line, 16)
        chunk = wire.read_exact(size + 2, f"a chunk of {size} bytes", timeout)
        assert chunk.endswith(b"\r\n"), f"chunk does not end in CRLF: {chunk[-20:]!r}"
        body += chunk[:-2]
        raw += line + chunk
        if size == 0:
            break
    message.body, message.body_on_wire = bytes(body), bytes(raw)


def has_no_body(method, status):
    return method == "HEAD" or status in (101, 204, 304)


def read_response(wire, method="GET", timeout=PATIENCE):
    response = read_response_head(wire, timeout)
    if has_no_body(method, response.status):
        return response
    return read_body(wire, response, allow_until_close=True, timeout=timeout)


def build_request(method, target, headers=(), body=b"", version="HTTP/1.1"):
    """Bytes of a request, exactly as given; Content-Length is added when there is a body."""
    lines = [f"{method} {target} {version}"]
    lines += [f"{name}: {value}" for name, value in headers]
    names = [name.lower() for name, _ in headers]
    if body and "content-length" not in names and "transfer-encoding" not in names:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*chunks):
    """Chunks framed, with the last one."""
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
