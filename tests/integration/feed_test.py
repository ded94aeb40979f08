"""Endpoints that controllers announce: whole or not at all, at once, and nothing else moves."""

import json
from contextlib import closing

import pytest

from support.admin_client import AdminClient, admin_config
from support.feed import Feed, announced
from support.meddler import Meddler
from support.scripted_gateway import ScriptedGateway
from support.scripted_service import ScriptedService
from support.stage import CHANNELS, PLAIN
from support.waiting import wait_until


WORKERS = 4
CLIENTS = 16  # four workers: that these leave one out has a chance of 1 in 25, in one run


@pytest.fixture
def feed(tmp_path):
    feed = Feed(tmp_path / "controller")
    yield feed
    feed.close()


def feed_stage(make_stage, feed, **options):
    config = {"feed": feed.config(), "workers": WORKERS, **options.pop("config", {})}
    return make_stage(config=config, **options)


def readiness(stage):
    return stage.proxy.monitoring("/readyz")[0]


def ready_feed(stage):
    """What /readyz says of the feed, with whichever status."""
    return json.loads(stage.proxy.monitoring("/readyz")[2])["feed"]


def listeners_readiness(stage):
    client = stage.connect()
    client.send_request("GET", "/readyz")
    return client.read_response().status


def ask(stage, endpoint, gateway):
    """One exchange with an endpoint, over a connection of its own."""
    client = stage.connect(sni=None)
    client.send_request("GET", PLAIN, token=stage.token(endpoint), host=f"{endpoint}.test")
    gateway.next_call().reply(200, b"{}")
    assert client.read_response().status == 200


def status_of(stage, endpoint, target=PLAIN, **claims):
    client = stage.connect(sni=None)
    client.send_request("GET", target, token=stage.token(endpoint, **claims),
                        host=f"{endpoint}.test")
    return client.read_response().status


def test_ready_once_endpoints_are_announced(make_stage, feed):
    stage = feed_stage(make_stage, feed, config={"endpoints": None})
    assert readiness(stage) == 503 and listeners_readiness(stage) == 503
    assert ready_feed(stage)["items"] == 0 and not ready_feed(stage)["from_copy"]
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    assert readiness(stage) == 200 and listeners_readiness(stage) == 200
    ask(stage, "one", stage.gateway)
    assert status_of(stage, "ep") == 404
    stage.moved("kernelgate_feed_updates_total")
    assert stage.proxy.metrics().value("kernelgate_feed_items") == 1
    assert stage.proxy.metrics().value("kernelgate_feed_controllers") == 1
    assert stage.proxy.metrics().value("kernelgate_endpoints") == 1


def test_a_controller_is_followed_by_its_name(make_stage, feed):
    by_name = feed.config(controllers=[f"localhost:{feed.port}"])
    stage = make_stage(config={"feed": by_name, "endpoints": None})
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    ask(stage, "one", stage.gateway)
    assert stage.proxy.metrics().value("kernelgate_feed_controllers") == 1


def test_every_worker_takes_an_update_whole(make_stage, feed):
    """Also over connections that are open: who finds one endpoint gone finds its successor."""
    stage = feed_stage(make_stage, feed)
    stage.gateway.serve(lambda call: call.reply(200, b"{}"))
    feed.wait_taken(feed.publish(announced(stage.workshop, "even", [stage.gateway])))
    clients = [stage.connect(sni=None) for _ in range(CLIENTS)]

    def see(client, endpoint):
        return client.exchange("GET", PLAIN, token=stage.token(endpoint),
                               host=f"{endpoint}.test").status

    for number in range(10):
        old, new = ("even", "odd") if number % 2 == 0 else ("odd", "even")
        feed.publish(announced(stage.workshop, new, [stage.gateway]),
                     deletes=[f"endpoint/analytics/{old}"])
        for client in clients[number:] + clients[:number]:
            wait_until(lambda: see(client, old) == 404, f"{old} to go")
            assert see(client, new) == 200


