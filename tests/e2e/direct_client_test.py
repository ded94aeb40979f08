"""A direct client, with no Jupyter server of its own: JupyterLab's library for kernels and
sessions, in Node.js, straight at the proxy and a real gateway."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import peers
import pytest
from support.waiting import wait_until

SCRIPT = Path(__file__).parent / "direct_client/direct_client.mjs"
INSTALLED = peers.CACHE / "direct-client"  # by tests/run.d/direct_client.sh


@pytest.fixture
def proxy(start_proxy, gateway):
    return start_proxy(direct=gateway.port, notebook_sessions=True)


def run_client(folder, base_url, token, ca):
    """What it prints. Node.js looks for packages beside the script."""
    shutil.copy(SCRIPT, folder)
    (folder / "node_modules").symlink_to(INSTALLED / "node_modules")
    done = subprocess.run(
        [INSTALLED / "node", folder / SCRIPT.name], capture_output=True, text=True, timeout=60,
        env={**os.environ, "BASE_URL": base_url, "TOKEN": token, "NODE_EXTRA_CA_CERTS": str(ca)})
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def test_jupyterlabs_library_starts_renames_shares_and_ends_sessions(
        proxy, gateway, workshop, tmp_path):
    before = {kernel["id"] for kernel in gateway.client.call("GET", "/api/kernels").json()}
    seen = run_client(tmp_path, f"{proxy.url}/direct/", proxy.session_token("direct"),
                      workshop.keyring.ca)
    assert seen["specs"] == ["python3"]
    created = seen["created"]
    assert created["path"] == "work/one.ipynb" and created["kernel"]["name"] == "python3"
    assert seen["cell"] == {"status": "ok", "output": "42\n"}
    assert [one["id"] for one in seen["listed"]] == [created["id"]]
    assert seen["found"]["id"] == created["id"]
    assert (seen["renamed"]["path"], seen["renamed"]["name"]) == ("work/two.ipynb", "two.ipynb")
    assert seen["second"]["kernel"]["id"] == created["kernel"]["id"]
    assert seen["second"]["id"] != created["id"]
    assert seen["shared"]["output"] == "41\n", "the second session runs on the same kernel"
    assert seen["changed"]["id"] == created["id"]
    assert seen["changed"]["path"] == "work/two.ipynb"
    assert seen["changed"]["kernel"]["id"] != seen["first"]
    assert seen["fresh"]["output"] == "False\n", "and the first has another one now"
    assert seen["left"] == []
    wait_until(lambda: {kernel["id"] for kernel in gateway.client.call(
        "GET", "/api/kernels").json()} <= before, "the end of both kernels at the gateway")
