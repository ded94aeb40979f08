"""What tests of lost gateways share."""

import json

from .frames import BINARY, TEXT
from .stage import CHANNELS

V1 = "v1.kernel.websocket.jupyter.org"
SESSION = CHANNELS + "?session_id=notebook-1"
GAPS = "kernelgate_websocket_gaps_total"
TRIES = "kernelgate_websocket_reconnect_tries_total"
HELD = "kernelgate_websocket_messages_held_total"


def reconnecting(make_stage, window="10s", **options):
    return make_stage(endpoint={"gateway": {"websocket_reconnect": window}}, **options)


def rejoin(stage, protocol=None, **options):
    """The proxy's next handshake, accepted."""
    return stage.gateway.next_call().accept_websocket(protocol, **options)


def expect_goodbye(mine, code, word):
    closing = mine.read_close()
    assert closing.close_code == code and word in closing.close_reason, closing
    mine.send_close(code)
    mine.wire.expect_end("close")
    mine.wire.close()


def message_of(frame):
    """Type and content of a message on iopub that belongs to no request, whichever its framing."""
    if frame.opcode == TEXT:
        message = json.loads(frame.payload)
        assert message["channel"] == "iopub" and message["parent_header"] == {}
        return message["header"]["msg_type"], message["content"]
    numbers = [int.from_bytes(frame.payload[at:at + 8], "little") for at in range(0, 56, 8)]
    assert frame.opcode == BINARY and numbers[0] == 6 and numbers[6] == len(frame.payload)
    parts = [frame.payload[a:b] for a, b in zip(numbers[1:], numbers[2:])]
    assert parts[0] == b"iopub" and parts[2] == b"{}"
    return json.loads(parts[1])["msg_type"], json.loads(parts[4])
