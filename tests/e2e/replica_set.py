"""Several real gateways that share their kernels, as replicas of one deployment do.

They and their kernels run in a PID namespace of their own (replicas/enclosure.py says why), on the
machine's loopback. When the set is closed, or the test run ends in any way, nothing is left.
"""

import json
import os
import random
import re
import signal
import subprocess
import threading
from pathlib import Path

from kernel_client import Gateway
from peers import TREE, VENVS, answers, free_port
from support.waiting import wait_until

INSIDE = Path(__file__).parent / "replicas"
SPEC = {
    "language": "python", "display_name": "Python 3",
    "metadata": {"process_proxy": {"class_name": "shared_kernels.SharedKernel"}},
    "argv": [f"{VENVS}/gateway/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
}
PORTS = range(20_000, 32_000)  # of kernels: below those that the system gives to anybody
PSS = re.compile(r"^Pss: +(\d+) kB$", re.MULTILINE)
START_SECONDS = 60  # upper bound; one takes 1 to 2 s on an idle machine


class Replica:
    """One gateway of a set. Its port and its name are the same whenever it runs."""

    def __init__(self, owner, name):
        self.owner = owner
        self.name = name
        self.port = free_port()
        self.folder = owner.folder / name
        for folder in ("runtime", "data", "config", "home"):
            (self.folder / folder).mkdir(parents=True)
        self.log = self.folder / "gateway.log"
        self.journal = self.folder / "journal"
        self.journal.touch()
        self.client = Gateway(f"http://127.0.0.1:{self.port}", owner.token)

    def launch(self):
        """Starts it, as it was before if it ran before; it may not answer yet."""
        gateway = VENVS / "gateway/bin"
        path = f"{TREE}/deploy/setup/safe-bin:{gateway}:/usr/local/bin:/usr/bin:/bin"
        self.owner.tell(
            start=self.name, log=str(self.log), cwd=str(self.folder / "home"),
            argv=[f"{gateway}/jupyter-enterprisegateway", "--ip=127.0.0.1", f"--port={self.port}",
                  "--port_retries=0", f"--config={INSIDE}/gateway_config.py"],
            env={"PATH": path, "HOME": str(self.folder / "home"), "PYTHONPATH": str(INSIDE),
                 "PYTHONDONTWRITEBYTECODE": "1",
                 "JUPYTER_PATH": str(self.owner.folder),
                 "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
                 "JUPYTER_DATA_DIR": str(self.folder / "data"),
                 "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
                 "IPYTHONDIR": str(self.folder / "home"),
                 "EG_AUTH_TOKEN": self.owner.token, "EG_LIST_KERNELS": "True",
                 "EG_AVAILABILITY_MODE": "replication", "EG_KERNEL_SESSION_PERSISTENCE": "True",
                 "EG_PERSISTENCE_ROOT": str(self.owner.folder / "persisted"),
                 "KG_JOURNAL": str(self.journal),
                 "KG_PORT_COUNTER": str(self.owner.port_counter)})

    def wait_ready(self):
        def ready():
            assert self.runs(), f"{self.name} ended:\n{self.tail()}"
            return answers(self.client, "/api")
        wait_until(ready, lambda: f"{self.name} to answer:\n{self.tail()}", START_SECONDS)

    def start(self):
        self.launch()
        self.wait_ready()

    def runs(self):
        return self.name in self.owner.running

    def freeze(self):
        """It keeps its port and its connections, and answers nothing until thaw()."""
        self.owner.tell(signal=self.name, number=signal.SIGSTOP)

    def thaw(self):
        self.owner.tell(signal=self.name, number=signal.SIGCONT)

    def kill(self):
        """The hard way: its kernels and their records stay."""
        self._end(signal.SIGKILL)

    def terminate(self):
        """The polite way, in which a gateway ends all kernels that it has loaded."""
        self._end(signal.SIGTERM)

    def _end(self, number):
        self.owner.tell(signal=self.name, number=number)
        wait_until(lambda: not self.runs(), lambda: f"{self.name} to end:\n{self.tail()}", 60)

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    # ---- what it was asked, since it was first started ----

    def events(self):
        text = self.journal.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def requests(self, kernel=None):
        """(method, path, status) of every answer, in order; with `kernel` only those about it."""
        return [(event["method"], event["path"], event["status"]) for event in self.events()
                if "path" in event and (kernel is None or kernel in event["path"].split("/"))]

    def kernels_asked_for(self):
        """The ids of all kernels of which a request spoke."""
        parts = [path.split("/") for _, path, _ in self.requests()]
        return {part[3] for part in parts if part[1:3] == ["api", "kernels"] and len(part) > 3}

    def deleted_records(self):
        """The ids of kernels whose shared record this gateway removed, in order."""
        return [event["deleted"] for event in self.events() if "deleted" in event]


class ReplicaSet:
    """`count` running gateways jeg-0, jeg-1, ... with one token and one store for kernel sessions.
    Iterates over them; close() ends them and every kernel."""

    def __init__(self, folder, token, count):
        self.folder = Path(folder)
        self.token = token
        self.running = set()
        self._answered = {}
        self._turn = threading.Condition()
        (self.folder / "kernels/python3").mkdir(parents=True)
        (self.folder / "kernels/python3/kernel.json").write_text(json.dumps(SPEC))
        (self.folder / "persisted").mkdir()
        self.port_counter = self.folder / "last-port"
        self.port_counter.write_text(str(random.choice(PORTS)))
        self.log = self.folder / "enclosure.log"
        self._enclose()
        try:
            self.replicas = [Replica(self, f"jeg-{number}") for number in range(count)]
            for replica in self.replicas:
                replica.launch()
            for replica in self.replicas:
                replica.wait_ready()
        except BaseException:
            self.close()
            raise

    def _enclose(self):
        unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
        if os.geteuid() != 0:
            unshare += ["--user", "--map-root-user"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *unshare, "/usr/bin/python3", "-B",
                 INSIDE / "enclosure.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, text=True, start_new_session=True)
        threading.Thread(target=self._listen, daemon=True).start()
        self._await("ready")
        self.namespace = Path(f"/proc/{self.process.pid}/ns/pid_for_children").readlink()

    def _listen(self):
        for line in self.process.stdout:
            message = json.loads(line)
            with self._turn:
                if "started" in message:
                    self.running.add(message["started"])
                elif "ended" in message:
                    self.running.discard(message["ended"])
                self._answered.update(message)
                self._turn.notify_all()
        with self._turn:
            self.running.clear()
            self._answered["closed"] = True
            self._turn.notify_all()

    def _await(self, key, value=True):
        with self._turn:
            told = self._turn.wait_for(
                lambda: self._answered.get(key) == value or "closed" in self._answered, 30)
            assert told and "closed" not in self._answered, \
                f"the namespace of the gateways is not there: {self.log.read_text()}"
            del self._answered[key]

    def tell(self, **command):
        """One command to the enclosure; returns when it is done."""
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer, name = (("started", command["start"]) if "start" in command
                        else ("signalled", command["signal"]))
        self._await(answer, name)

    def __iter__(self):
        return iter(self.replicas)

    def __len__(self):
        return len(self.replicas)

    def __getitem__(self, number):
        return self.replicas[number]

    def pods(self):
        """What `gateway.pods` of an endpoint says of them."""
        return [{"name": replica.name, "address": f"127.0.0.1:{replica.port}"} for replica in self]

    def records(self):
        """The ids of kernels that have a record in the shared store."""
        return {file.stem for file in (self.folder / "persisted/kernel_sessions").glob("*.json")}

    def memory(self):
        """Bytes of all processes in here, shared pages counted in parts (PSS)."""
        total = 0
        for process in inhabitants(self.namespace):
            try:
                total += 1024 * int(PSS.search((process / "smaps_rollup").read_text())[1])
            except OSError:
                pass  # it has just ended
        return total

    def close(self):
        """The namespace and all that is in it end with pid 1, and that with its input. `unshare`
        waits for the last of them."""
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def inhabitants(namespace):
    """The /proc folders of all processes in a PID namespace; others keep theirs to themselves."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/pid").readlink() == namespace:
                found.append(process)
        except OSError:
            pass
    return found
