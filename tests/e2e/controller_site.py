"""A site: a real API server, controllers, and three proxies that know nothing else; two pods."""

import http.client
import json
import os
import socket
from pathlib import Path

import peers
from control_plane import ETCD, ControlPlane, ingress
from support import tokens
from support.admin_client import admin_config
from support.certificates import Keyring
from support.feed import make_keys
from support.peer_process import PeerGateway
from support.proxy_process import ProxyProcess, base_config
from support.raw_client import RawClient
from support.stage import Workshop
from support.waiting import wait_until

MANY = {"connections_per_address": 20_000}  # everybody here has the same one


def own_address():
    """Of this machine: the API server takes no loopback address for a pod's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("203.0.113.1", 9))  # sends nothing
        return probe.getsockname()[0]


def readiness(host, port):
    """What /readyz says there; {} where nobody answers, or is not ready."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        text = answer.read()
        return json.loads(text) if answer.status == 200 else {}
    except OSError:
        return {}
    finally:
        connection.close()


class Controllers:
    """Processes of kernelgate-controller, all with one key, and what they publish to."""

    def __init__(self, plane, folder):
        self.plane, self.folder, self.running = plane, folder, []
        self.public_key = make_keys(folder / "controller")
        self.allow = folder / "allow"
        self.proxy_key = make_keys(folder / "proxy")
        self.allow.write_text(f"{self.proxy_key} all\n")
        self.ports = [peers.free_port() for _ in range(2)]

    def start(self, index, options=()):
        monitoring = peers.free_port()
        program = Path(os.environ["KERNELGATE_BIN"]).parents[2]
        process = peers.Process(f"controller-{index}", self.folder, [
            program / "routing/controller/kernelgate-controller", "run",
            f"--kubeconfig={self.plane.kubeconfig}", "--lease-namespace=default",
            "--all-namespaces",
            f"--publish=tcp://127.0.0.1:{self.ports[index]}",
            f"--key-file={self.folder / 'controller'}", f"--allow-file={self.allow}",
            f"--monitoring=127.0.0.1:{monitoring}", *options])
        process.monitoring_port = monitoring
        process.wait_ready(lambda: f":{monitoring}" in process.log.read_text())
        self.running.append(process)
        return process

    def config(self):
        return {"controllers": [f"127.0.0.1:{port}" for port in self.ports],
                "controller_keys": [self.public_key],
                "key_file": str(self.folder / "proxy")}

    def leader(self):
        """What the one that leads says of the snapshot that it published last, or None."""
        for process in self.running:
            said = readiness("127.0.0.1", process.monitoring_port)
            if said.get("leads"):
                return said
        return None

    def stop(self):
        for process in self.running:
            process.stop()


class Site:
    """A control plane, a controller, three proxies that know nothing of themselves, two pods."""

    def __init__(self, folder, proxies=3, etcd=ETCD):
        self.folder = folder
        self.plane = ControlPlane(folder, etcd)
        (folder / "keys").mkdir()
        self.workshop = Workshop(Keyring(folder / "keys"))
        self.gateways = [PeerGateway(own_address()) for _ in range(2)]
        (folder / "controllers").mkdir()
        self.controllers = Controllers(self.plane, folder / "controllers")
        self.controllers.start(0, self.controller_options())
        self.proxies = [self.start_proxy(index) for index in range(proxies)]
        self.make_class()

    def controller_options(self):
        return []  # more of them

    def start_proxy(self, index):
        folder = self.folder / f"proxy-{index}"
        folder.mkdir()
        config = base_config(self.workshop.keyring, folder / "access.log")
        del config["endpoints"]
        config["feed"] = {**self.controllers.config(), "name": f"proxy-{index}"}
        config.update(admin_config(folder), limits=MANY, workers=2)
        return ProxyProcess(folder, config).start()

    def make_class(self):
        self.plane.must("POST", "/apis/networking.k8s.io/v1/ingressclasses", {
            "metadata": {"name": "kernelgate"}, "spec": {"controller": "kernelgate.io/ingress"}})

    def make_gateways(self, namespace, pods=2):
        """Secrets, a Service, and its slices with so many of the gateways."""
        plane = self.plane
        plane.new_namespace(namespace)
        core = f"/api/v1/namespaces/{namespace}"
        plane.must("POST", f"{core}/secrets", {
            "metadata": {"name": "sessions"},
            "stringData": {"jwks.json": self.workshop.jwks.read_text(),
                           "token": self.workshop.gateway_token_file.read_text()}})
        plane.must("POST", f"{core}/services", {
            "metadata": {"name": "gateway"},
            "spec": {"ports": [{"name": "http", "port": 8888}]}})
        for index, gateway in enumerate(self.gateways[:pods]):
            self.write_slice(namespace, index, gateway.port)

    def slice_of(self, namespace, index, port, **conditions):
        """(path, body). One slice for each pod, since they have one address and two ports here."""
        return f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", {
            "metadata": {"name": f"gateway-{index}",
                         "labels": {"kubernetes.io/service-name": "gateway"}},
            "addressType": "IPv4", "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
            "endpoints": [{
                "addresses": [self.gateways[index].address],
                "conditions": {"ready": True, "serving": True, "terminating": False, **conditions},
                "targetRef": {"kind": "Pod", "namespace": namespace, "name": f"jeg-{index}",
                              "uid": f"00000000-0000-4000-8000-00000000000{index}"}}]}

    def write_slice(self, namespace, index, port, **conditions):
        path, body = self.slice_of(namespace, index, port, **conditions)
        put = self.plane.call("PUT", f"{path}/{body['metadata']['name']}", body)
        if put.status == 404:
            self.plane.must("POST", path, body)
        else:
            assert put.status == 200, put

    def manifest(self, name, **annotations):
        made = ingress(name, **{
            "kernelgate.io/endpoint-id": name, "kernelgate.io/issuer": "https://studio.test",
            "kernelgate.io/audience": "kernelgate",
            "kernelgate.io/session-keys-secret": "sessions",
            "kernelgate.io/gateway-token-secret": "sessions",
            "kernelgate.io/foreign-ids": "endpoint", **annotations})
        made["spec"]["ingressClassName"] = "kernelgate"
        return made

    def token(self, name, **claims):
        return tokens.forge(self.workshop.keyring.session_key, tokens.claims(name, **claims))

    def status(self, proxy, name, token=None):
        client = RawClient(proxy.port, self.workshop.context(), sni=None)
        try:
            client.send_request("GET", "/api/kernelspecs",
                                token=token or self.workshop.token(name),
                                host=f"{name}.example.com")
            return client.read_response().status
        finally:
            client.close()

    def wait_status(self, name, *wanted, proxies=None, token=None):
        for proxy in proxies or self.proxies:
            wait_until(lambda: self.status(proxy, name, token) in wanted,
                       lambda: f"{name} to be {wanted}; "
                               f"it is {self.status(proxy, name, token)}; "
                               f"{self.controllers.running[0].tail()}", 20)

    def snapshots(self):
        """(version, digest) of what the leader published and of what each proxy holds."""
        held = [readiness("127.0.0.1", proxy.monitoring_port)["feed"] for proxy in self.proxies]
        return [said and (said["version"], said["digest"])
                for said in [self.controllers.leader(), *held]]

    def wait_converged(self, seconds=20):
        wait_until(lambda: None not in (seen := set(self.snapshots())) and len(seen) == 1,
                   lambda: f"equal snapshots: {self.snapshots()}", seconds)

    def stop(self):
        for proxy in self.proxies:
            proxy.stop()
        self.controllers.stop()
        for gateway in self.gateways:
            gateway.close()
        self.plane.stop()
