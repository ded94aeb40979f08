"""A real kube-apiserver and etcd on loopback, without containers; deploy/setup/kube.sh builds them.

Nothing runs but these two: no controller makes endpoints or deletes what is in a namespace. A test
takes a namespace of its own and writes what it needs.
"""

import http.client
import json
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import peers
from support.certificates import Keyring

PROGRAMS = peers.CACHE / "kube"
ETCD, DEBIANS_ETCD = "etcd", "debian/usr/bin/etcd"  # 3.6; in Debian 12, 3.4
ISSUER = "https://kubernetes.default.svc.cluster.local"
ADMIN = "admin-token"
INGRESSES = ("networking.k8s.io", "v1", "ingresses", "Ingress")


@dataclass
class Reply:
    status: int
    body: dict


class ControlPlane:
    """The two programs, an administrator's kubeconfig, and calls in the administrator's name."""

    def __init__(self, folder, etcd=ETCD):
        for needed in ("stamp", etcd):
            assert (PROGRAMS / needed).exists(), f"no {needed} in {PROGRAMS}: use tests/run"
        self.folder, self.etcd_program = folder, PROGRAMS / etcd
        (folder / "pki").mkdir()
        self.keyring = Keyring(folder / "pki")
        self.port, self.etcd_port, self.peer_port = (peers.free_port() for _ in range(3))
        self.url = f"https://127.0.0.1:{self.port}"
        self.context = ssl.create_default_context(cafile=self.keyring.ca)
        self._write_identities()
        self.etcd = self.api = None
        try:
            self.start_etcd()
            self.start_api()
        except BaseException:
            self.stop()
            raise

    def _write_identities(self):
        self.serving = self.keyring.issue(
            "kube-apiserver", "/CN=kube-apiserver",
            ["subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc",
             "extendedKeyUsage=serverAuth"], self.keyring.new_ec_key)
        admin = self.keyring.client_certificate("admin", "/O=system:masters/CN=admin")
        self.account_key = self.keyring.new_rsa_key("service-accounts.key")
        self.tokens = self.folder / "tokens.csv"
        self.tokens.write_text(f'{ADMIN},admin,1,"system:masters"\n')
        users = {"admin": {"token": ADMIN},
                 "certificate": {"client-certificate": admin[0].name, "client-key": admin[1].name}}
        # JSON is YAML. Relative names are those of the file's folder.
        self.kubeconfig = self.folder / "pki/kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "admin",
            "clusters": [{"name": "test", "cluster": {
                "server": self.url, "certificate-authority": self.keyring.ca.name}}],
            "users": [{"name": name, "user": user} for name, user in users.items()],
            "contexts": [{"name": name, "context": {"cluster": "test", "user": name}}
                         for name in users]}))

    def start_etcd(self):
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, self.peer_port))
        self.etcd = peers.Process("etcd", self.folder, [
            self.etcd_program, "--name=test", f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=test={peer}", "--unsafe-no-fsync", "--logger=zap",
            "--log-outputs=stderr", "--log-level=warn"])

    def start_api(self):
        certificate, key = self.serving
        self.api = peers.Process("kube-apiserver", self.folder, [
            PROGRAMS / "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}",
            "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24", f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}", f"--client-ca-file={self.keyring.ca}",
            f"--token-auth-file={self.tokens}", "--anonymous-auth=false",
            "--authorization-mode=RBAC", f"--service-account-issuer={ISSUER}",
            f"--api-audiences={ISSUER}", f"--service-account-key-file={self.account_key}",
            f"--service-account-signing-key-file={self.account_key}",
            "--disable-admission-plugins=ServiceAccount", "--profiling=false",
            "--etcd-compaction-interval=0"])
        self.api.wait_ready(self.is_ready)

    def is_ready(self):
        try:
            return self.call("GET", "/readyz", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def restart_api(self):
        self.api.kill()
        self.start_api()

    def stop(self):
        for process in (self.api, self.etcd):
            if process is not None:
                process.kill()  # what they hold is thrown away

    def call(self, method, path, body=None, content_type="application/json", timeout=30,
             token=ADMIN):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout,
                                                 context=self.context)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body),
                               headers={"Authorization": f"Bearer {token}",
                                        "Content-Type": content_type})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return Reply(answer.status, json.loads(text) if is_json else text.decode())

    def must(self, method, path, body=None, **options):
        reply = self.call(method, path, body, **options)
        assert 200 <= reply.status < 300, f"{method} {path}: {reply.status} {reply.body}"
        return reply.body

    def caller(self):
        return Caller(self)

    def create_all(self, objects, callers=6):
        """Creates each (path, body), over a few connections at once."""
        rest = iter(objects)
        lock = threading.Lock()

        def create_some():
            with closing(self.caller()) as caller:
                while True:
                    with lock:
                        path, body = next(rest, (None, None))
                    if path is None:
                        return
                    caller.must("POST", path, body)

        with ThreadPoolExecutor(callers) as pool:
            for done in [pool.submit(create_some) for _ in range(callers)]:
                done.result()

    def new_namespace(self, name):
        self.must("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name


class Caller:
    """Calls in the administrator's name over one connection: where many are made, or timed."""

    def __init__(self, plane):
        self.connection = http.client.HTTPSConnection("127.0.0.1", plane.port, timeout=60,
                                                      context=plane.context)

    def must(self, method, path, body=None):
        """When it was answered, as time.monotonic()."""
        self.connection.request(method, path, body=None if body is None else json.dumps(body),
                                headers={"Authorization": f"Bearer {ADMIN}",
                                         "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        answered = time.monotonic()
        text = answer.read()
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return answered

    def close(self):
        self.connection.close()


def ingress_path(namespace, name=""):
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    return f"{path}/{name}" if name else path


def ingress(name, **annotations):
    """An Ingress for the host NAME.example.com, all paths of which are the service gateway's."""
    text = (peers.TREE / "tests/e2e/manifests/ingress.json").read_text()
    manifest = json.loads(text.replace("NAME", name))
    manifest["metadata"]["annotations"] = annotations
    return manifest
