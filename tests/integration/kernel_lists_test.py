"""Lists of kernels hold what the caller may use, and nothing that tells of the rest."""

import contextlib
import json

import pytest

from support.kernels import create
from support.stage import KERNEL, PLAIN


def model(kernel, **more):
    return {"id": kernel, "name": "python3", "last_activity": "2026-11-26T15:24:15.123456Z",
            "execution_state": "idle", "connections": 0, **more}


class Listing:
    """Makes the stage's gateway list what it is told, and delete whatever it is asked to."""

    def __init__(self, stage):
        self.spare = create(stage, "dave")
        self.answer = (200, b"[]", (), "length")
        for wire in stage.gateway.accept_waiting():
            wire.close()  # the test answered there; from now on the gateway does
        stage.gateway.serve(self.reply)

    def reply(self, call):
        if call.request.method == "DELETE":
            return call.reply(204)
        status, body, headers, framing = self.answer
        return call.reply(status, body, [("Content-Type", "application/json"), *headers], framing)


def listed(stage, body, subject="alice", method="GET", headers=(), client=None, framing="length",
           answer_headers=()):
    """(response to the client, request that went up); no list from before is shared."""
    if not hasattr(stage, "listing"):
        stage.listing = Listing(stage)
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    stage.listing.answer = (200, text, answer_headers, framing)
    gone = stage.connect().exchange("DELETE", f"/api/kernels/{stage.listing.spare}",
                                    token=stage.token(subject="dave"))
    assert gone.status == 204
    client = client or stage.connect()
    client.send_request(method, "/api/kernels", headers, token=stage.token(subject=subject))
    response = client.read_response(method)
    request = stage.gateway.requests[-1]
    assert request.target == "/api/kernels"
    return response, request


@pytest.fixture
def owned(make_owned):
    return make_owned()


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_list_holds_the_callers_kernels_only(owned, framing):
    mine, theirs = create(owned, "alice"), create(owned, "bob")
    everything = [model(theirs), model(mine, connections=2), model(KERNEL)]
    response, _ = listed(owned, everything, framing=framing)
    assert response.json() == [model(mine, connections=2)]
    assert listed(owned, everything, "bob", framing=framing)[0].json() == [model(theirs)]
    assert listed(owned, everything, "carol", framing=framing)[0].json() == []


def test_a_list_of_foreign_kernels_is_everybodys_where_the_endpoint_says_so(make_owned):
    stage = make_owned(foreign_ids="endpoint")
    mine, theirs = create(stage, "alice"), create(stage, "bob")
    response, _ = listed(stage, [model(theirs), model(KERNEL), model(mine)])
    assert [kernel["id"] for kernel in response.json()] == [KERNEL, mine]


def test_shared_kernels_are_listed(make_owned):
    stage = make_owned(sharing="endpoint")
    kernel = create(stage, "bob")
    assert listed(stage, [model(kernel)])[0].json() == [model(kernel)]


def test_a_missing_fraction_is_added(owned):  # S13
    mine = create(owned, "alice")
    response, _ = listed(owned, [model(mine, last_activity="2026-11-26T15:24:15Z")])
    assert response.json()[0]["last_activity"] == "2026-11-26T15:24:15.000000Z"


def test_nothing_of_the_answer_tells_of_the_whole_list(owned):
    mine, theirs = create(owned, "alice"), create(owned, "bob")
    asked = [("If-None-Match", '"x"'), ("If-Modified-Since", "Thu, 26 Nov 2026 15:00:00 GMT"),
             ("Range", "bytes=0-9"), ("Accept-Encoding", "gzip")]
    told = [("ETag", '"of all"'), ("Last-Modified", "Thu, 26 Nov 2026 15:00:00 GMT"),
            ("X-Other", "of one gateway")]
    for method in "GET", "HEAD":
        response, request = listed(owned, [model(mine), model(theirs)], method=method,
                                   headers=asked, answer_headers=told)
        assert not any(request.has(name) for name, _ in asked), request
        assert not any(response.has(name) for name, _ in told)
        assert response.get("Content-Type") == "application/json"
        assert response.get("Content-Length") == str(len(json.dumps([model(mine)])))


