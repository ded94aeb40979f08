"""Peers that would be too slow as threads of the test: programs that speak in JSON lines."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from .waiting import wait_until


class PeerProcess:
    """A program of its own (python3 -m MODULE), whose JSON lines arrive in `said`."""

    def __init__(self, module, *arguments, given=""):
        self.said = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=Path(__file__).resolve().parents[1], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(given + "\n")
        self.process.stdin.flush()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def wait_for(self, key, timeout):
        def probe():
            found = [line for line in self.said if key in line]
            assert found or self.process.poll() is None, f"a peer process ended: {self.said}"
            return found and found[0]
        return wait_until(probe, f"a peer process to say {key}", timeout)

    def end_input(self):
        self.process.stdin.close()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)


class PeerGateway:
    """The echoing gateway of soak_peers, where a ScriptedGateway stands in a Stage."""

    def __init__(self, address="127.0.0.1"):
        self.address = address
        self.peer = PeerProcess("support.soak_peers", "gateway", address)
        self.port = self.peer.wait_for("port", 30)["port"]

    def close(self):
        self.peer.close()
