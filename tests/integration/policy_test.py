"""Who of the verified may do what: allow, support, operations, kernel specs, identity headers."""

import json

import pytest

from support import tokens
from support.stage import CHANNELS, KERNEL

ONE = f"/api/kernels/{KERNEL}"
OPERATIONS = {
    "ListKernelSpecs": ("GET", "/api/kernelspecs"),
    "GetKernelSpec": ("GET", "/api/kernelspecs/python3"),
    "GetKernelSpecResource": ("GET", "/kernelspecs/python3/logo.png"),
    "ListKernels": ("GET", "/api/kernels"),
    "GetKernel": ("GET", ONE),
    "DeleteKernel": ("DELETE", ONE),
    "InterruptKernel": ("POST", ONE + "/interrupt"),
    "RestartKernel": ("POST", ONE + "/restart"),
}


def staged(make_stage, gateway=None, **endpoint):
    jwt = {"realm": "studio", "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE}
    sessions = endpoint.pop("sessions", {})
    if gateway:
        endpoint["gateway"] = gateway
    stage = make_stage(start=False, endpoint=endpoint)
    jwt["keys_file"] = str(stage.workshop.jwks)
    stage.proxy.config["endpoints"][0]["sessions"] = {"jwt": jwt, **sessions}
    return stage.start()


def token_of(stage, subject="alice", endpoint=None, **more):
    """A good token that names no endpoint unless told to."""
    claims = tokens.claims(endpoint or "", subject, **more)
    if endpoint is None:
        del claims["endpoint"]
    return tokens.forge(stage.workshop.keyring.session_key, claims)


def ask(stage, token, method="GET", target=ONE, headers=()):
    client = stage.connect()
    body = b"{}" if method == "POST" else b""
    client.send_request(method, target, headers, body, token=token)
    return client


def passes(stage, token, method="GET", target=ONE, headers=()):
    client = ask(stage, token, method, target, headers)
    call = stage.gateway.next_call()
    call.reply(204 if method == "DELETE" else 200, b"[]")
    assert client.read_response(method).status in (200, 204), (method, target)
    return call.request


def refused(stage, token, label, method="GET", target=ONE, status=403):
    before = len(stage.gateway.requests)
    client = ask(stage, token, method, target)
    response = client.read_response(method)
    assert response.status == status, (method, target, response)
    assert {"reason", "message"} <= set(response.json())
    assert stage.proxy.wait_log(client=client.address)["error"] == label
    assert len(stage.gateway.requests) == before
    stage.moved("kernelgate_errors_total", reason=label)
    stage.before = stage.proxy.metrics()
    return response.json()


def test_who_is_named_by_nobody_stays_out(make_stage):
    stage = staged(make_stage)
    refused(stage, token_of(stage), "forbidden")
    passes(stage, token_of(stage, endpoint="ep"))


@pytest.mark.parametrize("allow", [
    {"subjects": ["alice"]}, {"subjects": ["*"]}, {"groups": ["analytics"]},
    {"claims": [{"name": "department", "values": ["hr", "data"]}]},
    {"realms": ["studio"], "subjects": ["alice"]}])
def test_allow_lets_in_whom_it_names(make_stage, allow):
    stage = staged(make_stage, sessions={"allow": allow})
    named = {"groups": ["staff", "analytics"], "department": "data"}
    passes(stage, token_of(stage, **named))
    if allow.get("subjects") != ["*"]:
        refused(stage, token_of(stage, "bob", groups=["staff"], department="ml"), "forbidden")
    refused(stage, token_of(stage, endpoint="other", **named), "forbidden")


def test_a_realm_narrows_what_is_allowed(make_stage):
    stage = staged(make_stage, sessions={"allow": {"realms": ["hub"], "subjects": ["*"]}})
    refused(stage, token_of(stage), "forbidden")


def test_support_lists_interrupts_and_deletes_and_nothing_else(make_stage):
    stage = staged(make_stage, sessions={"support": {"groups": ["helpdesk"]}})
    token = token_of(stage, "carol", groups=["helpdesk"])
    for name in ("ListKernels", "InterruptKernel", "DeleteKernel"):
        passes(stage, token, *OPERATIONS[name])
    for name in ("ListKernelSpecs", "GetKernelSpec", "GetKernel", "RestartKernel"):
        refused(stage, token, "operation_forbidden", *OPERATIONS[name])
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=token)
    assert client.read_response().status == 403
    elsewhere = token_of(stage, "carol", endpoint="other", groups=["helpdesk"])
    refused(stage, elsewhere, "forbidden")


def test_the_first_rule_that_fits_decides(make_stage):
    stage = staged(make_stage, sessions={"operations": [
        {"allow": ["DeleteKernel"], "groups": ["leads"]},
        {"deny": ["DeleteKernel", "RestartKernel"]}]})
    lead = token_of(stage, endpoint="ep", groups=["leads"])
    other = token_of(stage, "bob", endpoint="ep")
    passes(stage, lead, *OPERATIONS["DeleteKernel"])
    refused(stage, other, "operation_forbidden", *OPERATIONS["DeleteKernel"])
    refused(stage, lead, "operation_forbidden", *OPERATIONS["RestartKernel"])
    passes(stage, other, *OPERATIONS["InterruptKernel"])
    stranger = token_of(stage, "mallory")
    refused(stage, stranger, "forbidden", *OPERATIONS["DeleteKernel"])


