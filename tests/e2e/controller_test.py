"""The controller between a real API server and real proxies: announced, changed, gone, led anew."""

import os
import socket
import statistics
import time
from pathlib import Path
from types import SimpleNamespace

import peers
import pytest
from control_plane import ControlPlane, ingress, ingress_path
from support.admin_client import AdminClient, admin_config
from support.certificates import Keyring
from support.feed import make_keys
from support.proxy_process import ProxyProcess, base_config
from support.raw_client import RawClient
from support.scripted_gateway import ScriptedGateway
from support.stage import Workshop
from support.waiting import wait_until

ANSWER = b'{"default": "python3", "kernelspecs": {}}'


def own_address():
    """Of this machine: the API server takes no loopback address for a pod's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("203.0.113.1", 9))  # sends nothing
        return probe.getsockname()[0]


class Controllers:
    """Processes of kernelgate-controller, all with one key, and what they publish to."""

    def __init__(self, plane, folder):
        self.plane, self.folder, self.running = plane, folder, []
        self.public_key = make_keys(folder / "controller")
        self.allow = folder / "allow"
        self.proxy_key = make_keys(folder / "proxy")
        self.allow.write_text(f"{self.proxy_key} all\n")
        self.ports = [peers.free_port() for _ in range(2)]

    def start(self, index):
        monitoring = peers.free_port()
        program = Path(os.environ["KERNELGATE_BIN"]).parents[2]
        process = peers.Process(f"controller-{index}", self.folder, [
            program / "routing/controller/kernelgate-controller", "run",
            f"--kubeconfig={self.plane.kubeconfig}", "--lease-namespace=default",
            "--all-namespaces",
            f"--publish=tcp://127.0.0.1:{self.ports[index]}",
            f"--key-file={self.folder / 'controller'}", f"--allow-file={self.allow}",
            f"--monitoring=127.0.0.1:{monitoring}"])
        process.wait_ready(lambda: "controller starts" in process.log.read_text())
        self.running.append(process)
        return process

    def config(self):
        return {"controllers": [f"127.0.0.1:{port}" for port in self.ports],
                "controller_keys": [self.public_key],
                "key_file": str(self.folder / "proxy")}

    def stop(self):
        for process in self.running:
            process.stop()


class Site:
    """A control plane, a controller, three proxies that know nothing of themselves, two pods."""

    def __init__(self, folder):
        self.folder = folder
        self.plane = ControlPlane(folder)
        (folder / "keys").mkdir()
        self.workshop = Workshop(Keyring(folder / "keys"))
        self.gateways = [
            ScriptedGateway(address=own_address()).serve(lambda call: call.reply(200, ANSWER))
            for _ in range(2)]
        (folder / "controllers").mkdir()
        self.controllers = Controllers(self.plane, folder / "controllers")
        self.controllers.start(0)
        self.proxies = [self.start_proxy(index) for index in range(3)]
        self.make_class()

    def start_proxy(self, index):
        folder = self.folder / f"proxy-{index}"
        folder.mkdir()
        config = base_config(self.workshop.keyring, folder / "access.log")
        del config["endpoints"]
        config["feed"] = {**self.controllers.config(), "name": f"proxy-{index}"}
        config.update(admin_config(folder))
        return ProxyProcess(folder, config).start()

    def make_class(self):
        self.plane.must("POST", "/apis/networking.k8s.io/v1/ingressclasses", {
            "metadata": {"name": "kernelgate"}, "spec": {"controller": "kernelgate.io/ingress"}})

    def make_gateways(self, namespace):
        """Secrets, a Service and its slice with both gateways."""
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
        for index, gateway in enumerate(self.gateways):
            self.write_slice(namespace, index, gateway.port)

    def write_slice(self, namespace, index, port, **conditions):
        """One slice for each pod, since they have one address and two ports here."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        name = f"gateway-{index}"
        body = {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "gateway"}},
            "addressType": "IPv4", "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
            "endpoints": [{
                "addresses": [self.gateways[index].address],
                "conditions": {"ready": True, "serving": True, "terminating": False, **conditions},
                "targetRef": {"kind": "Pod", "namespace": namespace, "name": f"jeg-{index}",
                              "uid": f"00000000-0000-4000-8000-00000000000{index}"}}]}
        put = self.plane.call("PUT", f"{path}/{name}", body)
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

    def status(self, proxy, name):
        client = RawClient(proxy.port, self.workshop.context(), sni=None)
        try:
            client.send_request("GET", "/api/kernelspecs", token=self.workshop.token(name),
                                host=f"{name}.example.com")
            return client.read_response().status
        finally:
            client.close()

    def wait_status(self, name, *wanted, proxies=None):
        for proxy in proxies or self.proxies:
            wait_until(lambda: self.status(proxy, name) in wanted,
                       lambda: f"{name} to be {wanted}; it is {self.status(proxy, name)}; "
                               f"{self.controllers.running[0].tail()}", 20)

    def stop(self):
        for proxy in self.proxies:
            proxy.stop()
        self.controllers.stop()
        for gateway in self.gateways:
            gateway.close()
        self.plane.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


