"""Fixtures of the integration tests, beside those of support/fixtures.py.

KERNELGATE_BIN names the program. KG_TEST_PATIENCE (seconds) lengthens every wait, KG_SOAK=1 runs
the soak.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fixtures import (  # noqa: E402, F401
    close_all, make_replicas, make_stage, stage, workshop)
from support.kernels import key_line  # noqa: E402
from support.stage import Stage  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds, opt-in by environment")
    if not os.environ.get("KERNELGATE_BIN"):
        raise pytest.UsageError("set KERNELGATE_BIN to the built program, or use tests/run")


@pytest.fixture
def open_stage(make_stage):  # noqa: F811
    """The same with other_paths: forward."""
    return make_stage(endpoint={"other_paths": "forward"})


@pytest.fixture
def keys_file(tmp_path):
    """A file with one key of kernel ids."""
    file = tmp_path / "kernel-id-keys"
    file.write_text(key_line())
    file.chmod(0o600)
    return file


@pytest.fixture
def make_owned(make_stage, keys_file):  # noqa: F811
    """make_owned(...) starts a Stage where foreign ids are denied; all of them have one key.
    `endpoint` keys by name; sharing goes into the endpoint's sessions."""
    def make(sharing=None, **endpoint):
        stage = make_stage(  # noqa: F811
            start=False, config={"kernel_ids": {"keys_file": str(keys_file)}},
            endpoint={"foreign_ids": "deny", **endpoint})
        if sharing:
            stage.proxy.config["endpoints"][0]["sessions"]["sharing"] = sharing
        return stage.start()

    return make


@pytest.fixture(scope="module")
def shared_stage(workshop, tmp_path_factory):  # noqa: F811
    """One stage for a module of small, independent refusals."""
    made = Stage(workshop, tmp_path_factory.mktemp("shared"))
    yield made
    close_all([made])
