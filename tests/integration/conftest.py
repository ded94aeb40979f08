"""Fixtures of the integration tests, beside those of support/fixtures.py.

KERNELGATE_BIN names the program. KG_TEST_PATIENCE (seconds) lengthens every wait, KG_SOAK=1 runs
the soak.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fixtures import close_all, make_stage, stage, workshop  # noqa: E402, F401
from support.stage import Stage  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds, opt-in by environment")
    if not os.environ.get("KERNELGATE_BIN"):
        raise pytest.UsageError("set KERNELGATE_BIN to the built program, or use tests/run")


@pytest.fixture
def open_stage(make_stage):  # noqa: F811
    """The same with other_paths: forward."""
    return make_stage(endpoint={"other_paths": "forward"})


@pytest.fixture(scope="module")
def shared_stage(workshop, tmp_path_factory):  # noqa: F811
    """One stage for a module of small, independent refusals."""
    made = Stage(workshop, tmp_path_factory.mktemp("shared"))
    yield made
    close_all([made])
