"""A gap of a gateway that cannot be repaired, or is of no use any more, ends with a reason."""

import signal

import pytest

from support import frames, tokens
from support.admin_client import AdminClient, admin_config
from support.frames import BINARY, CONTINUATION, TEXT
from support.reconnects import (
    GAPS, HELD, SESSION, TRIES, V1, expect_goodbye, message_of, reconnecting)
from support.stage import CHANNELS


@pytest.mark.parametrize("code", [1000, 4001, None])
def test_a_gateway_that_is_done_is_not_asked_again(make_stage, code):
    """No code: another connection took the session, and who came back would throw that one out."""
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    upstream.send(frames.CLOSE, frames.close_payload(code) if code else b"")
    assert mine.read_close().close_code == (code or 1005)
    upstream.wire.close()
    mine.wire.expect_end("close")
    stage.unmoved(TRIES)
    stage.unmoved(GAPS)


def test_a_larger_message_cut_on_its_way_up_is_1012(make_stage):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    message = mine.encode(BINARY, b"h" * 2_000_000)
    mine.wire.send(message[:1_500_000])
    upstream.wire.read_exact(1_500_000, "a part of a large message")
    upstream.wire.reset()
    expect_goodbye(mine, 1012, "lost")
    stage.moved(GAPS, result="unheld")
    stage.unmoved(TRIES)


@pytest.mark.parametrize("where", ["fragment", "frame"])
def test_a_cut_inside_a_message_to_the_client_is_not_repaired(make_stage, where):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    part = upstream.encode(TEXT, b"the first half", fin=False)
    if where == "frame":
        part += upstream.encode(CONTINUATION, b"the second half")[:5]
    upstream.wire.send(part)
    assert mine.wire.read_exact(len(part), "the part that came") == part
    upstream.wire.reset()
    if where == "fragment":
        expect_goodbye(mine, 1012, "lost")
    else:  # a Close may stand between frames only
        mine.wire.expect_end(None)
        mine.wire.close()
    stage.moved(GAPS, result="inside_message")
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert line["error"] == "upstream_lost" and "reconnects" not in line


@pytest.mark.parametrize("answer", ["protocol", "extension", "accept", "403"])
def test_an_answer_that_does_not_fit_is_1012(make_stage, answer):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION, protocols=["other", V1], chosen=V1)
    upstream.wire.reset()
    call = stage.gateway.next_call()
    assert call.request.get("Sec-WebSocket-Protocol") == V1, "what was chosen is offered alone"
    if answer == "403":
        call.reply(403, b"{}")
    elif answer == "protocol":
        call.accept_websocket()
    elif answer == "accept":
        call.accept_websocket(V1, accept=frames.accept_value(frames.new_key()))
    else:
        call.accept_websocket(V1, headers=[("Sec-WebSocket-Extensions", "permessage-deflate")])
    expect_goodbye(mine, 1012, "could not be made anew")
    stage.moved(GAPS, result="refused")
    stage.moved("kernelgate_errors_total", reason="upstream_lost", endpoint="ep")


def test_compression_is_not_repaired(make_stage):
    stage = reconnecting(make_stage)
    client = stage.connect()
    extension = ("Sec-WebSocket-Extensions", "permessage-deflate")
    key = client.send_upgrade(SESSION, [extension], stage.token())
    upstream = stage.gateway.next_call().accept_websocket(headers=[extension])
    mine = client.read_upgrade(key)
    upstream.wire.reset()
    expect_goodbye(mine, 1012, "lost")
    stage.moved(GAPS, result="extension")
    stage.unmoved(TRIES)


@pytest.mark.parametrize("protocol", [None, V1])
def test_a_kernel_that_the_gateway_does_not_know_any_more_is_dead(make_stage, protocol):
    """S15: the gateway was told to go, killed its kernels one by one, and another one answers."""
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION, protocols=protocol and [protocol],
                                     chosen=protocol)
    upstream.send_close(1001, "shutting down")
    upstream.wire.close()
    stage.gateway.next_call().reply_json('{"reason": "Not Found", "message": "no kernel"}', 404)
    assert message_of(mine.read()) == ("status", {"execution_state": "dead"})
    expect_goodbye(mine, 1011, "gone")
    stage.moved(GAPS, result="dead")
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert (line["error"], line["close_code"], line["closed_by"]) == ("kernel_gone", 1011, "proxy")


