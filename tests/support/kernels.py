"""Kernels that belong to somebody: started through the proxy, with ids of its making."""

import base64
import hashlib
import hmac
import json
import os
import struct
import uuid

from . import tokens


def key_line(epoch=0, state="current"):
    """A line of a file of kernel-id keys."""
    return f"{epoch} {state} {base64.b64encode(os.urandom(32)).decode()}\n"


def mint(keys_line, pod, endpoint="ep", subject="alice", realm=tokens.ISSUER):
    """An id as the proxy would make it for a kernel on that pod (proxy/kernel/kernel_id.h), by a
    line of key_line()."""
    epoch, _, secret = keys_line.split()

    def prf(use, text):
        key = hmac.digest(base64.b64decode(secret), b"kernelgate kernel id " + use, "sha256")
        return int.from_bytes(hmac.digest(key, text, "sha256")[:4], "big")

    def counted(text):
        return struct.pack(">I", len(text)) + text.encode()

    tag = hashlib.sha256(pod.encode()).digest()[:3]
    nonce = int.from_bytes(os.urandom(4), "big") >> 1
    place = tag + struct.pack(">I", nonce)
    owner = prf(b"owner", counted(endpoint) + b"\x01" + counted(realm) + counted(subject) + place)
    made = prf(b"mint", counted(endpoint) + bytes([int(epoch)]) + place + struct.pack(">I", owner))
    free = (int(epoch) << 119 | int.from_bytes(tag, "big") << 95 | nonce << 64 | owner << 32 | made)
    high, low = free >> 62, free & ((1 << 62) - 1)
    return str(uuid.UUID(int=(high >> 12) << 80 | 4 << 76 | (high & 0xFFF) << 64 | 2 << 62 | low))


def create(stage, subject="alice", returned=None, **options):
    """A kernel of that user: the id that the proxy gave it. `returned`: the gateway's answer names
    another one."""
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b'{"name": "python3"}',
                        token=stage.token(subject=subject, **options))
    call = stage.gateway.next_call()
    kernel = json.loads(call.request.body)["env"]["KERNEL_ID"]
    said = returned or kernel
    call.reply_json(json.dumps({"id": said}), 201, [("Location", f"/api/kernels/{said}")])
    assert client.read_response().status == 201
    return kernel
