"""An open WebSocket lives as long as its session: told before, closed after, renewed in place."""

import json
import signal
import time

import pytest

from support import tokens
from support.certificates import openssl
from support.frames import BINARY, CONTINUATION, TEXT
from support.scripted_service import ScriptedService
from support.stage import CHANNELS, PLAIN

V1 = "v1.kernel.websocket.jupyter.org"
EXPIRED = "kernelgate_websockets_expired_total"
RENEWED = "kernelgate_websockets_renewed_total"


def session(stage, seconds, **changes):
    """A token that ends so many seconds from now, and when exactly (time.time())."""
    claims = tokens.claims("ep", seconds=seconds, **changes)
    return tokens.forge(stage.workshop.keyring.session_key, claims), claims["exp"]


def open_websocket(stage, token, protocol=None):
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, (), token, [protocol] if protocol else None)
    upstream = stage.gateway.next_call().accept_websocket(protocol)
    return client.read_upgrade(key), upstream


def text_of(frame):
    """What a notebook shows of a notice, whichever its framing is."""
    assert frame.fin and frame.rsv == 0
    if frame.opcode == TEXT:
        message = json.loads(frame.payload)
        assert message["channel"] == "iopub"
        header, content = message["header"], message["content"]
    else:
        assert frame.opcode == BINARY
        numbers = [int.from_bytes(frame.payload[at:at + 8], "little") for at in range(0, 56, 8)]
        assert numbers[0] == 6 and numbers[6] == len(frame.payload)
        parts = [frame.payload[a:b] for a, b in zip(numbers[1:], numbers[2:])]
        assert parts[0] == b"iopub"
        header, content = json.loads(parts[1]), json.loads(parts[4])
    assert header["msg_type"] == "stream" and content["name"] == "stderr"
    return content["text"]


@pytest.mark.parametrize("protocol", [None, V1])
def test_the_user_is_told_twice_and_the_socket_closes_after_the_grace(make_stage, protocol):
    stage = make_stage(endpoint={"session_rules": {"expiry_grace": "1s"}})
    token, end = session(stage, 3)
    mine, upstream = open_websocket(stage, token, protocol)
    first = text_of(mine.read())
    assert end - 1.1 < time.time() < end, "two thirds of the lifetime"
    assert time.strftime("session ends at %Y-%m-%d %H:%M:%S UTC", time.gmtime(end)) in first
    assert "JUPYTER_GATEWAY_AUTH_TOKEN" in first
    assert time.strftime("closes at %Y-%m-%d %H:%M:%S UTC", time.gmtime(end + 1)) in text_of(
        mine.read())
    close = mine.read_close()
    late = time.time() - (end + 1)
    assert 0 <= late < 1, f"closed {late:.2f} s after expiry and grace"
    assert (close.close_code, close.close_reason) == (
        1008, "The session token has expired. Get a new session token and reconnect.")
    assert upstream.read_close().close_code == 1008
    stage.moved(EXPIRED)
    stage.moved("kernelgate_notices_said_total", by=2)
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["error"], line["closed_by"], line["close_code"]) == (
        "session_expired", "proxy", 1008)
    assert f"(request {line['request_id']})" in first



def test_a_notice_waits_for_the_end_of_a_fragmented_message(make_stage):
    stage = make_stage(endpoint={"session_rules": {"expiry_grace": "0s"}})
    token, end = session(stage, 4)
    mine, upstream = open_websocket(stage, token)
    upstream.send(TEXT, b"one ", fin=False)
    assert mine.read().payload == b"one "
    mine.wire.expect_open_and_silent(end - 0.9 - time.time())  # beyond the first notice
    upstream.send(CONTINUATION, b"two", fin=True)
    assert mine.read().payload == b"two"
    assert "session ends" in text_of(mine.read())
    upstream.send_text("next")
    assert mine.read().payload == b"next"


@pytest.mark.parametrize("protocol", [None, V1])
def test_a_notice_stands_in_the_output_of_the_cell_that_runs(make_stage, protocol):
    """Notebooks show what a message's parent leads them to, so the notice waits for a cell."""
    stage = make_stage(endpoint={"session_rules": {"expiry_grace": "1s"}})
    token, end = session(stage, 3)
    mine, upstream = open_websocket(stage, token, protocol)
    cell = {"msg_id": "cell-1", "msg_type": "execute_request", "session": "notebook"}
    told = None
    while told is None:
        upstream.send(BINARY if protocol else TEXT, output_of(cell, protocol))
        frame = mine.read()
        while b"kernelgate" not in frame.payload:
            if not mine.wire.arrived(0.1):
                break
            frame = mine.read()
        else:
            told = frame
    assert time.time() < end - 0.6, "at once, a cell runs"
    assert "session ends" in text_of(told)
    assert b'"cell-1"' in told.payload


def output_of(cell, protocol):
    message = {"header": {"msg_id": "m", "msg_type": "stream"}, "parent_header": cell,
               "metadata": {}, "content": {"name": "stdout", "text": "tick"}}
    if not protocol:
        return json.dumps({**message, "channel": "iopub", "buffers": []}).encode()
    parts = [b"iopub", *(json.dumps(part).encode() for part in message.values())]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join(n.to_bytes(8, "little") for n in [len(offsets), *offsets]) + b"".join(parts)


def test_a_close_does_not_wait_for_the_end_of_a_fragmented_message(make_stage):
    stage = make_stage(endpoint={"session_rules": {"expiry_grace": "0s"}})
    token, _ = session(stage, 2)
    mine, upstream = open_websocket(stage, token)
    upstream.send(TEXT, b"one ", fin=False)
    assert mine.read().payload == b"one "
    assert mine.read_close().close_code == 1008
    stage.moved("kernelgate_notices_unsaid_total", by=2)


