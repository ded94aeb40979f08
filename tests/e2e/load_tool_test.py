"""kernelgate-load on real kernels."""

import os
import subprocess

import pytest


@pytest.fixture
def load(proxy, workshop, tmp_path):
    """load(options...) -> the finished process."""
    token = tmp_path / "token"
    token.write_text(proxy.session_token("shared"))

    def run(*options):
        command = [os.environ["KERNELGATE_LOAD_BIN"], "--url", f"{proxy.url}/shared",
                   "--token-file", token, "--ca-file", workshop.keyring.ca, *options]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True,
                              timeout=120, check=False)

    return run


def kernels(client):
    return {kernel["id"] for kernel in client.expect(200, "GET", "/api/kernels").json()}


def test_it_runs_its_cells_and_leaves_no_kernel(load, through_proxy):
    before = kernels(through_proxy)
    done = load("--kernels", 2, "--cells", 10)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "p50" in done.stdout
    assert kernels(through_proxy) == before


def test_a_wrong_answer_is_an_error(load, through_proxy):
    before = kernels(through_proxy)
    done = load("--kernels", 1, "--cells", 2, "--code", "1 + 1", "--expect", "3")
    assert done.returncode == 1, done.stdout + done.stderr
    assert kernels(through_proxy) == before


def test_more_than_twenty_kernels_need_a_yes(load):
    done = load("--kernels", 21, "--cells", 1)
    assert done.returncode == 2
    assert "--yes" in done.stderr
