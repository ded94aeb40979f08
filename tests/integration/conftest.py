"""Fixtures: keys once per run, a stage (proxy and gateway) per test.

KERNELGATE_BIN names the program. KG_TEST_PATIENCE (seconds) lengthens every wait, KG_SOAK=1 runs
the soak.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.certificates import Keyring  # noqa: E402
from support.stage import Stage, Workshop  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds, opt-in by environment")
    if not os.environ.get("KERNELGATE_BIN"):
        raise pytest.UsageError("set KERNELGATE_BIN to the built program, or use tests/run")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    return Workshop(Keyring(tmp_path_factory.mktemp("keys")))


def _close(stages):
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
    _close(stages)


@pytest.fixture
def stage(make_stage):
    """A stage as most tests want it: one endpoint, kernel paths only, one worker."""
    return make_stage()


@pytest.fixture
def open_stage(make_stage):
    """The same with other_paths: forward."""
    return make_stage(endpoint={"other_paths": "forward"})


@pytest.fixture(scope="module")
def shared_stage(workshop, tmp_path_factory):
    """One stage for a module of small, independent refusals."""
    stage = Stage(workshop, tmp_path_factory.mktemp("shared"))
    yield stage
    _close([stage])
