"""The Autobahn test suite judges an echo server with and without the proxy: equal in every case."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from support.stage import CHANNELS
from support.waiting import wait_until

# 9 is about speed (up to 16 MiB a message). Compression has 216 cases, each of them 1,000 messages:
# of every set of options those of 16 and of 8,192 bytes, and of two sets the first in fragments;
# KG_AUTOBAHN=all takes all of them.
ALL = os.environ.get("KG_AUTOBAHN") == "all"
GROUPS = {
    "frames": ["1.*", "2.*", "3.*", "4.*", "5.*"],
    "text and closing": ["6.*", "7.*", "10.*"],
    "large messages": ["9.*"],
    "compression": ["12.*", "13.*"] if ALL else ["12.1.11", "13.1.11"]
    + [f"12.{options}.{size}" for options in range(1, 6) for size in (1, 6)]
    + [f"13.{options}.{size}" for options in range(1, 8) for size in (1, 6)],
}
SECONDS = 7200 if ALL else 300
START_SECONDS = 60  # Python 2 and Twisted on a busy machine
ECHO = Path(__file__).with_name("autobahn_echo.py")


class EchoServer:
    """Speaks permessage-deflate; the gateway of a stage, or alone."""

    def __init__(self, wstest, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._python = wstest.with_name("python")
        self._log = open(folder / "server.log", "wb")
        self._process = None

    def start(self, host_port):
        """host_port: the port that clients connect to."""
        self._process = subprocess.Popen(
            [self._python, ECHO, str(self.port), str(host_port)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)
        wait_until(self._accepts, f"the echo server on {self.port}; its log is {self._log.name}",
                   START_SECONDS)

    def _accepts(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        if self._process:
            self._process.terminate()
            self._process.wait(10)
        self._log.close()


class Judgement:
    """A running wstest client; verdicts() waits for its end."""

    def __init__(self, wstest, folder, url, cases):
        self._folder = folder
        self._log = folder / "client.log"
        spec = {"outdir": str(folder / "reports"), "servers": [{"agent": "echo", "url": url}],
                "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
        (folder / "spec.json").write_text(json.dumps(spec))
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [wstest, "--mode", "fuzzingclient", "--spec", str(folder / "spec.json")],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def verdicts(self):
        """{case: (behaviour, behaviour at the close, close code of the server)}"""
        try:
            code = self._process.wait(SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
        assert code == 0, self._log.read_text()[-2000:]
        report = json.loads((self._folder / "reports/index.json").read_text())["echo"]
        return {case: (found["behavior"], found["behaviorClose"], found["remoteCloseCode"])
                for case, found in report.items()}


@pytest.mark.parametrize("name", GROUPS)
def test_the_proxy_changes_no_verdict(name, wstest, make_stage, tmp_path):
    direct, through = tmp_path / "direct", tmp_path / "through"
    direct.mkdir()
    through.mkdir()
    alone, behind = EchoServer(wstest, direct), EchoServer(wstest, through)
    try:
        # Autobahn names no server by SNI and puts the address into Host.
        # The echo server drops who breaks the protocol; it is not to be looked for then.
        once = {"websocket_reconnect": "off"}
        stage = make_stage(gateway=behind,
                           endpoint={"hosts": None, "path_prefix": "/echo", "gateway": once},
                           config={"alb": {"idle_timeout": "400s"}})
        alone.start(alone.port)
        behind.start(stage.proxy.port)
        # Every case is a handshake of its own; and nobody is told that the session ends soon, as
        # users are when a third of it is left.
        token = stage.token(lifetime=f"{4 * SECONDS}s")
        url = f"wss://127.0.0.1:{stage.proxy.port}/echo{CHANNELS}?token={token}"
        runs = [Judgement(wstest, direct, f"ws://127.0.0.1:{alone.port}", GROUPS[name]),
                Judgement(wstest, through, url, GROUPS[name])]
        without, with_proxy = [run.verdicts() for run in runs]
    finally:
        alone.close()
    different = {case: (without[case], with_proxy.get(case)) for case in without
                 if without[case] != with_proxy.get(case)}
    assert not different, f"{len(different)} of {len(without)} cases: {different}"
    count = len(without)
    stage.moved("kernelgate_websockets_total", by=count, endpoint="ep")
    assert all(behaviour in ("OK", "NON-STRICT", "INFORMATIONAL")
               for behaviour, _, _ in without.values()), without
