"""The v1.kernel.websocket.jupyter.org framing of kernel messages.

One binary message: count of offsets, offsets, channel, four JSON parts, buffers.
"""

import json

SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
PARTS = ("header", "parent_header", "metadata", "content")


def pack(channel, message, buffers=()):
    parts = [channel.encode(), *(json.dumps(message[name]).encode() for name in PARTS), *buffers]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join(n.to_bytes(8, "little") for n in [len(offsets), *offsets]) + b"".join(parts)


def unpack(data):
    """(channel, message, buffers)"""
    count = int.from_bytes(data[:8], "little")
    offsets = [int.from_bytes(data[8 * i:8 * i + 8], "little") for i in range(1, count + 1)]
    parts = [data[a:b] for a, b in zip(offsets, offsets[1:])]
    message = {name: json.loads(part) for name, part in zip(PARTS, parts[1:])}
    return parts[0].decode(), message, parts[5:]
