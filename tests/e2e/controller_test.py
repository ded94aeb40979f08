"""The controller between a real API server and real proxies: announced, changed, gone, revoked.

KG_EDITS (100) are made under KG_WEBSOCKETS (150) open WebSockets; 1000 and 2000 for the whole
promise.
"""

import base64
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from types import SimpleNamespace

import pages
import peers
import pytest
import yaml
from control_plane import ingress_path
from controller_site import Site
from onlookers import Onlookers, Traffic
from support.admin_client import AdminClient
from support.certificates import openssl
from support.raw_client import RawClient
from support.stage import CHANNELS
from support.waiting import wait_until

EDITS = int(os.environ.get("KG_EDITS", "100"))
WEBSOCKETS = int(os.environ.get("KG_WEBSOCKETS", "150"))
REVOCATIONS = "/api/v1/namespaces/default/secrets/kernelgate-revocations"
PAGE = "routing/controller/README.md"
ADDRESS = "192.0.2.7"


class ObservingSite(Site):
    """Its controller reads EMR's Ingresses too, and says of ours where they are reached."""

    def controller_options(self):
        return ["--observe-label=emr-containers.amazonaws.com/component=endpoint",
                "--observe-parameters=emr/kernelgate", f"--status-address={ADDRESS}"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = ObservingSite(tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


def test_an_ingress_is_live_in_all_proxies_at_once_and_gone_as_fast(site):
    site.make_gateways("speed")
    live, gone = [], []
    with closing(Onlookers(site)) as all_see, closing(site.plane.caller()) as caller:
        for index in range(50):
            name = f"speed{index}"
            site.workshop.token(name)
            accepted = caller.must("POST", ingress_path("speed"), site.manifest(name))
            live.append(all_see.see(name, 200) - accepted)
            accepted = caller.must("DELETE", ingress_path("speed", name))
            gone.append(all_see.see(name, 404) - accepted)
    for what, took in (("live", live), ("gone", gone)):
        took.sort()
        median, p99 = statistics.median(took), took[int(0.99 * len(took))]
        print(f"{what}: median {median * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms")
        assert median < 0.1
        assert p99 < 1, "0.1 s on a machine that does nothing else"


class Neighbour:
    """Edits of an endpoint beside the one that is watched, and of what is nobody's business."""

    def __init__(self, site, namespace):
        self.site, self.namespace = site, namespace
        self.certificates = [self.pair(number) for number in range(2)]
        self.manifest = site.manifest("neighbour")
        self.manifest["spec"]["tls"] = [
            {"hosts": ["neighbour.example.com"], "secretName": "neighbour-tls"}]
        self.core = f"/api/v1/namespaces/{namespace}/secrets"
        site.plane.must("POST", self.core, self.secret(0))
        site.plane.must("POST", ingress_path(namespace), self.manifest)
        slices, self.slice = site.slice_of(namespace, 0, site.gateways[0].port)
        self.slice["metadata"] = {"name": "more", "labels": self.slice["metadata"]["labels"]}
        self.slices = slices
        site.plane.must("POST", slices, self.slice)

    def pair(self, number):
        return self.site.workshop.keyring.issue(
            f"neighbour-{number}", "/CN=neighbour.example.com",
            ["subjectAltName=DNS:neighbour.example.com"], self.site.workshop.keyring.new_ec_key)

    def secret(self, number):
        chain, key = (base64.b64encode(file.read_bytes()).decode()
                      for file in self.certificates[number % 2])
        return {"metadata": {"name": "neighbour-tls"}, "type": "kubernetes.io/tls",
                "data": {"tls.crt": chain, "tls.key": key}}

    def route(self, number):
        host = self.manifest["spec"]["rules"][0]
        path = {**host["http"]["paths"][0], "path": f"/more{number}"}
        self.manifest["spec"]["rules"] = [
            {**host, "http": {"paths": [host["http"]["paths"][0], path]}}]
        return "PUT", ingress_path(self.namespace, "neighbour"), self.manifest

    def policy(self, number):
        self.manifest["metadata"]["annotations"]["kernelgate.io/quota-websockets"] = str(number + 1)
        return "PUT", ingress_path(self.namespace, "neighbour"), self.manifest

    def certificate(self, number):
        return "PUT", f"{self.core}/neighbour-tls", self.secret(number // 5)

    def pods(self, number):
        name = f"jeg-more-{number}"
        self.slice["endpoints"][0]["targetRef"].update(name=name, uid=f"uid-{number}")
        return "PUT", f"{self.slices}/more", self.slice

    def own_policy(self, number):
        """Of the endpoint that is watched: what its next kernels may be given."""
        manifest = self.site.manifest("steady", **{
            "kernelgate.io/quota-websockets": "none",
            "kernelgate.io/kernel-env-pass": f"A{number}"})
        return "PUT", ingress_path("steady", "steady"), manifest


@pytest.fixture(scope="module")
def steady(site):
    """The name of an endpoint that is there throughout."""
    site.make_gateways("steady", pods=1)
    site.plane.must("POST", ingress_path("steady"),
                    site.manifest("steady", **{"kernelgate.io/quota-websockets": "none"}))
    site.wait_status("steady", 200)
    return "steady"


def test_edits_close_no_websocket_and_fail_no_request(site, steady):
    site.make_gateways("edits")
    neighbour = Neighbour(site, "edits")
    edits = [neighbour.route, neighbour.policy, neighbour.certificate, neighbour.pods,
             neighbour.own_policy]
    traffic = Traffic(site, steady, WEBSOCKETS // 3, period=1 + WEBSOCKETS / 500)
    with closing(Onlookers(site)) as all_see, closing(site.plane.caller()) as caller:
        began = time.monotonic()
        for number in range(EDITS):
            caller.must(*edits[number % len(edits)](number))
            all_see.see(steady, 200)
        took = time.monotonic() - began
        assert all_see.looks == 3 * EDITS  # each was answered with 200 the first time
        caller.must("DELETE", ingress_path("edits", "neighbour"))
        all_see.see("neighbour", 404)
    site.wait_converged()
    for proxy, before in zip(site.proxies, traffic.before):
        updates = "kernelgate_feed_updates_total"
        assert proxy.metrics().value(updates) - before.value(updates) > EDITS / 2
    messages, requests = traffic.end()
    print(f"{EDITS} edits in {took:.1f} s under {3 * traffic.websockets} WebSockets: {messages} "
          f"messages and {requests + 3 * EDITS} requests were answered, none failed")


def events_of(site, namespace, kind, name):
    found = site.plane.must("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")
    return {event["reason"]: event["note"] for event in found["items"]
            if (event["regarding"]["kind"], event["regarding"]["name"]) == (kind, name)}


def test_a_secret_hears_why_no_proxy_could_use_it_and_nothing_else_is_held_up(site, steady):
    """1,024 bits are a certificate to everybody but to who has to present it."""
    chain, key = site.folder / "weak.crt", site.folder / "weak.key"
    openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "2", "-keyout", str(key),
            "-subj", "/CN=weak", "-addext", "subjectAltName=DNS:weak.example.com",
            "-out", str(chain))
    secrets = f"/api/v1/namespaces/{steady}/secrets"
    secret = {"metadata": {"name": "weak"}, "type": "kubernetes.io/tls",
              "stringData": {"tls.crt": chain.read_text(), "tls.key": key.read_text()}}
    site.plane.must("POST", secrets, secret)
    manifest = site.manifest("weak")
    manifest["spec"]["tls"] = [{"hosts": ["weak.example.com"], "secretName": "weak"}]
    site.plane.must("POST", ingress_path(steady), manifest)
    wait_until(lambda: "NotUsable" in events_of(site, steady, "Secret", "weak"), "its Event")
    note = events_of(site, steady, "Secret", "weak")["NotUsable"]
    assert note.startswith(f"certificate/{steady}/weak: cannot be served: "), note
    assert "the last good version serves on" in note and "PRIVATE KEY" not in note
    site.wait_status("weak", 200)  # under the proxies' own certificate
    chain, key = site.workshop.keyring.server_certificate("weak.example.com")
    secret["stringData"] = {"tls.crt": chain.read_text(), "tls.key": key.read_text()}
    site.plane.must("PUT", f"{secrets}/weak", secret)
    wait_until(lambda: "Resolved" in events_of(site, steady, "Secret", "weak"), "its end")
    site.wait_converged()
    site.plane.must("DELETE", ingress_path(steady, "weak"))
    assert all(proxy.metrics().value("kernelgate_feed_rejected_total", reason="refused") == 0
               for proxy in site.proxies)


def test_an_ingress_of_emrs_is_served_and_never_written_to(site):
    plane, endpoint = site.plane, "3kqj9fzm2yd0v.kernels"
    text = (peers.TREE / "tests/e2e/manifests/emr.json").read_text()
    theirs, service = json.loads(text)["items"]
    name, core = theirs["metadata"]["name"], "/api/v1/namespaces/emr"
    plane.new_namespace("emr")
    plane.must("POST", "/apis/networking.k8s.io/v1/ingressclasses", {
        "metadata": {"name": "alb"}, "spec": {"controller": "ingress.k8s.aws/alb"}})
    plane.must("POST", f"{core}/configmaps", {
        "metadata": {"name": "kernelgate"},
        "data": yaml.safe_load(pages.block(PAGE, "sessions-by-gateway:"))})
    made = plane.must("POST", ingress_path("emr"), theirs)
    site.wait_status(endpoint, 503, token="opaque")  # what is wrong with ours would be an Event
    plane.must("POST", f"{core}/services", service)
    path, body = site.slice_of("emr", 0, site.gateways[0].port)
    body["metadata"]["labels"]["kubernetes.io/service-name"] = service["metadata"]["name"]
    del body["ports"][0]["name"]
    plane.must("POST", path, body)
    site.wait_status(endpoint, 200, token="opaque")
    plane.must("POST", ingress_path("emr"), site.manifest("ours"))  # it has no Service
    wait_until(lambda: plane.must("GET", ingress_path("emr", "ours"))["status"]["loadBalancer"] == {
        "ingress": [{"ip": ADDRESS}]}, "the status of ours")
    wait_until(lambda: "ServiceNotFound" in events_of(site, "emr", "Ingress", "ours"), "its Event")
    assert plane.must("GET", ingress_path("emr", name)) == made
    assert events_of(site, "emr", "Ingress", name) == {}


def open_websockets(site, front, name, **claims):
    """One at each proxy, all of one session: the clients' ends. The gateway sends back what it
    hears."""
    token, ends = site.token(name, **claims), []
    for _ in site.proxies:
        client = RawClient(front.port, site.workshop.context(), sni=None)
        key = client.send_upgrade(CHANNELS, (), token, host=f"{name}.example.com")
        ends.append(client.read_upgrade(key))
    return ends


def test_a_renewal_and_a_revocation_reach_all_replicas(site, steady):
    """Behind a front that deals connections out in turn nobody knows whom a request meets."""
    site.make_gateways("shared", pods=1)
    site.plane.must("POST", ingress_path("shared"),
                    site.manifest("shared", **{"kernelgate.io/expiry-grace": "0s"}))
    site.wait_status("shared", 200)
    renewed = "kernelgate_websockets_renewed_total"
    before = [proxy.metrics().value(renewed) for proxy in site.proxies]
    fresh = site.token("shared", sub="carol", jti="fresh", seconds=300)
    with closing(peers.Tap(*[proxy.port for proxy in site.proxies])) as front:
        lost, kept = (open_websockets(site, front, "shared", sub=who, seconds=6)
                      for who in ("bob", "carol"))
        assert site.status(front, "shared", fresh) == 200
        for end in lost:
            assert end.read_to_close().close_code == 1008, "nobody renewed bob's"
        assert [proxy.metrics().value(renewed) for proxy in site.proxies] == [
            count + 1 for count in before]
        for end in kept:
            end.send_text("still here")
            while (frame := end.read()).payload != b"still here":
                assert b"session ends" in frame.payload
        operator = AdminClient(SimpleNamespace(proxy=site.proxies[0]))
        began = time.monotonic()
        said, answer = operator.call("POST", "/revocations", {"token_id": "fresh"})
        assert (said, answer["told"]) == (200, "all")
        for end in kept:
            assert end.read_to_close().close_code == 1008
        took = time.monotonic() - began
        print(f"one revocation closed the sockets of three proxies in {took * 1e3:.0f} ms")
        assert took < 2
    wait_until(lambda: site.plane.call("GET", REVOCATIONS).status == 200, "the Secret")
    late = site.start_proxy(3)
    try:
        wait_until(lambda: late.monitoring("/readyz")[0] == 200, "readiness")
        assert site.status(late, "shared", fresh) == 401, "its first request"
        assert site.status(late, steady) == 200
    finally:
        late.stop()
    assert operator.call("DELETE", "/revocations", {"token_id": "fresh"})[1]["told"] == "all"
    for proxy in site.proxies:
        wait_until(lambda: site.status(proxy, "shared", fresh) == 200, "it to be taken back")


class Revocations:
    """The Secret, and what it counts for at all proxies."""

    def __init__(self, site, name):
        self.site, self.name = site, name
        self.tokens = {jti: site.token(name, jti=jti) for jti in ("one", "two")}
        self.operator = AdminClient(SimpleNamespace(proxy=site.proxies[0]))

    def text(self):
        got = self.site.plane.call("GET", REVOCATIONS)
        if got.status == 404:
            return ""
        return base64.b64decode(got.body["data"]["revocations"]).decode()

    def put(self, text):
        self.site.plane.must("PUT", REVOCATIONS, {
            "metadata": {"name": REVOCATIONS.rpartition("/")[2]},
            "stringData": {"revocations": text}})

    def line(self, jti):
        mark = self.mark(jti)
        return next((line for line in self.text().splitlines() if mark in line), None)

    @staticmethod
    def mark(jti):
        return hashlib.sha256(b"token_id\n" + jti.encode()).hexdigest()

    def take_back_by_hand(self, jti):
        """As the page says, with an editor that deletes a line."""
        shell = pages.command(
            pages.block(PAGE, "kubectl get secret kernelgate-revocations"),
            self.site.folder / "by-hand", vi=f'sed -i /{self.mark(jti)}/d "$1"',
            kubectl=f'{sys.executable} {peers.TREE}/tests/e2e/kubectl.py "$@"')
        subprocess.run(shell, env={**os.environ, "KUBECONFIG": str(self.site.plane.kubeconfig)},
                       check=True, timeout=30)

    def wait_line(self, jti, there=True):
        wait_until(lambda: (self.line(jti) is not None) == there,
                   lambda: f"the Secret to have {jti}: {there}; it has {self.text()}")

    def revoke(self, jti):
        assert self.operator.call("POST", "/revocations", {"token_id": jti})[1]["told"] == "all"
        self.wait_line(jti)

    def answers(self, jti):
        """Of all proxies, once they hold what the leader has published."""
        self.site.wait_converged()
        return {self.site.status(proxy, self.name, self.tokens[jti])
                for proxy in self.site.proxies}


def test_a_secret_that_is_lost_takes_back_no_revocation(site, steady):
    kept = Revocations(site, steady)
    kept.revoke("one")
    older = kept.text()
    site.plane.must("DELETE", REVOCATIONS)
    kept.wait_line("one")
    assert kept.answers("one") == {401}
    kept.revoke("two")
    kept.put(older)
    kept.wait_line("two")
    assert kept.answers("one") == kept.answers("two") == {401}
    kept.take_back_by_hand("two")
    site.wait_status(steady, 200, token=kept.tokens["two"])
    assert kept.operator.call("DELETE", "/revocations", {"token_id": "one"})[1]["told"] == "all"
    kept.wait_line("one", there=False)
    assert kept.answers("one") == kept.answers("two") == {200}