def test_a_gateway_that_stays_away_is_1012_in_time(make_stage):
    stage = reconnecting(make_stage, "400ms")
    mine, upstream = stage.websocket(target=SESSION)
    stage.gateway.kill()
    expect_goodbye(mine, 1012, "could not be made anew")
    stage.moved(GAPS, result="timeout")
    assert stage.proxy.metrics().value(TRIES) >= 2
    assert stage.proxy.metrics().value("kernelgate_websocket_gap_seconds_sum") < 3


def test_a_gateway_that_hangs_up_behind_its_101_is_not_asked_for_ever(make_stage):
    """S5: the kernel vanished between upgrade and open."""
    stage = reconnecting(make_stage, "700ms")

    def hang_up(call):
        call.accept_websocket()
        call.wire.close()

    client = stage.connect()
    key = client.send_upgrade(SESSION, (), stage.token())
    upstream = stage.gateway.next_call().accept_websocket()
    mine = client.read_upgrade(key)
    stage.gateway.serve(hang_up)
    upstream.wire.reset()
    expect_goodbye(mine, 1012, "could not be made anew")
    asked = len(stage.gateway.requests) - 1
    assert 2 <= asked <= 20
    stage.moved(GAPS, asked, result="mended")
    stage.moved(GAPS, result="timeout")


def test_a_handshake_that_never_ends_is_1012(make_stage):
    stage = reconnecting(make_stage, config={"timeouts": {"first_byte": {"upgrade": "500ms"}}})
    mine, upstream = stage.websocket(target=SESSION)
    upstream.wire.reset()
    call = stage.gateway.next_call()
    expect_goodbye(mine, 1012, "could not be made anew")
    assert call.wire.read_to_end() == b""
    stage.moved(GAPS, result="timeout")


def test_off_asks_nobody_and_adds_nothing(make_stage):
    stage = reconnecting(make_stage, "off")
    mine, upstream = stage.websocket()
    assert upstream.handshake.target == CHANNELS
    upstream.wire.reset()
    expect_goodbye(mine, 1011, "closed the connection")
    stage.unmoved(GAPS)
    assert len(stage.gateway.requests) == 1


def test_who_is_revoked_in_the_gap_is_told_and_not_heard(make_stage, tmp_path):
    stage = reconnecting(make_stage, config=admin_config(tmp_path))
    mine, upstream = stage.websocket(target=SESSION)
    upstream.wire.reset()
    call = stage.gateway.next_call()
    mine.send_text("not to be said any more")
    stage.moved(HELD)
    entry = {"subject": "alice", "realm": tokens.ISSUER}
    status, _ = AdminClient(stage).call("POST", "/revocations", entry)
    assert status == 200
    assert mine.read_close().close_code == 1008
    assert call.wire.read_to_end() == b"", "nothing that it said reaches the gateway"
    stage.moved(GAPS, result="dropped")
    stage.moved("kernelgate_websockets_revoked_total")


def test_a_drain_ends_a_gap(make_stage):
    stage = reconnecting(make_stage, config={"drain": {"lame_duck": "0s", "deadline": "1s"}})
    mine, upstream = stage.websocket(target=SESSION)
    upstream.wire.reset()
    call = stage.gateway.next_call()
    stage.proxy.signal(signal.SIGTERM)
    expect_goodbye(mine, 1012, "shutting down")
    assert stage.proxy.wait_exit() == 0
    assert call.wire.read_to_end() == b""


def test_a_client_that_leaves_in_the_gap_leaves_nothing_behind(make_stage):
    stage = reconnecting(make_stage)
    mine, upstream = stage.websocket(target=SESSION)
    upstream.wire.reset()
    call = stage.gateway.next_call()
    mine.wire.close()
    assert call.wire.read_to_end() == b""
    call.wire.close()
    line = stage.proxy.wait_log(operation="ConnectKernel")
    assert line["closed_by"] == "client"
    stage.proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="ep")
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 0)
    stage.moved(GAPS, result="dropped")
