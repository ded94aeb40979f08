"""What many objects cost: an edit among 100, 1,000 and 10,000 Ingresses of 3 pods each, the first
look at all of them, and the memory that each takes.

KG_INGRESSES=10000 for the whole promise; the figures are in routing/controller/README.md.
"""

import os
import statistics
import time
from contextlib import closing

import pytest
from control_plane import ingress_path
from controller_site import Site
from onlookers import Onlookers
from support.process_cost import cpu_ms, rss
from support.waiting import wait_until

INGRESSES = int(os.environ.get("KG_INGRESSES", "100"))
SIZES = [size for size in (100, 1_000, 10_000) if size <= INGRESSES]
EDITS = 60 if INGRESSES > 100 else 8  # of each kind
PER_NAMESPACE = 100
PODS = 3
QUIET = {  # pods that nobody runs are not asked for anything
    "kernelgate.io/health-check-interval": "1h", "kernelgate.io/census": "off"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("scale"))
    yield site
    site.stop()


def objects_of(site, number):
    """(path, body) of an Ingress, its Service, and the slice with its pods."""
    namespace, name = f"vc{number // PER_NAMESPACE}", f"ep{number}"
    yield f"/api/v1/namespaces/{namespace}/services", {
        "metadata": {"name": name},
        "spec": {"clusterIP": "None", "ports": [{"name": "http", "port": 8888}]}}
    addresses = [PODS * number + pod for pod in range(PODS)]
    yield f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4", "ports": [{"name": "http", "port": 8888, "protocol": "TCP"}],
        "endpoints": [{
            "addresses": [f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": namespace, "name": f"{name}-{at}",
                          "uid": f"00000000-0000-4000-8000-{at:012}"}} for at in addresses]}
    manifest = site.manifest(name, **QUIET)
    target = manifest["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    target["name"] = name
    yield ingress_path(namespace), manifest


def grow(site, size):
    """Ingresses until there are so many. Those of a namespace share their Secret."""
    have = site.grown
    for number in range(have, size, PER_NAMESPACE):
        site.make_gateways(f"vc{number // PER_NAMESPACE}")
    began = time.monotonic()
    site.plane.create_all(one for number in range(have, size) for one in objects_of(site, number))
    site.grown = size
    print(f"\n{size} Ingresses: {size - have} made in {time.monotonic() - began:.1f} s")
    wait_items(site.proxies, size)


def wait_items(proxies, size, seconds=60):
    for proxy in proxies:
        wait_until(lambda: proxy.metrics().value("kernelgate_feed_items") > size,
                   lambda: f"{size} items; {proxy.metrics().value('kernelgate_feed_items')}",
                   seconds)


class Edits:
    """Edits of the endpoint `probe`, one after the other: how long until all proxies act by it, and
    the CPU time that it takes."""

    def __init__(self, site):
        self.site = site
        self.processes = {"controller": site.controllers.running[-1].child.pid,
                          "proxy": site.proxies[0].pid}

    def costs(self):
        return {name: cpu_ms(pid) for name, pid in self.processes.items()}

    def measure(self, what, there, back):
        """there and back: (method, path, body, status that `probe` has then)."""
        took = []
        with closing(self.site.plane.caller()) as caller, closing(Onlookers(self.site)) as all_see:
            looks = 0
            before, began = self.costs(), time.monotonic()
            for edit in [there, back] * EDITS:
                accepted = caller.must(*edit[:3])
                took.append((all_see.see("probe", edit[3]) - accepted) * 1e3)
            looks = all_see.looks
            spent = {name: now - before[name] for name, now in self.costs().items()}
            # The onlookers' own requests, which a proxy's share is without.
            before = self.costs()
            for _ in range(looks // len(self.site.proxies)):
                all_see.see("probe", back[3])
            looking = self.costs()["proxy"] - before["proxy"]
        spent["proxy"] -= looking
        took.sort()
        figures = {"median": statistics.median(took), "p99": took[int(0.99 * len(took))],
                   **{name: cpu / len(took) for name, cpu in spent.items()}}
        print(f"  {what:7} " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in figures.items()))
        return figures


def edits_of_each_kind(site):
    edits = Edits(site)
    ingresses, manifest = ingress_path("probe"), site.manifest("probe", **QUIET)
    slice_path, there = site.slice_of("probe", 0, site.gateways[0].port)
    away = {**there, "endpoints": []}
    slice_path += "/gateway-0"
    closed = site.manifest("probe", **QUIET, **{"kernelgate.io/audience": "another"})
    own = ingress_path("probe", "probe")
    figures = {
        "route": edits.measure("route", ("POST", ingresses, manifest, 200),
                               ("DELETE", own, None, 404))}
    site.plane.must("POST", ingresses, manifest)
    site.wait_status("probe", 200)
    figures["policy"] = edits.measure("policy", ("PUT", own, closed, 401),
                                      ("PUT", own, manifest, 200))
    figures["pods"] = edits.measure("pods", ("PUT", slice_path, away, 503),
                                    ("PUT", slice_path, there, 200))
    site.plane.must("DELETE", own)
    site.wait_status("probe", 404)
    return figures


def memory(site):
    return {"controller": rss(site.controllers.running[-1].child.pid),
            "proxy": rss(site.proxies[0].pid)}


def first_look(site):
    """Another controller sees, compiles and publishes everything, and a new proxy gets all of it:
    the seconds of CPU that each takes."""
    last = site.controllers.running.pop()
    last.stop()
    proxy = site.proxies[0]
    term = proxy.metrics().value("kernelgate_feed_term")
    began = time.monotonic()
    controller = site.controllers.start(0)
    wait_until(lambda: proxy.metrics().value("kernelgate_feed_term") > term, controller.tail, 120)
    published, compiled = time.monotonic() - began, cpu_ms(controller.child.pid) / 1e3
    began = time.monotonic()
    late = site.start_proxy(len(site.proxies))
    try:
        wait_until(lambda: late.monitoring("/readyz")[0] == 200, "readiness", 60)
        ready, taken = time.monotonic() - began, cpu_ms(late.pid) / 1e3
        wait_items([late], site.grown)
        assert "leads no more" not in controller.log.read_text().rpartition("controller starts")[2]
        print(f"  first look: published after {published:.2f} s ({compiled:.2f} s of CPU); "
              f"a new proxy is ready after {ready:.2f} s ({taken:.2f} s of CPU); "
              f"memory MiB: controller {rss(controller.child.pid) / 2**20:.1f}, "
              f"proxy {rss(late.pid) / 2**20:.1f}")
    finally:
        late.stop()
    return compiled, taken


def test_an_edit_costs_the_same_among_many(site):
    site.make_gateways("probe", pods=1)
    site.grown = 0
    figures, bytes_at = {}, {}
    for size in SIZES:
        grow(site, size)
        figures[size] = edits_of_each_kind(site)
        bytes_at[size] = memory(site)
    compiled, taken = first_look(site)
    assert compiled < 10 and taken < 10
    few, many = figures[SIZES[0]], figures[SIZES[-1]]
    for kind in few:
        assert many[kind]["median"] < 100, (kind, many)
        for name in ("controller", "proxy"):
            assert many[kind][name] < 2 * few[kind][name] + 0.5, (kind, name, figures)
    if len(SIZES) > 1:
        for name in ("controller", "proxy"):
            each = (bytes_at[SIZES[-1]][name] - bytes_at[SIZES[0]][name]) / (SIZES[-1] - SIZES[0])
            print(f"  memory of the {name}: {each / 1024:.1f} KiB a route")
