"""The table of requests against the program: what is ambiguous is refused, what is valid passes."""

import pytest
import strictness_cases as cases
import strictness_forwarded as forwarded

from support.http_text import build_request, read_request_head
from support.scripted_gateway import ScriptedGateway
from support.stage import GATEWAY_TOKEN, KERNEL, PLAIN, Stage

CLOSED = {**cases.HEADS, **cases.HOSTS, **cases.FRAMINGS, **cases.LINES}
SMUGGLED = b"GET /api/kernelspecs HTTP/1.1\r\nHost: ep.test\r\n\r\n"
LABELS = {400: "bad_request", 401: "unauthorized", 405: "method_not_allowed",
          414: "uri_too_long", 415: "unsupported_media", 417: "expectation_failed",
          426: "upgrade_required", 431: "head_too_large", 501: "not_implemented",
          505: "version_not_supported"}


@pytest.fixture(scope="module")
def open_shared(workshop, tmp_path_factory):
    """Other paths are forwarded: what is refused here is refused for its form alone."""
    stage = Stage(workshop, tmp_path_factory.mktemp("open"), endpoint={"other_paths": "forward"})
    yield stage
    stage.close()


def bytes_of(stage, case):
    return case.sent.replace(b"@TOKEN@", stage.token().encode())


def assert_refused(stage, client, case, before, seen):
    response = client.read_response()
    assert response.status == case.status, response
    said = response.json()
    assert said["reason"] and said["message"]
    assert response.get("Content-Type").startswith("application/json")
    label = case.label or LABELS[case.status]
    line = stage.proxy.wait_log(client=client.address)
    assert (line["status"], line["error"]) == (case.status, label)
    stage.proxy.wait_metric("kernelgate_errors_total", before + 1, reason=label)
    assert len(stage.gateway.requests) == seen and all(
        wire.ended or not wire.readable() for wire in stage.gateway.accept_waiting())
    return response


def refuse(stage, case, sent):
    """Sends it and gives (client, response) after all that holds for every refusal."""
    label = case.label or LABELS[case.status]
    before = sum_of_errors(stage, label)
    seen = len(stage.gateway.requests)
    client = stage.connect()
    client.send_to_the_end(sent)
    return client, assert_refused(stage, client, case, before, seen)


def sum_of_errors(stage, label):
    return stage.proxy.metrics().value("kernelgate_errors_total", reason=label)


@pytest.mark.parametrize("name", {**CLOSED, **cases.KEPT_NOT})
def test_refused_and_closed(open_shared, name):
    """What follows a refused head is never read as a request."""
    case = {**CLOSED, **cases.KEPT_NOT}[name]
    client, response = refuse(open_shared, case, bytes_of(open_shared, case) + SMUGGLED)
    assert response.get("Connection").lower() == "close"
    client.expect_end("close")
    assert (response.status == 405) == response.has("Allow")


@pytest.mark.parametrize("name", ["bare_lf", "nul_in_value", "length_and_coding", "obs_fold",
                                  "two_hosts", "version_2_0", "asterisk_form_of_get"])
def test_refusals_do_not_depend_on_how_bytes_arrive(open_shared, name):
    client = open_shared.connect()
    case = CLOSED[name]
    try:
        client.send_in_pieces(bytes_of(open_shared, case), [1])
    except ConnectionError:
        pass  # it was refused before the last byte
    assert client.read_response().status == case.status


@pytest.mark.parametrize("name", cases.KEPT)
def test_refused_and_kept(open_shared, name):
    case = cases.KEPT[name]
    client, response = refuse(open_shared, case, bytes_of(open_shared, case))
    assert (response.status == 405) == response.has("Allow")
    open_shared.get(client=client)


@pytest.mark.parametrize("name", forwarded.VALID)
def test_valid_requests_go_up(open_shared, name):
    stage, case = open_shared, forwarded.VALID[name]
    client = stage.connect()
    client.send(bytes_of(stage, case))
    call = stage.gateway.next_call()
    request = call.request
    assert (request.method, request.target) == (case.method, case.target)
    assert request.body == case.body
    for field, value in case.fields.items():
        assert request.get(field) == value, f"{field}: {request.get(field)!r}"
    assert request.get("Authorization") == f"token {GATEWAY_TOKEN}"
    assert stage.token().encode() not in call.wire.received
    assert request.all("Via")[-1].endswith("kernelgate")
    call.reply(200, b"[]")
    response = client.read_response()
    assert (response.status, response.body) == (200, b"[]")
    if case.kept:
        stage.get(client=client)
    else:
        assert response.get("Connection").lower() == "close"
        client.expect_end("close")