def sequence(site):
    return [proxy.metrics().value("kernelgate_feed_sequence") for proxy in site.proxies]


def test_an_ingress_is_live_in_all_proxies_at_once_and_gone_as_fast(site):
    site.make_gateways("speed")
    site.plane.must("POST", ingress_path("speed"), site.manifest("first"))
    site.wait_status("first", 200)
    live, gone = [], []
    for index in range(20):
        name = f"speed{index}"
        manifest = site.manifest(name)
        before = sequence(site)
        begin = time.monotonic()
        site.plane.must("POST", ingress_path("speed"), manifest)
        accepted = time.monotonic()
        wait_until(lambda: all(now > then for now, then in zip(sequence(site), before)),
                   "the endpoint in all proxies")
        live.append(time.monotonic() - accepted)
        assert begin < accepted
        site.wait_status(name, 200)
        before = sequence(site)
        site.plane.must("DELETE", ingress_path("speed", name))
        accepted = time.monotonic()
        wait_until(lambda: all(now > then for now, then in zip(sequence(site), before)),
                   "the endpoint to be gone from all proxies")
        gone.append(time.monotonic() - accepted)
        site.wait_status(name, 404)
    for what, took in (("live", live), ("gone", gone)):
        took.sort()
        print(f"{what}: median {statistics.median(took) * 1e3:.0f} ms, "
              f"most {took[-1] * 1e3:.0f} ms")
        assert statistics.median(took) < 0.1


def test_thousands_of_edits_move_no_other_websocket(site):
    site.make_gateways("edits")
    site.plane.must("POST", ingress_path("edits"), site.manifest("steady"))
    site.wait_status("steady", 200)
    versions = sequence(site)
    edited = site.manifest("edited")
    site.plane.must("POST", ingress_path("edits"), edited)
    for number in range(100):
        edited["metadata"]["annotations"]["kernelgate.io/kernel-env-pass"] = f"A{number}"
        site.plane.must("PUT", ingress_path("edits", "edited"), edited)
    wait_until(lambda: all(now >= then + 2 for now, then in zip(sequence(site), versions)),
               "edits to arrive")
    site.wait_status("edited", 200)
    site.wait_status("steady", 200)


def test_a_revocation_reaches_every_proxy_and_those_that_start_later(site):
    site.make_gateways("revoked")
    site.plane.must("POST", ingress_path("revoked"), site.manifest("revoked"))
    site.wait_status("revoked", 200)
    operator = AdminClient(SimpleNamespace(proxy=site.proxies[0]))
    said, answer = operator.call("POST", "/revocations", {"endpoint": "revoked"})
    assert said == 200, answer
    began = time.monotonic()
    site.wait_status("revoked", 401)
    assert time.monotonic() - began < 2
    secret = "/api/v1/namespaces/default/secrets/kernelgate-revocations"
    wait_until(lambda: site.plane.call("GET", secret).status == 200, "the Secret")
    late = site.start_proxy(3)
    try:
        wait_until(lambda: late.monitoring("/readyz")[0] == 200, "readiness")
        assert site.status(late, "revoked") == 401 and site.status(late, "first") == 200
    finally:
        late.stop()


def test_a_leader_that_dies_is_replaced_and_nothing_moves_back(site):
    site.make_gateways("leaders")
    site.controllers.start(1)
    for proxy in site.proxies:
        wait_until(lambda: proxy.metrics().value("kernelgate_feed_controllers") == 2,
                   "both controllers")
    term = site.proxies[0].metrics().value("kernelgate_feed_term")
    leader = site.controllers.running.pop(0)
    leader.kill()
    site.plane.must("POST", ingress_path("leaders"), site.manifest("later"))
    site.wait_status("first", 200)
    wait_until(lambda: all(proxy.metrics().value("kernelgate_feed_term") > term
                           for proxy in site.proxies),
               lambda: f"a new term; {site.controllers.running[0].tail()}", 40)
    site.wait_status("later", 200)
    site.wait_status("first", 200)


def test_an_api_server_and_an_etcd_that_die_disturb_no_traffic(site):
    site.plane.api.kill()
    site.plane.etcd.kill()
    site.wait_status("first", 200)
    site.plane.start_etcd()
    site.plane.start_api()
    site.make_gateways("after")
    site.plane.must("POST", ingress_path("after"), site.manifest("afterwards"))
    for proxy in site.proxies:
        wait_until(lambda: site.status(proxy, "afterwards") == 200,
                   lambda: f"the new endpoint; {site.controllers.running[0].tail()}", 60)
    site.wait_status("first", 200)
