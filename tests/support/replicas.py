"""Replicas: several scripted gateways that are the pods of one endpoint, each with its own kernels.

They do what a Jupyter Enterprise Gateway does with kernel ids (domain J20 to J25): a replica knows
the kernels that it started. Asked for another one by GET, DELETE or a WebSocket it loads the
kernel from the shared records (with replication), or else deletes the record and answers 404.
Interrupt and restart load nothing. `Replica.first` takes over where a test wants something else.
"""

import json
import re
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from .kernels import key_line, mint
from .proxy_process import ProxyProcess
from .raw_client import RawClient
from .scripted_gateway import ScriptedGateway
from .stage import Stage
from .waiting import wait_until

_KERNEL = re.compile(r"/api/kernels/([^/?]+)(/\w+)?")


@dataclass
class Shared:
    """What all replicas see. `deleted`: (replica, id) of each record that a request destroyed."""
    replication: bool
    records: set = field(default_factory=set)
    deleted: list = field(default_factory=list)


class Replica:
    """One pod. It can be killed and started again at its address, with nothing in its memory."""

    def __init__(self, name, shared):
        self.name = name
        self.shared = shared
        self.kernels = {}  # id -> spec name; what its memory holds
        self.asked = []  # (method, path) of every kernel operation since the last forget()
        self.refused = []  # (method, path) of those for kernels that it does not have
        self.websockets = []  # (id, the gateway's end)
        self.first = None  # first(call): true if it has answered, or never wants to
        # Holds the port while nobody listens there.
        self._anchor = socket.socket()
        self._anchor.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._anchor.bind(("127.0.0.1", 0))
        self.port = self._anchor.getsockname()[1]
        self.gateway = None
        self.start()

    def start(self):
        self.gateway = ScriptedGateway(port=self.port).serve(self._answer)

    def kill(self):
        """As SIGKILL does: connections end, new ones are refused, memory is gone."""
        # close() alone would wait for the threads that read and accept there.
        self.gateway.listener.shutdown(socket.SHUT_RDWR)
        for wire in self.gateway.wires:
            try:
                wire.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already
        self.gateway.kill()
        self.gateway.close()
        self.kernels = {}
        self.websockets = []

    def restart(self):
        self.kill()
        self.start()

    def restart_unseen(self):
        """With a new memory, and nobody there who could have noticed."""
        self.kernels = {}

    def close(self):
        self.gateway.close()
        self._anchor.close()

    def forget(self):
        self.asked.clear()
        self.refused.clear()

    def list_json(self):
        return json.dumps([model(kernel, spec) for kernel, spec in list(self.kernels.items())])

    def _answer(self, call):
        method, target = call.request.method, call.request.target
        path = target.partition("?")[0]
        if path.startswith("/api/kernels"):
            self.asked.append((method, path))
        if self.first and self.first(call):
            return None
        if path == "/api/kernels":
            return self._create(call) if method == "POST" else call.reply_json(self.list_json())
        if match := _KERNEL.fullmatch(path):
            return self._kernel(call, match[1], (match[2] or "").strip("/"))
        return call.reply_json("{}")

    def _create(self, call):
        body = json.loads(call.request.body)
        kernel, spec = body["env"]["KERNEL_ID"], body.get("name", "python3")
        self.kernels[kernel] = spec
        self.shared.records.add(kernel)
        call.reply_json(json.dumps(model(kernel, spec)), 201,
                        [("Location", f"/api/kernels/{kernel}")])

    def _kernel(self, call, kernel, verb):
        if kernel not in self.kernels and verb in ("", "channels"):
            self._load(kernel)
        if kernel not in self.kernels:
            self.refused.append((call.request.method, call.request.target))
            return refuse(call, kernel, verb)
        if verb == "channels":
            self.websockets.append((kernel, call.accept_websocket()))
            threading.Event().wait(3600)  # the connection is the test's from here on
        if call.request.method == "DELETE":
            del self.kernels[kernel]
            self.shared.records.discard(kernel)
        if verb == "interrupt" or call.request.method == "DELETE":
            return call.reply(204)
        return call.reply_json(json.dumps(model(kernel, self.kernels[kernel])))

    def _load(self, kernel):
        if self.shared.replication and kernel in self.shared.records:
            self.kernels[kernel] = "python3"
        else:
            self.shared.deleted.append((self.name, kernel))
            self.shared.records.discard(kernel)


_FRAME = '  File "/opt/jeg/kernelmanager.py", line {}, in {}\n    self.{}(kernel_id)\n'


def refuse(call, kernel, verb, raised_in="_check_kernel_id"):
    """The error for a kernel that the gateway does not know, as measured (0.12). Or another one of
    a restart, raised elsewhere."""
    if verb == "restart":
        frames = [_FRAME.format(i, name, name) for i, name in enumerate(("post", raised_in))]
        return call.reply_json(json.dumps({"message": "Exception restarting kernel",
                                           "traceback": frames}), 500)
    return call.reply_json(json.dumps({"reason": "Not Found",
                                       "message": f"Kernel does not exist: {kernel}"}), 404)