def test_beside_the_file_which_comes_first(make_stage, feed):
    stage = feed_stage(make_stage, feed)
    other = stage.closes(ScriptedGateway())
    feed.wait_taken(feed.publish(announced(stage.workshop, "ep", [other]),
                                 announced(stage.workshop, "two", [other])))
    ask(stage, "ep", stage.gateway)
    ask(stage, "two", other)
    stage.proxy.wait_for_stderr("has the id or a route of announced endpoint ep", "a warning")
    feed.wait_taken(feed.publish(deletes=["endpoint/analytics/ep", "endpoint/analytics/two"]))
    ask(stage, "ep", stage.gateway)
    assert status_of(stage, "two") == 404


def test_no_edit_touches_a_websocket(make_stage, feed):
    stage = feed_stage(make_stage, feed)
    mine, gateways_end = stage.websocket()
    other = stage.closes(ScriptedGateway())
    feed.wait_taken(feed.publish(announced(stage.workshop, "two", [other])))
    client = stage.connect(sni=None)
    key = client.send_upgrade(CHANNELS, token=stage.token("two"), host="two.test")
    theirs_end = other.next_call().accept_websocket(None)
    theirs = client.read_upgrade(key)
    for number in range(200):
        moved = announced(stage.workshop, "two", [other], kernels={"env": {"pass": [f"A{number}"]}})
        version = feed.publish(moved, announced(stage.workshop, f"n{number}", [other]))
    feed.wait_taken(version)
    for ends in [(mine, gateways_end), (theirs, theirs_end)]:
        ends[0].send_text("still here")
        assert ends[1].read_text() == "still here"
    assert stage.proxy.metrics().value("kernelgate_endpoints") == 202


def test_a_bad_update_is_refused_whole(make_stage, feed):
    stage = feed_stage(make_stage, feed)
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    bad = announced(stage.workshop, "three", [stage.gateway])
    bad["payload"]["config"]["gateway"]["replication"] = "perhaps"
    feed.publish(announced(stage.workshop, "two", [stage.gateway]), bad)
    wait_until(lambda: feed.status()["refusals"], "a refusal")
    assert "gateway.replication" in feed.status()["refusals"][0]
    stage.moved("kernelgate_feed_rejected_total", reason="refused")
    ask(stage, "one", stage.gateway)
    assert status_of(stage, "two") == 404
    feed.wait_taken(feed.publish(announced(stage.workshop, "three", [stage.gateway])))
    ask(stage, "two", stage.gateway)


def test_an_endpoint_without_pods_is_503(make_stage, feed):
    stage = feed_stage(make_stage, feed)
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [])))
    assert status_of(stage, "one") == 503
    assert status_of(stage, "one", "/api/kernels") == 503
    assert stage.proxy.wait_log(endpoint="one", operation="ListKernels")["error"] == "no_pod"
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    ask(stage, "one", stage.gateway)


def test_a_gateway_that_judges_may_have_no_pod_yet(make_stage, feed):
    stage = feed_stage(make_stage, feed)
    sessions = {"sessions": {"authenticators": [{"delegated": {"gateway": "/api/kernelspecs"}}]}}

    def one(gateways):
        item = announced(stage.workshop, "one", gateways)
        item["payload"]["config"].update(sessions)
        return item

    feed.wait_taken(feed.publish(one([])))
    client = stage.connect(sni=None)
    client.send_request("GET", PLAIN, token="opaque", host="one.test")
    assert client.read_response().status == 503
    feed.wait_taken(feed.publish(one([stage.gateway])))
    stage.gateway.serve(lambda call: call.reply(200, b"{}"))
    client.send_request("GET", PLAIN, token="opaque", host="one.test")
    assert client.read_response().status in (200, 404)  # the gateway was asked
    assert stage.gateway.requests[0].target == "/api/kernelspecs"


def test_an_announced_issuer_is_never_this_machine(make_stage, feed):
    stage = feed_stage(make_stage, feed)
    issuer = stage.closes(ScriptedService(stage.workshop.keyring))
    issuer.says(stage.workshop.jwks.read_text())
    item = announced(stage.workshop, "one", [stage.gateway])
    jwt = item["payload"]["config"]["sessions"]["jwt"]
    del jwt["keys_file"]
    jwt.update({"keys_url": issuer.url("/jwks"), "ca_file": "feed:ca"})
    item["payload"]["files"]["ca"] = stage.workshop.keyring.ca.read_text()
    feed.wait_taken(feed.publish(item))
    assert status_of(stage, "one") == 503
    stage.proxy.wait_for_stderr("an address of this machine or link", "why")
    assert not issuer.asked


