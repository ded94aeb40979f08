"""Sessions that an AWS load balancer vouches for; its key is fetched when a token names it."""

import base64
import json
import time

import pytest

from support import tokens
from support.certificates import openssl
from support.http_text import build_request
from support.scripted_service import ScriptedService
from support.stage import KERNEL, PLAIN

SIGNER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/studio/50dc6c495c0"
KID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def padded(data):
    return base64.urlsafe_b64encode(data).decode()


def oidc_data(key, kid=KID, signer=SIGNER, claims=None, **header):
    """As an ALB writes it: padded, with times and parties in the header (domain A19)."""
    head = {"alg": "ES256", "kid": kid, "signer": signer, "iss": "https://login.test",
            "client": "1example23456789", "exp": int(time.time()) + 120, **header}
    body = {"sub": "alice", "endpoint": "ep", **(claims or {})}
    signed = ".".join(padded(json.dumps(part).encode()) for part in (head, body))
    der = openssl("dgst", "-sha256", "-sign", str(key), given=signed.encode())
    return f"{signed}.{padded(tokens.raw_signature(der))}"


@pytest.fixture
def keys(workshop):
    """Where AWS publishes load balancers' keys."""
    service = ScriptedService(workshop.keyring)
    service.says_status(404)
    yield service
    service.close()


@pytest.fixture
def make(make_stage, keys, workshop):
    def start(listener=None):
        alb = {"signers": [SIGNER], "client": "1example23456789", "issuer": "https://login.test",
               "keys_url": keys.url("/pem"), "ca_file": str(workshop.keyring.ca)}
        stage = make_stage(endpoint={"sessions": {"authenticators": [{"alb": alb}]}},
                           listener=listener or {"trusted_proxies": ["127.0.0.0/8"]})
        stage.gateway.serve(lambda call: call.reply_json("[]"))
        return stage
    return start


def public_pem(key):
    return openssl("pkey", "-in", str(key), "-pubout").decode()


def ask(stage, data):
    client = stage.connect()
    client.send(build_request("GET", PLAIN, [
        ("Host", "ep.test"), ("X-Forwarded-For", "192.0.2.7"), ("X-Amzn-Oidc-Data", data)]))
    return client.read_response()


def publish(keys, key):
    keys.answer = lambda call: call.reply(200, public_pem(key).encode())


def test_a_load_balancers_key_is_fetched_once(make, keys, workshop):
    publish(keys, workshop.keyring.session_key)
    stage = make()
    for number in range(3):
        data = oidc_data(workshop.keyring.session_key, claims={"email": f"{number}@test"})
        assert ask(stage, data).status == 200
    question, = keys.asked
    assert (question.method, question.target) == ("GET", f"/pem/{KID}")
    assert not stage.gateway.requests[0].all("X-Amzn-Oidc-Data")
    stage.moved("kernelgate_fetches_total", purpose="alb_key", result="answered")


def test_another_ones_load_balancer_proves_nothing(make, keys, workshop):
    publish(keys, workshop.keyring.session_key)
    stage = make()
    other = SIGNER.replace("111122223333", "999999999999")
    assert ask(stage, oidc_data(workshop.keyring.session_key, signer=other)).status == 401
    assert not keys.asked


@pytest.mark.parametrize("kid", ["../../evil", "0f1e2d3c", "", KID + "0"])
def test_a_kid_that_is_no_uuid_is_fetched_from_nowhere(make, keys, workshop, kid):
    stage = make()
    assert ask(stage, oidc_data(workshop.keyring.session_key, kid=kid)).status == 401
    assert not keys.asked


def test_a_kid_without_a_key_is_asked_for_once(make, keys, workshop):
    stage = make()
    for _ in range(3):
        assert ask(stage, oidc_data(workshop.keyring.session_key)).status == 401
    assert len(keys.asked) == 1


def test_keys_that_cannot_be_had_are_not_the_clients_fault(make, keys, workshop):
    keys.says_status(500)
    stage = make()
    assert ask(stage, oidc_data(workshop.keyring.session_key)).status == 503
    stage.proxy.wait_log(error="session_unknown")
    publish(keys, workshop.keyring.session_key)
    assert ask(stage, oidc_data(workshop.keyring.session_key)).status == 200


def test_nobody_but_the_load_balancer_may_say_so(make, keys, workshop):
    publish(keys, workshop.keyring.session_key)
    stage = make(listener={"trusted_proxies": ["192.0.2.0/24"]})
    assert ask(stage, oidc_data(workshop.keyring.session_key)).status == 401
    assert not keys.asked


def test_without_trusted_proxies_it_is_a_mistake(make_stage, workshop):
    stage = make_stage(start=False, endpoint={"sessions": {"authenticators": [{"alb": {
        "signers": [SIGNER], "client": "c", "issuer": "i"}}]}})
    stage.proxy.write_config()
    done = tokens.run_cli("check", "--config", stage.proxy.config_file)
    assert done.returncode == 2
    assert "no listener has trusted_proxies" in done.stderr + done.stdout


def test_a_foreign_page_may_not_act_by_the_load_balancers_session(make, keys, workshop):
    """The load balancer adds it to whatever the browser sends with its cookie."""
    key = workshop.keyring.session_key
    publish(keys, key)
    stage = make()
    for origin, status in (("https://evil.test", 403), ("null", 403), ("https://ep.test", 200)):
        client = stage.connect()
        client.send(build_request("DELETE", f"/api/kernels/{KERNEL}", [
            ("Host", "ep.test"), ("X-Forwarded-For", "192.0.2.7"), ("Origin", origin),
            ("X-Amzn-Oidc-Data", oidc_data(key))]))
        assert client.read_response("DELETE").status == status, origin
    stage.moved("kernelgate_errors_total", by=2, reason="foreign_origin", endpoint="ep")
