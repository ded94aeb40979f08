"""Fixtures of the conformance tests: third-party tools against the real program, all on loopback.

KERNELGATE_BIN names the program, KG_CACHE the folder that tests/run installs tools into. A tool
that this machine cannot have is a skip whose reason begins with `unavailable:`.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fixtures import make_stage, stage, workshop  # noqa: E402, F401


def pytest_configure():
    for name in ("KERNELGATE_BIN", "KG_CACHE"):
        if not os.environ.get(name):
            raise pytest.UsageError(f"set {name} (tests/README.md), or use tests/run")


@pytest.fixture(scope="session")
def debian_tool():
    """debian_tool(name): the path of a program that is one of tests/run's Debian packages."""
    def find(name):
        path = shutil.which(name)
        assert path, f"{name} is not installed: tests/run --suite conformance installs it"
        return path

    return find


@pytest.fixture(scope="session")
def wstest():
    """The Autobahn test suite's program. tests/run.d/conformance.sh made it, or wrote why not."""
    folder = Path(os.environ["KG_CACHE"]) / "venv/autobahn"
    reason = folder / "unavailable"
    if reason.exists():
        pytest.skip(f"unavailable: {reason.read_text().strip()}")
    program = folder / "bin/wstest"
    assert program.exists(), "there is no wstest: tests/run --suite conformance installs it"
    return program
