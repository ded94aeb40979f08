"""The table of gateways' answers against the program: a 502 or the answer, never another one."""

import pytest
import strictness_answers as answers
import strictness_cases as cases

from support.stage import PLAIN


def answered(stage, sent, method="GET", ends=False):
    """Sends these bytes for a request on a new client connection: (client, gateway's wire)."""
    client = stage.connect()
    client.send_request(method, PLAIN, token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send_to_the_end(sent)
    call.done()
    if ends:
        call.wire.close()
    return client, call.wire


@pytest.mark.parametrize("name", answers.MALFORMED)
def test_a_malformed_answer_is_502(shared_stage, name):
    stage, (_, sent) = shared_stage, answers.MALFORMED[name]
    before = stage.proxy.metrics().value("kernelgate_errors_total", reason="upstream_protocol",
                                         endpoint="ep")
    client, wire = answered(stage, sent)
    response = client.read_response()
    assert response.status == 502 and set(response.json()) >= {"reason", "message"}
    assert not {"A", "Location", "Set-Cookie"} & {key for key, _ in response.headers}
    assert all(interim.status != 100 for interim in response.interim)
    assert len(response.interim) <= 32
    wire.expect_end(None)
    line = stage.proxy.wait_log(client=client.address)
    assert (line["status"], line["error"]) == (502, "upstream_protocol")
    stage.proxy.wait_metric("kernelgate_errors_total", before + 1, reason="upstream_protocol",
                            endpoint="ep")
    stage.get(client=client)  # that connection of the client was never in doubt


@pytest.mark.parametrize("name", ["bare_cr", "both_framings", "obs_fold", "status_1000"])
def test_it_does_not_depend_on_how_bytes_arrive(shared_stage, name):
    client = shared_stage.connect()
    client.send_request("GET", PLAIN, token=shared_stage.token())
    wire = shared_stage.gateway.next_call().wire
    try:
        wire.send_in_pieces(answers.MALFORMED[name][1], [1])
    except ConnectionError:
        pass  # it was refused before the last byte
    assert client.read_response().status == 502
    wire.close()


@pytest.mark.parametrize("name", answers.VALID)
def test_valid_answers_pass(shared_stage, name):
    stage, case = shared_stage, answers.VALID[name]
    client, wire = answered(stage, case.sent, case.method, case.ends)
    response = client.read_response(case.method)
    assert (response.status, response.body) == (case.status, case.body)
    for field, value in case.fields.items():
        assert response.get(field) == value, f"{field}: {response.get(field)!r}"
    assert response.get("X-Request-Id") and response.get("Date")
    assert [interim.status for interim in response.interim if interim.status == 100] == []
    # The next request gets its own answer, on this connection of the gateway or a new one.
    _, call = stage.get(PLAIN, b"good", client)
    assert (call.wire is wire) == case.reused
    if not case.reused:
        wire.close()


@pytest.mark.parametrize("name", cases.CHUNKS)
def test_a_malformed_body_never_looks_whole(open_stage, name):
    stage, client = open_stage, open_stage.connect()
    client.send_request("GET", "/page", token=stage.token())
    wire = stage.gateway.next_call().wire
    wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\ngood start\r\n")
    client.read_until(b"good start", "the good part")
    wire.send_to_the_end(cases.CHUNKS[name])
    rest = client.read_to_end()
    assert b"\r\n0\r\n" not in rest and client.ended != "close"
    line = stage.proxy.wait_log(operation="Other")
    assert (line["status"], line["error"]) == (200, "upstream_protocol")
    stage.moved("kernelgate_errors_total", reason="upstream_protocol", endpoint="ep")
    wire.close()


def test_interim_answers_wait_for_a_slow_client_no_longer_than_the_answer(stage):
    """A flood of them is cut before it becomes memory."""
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    wire = stage.gateway.next_call().wire
    hint = b"HTTP/1.1 103 Early Hints\r\nA: " + b"x" * 60_000 + b"\r\n\r\n"
    wire.send_to_the_end(hint * 40)
    wire.expect_end(None)
    stage.proxy.wait_log(client=client.address)