def test_a_connection_goes_on_after_lists(owned):
    mine = create(owned, "alice")
    client = owned.connect()
    for method in "GET", "HEAD", "GET":
        response, _ = listed(owned, [model(mine)], method=method, client=client)
        assert response.status == 200
    assert response.json() == [model(mine)]


UNJUDGEABLE = {
    "no json": b"[", "an object": b'{"id": "x"}', "no id": b'[{"name": "python3"}]',
    "two ids": f'[{{"id": "{KERNEL}", "id": "{KERNEL}"}}]'.encode(),
    "an escaped name": f'[{{"\\u0069d": "{KERNEL}"}}]'.encode(),
    "too deep": b"[" * 50 + b"]" * 50,
}


@pytest.mark.parametrize("name", UNJUDGEABLE)
def test_a_list_that_cannot_be_judged_is_refused_whole(owned, name):
    response, _ = listed(owned, UNJUDGEABLE[name])
    assert response.status == 503
    line = owned.proxy.wait_log(operation="ListKernels")
    assert (line["error"], line["detail"]) == ("list_incomplete", "a list that cannot be judged")


def test_a_coded_list_is_refused(owned):
    response, _ = listed(owned, b"[]", answer_headers=[("Content-Encoding", "gzip")])
    assert response.status == 503


@pytest.mark.parametrize("status", [204, 206, 302, 304])
def test_a_list_with_another_status_is_refused(owned, status):
    client = owned.connect()
    client.send_request("GET", "/api/kernels", token=owned.token())
    owned.gateway.next_call().reply(status, b"[]")
    assert client.read_response().status == 503


def test_a_list_that_is_too_large_is_refused(owned):
    client = owned.connect()
    client.send_request("GET", "/api/kernels", token=owned.token())
    call = owned.gateway.next_call()
    with contextlib.suppress(ConnectionError):  # it is cut off as soon as it is too long
        call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n[" + b" " * 8_500_000)
    assert client.read_response().status == 503
    assert owned.proxy.wait_log(operation="ListKernels")["detail"] == "the list is too long"


def many(count, filler):
    return [model(f"00000000-0000-4000-8000-{n:012x}", filler=filler) for n in range(count)]


def test_a_large_list_reaches_a_slow_client_whole(stage):
    """More than a connection may hold unsent; others get theirs long before."""
    client = stage.connect(receive_buffer=4096)
    client.send_request("GET", "/api/kernels", token=stage.token())
    entries = many(3000, "x" * 1000)
    stage.gateway.next_call().reply_json(json.dumps(entries))
    other = stage.connect()
    other.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call().reply_json("{}")
    assert other.read_response().status == 200
    response = client.read_response()
    assert response.json() == entries
    stage.proxy.wait_log(operation="ListKernels", bytes_out=len(response.body))


def test_a_client_that_takes_nothing_of_a_list_is_cut(make_stage):
    stage = make_stage(config={"timeouts": {"write_stall": "300ms"}})
    client = stage.connect(receive_buffer=4096)
    client.send_request("GET", "/api/kernels", token=stage.token())
    stage.gateway.next_call().reply_json(json.dumps(many(6000, "x" * 900)))
    assert stage.proxy.wait_log(operation="ListKernels")["error"] == "client_stalled"


def test_a_gateway_that_lists_nothing_to_nobody_is_told_apart(owned):
    client = owned.connect()
    client.send_request("GET", "/api/kernels", token=owned.token())
    owned.gateway.next_call().reply_json('{"reason": "Forbidden", "message": "no lists"}', 403)
    response = client.read_response()
    assert response.status == 403 and "EG_LIST_KERNELS" in response.json()["message"]
