"""The proxies that are compared, each with its configuration in bench/peers."""

import os
import shutil
from pathlib import Path

from processes import START_SECONDS, BenchError, Child, answers, cores, free_port, run

PEERS = Path(__file__).resolve().parent.parent / "peers"
ENDPOINT = "benchendpoint"


def fill(template, values):
    text = (PEERS / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


class Keys:
    """One P-256 certificate for all contestants, and a session token; made anew for each run."""

    def __init__(self, folder, kernelgate):
        self.certificate = folder / "server.crt"
        self.private_key = folder / "server.key"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.private_key, "-out", self.certificate, "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        self.both = folder / "server.pem"
        self.both.write_text(self.certificate.read_text() + self.private_key.read_text())
        self.gateway_token_file = folder / "gateway-token"
        self.gateway_token_file.write_text(os.urandom(24).hex() + "\n")
        self.session_token_file = folder / "session-token"
        self.keys_file = folder / "jwks.json"
        if not kernelgate:
            # As long as a real one: the peers carry it as they carry any field.
            self.session_token_file.write_text("x" * 400 + "\n")
            return
        key = folder / "session-key.pem"
        run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-out", key])
        self.keys_file.write_text(run([kernelgate, "token", "--key", key, "--print-jwks"]))
        self.session_token_file.write_text(
            run([kernelgate, "token", "--key", key, "--endpoint", ENDPOINT, "--subject", "bench",
                 "--issuer", "bench", "--audience", "kernelgate", "--lifetime", "12h"]))


class Contestant:
    """A proxy in front of 127.0.0.1:upstream_port; a context manager that runs it."""

    program = ""
    start_seconds = START_SECONDS

    def __init__(self, name, keys, folder, upstream_port, pinned=True):
        self.name = name
        self.keys = keys
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.logs = name.endswith("-log")
        self.core = cores()[0] if pinned else None
        self.access_log = self.folder / "access.json"
        self.values = {
            "PORT": self.port, "UPSTREAM_PORT": upstream_port, "CERTIFICATE": keys.certificate,
            "PRIVATE_KEY": keys.private_key, "CERTIFICATE_AND_KEY": keys.both,
            "KEYS_FILE": keys.keys_file, "GATEWAY_TOKEN_FILE": keys.gateway_token_file,
            "MORE": "",  # nothing that an older program does not know
        }
        self.child = None

    def launch(self):
        """Starts the process; returns the Child."""
        raise NotImplementedError

    def ready(self):
        return answers(self.port)

    @property
    def pid(self):
        return self.child.pid

    def __enter__(self):
        self.child = self.launch()
        try:
            self.child.wait_until(self.ready, self.name, self.start_seconds)
        except BenchError:
            self.child.stop()
            raise
        return self

    def __exit__(self, *_):
        self.child.stop()
        self.access_log.unlink(missing_ok=True)


class Nginx(Contestant):
    program = "nginx"

    def launch(self):
        user = "user root;" if os.geteuid() == 0 else ""
        log = f"{self.access_log} json buffer=64k flush=1s" if self.logs else "off"
        config = self.folder / "nginx.conf"
        config.write_text(fill("nginx.conf", {**self.values, "USER": user, "ACCESS_LOG": log}))
        return Child(["nginx", "-p", self.folder, "-c", config, "-e", self.folder / "start.log"],
                     self.folder / "start.log", core=self.core)


# The fields of nginx.conf's log line.
HAPROXY_LOG = (
    """log-format '{"time":"%t","client":"%ci","method":"%HM","path":"%HP","status":%ST,"""
    """"bytes_in":%U,"bytes_out":%B,"ms":%Ta,"upstream_ms":"%Tr","""
    """"agent":"%[capture.req.hdr(0)]"}'""")


class Haproxy(Contestant):
    program = "haproxy"

    def launch(self):
        config = self.folder / "haproxy.cfg"
        text = fill("haproxy.cfg", {
            **self.values,
            "LOG_TARGET": "log stdout len 2048 format raw local0 info" if self.logs else "",
            "LOG_USE": f"log global\n  {HAPROXY_LOG}" if self.logs else "",
        })
        if self.logs:
            text = text.replace(
                "  option forwardfor",
                "  capture request header User-Agent len 64\n  option forwardfor")
        config.write_text(text)
        return Child(["haproxy", "-db", "-f", config], self.folder / "start.log", core=self.core,
                     stdout=self.access_log)


class Kernelgate(Contestant):
    program = "kernelgate"
    binary = None  # set by whoever built it
    under = ()  # a command that runs it

    def launch(self):
        config = self.folder / "kernelgate.yaml"
        config.write_text(fill("kernelgate.yaml", {**self.values, "ACCESS_LOG": self.access_log}))
        return Child([*self.under, self.binary, "run", "--config", config],
                     self.folder / "start.log", core=self.core)

    def ready(self):
        return "server ready" in self.child.log.read_text(errors="replace")


class Before(Kernelgate):
    """Another kernelgate, from before the change that is being measured."""

    binary = None


# Kernelgate always writes its access log; of the others, those whose name ends in -log.
ALL = {"kernelgate": Kernelgate, "before": Before, "nginx": Nginx, "haproxy": Haproxy,
       "nginx-log": Nginx, "haproxy-log": Haproxy}


def contestant(name, keys, folder, upstream_port, pinned=True):
    return ALL[name](name, keys, folder, upstream_port, pinned)


def require_programs(names):
    path = os.environ["PATH"] + ":/usr/sbin"
    for name in names:
        program = ALL[name].program
        if program != "kernelgate" and not shutil.which(program, path=path):
            raise BenchError(f"{program} is not installed: bench/run without --bin-dir installs it")


def versions(names, kernelgate):
    """First line of each program's own words about its version."""
    said = {}
    commands = {"nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"],
                "kernelgate": [kernelgate, "version"], "openssl": ["openssl", "version"]}
    wanted = dict.fromkeys([ALL[name].program for name in names] + ["openssl"])
    for program in wanted:
        line = ["sh", "-c", '"$@" 2>&1 | head -n 1', "sh", *commands[program]]
        said[program] = run(line).strip()
    return said
