"""Each kernel at its one gateway, by every verb, through every proxy and through every failure.

Three proxies share nothing but the keys of kernel ids; three real gateways share their store. The
tests of this file are one story and run in its order. KG_KERNELS is how many kernels live (9).
"""

import os
import time

import pytest
from fleet import Fleet

KERNELS = int(os.environ.get("KG_KERNELS", "9"))
GATEWAY_KEYS = {"replication": True, "health_check": {"interval": "500ms"}}


@pytest.fixture(scope="module")
def fleet(start_replicas, workshop, tmp_path_factory):
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), workshop, start_replicas(3), 3,
                  GATEWAY_KEYS)
    yield fleet
    fleet.close()


@pytest.fixture(autouse=True)
def told(fleet, request):
    """Figures for those who run this by hand (-s)."""
    began = time.monotonic()
    yield
    seconds = time.monotonic() - began
    print(f"\n  {request.node.name}: {seconds:.1f} s, {len(fleet.kernels)} kernels,"
          f" {fleet.replicas.memory() / 2**20:.0f} MiB behind the proxies,"
          f" {[round(proxy.rss() / 2**20) for proxy in fleet.proxies]} MiB in them")


def of(holders, gateway):
    return [kernel for kernel, index in holders.items() if index == gateway]


def test_new_kernels_are_spread_and_listed(fleet):
    fleet.create(KERNELS)
    holders = fleet.holders()
    assert set(holders) == set(fleet.kernels)
    for gateway in range(3):
        assert len(of(holders, gateway)) >= KERNELS / 6, f"gateways have {holders.values()}"
    fleet.check_lists()


def test_every_verb_through_every_proxy_reaches_the_holder(fleet):
    holders, marks = fleet.holders(), fleet.marks()
    fleet.every_verb_on(fleet.kernels)
    assert fleet.asked_since(marks) == {kernel: {index} for kernel, index in holders.items()}
    assert fleet.holders() == holders
    fleet.check_lists()
    fleet.check_no_harm()


def test_lists_are_whole_while_a_gateway_is_stopped(fleet):
    fleet.check_lists()
    fleet.replicas[1].freeze()
    try:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            fleet.check_lists()
    finally:
        fleet.replicas[1].thaw()
    fleet.wait_lists()


def test_the_kernels_of_a_restarted_gateway_go_on_there(fleet):
    holders = fleet.holders()
    lost = of(holders, 2)
    assert lost
    fleet.replicas[2].kill()
    fleet.replicas[2].start()
    marks = fleet.marks()
    fleet.wait_works(lost)
    fleet.every_verb_on(lost)
    fleet.wait_lists()
    asked = fleet.asked_since(marks)
    assert {kernel: asked[kernel] for kernel in lost} == {kernel: {2} for kernel in lost}
    assert fleet.holders() == holders
    fleet.check_no_harm()


def test_the_kernels_of_a_killed_gateway_go_on_at_one_other(fleet):
    lost = of(fleet.holders(), 0)
    assert lost
    fleet.replicas[0].kill()
    marks = fleet.marks()
    fleet.wait_works(lost)
    fleet.every_verb_on(lost)
    fleet.wait_lists()
    asked = fleet.asked_since(marks)
    assert all(len(asked[kernel]) == 1 for kernel in lost), asked
    fleet.check_no_harm()


def test_a_gateway_that_comes_back_is_asked_for_its_kernels_again(fleet):
    fleet.replicas[0].start()
    fleet.wait_works(list(fleet.kernels))
    # Each proxy finds that out for itself; until then it uses where they were meanwhile.
    for proxy in fleet.proxies:
        proxy.wait_metric("kernelgate_pod_gone", 0, pod=fleet.replicas[0].name)
    marks = fleet.marks()
    fleet.every_verb_on(fleet.kernels)
    fleet.wait_lists()
    asked = fleet.asked_since(marks)
    assert all(len(asked[kernel]) == 1 for kernel in fleet.kernels), asked
    fleet.check_no_harm()


def test_a_deleted_kernel_is_gone_from_every_list(fleet):
    """Whichever gateways have loaded it in its life."""
    for number, kernel in enumerate(list(fleet.kernels)[:6]):
        fleet.delete(fleet.clients[number % 3], kernel)
        for client in fleet.clients:
            assert client.call("GET", f"/api/kernels/{kernel}").status == 404
    fleet.wait_deleted_unlisted()
    fleet.check_lists()
    fleet.check_no_harm()
