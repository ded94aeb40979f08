"""Feed: the controller's end of the route feed, told by a test what to announce."""

import json
import os
import subprocess
from pathlib import Path

from . import tokens
from .waiting import PATIENCE, wait_until


def announced(workshop, endpoint_id, gateways, hosts=None, routes=None, **config):
    """An item of the feed: an endpoint on ENDPOINT_ID.test, with these scripted gateways as pods.
    `config` changes keys of its configuration."""
    pods = [{"name": f"jeg-{index}", "uid": f"uid-{endpoint_id}-{gateway.port}",
             "address": f"127.0.0.1:{gateway.port}", "ready": True, "serving": True,
             "terminating": False} for index, gateway in enumerate(gateways)]
    whole = workshop.endpoint(endpoint_id, 1, **config)
    del whole["hosts"], whole["gateway"]["pods"]
    whole["gateway"]["token_file"] = "feed:token"
    whole["sessions"]["jwt"]["keys_file"] = "feed:keys"
    hosts = [f"{endpoint_id}.test"] if hosts is None else hosts
    return {
        "key": f"endpoint/analytics/{endpoint_id}", "namespace": "analytics",
        "endpoint": endpoint_id,
        "payload": {
            "schema": 1, "kind": "endpoint", "id": endpoint_id, "namespace": "analytics",
            "config": whole,
            "files": {"token": workshop.gateway_token_file.read_text(),
                      "keys": workshop.jwks.read_text()},
            "routes": routes or [{"host": host, "path": "/", "type": "Prefix"} for host in hosts],
            "pods": pods}}


def make_keys(file):
    """The public key of a pair that is made unless it is there."""
    made = Path(f"{file}.pub")
    if made.exists():
        return made.read_text().strip()
    return subprocess.run([tokens.binary(), "keys", "new", file], check=True, text=True,
                          capture_output=True).stdout.strip()


class Feed:
    """One controller, and a key for proxies that may see everything, or `scope`; further keys by
    their scopes. Versions count up within self.term."""

    def __init__(self, folder, address="tcp://127.0.0.1:*", scope="all", plaintext=False,
                 **scopes):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.public_key = make_keys(self.folder / "controller")
        (self.folder / "allow").write_text("".join(
            f"{make_keys(self.folder / name)} {seen}\n"
            for name, seen in {"proxy": scope, **scopes}.items()))
        self.term, self.sequence = 1, 0
        self.plaintext = plaintext
        self._process = None
        self.start(address)

    def start(self, address):
        program = Path(os.environ["KERNELGATE_BIN"]).parents[2] / "tests/feed_announcer"
        self._process = subprocess.Popen(
            [program, address, *(["plaintext"] * 2 if self.plaintext else
                                 [self.folder / "controller", self.folder / "allow"])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = json.loads(self._process.stdout.readline())["bound"]

    def config(self, key="proxy", **changes):
        keys = {"plaintext": True} if self.plaintext else {
            "controller_keys": [self.public_key], "key_file": str(self.folder / key)}
        return {"controllers": [self.address.removeprefix("tcp://")], **keys, **changes}

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def _ask(self, **command):
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def publish(self, *items, deletes=(), whole=False):
        """The version of it."""
        self.sequence += 1
        version = [self.term, self.sequence]
        said = self._ask(do="publish", version=version, items=list(items), deletes=list(deletes),
                         whole=whole)
        assert said["problem"] == "", said
        return version

    def status(self):
        return self._ask(do="status")

    def facts(self, word):
        """(namespace, endpoint) of those that begin with it."""
        return [(fact["namespace"], fact["endpoint"]) for fact in self.status()["facts"]
                if fact["text"].startswith(word)]

    def wait_taken(self, version):
        """Until every proxy that follows has taken it."""
        def taken():
            proxies = self.status()["proxies"]
            return proxies and all(proxy["version"] == version for proxy in proxies)
        wait_until(taken, lambda: f"{version} to be taken: {self.status()}", PATIENCE)

    def close(self):
        if self._process is not None:
            self._process.stdin.close()
            assert self._process.wait(PATIENCE) == 0
            self._process.stdout.close()
            self._process = None
