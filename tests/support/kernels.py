"""Kernels that belong to somebody: started through the proxy, with ids of its making."""

import base64
import json
import os


def key_line(epoch=0, state="current"):
    """A line of a file of kernel-id keys."""
    return f"{epoch} {state} {base64.b64encode(os.urandom(32)).decode()}\n"


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
