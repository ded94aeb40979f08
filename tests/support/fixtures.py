"""Fixtures of the suites with scripted peers: keys once per run, a stage (proxy, gateway) per test.

A conftest imports those that its tests use.
"""

import pytest

from .certificates import Keyring
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
    stages = []

    def make(**options):
        folder = tmp_path / f"stage{len(stages) + 1}"
        folder.mkdir()
        stages.append(Stage(workshop, folder, **options))
        return stages[-1]

    yield make
    close_all(stages)


@pytest.fixture
def stage(make_stage):
    """A stage as most tests want it: one endpoint, kernel paths only, one worker."""
    return make_stage()
