"""Two users of one endpoint, with a real gateway that lists every kernel to anybody: neither sees
nor touches the other's kernels, by any operation.

One endpoint denies ids of foreign making, the other one lets them in.
"""

import peers
import pytest
import websocket
from kernel_client import Channels


@pytest.fixture(scope="module")
def tap(gateway):
    """What reaches the gateway passes here."""
    tap = peers.Tap(gateway.port)
    yield tap
    tap.close()


@pytest.fixture(scope="module")
def proxy(start_proxy, tap):
    return start_proxy(strict=tap.port, moving=tap.port, open_to_foreign=("moving",))


@pytest.fixture(params=["strict", "moving"])
def endpoint(request):
    return request.param


@pytest.fixture
def users(proxy, endpoint):
    """Clients of alice and bob."""
    return [proxy.client(endpoint, proxy.session_token(endpoint, name))
            for name in ("alice", "bob")]


def listed(client):
    return [kernel["id"] for kernel in client.expect(200, "GET", "/api/kernels").json()]


def assert_not_there(client, kernel):
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/interrupt"), ("POST", "/restart")]:
        reply = client.call(method, f"/api/kernels/{kernel}{path}", {} if path else None)
        assert reply.status == 404, f"{method} {path}: {reply.body}"
        assert reply.json() == {"reason": "Not Found",
                                "message": f"Kernel does not exist: {kernel}"}
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Channels(client, kernel)
    assert refused.value.status_code == 404
    assert kernel not in listed(client)


def test_neither_user_sees_or_touches_the_others_kernel(users):
    alice, bob = users
    alices, bobs = alice.create(user="bob"), bob.create(user="root")
    try:
        with alice.connect(alices) as channels:
            channels.execute("secret = 41")
            assert_not_there(bob, alices)
            assert_not_there(alice, bobs)
            assert_not_there(bob, alices.upper())
            # Nothing of that reached the kernel: it was neither interrupted nor restarted.
            assert channels.execute("secret + 1").result == "42"
            assert channels.execute("import os; os.environ['KERNEL_USERNAME']").result == "'alice'"
        assert alices in listed(alice) and bobs in listed(bob)
    finally:
        alice.delete(alices)
        bob.delete(bobs)


def test_the_gateways_own_404_looks_the_same(users):
    """A kernel that ended, asked for by its owner and by somebody else."""
    alice, bob = users
    kernel = alice.create()
    alice.delete(kernel)
    own = alice.call("GET", f"/api/kernels/{kernel}")
    others = bob.call("GET", f"/api/kernels/{kernel}")
    assert (own.status, own.body) == (others.status, others.body) == (404, others.body)


def test_kernels_of_the_gateways_own_making(users, endpoint, gateway):
    """Started past the proxy: nobody's, or everybody's where the endpoint says so."""
    kernel = gateway.client.create(user="carol")
    try:
        for client in users:
            if endpoint == "strict":
                assert_not_there(client, kernel)
            else:
                assert kernel in listed(client)
                with client.connect(kernel) as channels:
                    assert channels.execute("1 + 1").result == "2"
    finally:
        gateway.client.delete(kernel)


def test_the_gateway_takes_the_ids_that_the_proxy_makes(users):
    """All of its operations, for the kernel's owner."""
    alice, _ = users
    kernel = alice.create()
    assert alice.expect(200, "GET", f"/api/kernels/{kernel}").json()["id"] == kernel
    alice.interrupt(kernel)
    alice.restart(kernel)
    with alice.connect(kernel) as channels:
        assert channels.execute("6 * 7").result == "42"
    alice.delete(kernel)
