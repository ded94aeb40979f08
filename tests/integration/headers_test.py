"""Which header fields cross the proxy, and what the proxy says in its own name (A15 to A18, J6)."""

import re

import pytest

from support.stage import GATEWAY_TOKEN, PLAIN

TRACE = "Root=1-67891233-abcdef012345678912345678"


def upstream_request(stage, headers=(), answer_headers=(), method="GET", target=PLAIN):
    client = stage.connect()
    client.send_request(method, target, headers, token=stage.token())
    call = stage.gateway.next_call()
    call.reply(200, b"[]", answer_headers)
    return call.request, client.read_response(), client


def test_hop_by_hop_fields_of_a_request_stay_here(stage):
    request, _, _ = upstream_request(stage, [
        ("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("Keep-Alive", "timeout=9"),
        ("Proxy-Authorization", "Basic eDp5"), ("Proxy-Connection", "keep-alive"),
        ("TE", "trailers"), ("Trailer", "X-T"), ("Upgrade", "h2c"), ("Max-Forwards", "3"),
        ("X-Other", "passes"), ("Accept", "*/*"), ("Accept", "text/html")])
    for name in ("X-Mine", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE",
                 "Trailer", "Upgrade", "Max-Forwards"):
        assert not request.has(name), name
    assert request.get("X-Other") == "passes"
    assert request.all("Accept") == ["*/*", "text/html"]


def test_hop_by_hop_fields_of_an_answer_stay_here(stage):
    _, response, client = upstream_request(stage, answer_headers=[
        ("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("Keep-Alive", "timeout=9"),
        ("Proxy-Authenticate", "Basic"), ("Upgrade", "h2c"), ("Server", "TornadoServer/6"),
        ("Alt-Svc", 'h3=":443"'), ("X-Request-Id", "not-ours"), ("X-Other", "passes"),
        ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    for name in ("X-Mine", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "Server", "Alt-Svc"):
        assert not response.has(name), name
    assert response.get("X-Other") == "passes"
    assert response.get("X-Request-Id") != "not-ours"
    stage.get(client=client)


@pytest.mark.parametrize("hidden", ["Host", "Authorization", "X-Forwarded-For", "X-Request-Id"])
def test_connection_cannot_name_a_field_of_ours_away(stage, hidden):
    request, _, _ = upstream_request(stage, [("Connection", f"keep-alive, {hidden}")])
    assert request.get(hidden), f"{hidden} is missing upstream"


def test_host_goes_up_unchanged_and_origin_not_at_all(stage):
    client = stage.connect()
    client.send_request("GET", PLAIN, [("Origin", "https://ep.test")],
                        token=stage.token(), host="EP.test:8443")
    call = stage.gateway.next_call()
    assert call.request.get("Host") == "EP.test:8443" and not call.request.has("Origin")
    call.reply(200, b"[]")
    assert client.read_response().status == 200


def test_credentials_and_identity_claims_of_the_client_stay_here(stage):
    request, _, _ = upstream_request(stage, [
        ("Cookie", "AWSELBAuthSessionCookie-0=hidden"), ("X-Amzn-Oidc-Data", "forged"),
        ("X-Amzn-Oidc-Identity", "forged"), ("X-Amzn-Mtls-Clientcert", "forged"),
        ("X_Forwarded_For", "6.6.6.6"), ("X_Amzn_Oidc_Data", "forged"),
        ("Forwarded", "for=6.6.6.6"), ("X-Real-Ip", "6.6.6.6")])
    assert request.get("Authorization") == f"token {GATEWAY_TOKEN}"
    text = request.head.decode()
    for secret in ("hidden", "forged", "6.6.6.6", stage.token()):
        assert secret not in text, text


def test_forwarding_fields_are_made_anew_for_unknown_peers(stage):
    request, _, _ = upstream_request(stage, [
        ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Port", "1"),
        ("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Prefix", "/evil")])
    assert request.get("X-Forwarded-For") == "127.0.0.1"
    assert request.get("X-Forwarded-Proto") == "https"
    assert request.get("X-Forwarded-Port") == str(stage.proxy.port)
    assert request.get("X-Forwarded-Host") == "ep.test"
    assert b"evil" not in request.head
    assert "forwarded_for" not in stage.proxy.wait_log(operation="GetKernel")


@pytest.fixture
def behind_alb(make_stage, workshop):
    certificate, key = workshop.keyring.server_certificate("default.test")
    return make_stage(config={"listeners": [{
        "address": "127.0.0.1:0",
        "tls": {"certificates": [{"certificate": str(certificate), "private_key": str(key)}]},
        "trusted_proxies": ["10.0.0.0/8", "127.0.0.0/8"]}]})


def test_forwarding_fields_of_a_trusted_proxy_are_kept(behind_alb):
    request, _, _ = upstream_request(behind_alb, [
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.9"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "18888")])
    assert request.get("X-Forwarded-For") == "6.6.6.6, 203.0.113.9, 127.0.0.1"
    assert request.get("X-Forwarded-Proto") == "https"
    assert request.get("X-Forwarded-Port") == "18888"
    # Only what the ALB itself saw is believed: the right-most.
    line = behind_alb.proxy.wait_log(operation="GetKernel")
    assert line["forwarded_for"] == "203.0.113.9"
    assert line["client"].startswith("127.0.0.1:")


def test_trace_id_is_kept_or_made(stage):
    request, _, _ = upstream_request(stage, [("X-Amzn-Trace-Id", TRACE)])
    assert request.get("X-Amzn-Trace-Id").startswith(TRACE)
    assert stage.proxy.wait_log(operation="GetKernel")["trace_id"].startswith(TRACE)
    made, _, _ = upstream_request(stage)
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", made.get("X-Amzn-Trace-Id"))
    broken, _, _ = upstream_request(stage, [("X-Amzn-Trace-Id", "Root=evil\tx")])
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", broken.get("X-Amzn-Trace-Id"))


def test_one_request_id_names_the_exchange_everywhere(stage):
    request, response, _ = upstream_request(stage, [("X-Request-Id", "chosen-by-client")])
    name = response.get("X-Request-Id")
    assert name and name != "chosen-by-client"
    assert request.get("X-Request-Id") == name
    assert stage.proxy.wait_log(operation="GetKernel")["request_id"] == name


def test_answers_of_our_own_carry_the_request_id(stage):
    response = stage.connect().exchange("GET", PLAIN)
    assert response.status == 401
    name = response.get("X-Request-Id")
    assert name and name in response.body.decode()
    assert stage.proxy.wait_log(status=401)["request_id"] == name


def test_a_kernel_start_is_json_upstream(stage):
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b'{"name": "python3"}', token=stage.token())
    call = stage.gateway.next_call()
    assert call.request.get("Content-Type") == "application/json"
    call.reply_json('{"id": "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f"}', 201)
    assert client.read_response().status == 201


def test_many_and_large_fields_pass(stage):
    """What an ALB lets through must pass here (A4): 64 KiB of fields, one of 16 KiB."""
    fields = [(f"X-Field-{i}", "v" * 1000) for i in range(45)] + [("X-Large", "w" * 16_000)]
    request, _, _ = upstream_request(stage, fields)
    assert request.get("X-Large") == "w" * 16_000 and request.get("X-Field-44") == "v" * 1000


def test_field_bytes_outside_ascii_pass_unchanged(stage):
    request, response, _ = upstream_request(
        stage, [("X-Name", "caf\u00e9")], answer_headers=[("X-Name", "th\u00e9")])
    assert request.get("X-Name") == "caf\u00e9" and response.get("X-Name") == "th\u00e9"