def test_a_restart_without_controllers_serves_what_was(make_stage, feed, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    stage = feed_stage(make_stage, feed, config={"state_dir": str(state)})
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    stage.proxy.stop()
    feed.close()
    assert (state / "feed").stat().st_mode & 0o777 == 0o600
    assert b"gateway-secret" not in (state / "feed").read_bytes()
    stage.proxy.stderr_lines.clear()
    stage.start()
    assert readiness(stage) == 200
    ask(stage, "one", stage.gateway)
    feed.start(feed.address)
    feed.wait_taken(feed.publish(whole=True))
    assert status_of(stage, "one") == 404


def test_what_the_feed_revokes_is_refused_from_the_first_request(make_stage, feed):
    entry = {"subject": "alice", "realm": "https://studio.test"}
    feed.publish({"key": "revocations", "namespace": "", "endpoint": "",
                  "payload": {"schema": 1, "kind": "revocations", "entries": [entry]}})
    stage = feed_stage(make_stage, feed)
    wait_until(lambda: readiness(stage) == 200, "readiness")
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    assert client.read_response().status == 401
    feed.wait_taken(feed.publish(deletes=["revocations"]))
    ask(stage, "ep", stage.gateway)


def test_another_key_learns_nothing(make_stage, feed, tmp_path):
    stranger = Feed(tmp_path / "stranger")
    stranger.close()
    feed.publish({"key": "endpoint/analytics/x", "namespace": "analytics", "endpoint": "x",
                  "payload": "secret"})
    config = feed.config(key_file=str(stranger.folder / "proxy"))
    stage = make_stage(config={"feed": config, "endpoints": None})
    wait_until(lambda: ready_feed(stage)["age_seconds"] > 1, "a second")
    assert stage.proxy.metrics().value("kernelgate_feed_age_seconds") > 1
    assert readiness(stage) == 503 and ready_feed(stage)["controllers"] == 0
    assert stage.proxy.metrics().value("kernelgate_feed_items") == 0
    assert feed.status()["proxies"] == []


def in_namespace(item, namespace):
    """The same announced by another tenant."""
    endpoint = item["endpoint"]
    item.update(key=f"endpoint/{namespace}/{endpoint}", namespace=namespace)
    item["payload"]["namespace"] = item["payload"]["config"]["virtual_cluster"] = namespace
    return item


def test_a_namespaces_key_learns_that_namespace_alone(make_stage, tmp_path):
    with closing(Feed(tmp_path / "controller", scope="namespace:analytics")) as feed:
        stage = feed_stage(make_stage, feed, config={"endpoints": None})
        mine = announced(stage.workshop, "mine", [stage.gateway])
        version = feed.publish(mine, in_namespace(
            announced(stage.workshop, "theirs", [stage.gateway]), "sales"))
        feed.wait_taken(version)
        ask(stage, "mine", stage.gateway)
        assert status_of(stage, "theirs") == 404
        assert stage.proxy.metrics().value("kernelgate_feed_items") == 1
        # Nor does an edit of theirs reach it, or that they are gone.
        feed.wait_taken(feed.publish(deletes=["endpoint/sales/theirs"]))
        assert ready_feed(stage)["items"] == 1


def test_tokens_of_an_id_that_was_given_up_open_nothing_in_another_namespace(make_stage, feed):
    stage = feed_stage(make_stage, feed)
    stage.gateway.serve(lambda call: call.reply(200, b"{}"))
    for namespace, before, others in (("analytics", [], "sales"), ("sales", ["analytics"],
                                                                   "analytics")):
        item = in_namespace(announced(stage.workshop, "one", [stage.gateway]), namespace)
        feed.wait_taken(feed.publish(item, deletes=[f"endpoint/{name}/one" for name in before]))
        assert status_of(stage, "one", virtual_cluster=namespace) == 200
        assert status_of(stage, "one", virtual_cluster=others) == 403
        assert status_of(stage, "one") == 200  # an issuer that does not say


@pytest.fixture(params=["curve", "plaintext"])
def meddled(request, make_stage, tmp_path):
    """(feed, the man in the middle, a stage that is fed through him)"""
    feed = Feed(tmp_path / "controller", plaintext=request.param == "plaintext")
    meddler = Meddler(feed.port)
    stage = feed_stage(make_stage, feed, config={
        "endpoints": None, "feed": feed.config(controllers=[f"127.0.0.1:{meddler.port}"])})
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    yield feed, meddler, stage
    meddler.close()
    feed.close()


def test_a_tampered_update_changes_nothing(meddled):
    feed, meddler, stage = meddled
    tampered = []

    def spoil(body):
        if len(body) < 500:  # updates are longer than all else
            return [body]
        tampered.append(body)
        return [body[:400] + bytes([body[400] ^ 1]) + body[401:]]

    meddler.meddle = spoil
    version = feed.publish(announced(stage.workshop, "two", [stage.gateway]))
    wait_until(lambda: tampered, "a tampered update")
    if feed.plaintext:
        stage.moved("kernelgate_feed_rejected_total", reason="unreadable")
    else:  # what was not encrypted by the other end is the end of the connection
        stage.proxy.wait_metric("kernelgate_feed_controllers", 0)
    assert status_of(stage, "two") == 404
    ask(stage, "one", stage.gateway)
    meddler.meddle = lambda body: [body]
    feed.wait_taken(version)
    ask(stage, "two", stage.gateway)


def test_a_replayed_update_changes_nothing(meddled):
    feed, meddler, stage = meddled
    feed.wait_taken(feed.publish(announced(stage.workshop, "two", [stage.gateway])))
    told = max(meddler.bodies[-20:], key=len)  # the update that brought it
    feed.wait_taken(feed.publish(deletes=["endpoint/analytics/two"]))
    assert status_of(stage, "two") == 404
    replayed = []

    def replay(body):
        if replayed:
            return [body]
        replayed.append(told)
        return [body, told]

    meddler.meddle = replay
    wait_until(lambda: replayed, "a heartbeat, and the old update behind it")
    if feed.plaintext:
        stage.proxy.wait_metric("kernelgate_feed_rejected_total", 1)
    else:
        stage.proxy.wait_metric("kernelgate_feed_controllers", 0)
    assert status_of(stage, "two") == 404
    feed.wait_taken(feed.publish(announced(stage.workshop, "three", [stage.gateway])))
    ask(stage, "three", stage.gateway)
    assert status_of(stage, "two") == 404


def test_what_a_former_leader_says_is_older(make_stage, feed, tmp_path):
    former = Feed(feed.folder)  # the same keys
    feed.term = 2
    stage = feed_stage(make_stage, feed, config={"endpoints": None, "feed": feed.config(
        controllers=[feed.address.removeprefix("tcp://"), former.address.removeprefix("tcp://")])})
    with closing(former):
        feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
        stage.proxy.wait_metric("kernelgate_feed_controllers", 2)
        for _ in range(5):  # higher sequences of a lower term
            former.publish(announced(stage.workshop, "old", [stage.gateway]), whole=True)
        feed.wait_taken(feed.publish(announced(stage.workshop, "two", [stage.gateway])))
        ask(stage, "two", stage.gateway)
        assert status_of(stage, "old") == 404
        # Also once the present leader is gone.
        feed.close()
        stage.proxy.wait_for_stderr(r"older than what is held and is not taken", "a warning")
        assert status_of(stage, "old") == 404
        ask(stage, "one", stage.gateway)


def test_a_tampered_copy_is_not_used(make_stage, feed, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    stage = feed_stage(make_stage, feed, config={"state_dir": str(state), "endpoints": None})
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    stage.proxy.stop()
    feed.close()
    copy = bytearray((state / "feed").read_bytes())
    copy[len(copy) // 2] ^= 1
    (state / "feed").write_bytes(copy)
    stage.proxy.stderr_lines.clear()
    stage.start()
    stage.proxy.wait_for_stderr(r"is damaged, or was sealed under another feed key", "the fault")
    assert readiness(stage) == 503 and status_of(stage, "one") == 404
    feed.start(feed.address)
    feed.wait_taken(feed.publish(announced(stage.workshop, "one", [stage.gateway])))
    assert readiness(stage) == 200
    ask(stage, "one", stage.gateway)
