"""A controller, the leader, etcd or the API server dies under traffic: no client sees it, and
afterwards all hold the same again. On Debian's etcd 3.4; the other tests of sites have 3.6.
"""

import base64
import time

import pytest
from control_plane import DEBIANS_ETCD, ingress_path
from controller_site import Site
from onlookers import Traffic
from support.waiting import PATIENCE, wait_until

SLOW = max(PATIENCE - 10, 0)  # seconds more for a slow build
FAILOVER_SECONDS = 20 + SLOW  # 17 are promised from the leader's death to the next term
HANDOVER_SECONDS = 5 + SLOW  # 3 from its SIGTERM
RESTART_SECONDS = 40  # a Lease's time, and that of starting again


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"), etcd=DEBIANS_ETCD)
    site.controllers.start(1)
    site.make_gateways("steady", pods=1)
    site.plane.must("POST", ingress_path("steady"), site.manifest("steady"))
    site.wait_status("steady", 200)
    wait_controllers(site, 2)
    yield site
    site.stop()


@pytest.fixture(autouse=True)
def traffic(site):
    """Goes on throughout the test. Behind it the leader and all proxies hold the same."""
    traffic = Traffic(site, "steady", websockets=8)
    try:
        yield traffic
        site.wait_converged()
        messages, requests = traffic.end()
        print(f"{messages} messages and {requests} requests were answered, none failed")
    finally:
        traffic.close()


def wait_controllers(site, count):
    for proxy in site.proxies:
        wait_until(lambda: proxy.metrics().value("kernelgate_feed_controllers") == count,
                   f"{count} controllers", 20)


def announce(site, name):
    """An Ingress of that name in a namespace of that name."""
    site.make_gateways(name)
    site.plane.must("POST", ingress_path(name), site.manifest(name))


def terms(site):
    return [proxy.metrics().value("kernelgate_feed_term") for proxy in site.proxies]


def wait_new_term(site, before, seconds):
    """In all proxies, within so many seconds since `before`: (their terms, when)."""
    held, since = before
    wait_until(lambda: min(terms(site)) > max(held),
               lambda: f"a new term; {site.controllers.running[0].tail()}",
               seconds - (time.monotonic() - since))
    print(f"a new term was everywhere after {time.monotonic() - since:.2f} s")


def test_a_standby_dies(site):
    site.controllers.running.pop(1).kill()
    announce(site, "alone")
    site.wait_status("alone", 200)
    site.controllers.start(1)
    wait_controllers(site, 2)


def test_the_leader_dies(site):
    before = terms(site), time.monotonic()
    site.controllers.running.pop(0).kill()
    announce(site, "later")  # seen by the standby, and published when it leads
    wait_new_term(site, before, FAILOVER_SECONDS)
    site.wait_status("later", 200)
    site.controllers.start(0)  # the former leader comes back, and waits
    wait_controllers(site, 2)


def test_a_leader_that_is_ended_hands_over(site):
    leader = site.controllers.running.pop(0)
    before = terms(site), time.monotonic()
    leader.child.terminate()
    wait_new_term(site, before, HANDOVER_SECONDS)
    assert leader.child.wait(PATIENCE) == 0
    announce(site, "handed")
    site.wait_status("handed", 200)
    site.controllers.start(1)
    wait_controllers(site, 2)


def annotate(site, name, **annotations):
    site.plane.must("PATCH", ingress_path(name, name), {"metadata": {"annotations": {
        f"kernelgate.io/{key.replace('_', '-')}": value for key, value in annotations.items()}}},
                    content_type="application/merge-patch+json")


def add_squatter(site):
    """An Ingress that is wrong and goes on, and one that came first and asks for all it has."""
    announce(site, "asquatter")  # also by its name the first
    announce(site, "held")
    site.wait_status("asquatter", 200)
    site.wait_status("held", 200)
    annotate(site, "held", gone_after="soon")
    squatter = site.manifest("asquatter", **{"kernelgate.io/endpoint-id": "held",
                                             "kernelgate.io/issuer": "https://squatter.test"})
    squatter["spec"]["rules"].append({**squatter["spec"]["rules"][0], "host": "held.example.com"})
    site.plane.must("PATCH", ingress_path("asquatter", "asquatter"), squatter,
                    content_type="application/merge-patch+json")
    site.wait_status("asquatter", 404)  # it has no id
    site.wait_status("held", 200)


def remembered(site):
    secrets = "/api/v1/namespaces/default/secrets"
    secret = site.plane.call("GET", f"{secrets}/kernelgate-controller-memory")
    text = secret.body["data"]["memory"] if secret.status == 200 else ""
    return base64.b64decode(text).decode()


def test_all_controllers_die(site):
    add_squatter(site)
    wait_until(lambda: "id held" in remembered(site) and "good" in remembered(site),
               lambda: f"what it remembers; it is {remembered(site)}", 20)
    before = terms(site), time.monotonic()
    for controller in site.controllers.running:
        controller.kill()
    site.controllers.running.clear()
    announce(site, "unseen")
    wait_controllers(site, 0)
    site.controllers.start(0)
    site.controllers.start(1)
    wait_new_term(site, before, RESTART_SECONDS)
    site.wait_status("unseen", 200)
    for name, status in (("held", 200), ("asquatter", 404)):
        assert [site.status(proxy, name) for proxy in site.proxies] == [status] * 3, name


def test_etcd_dies_for_longer_than_a_leader_may_lead_without_it(site):
    before = terms(site)
    site.plane.etcd.kill()
    wait_until(lambda: not site.controllers.leader(), "nobody to lead", 30)
    site.plane.start_etcd()
    wait_until(site.plane.is_ready, "the API server to find etcd again", 60)
    announce(site, "behindetcd")
    # Under another term, or on in the same one, where the former leader sees etcd again first.
    wait_until(site.controllers.leader, "somebody to lead", RESTART_SECONDS)
    site.wait_status("behindetcd", 200)
    assert min(terms(site)) >= max(before)


def test_the_api_server_dies(site):
    site.plane.restart_api()
    announce(site, "behindapi")
    site.wait_status("behindapi", 200)
