"""The processes that end-to-end tests run: gateways, the proxy, Jupyter servers, and a tap.

Everything listens on loopback. Children get SIGTERM when pytest dies.
"""

import contextlib
import os
import selectors
import shutil
import socket
import subprocess
import threading
from pathlib import Path

from kernel_client import Gateway, KernelError
from support import tokens
from support.proxy_process import ProxyProcess, base_config
from support.waiting import wait_until

TREE = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("KG_CACHE", Path.home() / ".cache/kernelgate"))
VENVS = CACHE / "venv"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require_program(name):
    """The path of a program that a Debian package brings; without it a test fails, not skips."""
    path = shutil.which(name)
    assert path, f"{name} is not installed: tests/run installs it"
    return path


class Process:
    """A child in a session of its own, its output in a file."""

    def __init__(self, name, folder, command):
        self.name = name
        self.log = Path(folder) / f"{name}.log"
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *map(str, command)], stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True)

    def wait_ready(self, condition, seconds=60):
        def ready():
            assert self.child.poll() is None, f"{self.name} ended:\n{self.tail()}"
            return condition()

        try:
            wait_until(ready, lambda: f"{self.name} to start:\n{self.tail()}", seconds)
        except AssertionError:
            self.stop()
            raise

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self, seconds=20):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()


def answers(client, path):
    try:
        return client.call("GET", path, timeout=5).status == 200
    except KernelError:
        return False


class EnterpriseGateway(Process):
    """A real Jupyter Enterprise Gateway with a local Python kernel; `spark` adds Spark's."""

    def __init__(self, folder, workshop, port=None, spark=False):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = workshop.gateway_token_file.read_text().strip()
        super().__init__("gateway", folder, [
            TREE / "deploy/setup/run-gateway", VENVS / "gateway", folder, self.port,
            workshop.gateway_token_file, *([VENVS / "spark"] if spark else [])])
        self.client = Gateway(self.url, self.token)
        self.wait_ready(lambda: answers(self.client, "/api"))


class JupyterServer(Process):
    """A stock jupyter_server whose kernels come from gateway_url, with that configuration."""

    def __init__(self, folder, workshop, gateway_url, session_token, configuration=""):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        session_file, own_file = folder / "session-token", folder / "own-token"
        session_file.write_text(session_token)
        (folder / "config").mkdir()
        (folder / "config/jupyter_server_config.py").write_text(configuration)
        own_file.write_text("jupyter-own-token")
        super().__init__("jupyter", folder, [
            TREE / "deploy/setup/run-jupyter", VENVS / "client", folder, self.port, gateway_url,
            session_file, workshop.keyring.ca, own_file, "server"])
        self.client = Gateway(self.url, own_file.read_text())
        self.wait_ready(lambda: answers(self.client, "/api"))


class Kernelgate(ProxyProcess):
    """The real program with two workers in front of {endpoint id: gateway port}.

    Each endpoint is reached below /ID on localhost. `keys` go into its map `gateway`, session_rules
    into its `sessions`, `config` into the file. Kernels that were not started through the program
    are nobody's, but at endpoints named in `open_to_foreign`.
    """

    def __init__(self, folder, workshop, ports, keys, open_to_foreign=(), session_rules=None,
                 config=None, notebook_sessions=False):
        changes = config or {}
        config = base_config(workshop.keyring, Path(folder) / "access.json",
                             [workshop.keyring.server_certificate("localhost")])
        config["workers"] = 2
        config["endpoints"] = [
            workshop.endpoint(name, port, hosts=["localhost"], path_prefix=f"/{name}",
                              foreign_ids="endpoint" if name in open_to_foreign else "deny",
                              notebook_sessions=notebook_sessions,
                              gateway=keys, session_rules=session_rules or {})
            for name, port in ports.items()]
        config.update(changes)
        super().__init__(folder, config)
        self.workshop = workshop
        self.start()
        self.url = f"https://localhost:{self.port}"
        self.monitoring_url = f"http://127.0.0.1:{self.monitoring_port}"

    def session_token(self, endpoint, subject="alice"):
        return tokens.mint(self.workshop.keyring.session_key, endpoint, subject)

    def client(self, endpoint, token=None):
        """A client of that endpoint, by default with a session of its own."""
        token = self.session_token(endpoint) if token is None else token
        return Gateway(f"{self.url}/{endpoint}", token, self.workshop.keyring.ca)


class Tap:
    """Sits in front of a port, or of several in turn as a balancer does, and counts what reaches
    it: connections and bytes towards it. `came_back` is what came back over each of them."""

    def __init__(self, *target_ports):
        self.connections = 0
        self.bytes = 0
        self.target_ports = list(target_ports)
        self.came_back = []
        self.websockets = set()  # the sockets, at both ends, of those that are open
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _reach(self):
        """A connection to the next of the targets that takes one."""
        ports = list(self.target_ports)
        for number in range(len(ports)):
            try:
                port = ports[(self.connections + number) % len(ports)]
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                pass
        raise ConnectionRefusedError("nobody is there")

    def _relay(self, client):
        came_back = bytearray()
        self.came_back.append(came_back)
        with client, self._reach() as target, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, target)
            selector.register(target, selectors.EVENT_READ, client)
            while self._pass_on(client, came_back, selector.select()):
                pass
            self.websockets -= {client, target}

    def _pass_on(self, client, came_back, ready):
        for key, _ in ready:
            try:
                data = key.fileobj.recv(65536)
                if key.fileobj is client:
                    self.bytes += len(data)
                    if b"\r\nUpgrade: " in data:
                        self.websockets |= {client, key.data}
                else:
                    came_back += data
                key.data.sendall(data)
            except OSError:
                return False
            if not data:
                return False
        return True

    def cut_websockets(self):
        """As a network does that loses a connection: both ends see it end, with no Close before."""
        for end in list(self.websockets):
            with contextlib.suppress(OSError):  # closed, since the other end has ended
                end.shutdown(socket.SHUT_RDWR)

    def seen(self):
        return self.connections, self.bytes

    def close(self):
        self.listener.close()
