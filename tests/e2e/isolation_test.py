"""Two endpoints with a gateway each: a session of one opens nothing of the other.

What reaches a gateway is asserted at a tap in front of it.
"""

import peers
import pytest
import websocket
from kernel_client import Channels, Gateway

NO_KERNEL = "00000000-0000-4000-8000-000000000000"
REQUESTS = [
    ("GET", "/api/kernelspecs", None),
    ("GET", "/api/kernelspecs/python3", None),
    ("GET", "/kernelspecs/python3/logo-64x64.png", None),
    ("GET", "/api/kernels", None),
    ("POST", "/api/kernels", {"name": "python3", "env": {"KERNEL_USERNAME": "mallory"}}),
    ("GET", f"/api/kernels/{NO_KERNEL}", None),
    ("DELETE", f"/api/kernels/{NO_KERNEL}", None),
    ("POST", f"/api/kernels/{NO_KERNEL}/interrupt", {}),
    ("POST", f"/api/kernels/{NO_KERNEL}/restart", {}),
]


@pytest.fixture(scope="module")
def pair(start_proxy, start_gateway, gateway):
    """(proxy, tap before alpha's gateway, tap before beta's gateway)"""
    alpha, beta = peers.Tap(gateway.port), peers.Tap(start_gateway().port)
    yield start_proxy(alpha=alpha.port, beta=beta.port), alpha, beta
    alpha.close()
    beta.close()


def refused_upgrade(client):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Channels(client, NO_KERNEL)
    return refused.value.status_code


@pytest.mark.parametrize(
    "credential, status", [("alpha", 403), ("none", 401), ("forged", 401), ("gateway", 401)])
def test_nothing_reaches_the_gateway_without_a_session_for_it(pair, gateway, credential, status):
    proxy, _, beta_tap = pair
    own = proxy.session_token("alpha")
    tokens = {"alpha": own, "none": "", "forged": own[:-8] + "AAAAAAAA", "gateway": gateway.token}
    client = proxy.client("beta", tokens[credential])
    before = beta_tap.seen()
    for method, path, body in REQUESTS:
        reply = client.call(method, path, body)
        assert reply.status == status, f"{method} {path}: {reply.body}"
        assert {"reason", "message"} <= reply.json().keys()
    assert refused_upgrade(client) == status
    assert beta_tap.seen() == before


def test_each_session_works_on_its_own_endpoint(pair):
    proxy, alpha_tap, beta_tap = pair
    alpha, beta = proxy.client("alpha"), proxy.client("beta")
    before = alpha_tap.seen(), beta_tap.seen()
    kernel = alpha.create()
    try:
        assert kernel in [k["id"] for k in alpha.expect(200, "GET", "/api/kernels").json()]
        assert alpha_tap.seen() > before[0]
        assert beta_tap.seen() == before[1]
        assert kernel not in [k["id"] for k in beta.expect(200, "GET", "/api/kernels").json()]
        assert beta_tap.seen() > before[1]
        assert beta.call("GET", f"/api/kernels/{kernel}").status == 404
        with alpha.connect(kernel) as channels:
            assert channels.execute("1 + 1").result == "2"
    finally:
        alpha.delete(kernel)


def test_a_session_token_is_worth_nothing_at_the_gateway(pair, gateway):
    """So the gateway's own token must have gone up in its place."""
    proxy, _, _ = pair
    token = proxy.session_token("alpha")
    assert Gateway(gateway.url, token).call("GET", "/api/kernelspecs").status == 401
    assert proxy.client("alpha", token).call("GET", "/api/kernelspecs").status == 200


def test_no_token_reaches_a_log(pair, gateway):
    proxy, _, _ = pair
    token = proxy.session_token("alpha", "mallory")
    anonymous = proxy.client("alpha", "")
    assert anonymous.call("GET", f"/api/kernelspecs?token={token}").status == 200
    proxy.wait_log(operation="ListKernelSpecs", subject="mallory")
    text = proxy.access_log.read_text() + "\n".join(proxy.stderr_lines) + gateway.log.read_text()
    assert token.rpartition(".")[2] not in text
    assert gateway.token not in text
