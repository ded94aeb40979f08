"""WebSocket frames and the handshake's arithmetic (RFC 6455), for both sides of a test."""

import base64
import hashlib
import os
import struct
from dataclasses import dataclass

from .waiting import PATIENCE

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    masked: bool = False

    @property
    def close_code(self):
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else 1005

    @property
    def close_reason(self):
        return self.payload[2:].decode("utf-8")


def new_key():
    return base64.b64encode(os.urandom(16)).decode()


def accept_value(key):
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()


def apply_mask(payload, mask):
    count = len(payload)
    if not count:
        return b""
    stretched = (mask * (count // 4 + 1))[:count]
    value = int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")
    return value.to_bytes(count, "big")


def encode(opcode, payload=b"", fin=True, mask=None, rsv=0, length_form=None):
    """One frame. mask: four bytes or None; length_form: 0, 2 or 8 bytes, default the shortest."""
    first = (0x80 if fin else 0) | (rsv << 4) | opcode
    bit, count = (0x80 if mask is not None else 0), len(payload)
    shortest = 0 if count < 126 else 2 if count < 65536 else 8
    form = shortest if length_form is None else length_form
    if form == 0:
        header = struct.pack(">BB", first, bit | count)
    elif form == 2:
        header = struct.pack(">BBH", first, bit | 126, count)
    else:
        header = struct.pack(">BBQ", first, bit | 127, count)
    return header + payload if mask is None else header + mask + apply_mask(payload, mask)


def close_payload(code, reason=""):
    return struct.pack(">H", code) + reason.encode()


def read_frame(wire, timeout=PATIENCE, what="a WebSocket frame"):
    first, second = wire.read_exact(2, what, timeout)
    count = second & 0x7F
    if count == 126:
        count = struct.unpack(">H", wire.read_exact(2, what, timeout))[0]
    elif count == 127:
        count = struct.unpack(">Q", wire.read_exact(8, what, timeout))[0]
    mask = wire.read_exact(4, what, timeout) if second & 0x80 else None
    payload = wire.read_exact(count, f"{what} of {count} bytes", timeout)
    if mask is not None:
        payload = apply_mask(payload, mask)
    return Frame(first & 0x0F, payload, bool(first & 0x80), (first >> 4) & 7, mask is not None)


class WebSocketEnd:
    """One end of an open WebSocket: sends exactly what it is told, answers nothing by itself."""

    def __init__(self, wire, client_side, handshake=None):
        self.wire = wire
        self.client_side = client_side
        self.handshake = handshake  # the head that opened it: Response or Request

    def send(self, opcode, payload=b"", fin=True, rsv=0):
        self.wire.send(self.encode(opcode, payload, fin, rsv))

    def encode(self, opcode, payload=b"", fin=True, rsv=0):
        mask = os.urandom(4) if self.client_side else None
        return encode(opcode, payload, fin, mask, rsv)

    def send_text(self, text):
        self.send(TEXT, text.encode())

    def send_close(self, code, reason=""):
        self.send(CLOSE, close_payload(code, reason))

    def read(self, timeout=PATIENCE, what="a WebSocket frame"):
        frame = read_frame(self.wire, timeout, what)
        assert frame.masked != self.client_side, f"wrong masking: {frame}"
        return frame

    def read_text(self, timeout=PATIENCE):
        frame = self.read(timeout, "a text message")
        assert frame.opcode == TEXT and frame.fin, f"not a whole text message: {frame}"
        return frame.payload.decode()

    def read_close(self, timeout=PATIENCE):
        frame = self.read(timeout, "a Close frame")
        assert frame.opcode == CLOSE, f"not a Close: {frame}"
        return frame

    def read_to_close(self, timeout=PATIENCE):
        """The Close, behind notices and whatever else comes first."""
        while (frame := self.read(timeout, "a Close frame")).opcode != CLOSE:
            pass
        return frame

    def answer_close(self, timeout=PATIENCE):
        """As most peers do: with the same code, and no reason."""
        closing = self.read_close(timeout)
        self.send(CLOSE, closing.payload[:2])
        return closing
