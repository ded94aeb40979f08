"""Fixtures of the end-to-end tests: real gateways, the real proxy, real kernels, all on loopback.

tests/run sets KERNELGATE_BIN, KERNELGATE_LOAD_BIN and KG_CACHE (which holds the Python
environments) and runs this with the client environment's Python.
"""

import os
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "deploy/quickstart.d"), str(TREE / "tests"), str(Path(__file__).parent)]

import peers  # noqa: E402
from replica_set import ReplicaSet  # noqa: E402
from support.certificates import Keyring  # noqa: E402
from support.stage import Workshop  # noqa: E402


def pytest_configure():
    if not os.environ.get("KERNELGATE_BIN"):
        raise pytest.UsageError("set KERNELGATE_BIN to the built program, or use tests/run")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    return Workshop(Keyring(tmp_path_factory.mktemp("keys")))


@pytest.fixture(scope="session")
def start_gateway(tmp_path_factory, workshop):
    """start_gateway() -> a running Enterprise Gateway; all are stopped at the end."""
    running = []

    def start(**options):
        folder = tmp_path_factory.mktemp("gateway")
        running.append(peers.EnterpriseGateway(folder, workshop, **options))
        return running[-1]

    yield start
    for gateway in running:
        gateway.stop()


@pytest.fixture(scope="session")
def gateway(start_gateway):
    """One gateway for all tests that leave it as it was."""
    return start_gateway()


@pytest.fixture(scope="module")
def start_replicas(tmp_path_factory, workshop):
    """start_replicas(count) -> a ReplicaSet of that many gateways; all end with the module."""
    running = []

    def start(count):
        token = workshop.gateway_token_file.read_text().strip()
        running.append(ReplicaSet(tmp_path_factory.mktemp("replicas"), token, count))
        return running[-1]

    yield start
    for replicas in running:
        replicas.close()


@pytest.fixture
def tap(gateway):
    """What passes between a proxy and `gateway` can be seen, counted and cut here."""
    tap = peers.Tap(gateway.port)
    yield tap
    tap.close()


@pytest.fixture(scope="session")
def start_proxy(tmp_path_factory, workshop):
    """start_proxy(name=port, ...) -> a running kernelgate; all must end well. `keys` go into the
    map `gateway` of each endpoint, session_rules into its `sessions`; those in `open_to_foreign`
    let in ids of anybody's making."""
    running = []

    def start(keys=None, session_rules=None, open_to_foreign=(), notebook_sessions=False, **ports):
        folder = tmp_path_factory.mktemp("proxy")
        running.append(peers.Kernelgate(folder, workshop, ports, keys or {}, open_to_foreign,
                                        session_rules or {}, notebook_sessions=notebook_sessions))
        return running[-1]

    yield start
    for proxy in running:
        proxy.stop()


@pytest.fixture(scope="session")
def proxy(start_proxy, gateway):
    """One proxy with the endpoint `shared` in front of `gateway`."""
    return start_proxy(shared=gateway.port)


@pytest.fixture(scope="session")
def through_proxy(proxy):
    """A client with a session for the shared endpoint."""
    return proxy.client("shared")


@pytest.fixture
def kernel(through_proxy):
    """A fresh kernel behind the proxy; deleted at the end."""
    kernel_id = through_proxy.create()
    yield kernel_id
    if through_proxy.call("GET", f"/api/kernels/{kernel_id}").status == 200:
        through_proxy.delete(kernel_id)