def model(kernel, spec="python3"):
    return {"id": kernel, "name": spec, "execution_state": "idle", "connections": 0,
            "last_activity": "2026-08-01T10:00:00.000001Z"}


class ReplicaStage(Stage):
    """Endpoint `ep` with `count` replicas jeg-0, jeg-1, ... as its pods, or those of `names`.
    `keys`: the line of its kernel-id keys file, for a second proxy with the same keys."""

    def __init__(self, workshop, folder, count=3, replication=False, endpoint=None, config=None,
                 keys=None, names=None, **options):
        self.keys = keys or key_line()
        keys_file = Path(folder) / "kernel-id-keys"
        keys_file.write_text(self.keys)
        keys_file.chmod(0o600)
        config = {"kernel_ids": {"keys_file": str(keys_file)}, **(config or {})}
        self.shared = Shared(replication)
        names = names or [f"jeg-{n}" for n in range(count)]
        self.replicas = [Replica(name, self.shared) for name in names]
        endpoint = dict(endpoint or {})
        gateway = dict(endpoint.pop("gateway", {}))
        gateway.setdefault("pods", [{"name": replica.name, "address": f"127.0.0.1:{replica.port}"}
                                    for replica in self.replicas])
        if replication:
            gateway["replication"] = True
        super().__init__(workshop, folder, endpoint={**endpoint, "gateway": gateway},
                         config=config, gateway=self.replicas[0].gateway, **options)

    def close(self):
        try:
            super().close()
        finally:
            for replica in self.replicas:
                replica.close()

    def forget(self):
        """What the replicas were asked until now does not count."""
        for replica in self.replicas:
            replica.forget()

    def seed(self, replica, subject="alice", kernel=None):
        """A kernel that runs on that replica: its id, as if the proxy had minted it there."""
        kernel = kernel or mint(self.keys, replica.name, subject=subject)
        replica.kernels[kernel] = "python3"
        self.shared.records.add(kernel)
        return kernel

    def start_kernel(self, subject="alice"):
        """A kernel of that user, started through the proxy: its id and its replica."""
        client = self.connect()
        response = client.exchange("POST", "/api/kernels", body=b'{"name": "python3"}',
                                   token=self.token(subject=subject))
        client.close()
        assert response.status == 201, response
        kernel = response.json()["id"]
        return kernel, self.holder(kernel)

    def holder(self, kernel):
        """The only replica that has it in memory."""
        holders = [replica for replica in self.replicas if kernel in replica.kernels]
        assert len(holders) == 1, f"{kernel} is at {[replica.name for replica in holders]}"
        return holders[0]

    def another_proxy(self):
        """One more proxy with the same configuration as it stands now."""
        folder = self.folder / "another"
        folder.mkdir()
        config = {**self.proxy.config, "access_log": {"path": str(folder / "access.log")}}
        proxy = ProxyProcess(folder, config)
        self.closes(SimpleNamespace(close=proxy.stop))
        return proxy.start()

    def ask(self, method, target, subject="alice", client=None, proxy=None):
        """One whole exchange: on `client`, or on a connection of its own, to `proxy` if given."""
        own = client or RawClient((proxy or self.proxy).port, self.context)
        response = own.exchange(method, target, token=self.token(subject=subject))
        if client is None:
            own.close()
        return response

    def open_websocket(self, kernel, subject="alice"):
        """The client's end."""
        client = self.connect()
        target = f"/api/kernels/{kernel}/channels"
        return client.read_upgrade(client.send_upgrade(target, token=self.token(subject=subject)))

    def gateway_end(self, replica, kernel):
        """The newest WebSocket of that kernel at that replica."""
        def probe():
            ends = [end for name, end in replica.websockets if name == kernel]
            return ends[-1] if ends else None
        return wait_until(probe, f"a WebSocket of {kernel} at {replica.name}")

    def reload(self, change):
        """change(the configuration of endpoint `ep`), then SIGHUP, until it is taken over."""
        done = self.proxy.metrics().value("kernelgate_config_reloads_total", result="ok")
        change(self.proxy.config["endpoints"][0])
        self.proxy.write_config()
        self.proxy.signal(1)
        self.proxy.wait_metric("kernelgate_config_reloads_total", done + 1, result="ok")

    def assert_nothing_destroyed(self):
        assert not self.shared.deleted, f"records deleted by requests: {self.shared.deleted}"

    def assert_asked_only(self, replica, kernel):
        """Of this kernel nobody else was asked."""
        others = {other.name: [entry for entry in other.asked if kernel in entry[1]]
                  for other in self.replicas if other is not replica}
        assert not any(others.values()), f"asked besides {replica.name}: {others}"