def test_role_and_log_context_are_in_the_access_log(make_stage):
    role = "arn:aws:iam::111122223333:role/analytics"
    stage = staged(make_stage, execution_role_arn=role)
    passes(stage, token_of(stage, endpoint="ep", role=role, log_context="team-7"))
    line = stage.proxy.wait_log(role=role)
    assert (line["log_context"], line["subject"], line["realm"]) == ("team-7", "alice", "studio")
    refused(stage, token_of(stage, endpoint="ep", role=role + "x"), "forbidden")
    assert stage.proxy.wait_log(role=role + "x")["status"] == 403
    passes(stage, token_of(stage, endpoint="ep"))


def test_specs_that_are_not_shown_do_not_exist(make_stage):
    stage = staged(make_stage, kernels={"specs": ["python3"]})
    token = token_of(stage, endpoint="ep")
    passes(stage, token, "GET", "/api/kernelspecs/python3")
    passes(stage, token, "GET", "/kernelspecs/python3/logo.png")
    for target in ("/api/kernelspecs/ir", "/api/kernelspecs/Python3", "/kernelspecs/ir/logo.png"):
        refused(stage, token, "no_spec", "GET", target, 404)


def post(stage, token, body):
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=body, token=token)
    return client


@pytest.mark.parametrize("body, said", [
    (b'{"name": "ir"}', "Kernel spec 'ir' is not allowed on this endpoint."),
    (b'{"name": "Python3"}', "Kernel spec 'Python3' is not allowed on this endpoint."),
    (b"{}", "The start names no kernel spec, and not all are allowed on this endpoint.")])
def test_a_spec_that_is_not_allowed_does_not_start(make_stage, body, said):
    stage = staged(make_stage, kernels={"specs": ["python3"]})
    client = post(stage, token_of(stage, endpoint="ep"), body)
    response = client.read_response("POST")
    assert response.status == 403
    assert response.json() == {"reason": "Forbidden", "message": said}
    stage.proxy.wait_log(client=client.address, error="spec_forbidden", detail=said)
    stage.gateway.assert_untouched()


def test_a_spec_that_is_allowed_starts(make_stage):
    stage = staged(make_stage, kernels={"specs": ["python3"]})
    client = post(stage, token_of(stage, endpoint="ep"), b'{"name": "python3"}')
    call = stage.gateway.next_call()
    assert json.loads(call.request.body)["name"] == "python3"
    call.reply_json("{}", 201)
    assert client.read_response("POST").status == 201


def specs_answer(*names, default="ir"):
    return {"default": default, "kernelspecs": {
        name: {"name": name, "spec": {"argv": [name]}, "resources": {}} for name in names}}


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_lists_of_specs_hold_those_that_are_allowed(make_stage, framing):
    stage = staged(make_stage, kernels={"specs": ["python3", "absent"]})
    client = ask(stage, token_of(stage, endpoint="ep"), target="/api/kernelspecs",
                 headers=[("If-None-Match", '"x"'), ("Accept-Encoding", "gzip")])
    call = stage.gateway.next_call()
    assert not call.request.has("If-None-Match") and not call.request.has("Accept-Encoding")
    call.reply(200, json.dumps(specs_answer("ir", "python3")).encode(), [("ETag", '"all"')],
               framing)
    response = client.read_response()
    assert response.json() == specs_answer("python3", default="python3")
    assert not response.has("ETag")


def test_a_list_of_specs_that_cannot_be_judged_goes_no_further(make_stage):
    stage = staged(make_stage, kernels={"specs": ["python3"]})
    for body in (b"[]", b"no json", b'{"kernelspecs": 5}', b"x" * (1024 * 1024 + 1)):
        client = ask(stage, token_of(stage, endpoint="ep"), target="/api/kernelspecs")
        stage.gateway.next_call().reply(200, body)
        assert client.read_response().status == 502


def test_without_a_list_of_specs_the_gateways_answer_is_untouched(stage):
    body = b'{"default":"ir", "kernelspecs":{"ir":{}}, "more":1}'
    response, _ = stage.get("/api/kernelspecs", body)
    assert response.body == body


def test_the_gateway_is_told_who_asks_and_believes_no_client(make_stage):
    stage = staged(make_stage, gateway={"identity_headers": {
        "subject": "X-Kernel-User", "realm": "X-Kernel-Realm", "groups": "X-Kernel-Groups",
        "role": "X-Kernel-Role"}})
    token = token_of(stage, "al ice%", endpoint="ep", groups=["a,b", "c"])
    forged = [("x-kernel-user", "mallory"), ("X-KERNEL-ROLE", "root"), ("X_Kernel_User", "mallory"),
              ("Connection", "X-Kernel-Realm")]
    request = passes(stage, token, headers=forged)
    assert request.all("X-Kernel-User") == ["al%20ice%25"]
    assert request.all("X-Kernel-Realm") == ["studio"]
    assert request.all("X-Kernel-Groups") == ["a%2Cb,c"]
    assert not request.has("X-Kernel-Role") and not request.has("X_Kernel_User")