def test_who_was_closed_is_not_heard_any_more(make_stage):
    stage = make_stage(endpoint={"session_rules": {"expiry_grace": "0s"}})
    token, _ = session(stage, 3)
    mine, upstream = open_websocket(stage, token)
    while mine.read().opcode != 8:
        pass
    mine.send_text("one more cell")
    assert upstream.read_close().close_code == 1008
    upstream.wire.expect_end()


def test_a_fresher_session_of_the_same_user_renews_all_sockets_in_place(make_stage):
    stage = make_stage(endpoint={"session_rules": {"expiry_grace": "1s"}}, config={"workers": 2})
    token, end = session(stage, 4)
    pairs = [open_websocket(stage, token) for _ in range(6)]
    other, _ = open_websocket(stage, session(stage, 4, sub="bob")[0])
    fresh, _ = session(stage, 600)
    client = stage.connect()
    client.send_request("GET", PLAIN, token=fresh)
    stage.gateway.next_call().reply_json("[]")
    assert client.read_response().status == 200
    stage.moved(RENEWED, by=6)
    while other.read().opcode != 8:
        pass
    assert time.time() >= end + 1, "the other user's ended as it should"
    for mine, upstream in pairs:
        mine.send_text("still here")
        assert upstream.read_text() == "still here"
        upstream.send_text("so am I")
        assert mine.read_text() == "so am I"
    stage.moved(EXPIRED)


def test_keep_tells_once_counts_and_closes_nothing(make_stage):
    stage = make_stage(endpoint={"session_rules": {"on_expiry": "keep"}})
    mine, upstream = open_websocket(stage, session(stage, 2)[0])
    assert "stays open" in text_of(mine.read())
    stage.moved("kernelgate_websockets_kept_total")
    stage.proxy.wait_for_stderr("stays open although its session has ended", "the log line")
    upstream.send_text("on")
    assert mine.read_text() == "on"
    stage.unmoved(EXPIRED)


def test_a_lifetime_ends_a_socket_whose_session_goes_on(make_stage):
    stage = make_stage(endpoint={"session_rules": {"max_lifetime": "2s"}})
    mine, _ = open_websocket(stage, session(stage, 600)[0])
    assert "as long as it may" in text_of(mine.read())
    text_of(mine.read())
    assert mine.read_close().close_code == 1012
    assert stage.proxy.wait_log(operation="ConnectKernel")["error"] == "lifetime_over"


def test_a_session_that_ended_while_the_gateway_held_its_101_ends_the_socket(make_stage):
    stage = make_stage(endpoint={"session_rules": {"expiry_grace": "0s"}})
    token, end = session(stage, 3)
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, (), token)
    call = stage.gateway.next_call()
    client.expect_open_and_silent(end + 0.2 - time.time())
    call.accept_websocket()
    assert client.read_upgrade(key).read_close().close_code == 1008


def test_a_reload_judges_open_sockets_by_the_rules_of_now(make_stage):
    stage = make_stage()
    role = "arn:aws:iam::111122223333:role/"
    mine, upstream = open_websocket(stage, session(stage, 600, role=role + "before")[0])
    other, others_upstream = open_websocket(stage, session(stage, 600, sub="bob")[0])
    stage.proxy.config["endpoints"][0]["execution_role_arn"] = role + "after"
    stage.proxy.write_config()
    stage.proxy.signal(signal.SIGHUP)
    assert mine.read_close(timeout=20).close_code == 1008
    assert upstream.read_close().close_code == 1008
    assert stage.proxy.wait_log(operation="ConnectKernel")["error"] == "forbidden"
    others_upstream.send_text("not concerned")
    assert other.read_text() == "not concerned"


def test_a_withdrawn_key_ends_the_sockets_that_it_signed(make_stage, tmp_path):
    jwks = tmp_path / "jwks.json"
    stage = make_stage(start=False)
    jwks.write_text(stage.workshop.jwks.read_text())
    stage.proxy.config["endpoints"][0]["sessions"]["jwt"]["keys_file"] = str(jwks)
    stage.start()
    mine, _ = open_websocket(stage, session(stage, 600)[0])
    key = tmp_path / "other.pem"
    key.write_bytes(openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                            "ec_paramgen_curve:P-256"))
    key.chmod(0o600)
    jwks.write_text(tokens.public_jwks(key))
    stage.proxy.signal(signal.SIGHUP)
    close = mine.read_close(timeout=30)
    assert (close.close_code, close.close_reason.split(".")[0]) == (
        1008, "The session was revoked")
    stage.moved("kernelgate_websockets_revoked_total")


def test_a_service_that_decides_is_asked_again_while_the_socket_is_open(make_stage, workshop):
    service = ScriptedService(workshop.keyring)
    service.says_status(200, [("X-Auth-User", "alice")])
    link = {"url": service.url("/check"), "ca_file": str(workshop.keyring.ca),
            "subject_header": "X-Auth-User", "cache": "1s"}
    stage = make_stage(endpoint={"sessions": {"authenticators": [{"delegated": link}]}})
    stage.closes(service)
    mine, upstream = open_websocket(stage, "a-token-that-the-service-knows")
    service.wait_asked(2)
    upstream.send_text("still known")
    assert mine.read_text() == "still known"
    service.says_status(403)
    assert mine.read_close(timeout=20).close_code == 1008
    stage.moved("kernelgate_websockets_revoked_total")
