"""How a session ends, and goes on, for notebooks behind a stock Jupyter server."""

import json
import os
import time

import peers
import pytest
import websocket
from jupyter_client.jsonutil import parse_date
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from support import tokens
from v1_framing import SUBPROTOCOL

GRACE_SECONDS = 2
SECONDS = 12  # of a session
CELL = "import time\nfor n in range({lines}): print(n, flush=True); time.sleep(0.5)"


@pytest.fixture(scope="module")
def strict_proxy(start_proxy, gateway):
    return start_proxy(session_rules={"expiry_grace": f"{GRACE_SECONDS}s"}, strict=gateway.port)


@pytest.fixture
def start_jupyter(strict_proxy, workshop, tmp_path):
    running = []

    def start(token, configuration=""):
        folder = tmp_path / f"jupyter{len(running)}"
        folder.mkdir()
        running.append(peers.JupyterServer(folder, workshop, f"{strict_proxy.url}/strict", token,
                                           configuration))
        return running[-1].client

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def strict_kernel(strict_proxy):
    """A kernel whose life does not hang on the short sessions."""
    client = strict_proxy.client("strict")
    kernel = client.create()
    yield kernel
    client.delete(kernel)


def session(proxy, seconds=SECONDS):
    claims = tokens.claims("strict", seconds=seconds)
    return tokens.forge(proxy.workshop.keyring.session_key, claims), claims["exp"]


def is_notice(message):
    return message["header"]["username"] == "kernelgate"


def put(file, text):
    fresh = file.with_suffix(".fresh")
    fresh.write_text(text + "\n")
    os.replace(fresh, file)


def renewer(file):
    folder = peers.TREE / "deploy/client"
    return (f"import sys\nsys.path.insert(0, {str(folder)!r})\n"
            "c.GatewayClient.gateway_token_renewer_class = "
            "'kernelgate_token_renewer.FileTokenRenewer'\n"
            f"c.FileTokenRenewer.token_file = {str(file)!r}\n")


@pytest.mark.parametrize("subprotocol", [None, SUBPROTOCOL])
def test_jupyters_own_deserialisers_read_a_notice(strict_proxy, strict_kernel, subprotocol):
    token, _ = session(strict_proxy, seconds=15)
    client = strict_proxy.client("strict", token)
    with client.connect(strict_kernel, [subprotocol] if subprotocol else None) as channels:
        while True:
            channels.socket.settimeout(30)
            _, data = channels.socket.recv_data()
            if subprotocol:
                channel, parts = deserialize_msg_from_ws_v1(data)
                message = Session(key=b"").deserialize([b"", *parts])
            else:
                message = json.loads(data)
                channel = message["channel"]
                message["header"]["date"] = parse_date(message["header"]["date"])
            if is_notice(message):
                break
    assert channel == "iopub" and message["header"]["msg_type"] == "stream"
    assert message["header"]["date"].year >= 2020, "a date, not a text"
    assert message["content"]["name"] == "stderr"
    assert "session ends at" in message["content"]["text"]


def test_with_the_renewer_a_short_token_lives_through_a_longer_cell(
        strict_proxy, start_jupyter, tmp_path):
    file = tmp_path / "token"
    jupyter = start_jupyter("not.a.token", renewer(file))
    put(file, session(strict_proxy)[0])
    kernel = jupyter.create()
    began = time.monotonic()
    renewals = 0

    def keep_fresh(_):
        nonlocal renewals
        if time.monotonic() - began > (renewals + 1) * SECONDS / 3:
            renewals += 1
            put(file, session(strict_proxy)[0])
            assert jupyter.call("GET", "/api/kernels").status == 200  # as JupyterLab does

    with jupyter.connect(kernel) as channels:
        cell = channels.execute(CELL.format(lines=40), timeout=60, on_output=keep_fresh)
    assert cell.status == "ok" and renewals >= 2
    # On a slow machine the first renewal may come after the first notice.
    lines = [line for line in cell.stdout.splitlines() if not line.startswith("[Kernelgate]")]
    assert lines == [str(n) for n in range(40)], "not one line is missing"
    assert cell.seconds > SECONDS + GRACE_SECONDS
    strict_proxy.wait_metric("kernelgate_websockets_expired_total", 0)
    assert strict_proxy.metrics().value("kernelgate_websockets_renewed_total") >= 2
    jupyter.delete(kernel)


def test_without_it_the_user_reads_what_happens_and_the_socket_ends(strict_proxy, start_jupyter):
    token, end = session(strict_proxy, seconds=45)  # the server's start is a part of it
    jupyter = start_jupyter(token)
    kernel = jupyter.create()
    ended_before = strict_proxy.metrics().value("kernelgate_websockets_expired_total")
    told, last = [], 0
    with jupyter.connect(kernel) as channels:
        cell = channels.request("execute_request", {
            "code": CELL.format(lines=200), "silent": False, "store_history": True,
            "user_expressions": {}, "allow_stdin": False, "stop_on_error": True})
        while time.time() < end + GRACE_SECONDS + 3:
            try:
                message = channels.receive(1)
            except websocket.WebSocketTimeoutException:
                continue
            last = time.time()
            if is_notice(message):
                told.append(message["content"]["text"])
                assert message["parent_header"]["msg_id"] == cell, "in the output of the cell"
    assert len(told) == 2 and all("To renew it" in text for text in told), told
    assert -1 < last - (end + GRACE_SECONDS) < 1, "output went on until the end, and no longer"
    strict_proxy.wait_metric("kernelgate_websockets_expired_total", ended_before + 1)
    line = strict_proxy.wait_log(operation="ConnectKernel", kernel=kernel, status=101)
    assert (line["close_code"], line["error"]) == (1008, "session_expired")
    # The kernel goes on: who signs in again finds it.
    again = strict_proxy.client("strict")
    assert again.call("GET", f"/api/kernels/{kernel}").status == 200
    again.delete(kernel)
