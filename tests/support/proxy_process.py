"""ProxyProcess: the real program as a child process, with its log, its metrics and its signals."""

import http.client
import json
import mmap
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

from . import tokens
from .metrics_text import Metrics
from .waiting import PATIENCE, wait_until

_READY = re.compile(r"server ready listeners=(\S+) monitoring=(\S+) workers=(\d+)")
_SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:)")


def _program_names(*symbols):
    with open(tokens.binary(), "rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(symbol) >= 0 for symbol in symbols)


def sanitized():
    """True if the program is built with a sanitizer: its memory figures mean nothing then."""
    return _program_names(b"__asan_init", b"__tsan_init")


def needs_descriptors():
    """True if the program cannot live without a free descriptor: UBSan looks through a pipe whether
    an object can be read, and without one takes it for broken."""
    return _program_names(b"__ubsan_vptr_type_cache")


def base_config(keyring, access_log, certificates=None):
    """A configuration without endpoints: free ports, a drain without delay, one worker unless
    KG_TEST_WORKERS says otherwise. Tests of what one worker keeps (its pool) choose workers: 1."""
    pairs = [keyring.server_certificate("*.test")] if certificates is None else certificates
    return {
        "workers": int(os.environ.get("KG_TEST_WORKERS", "1")),
        "listeners": [{
            "address": "127.0.0.1:0",
            "tls": {"certificates": [{"certificate": str(certificate), "private_key": str(key)}
                                     for certificate, key in pairs]},
        }],
        "monitoring": {"address": "127.0.0.1:0"},
        "access_log": {"path": str(access_log)},
        "drain": {"lame_duck": "0s", "deadline": "300ms"},
        "endpoints": [],
    }


def endpoint_config(endpoint_id, port, jwks, gateway_token_file, **changes):
    """An endpoint on host ENDPOINT_ID.test with one pod on loopback, no health checks, no census,
    and kernel ids of anybody's making. Changes replace whole keys (those in `gateway` the keys of
    that map, those in `session_rules` are keys beside `sessions.jwt`), None removes one."""
    gateway = {"pods": [{"name": "jeg-0", "address": f"127.0.0.1:{port}"}],
               "token_file": str(gateway_token_file), "health_check": "off",
               "census": "off",
               **changes.pop("gateway", {})}
    whole = {
        "id": endpoint_id,
        "virtual_cluster": "analytics",
        "hosts": [f"{endpoint_id}.test"],
        "foreign_ids": "endpoint",  # scripted kernels have ids of the test's choice
        "gateway": {key: value for key, value in gateway.items() if value is not None},
        "sessions": {"jwt": {"issuer": tokens.ISSUER, "audience": tokens.AUDIENCE,
                             "keys_file": str(jwks)},
                     **changes.pop("session_rules", {})},
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


class ProxyProcess:
    """Started by start(); stop() drains it, expects exit code 0 and no sanitizer report."""

    def __init__(self, folder, config, environment=None, descriptors=None):
        self.folder = Path(folder)
        self.config = config
        self.config_file = self.folder / "kernelgate.yaml"
        self.access_log = Path(config["access_log"]["path"])
        self.environment = environment or {}
        self.bounds = ["prlimit", f"--nofile={descriptors}:{descriptors}"] if descriptors else []
        self.process = None
        self.stderr_lines = []
        self.ports = []
        self._exit_judged = False

    # ---- life ----

    def write_config(self, config=None):
        """JSON is YAML: quoting is never in doubt."""
        if config is not None:
            self.config = config
        self.config_file.write_text(json.dumps(self.config, indent=2) + "\n")

    def start(self):
        self.write_config()
        self.process = subprocess.Popen(
            [*self.bounds, tokens.binary(), "run", "--config", str(self.config_file)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, errors="replace", env={**os.environ, **self.environment},
        )
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        ready = self.wait_for_stderr(_READY, "the line `server ready`")
        self.ports = [int(address.rsplit(":", 1)[1]) for address in ready[1].split(",")]
        self.monitoring_port = int(ready[2].rsplit(":", 1)[1])
        self.workers = int(ready[3])
        return self

    def _read_stderr(self):
        for line in self.process.stderr:
            self.stderr_lines.append(line.rstrip("\n"))

    @property
    def port(self):
        return self.ports[0]

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, timeout=PATIENCE):
        """The exit code, negative for a signal."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the proxy did not end within {timeout:g} s; its log:\n"
                                 + "\n".join(self.stderr_lines[-20:]))
        self._reader.join(PATIENCE)
        self._exit_judged = True
        return code

    def stop(self):
        """Ends it by SIGTERM, whatever its state; a crash or a sanitizer report fails the test."""
        if self.process is None:
            return
        try:
            if not self._exit_judged:
                if self.process.poll() is None:
                    self.signal(signal.SIGTERM)
                code = self.wait_exit()
                log = "\n".join(self.stderr_lines[-40:])
                assert code == 0, f"exit code {code}; its log:\n{log}"
            reports = [line for line in self.stderr_lines if _SANITIZER.search(line)]
            assert not reports, "\n".join(self.stderr_lines)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(PATIENCE)
            self.process.stderr.close()

    # ---- what it says ----

    def wait_for_stderr(self, pattern, what, timeout=PATIENCE, start=0):
        """The match of the first stderr line from number `start` on that has the pattern."""
        pattern = re.compile(pattern)

        def probe():
            for line in self.stderr_lines[start:]:
                if match := pattern.search(line):
                    return match
            if self.process.poll() is not None and not self._reader.is_alive():
                raise AssertionError(f"the proxy ended with {self.process.returncode} before "
                                     f"{what}; its log:\n" + "\n".join(self.stderr_lines))
            return None

        return wait_until(
            probe, lambda: f"{what} on stderr; it says:\n" + "\n".join(self.stderr_lines), timeout)

    def log_lines(self):
        """The access log so far, as dicts. A line that is not JSON fails the test."""
        if not self.access_log.exists():
            return []
        text = self.access_log.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def wait_log(self, count=1, timeout=PATIENCE, **fields):
        """The access log line with these fields (None: absent); a list if count > 1."""
        def matches(line):
            return all(line.get(name) == value for name, value in fields.items())

        found = wait_until(
            lambda: (lines := [x for x in self.log_lines() if matches(x)]) and
            len(lines) >= count and lines,
            lambda: f"{count} access log line(s) with {fields}; the log has:\n"
            + "\n".join(map(str, self.log_lines())), timeout)
        return found[0] if count == 1 else found

    def monitoring(self, path, method="GET"):
        """(status, headers, body text) of the monitoring address."""
        connection = http.client.HTTPConnection("127.0.0.1", self.monitoring_port, timeout=PATIENCE)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, _, text = self.monitoring("/metrics")
        assert status == 200, (status, text)
        return Metrics(text)

    def wait_metric(self, name, value, timeout=PATIENCE, **labels):
        """Waits until the sum of the matching samples is that value."""
        last = []

        def probe():
            last[:] = [self.metrics().value(name, **labels)]
            return last[0] == value

        wait_until(probe, lambda: f"{name}{labels} to be {value}; it is {last}", timeout)

    # ---- what it uses ----

    def rss(self):
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