@pytest.mark.parametrize("request_line", forwarded.PATHS)
def test_refused_paths(shared_stage, request_line):
    stage, status = shared_stage, forwarded.PATHS[request_line]
    method, target = request_line.split(" ")
    client, seen = stage.connect(), len(stage.gateway.requests)
    client.send_request(method, target, token=stage.token())
    response = client.read_response(method)
    assert response.status == status
    assert method == "HEAD" or set(response.json()) >= {"reason", "message"}
    assert (status == 405) == response.has("Allow")
    line = stage.proxy.wait_log(client=client.address)
    labels = {400: "bad_request", 404: "no_operation", 405: "method_not_allowed"}
    assert (line["error"], line["status"]) == (labels[status], status)
    assert not any(wire.readable() for wire in stage.gateway.accept_waiting() if not wire.ended)
    assert len(stage.gateway.requests) == seen
    stage.get(client=client)


@pytest.fixture(scope="module")
def two_endpoints(workshop, tmp_path_factory):
    """/ep and /two of the same host, each with a gateway of its own."""
    other = ScriptedGateway()
    stage = Stage(workshop, tmp_path_factory.mktemp("two"),
                  endpoint={"hosts": ["ep.test"], "path_prefix": "/ep", "other_paths": "forward"},
                  more_endpoints=lambda _: [workshop.endpoint(
                      "two", other.port, hosts=["ep.test"], path_prefix="/two",
                      other_paths="forward")])
    stage.closes(other)
    stage.other = other
    yield stage
    stage.close()


@pytest.mark.parametrize("target", forwarded.CROSSINGS)
def test_no_path_crosses_to_another_endpoint(two_endpoints, target):
    """/ep/two/... is a path of /ep's own gateway: it may go there, as it is, and nowhere else."""
    stage = two_endpoints
    seen = len(stage.gateway.requests)
    client = stage.connect()
    client.send_request("GET", target, token=stage.token())
    if target == "/ep/two/api/kernels":
        call = stage.gateway.next_call()
        assert call.request.target == "/two/api/kernels"
        call.reply(200, b"[]")
        assert client.read_response().status == 200
    else:
        assert client.read_response().status in (400, 403, 404)
        assert len(stage.gateway.requests) == seen
        assert not any(wire.readable() for wire in stage.gateway.accept_waiting()
                       if not wire.ended)
    stage.other.assert_untouched()


@pytest.mark.parametrize("name", cases.CHUNKS)
def test_refused_chunks(open_stage, name):
    stage, client = open_stage, open_stage.connect()
    client.send_to_the_end(build_request("POST", "/upload", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
        ("Transfer-Encoding", "chunked")]) + cases.CHUNKS[name] + SMUGGLED)
    response = client.read_response()
    assert response.status == 400 and response.get("Connection").lower() == "close"
    client.expect_end("close")
    assert stage.proxy.wait_log(status=400)["error"] == "bad_request"
    assert len(stage.proxy.log_lines()) == 1
    # The gateway may have seen the beginning, never an end of that request.
    for wire in stage.gateway.accept_waiting():
        assert b"0\r\n\r\n" not in wire.read_to_end()


def test_get_with_a_body_does_not_desynchronise(stage):
    """A body on a kernel GET is legal and meaningless: it goes up as a body, never as a request."""
    client = stage.connect()
    client.send(build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}")], SMUGGLED))
    call = stage.gateway.next_call()
    assert call.request.body == SMUGGLED
    assert call.request.get("Content-Length") == str(len(SMUGGLED))
    call.reply(200, b"[]")
    assert client.read_response().status == 200
    stage.get(client=client)
    assert [request.target for request in stage.gateway.requests] == [PLAIN] * 2


def test_the_query_of_a_websocket_holds_its_session_id_alone(stage):
    client = stage.connect()
    path = f"/api/kernels/{KERNEL}/channels"
    client.send_upgrade(path + "?%74oken=@&session_id=a%2Fb&session_id=c;tok%65n=@&z=1".replace(
        "@", stage.token()), token=stage.token())
    wire = stage.gateway.accept()
    request = read_request_head(wire)
    assert request.target == path + "?session_id=a%2Fb"
