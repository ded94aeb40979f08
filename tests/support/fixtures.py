"""Fixtures of the suites with scripted peers: keys once per run, a stage (proxy, gateway) per test.

A conftest imports those that its tests use.
"""

import pytest

from .certificates import Keyring
from .replicas import ReplicaStage
from .stage import Stage, Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    return Workshop(Keyring(tmp_path_factory.mktemp("keys")))


def close_all(stages):
    failures = []
    for stage in reversed(stages):
        try:
            stage.close()
        except AssertionError as failure:
            failures.append(failure)
        finally:  # pytest shows it if the test fails
            print("---- the proxy's log\n" + "\n".join(stage.proxy.stderr_lines[-60:]))
            if stage.proxy.access_log.exists():
                print("---- its access log\n" + stage.proxy.access_log.read_text()[-6000:])
    if failures:
        raise failures[0]


@pytest.fixture
def make_stage(workshop, tmp_path):
    """make_stage(...) starts a Stage; all of them end with the test, and must end well."""
    yield from _maker(Stage, workshop, tmp_path)


@pytest.fixture
def make_replicas(workshop, tmp_path):
    """make_replicas(count=3, replication=False, ...) starts a ReplicaStage in the same way."""
    yield from _maker(ReplicaStage, workshop, tmp_path)


def _maker(kind, workshop, tmp_path):
    stages = []

    def make(**options):
        folder = tmp_path / f"{kind.__name__}{len(stages) + 1}"
        folder.mkdir()
        stages.append(kind(workshop, folder, **options))
        return stages[-1]

    yield make
    close_all(stages)


@pytest.fixture
def stage(make_stage):
    """A stage as most tests want it: one endpoint, kernel paths only, one worker."""
    return make_stage()
