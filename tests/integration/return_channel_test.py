"""What one replica learns and others must know: revocations and renewals, by the controllers."""

import queue
import threading
import time

import pytest

from support import tokens
from support.admin_client import AdminClient, admin_config
from support.feed import Feed, announced
from support.stage import CHANNELS, PLAIN
from support.waiting import PATIENCE, wait_until

ALICE = {"subject": "alice", "realm": tokens.ISSUER}
SECONDS = 2  # what the return channel promises


@pytest.fixture
def feed(tmp_path):
    feed = Feed(tmp_path / "controller", narrow="namespace:analytics",
                sidecar="endpoint:analytics/ep", other="namespace:research")
    yield feed
    feed.close()


@pytest.fixture
def replica(make_stage, feed, tmp_path):
    """replica(key) is a proxy with that key, and endpoint `ep` of namespace analytics in its file;
    its `admin` calls it, its `upstreams` are the gateway's ends of WebSockets."""
    over = threading.Event()

    def make(key="proxy", endpoint=None, **config):
        folder = tmp_path / f"{key}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        stage = make_stage(endpoint={"virtual_cluster": "analytics", **(endpoint or {})},
                           config={"feed": feed.config(key), **admin_config(folder), **config})
        stage.admin, stage.upstreams = AdminClient(stage), queue.Queue()
        stage.gateway.serve(lambda call: answer(stage, call, over))
        return stage

    yield make
    over.set()


def answer(stage, call, over):
    if "/channels" in call.request.target:
        stage.upstreams.put(call.accept_websocket())
        over.wait()  # its frames are the test's to read
    else:
        call.reply_json("[]")


def connected(feed, *stages):
    feed.wait_taken(feed.publish())
    for stage in stages:
        stage.proxy.wait_metric("kernelgate_feed_controllers", 1)


def token(stage, endpoint="ep", seconds=300, **claims):
    return tokens.forge(stage.workshop.keyring.session_key,
                        tokens.claims(endpoint, seconds=seconds, **claims))


def status(stage, shown, endpoint="ep"):
    client = stage.connect(sni=None)
    client.send_request("GET", PLAIN, token=shown, host=f"{endpoint}.test")
    answer = client.read_response().status
    client.close()
    return answer


def websocket(stage, shown):
    """An open one: (client's end, gateway's end)."""
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, (), shown)
    return client.read_upgrade(key), stage.upstreams.get(timeout=PATIENCE)


def within(seconds, done, what):
    began = time.monotonic()
    wait_until(done, what)
    took = time.monotonic() - began
    assert took < seconds, f"{what} took {took:.2f} s"


def test_a_revocation_at_one_replica_counts_at_all_and_names_nobody(replica, feed):
    one, two = replica(), replica("narrow")
    connected(feed, one, two)
    mine, _ = websocket(two, token(two))
    answer = one.admin.call("POST", "/revocations", ALICE)
    assert answer == (200, {"applied": True, "websockets_ended": 0, "told": "all"})
    assert mine.read_to_close().close_code == 1008
    assert status(two, token(two)) == 401
    assert "alice" not in str(feed.status()["facts"])
    listed = two.admin.call("GET", "/revocations")[1]["revocations"]
    assert [one["source"] for one in listed] == ["replica"] and "alice" not in str(listed)
    # Whose key is narrow cannot take back what counts everywhere.
    assert two.admin.call("DELETE", "/revocations", ALICE)[0] == 403
    assert one.admin.call("DELETE", "/revocations", ALICE) == (
        200, {"applied": True, "taken_back": 1, "told": "all"})
    within(SECONDS, lambda: status(two, token(two)) == 200, "alice to be let in again")


def test_what_a_narrow_proxy_revokes_counts_in_its_scope_only(replica, feed):
    wide, narrow, sidecar = replica(), replica("narrow"), replica("sidecar")
    other = replica("other")
    connected(feed, wide, narrow, sidecar, other)
    feed.wait_taken(feed.publish(announced(wide.workshop, "two", [wide.gateway])))
    assert narrow.admin.call("POST", "/revocations", ALICE) == (
        200, {"applied": True, "websockets_ended": 0, "told": "scope", "scopes": ["analytics"]})
    for stage in (wide, sidecar):
        within(SECONDS, lambda: status(stage, token(stage)) == 401, "alice to be refused")
    assert status(wide, token(wide, "two"), "two") == 401, "of that namespace too"
    assert status(other, token(other)) == 200, "its ep is of no scope that was told"
    assert sidecar.admin.call("POST", "/revocations", {"token_id": "t1"})[1]["scopes"] == [
        "analytics/ep"]
    wait_until(lambda: set(feed.facts("revoke")) == {("analytics", "*"), ("analytics", "ep")},
               "both words")
    for stage, scope in ((narrow, "research"), (sidecar, "analytics")):
        assert stage.admin.call("POST", "/revocations", {**ALICE, "scope": scope})[0] == 403
    assert wide.admin.call("POST", "/revocations", {"session": "s1", "scope": "research"})[1][
        "scopes"] == ["research"]


def listing(key, namespace, endpoint, *entries):
    return {"key": key, "namespace": namespace, "endpoint": endpoint,
            "payload": {"schema": 1, "kind": "revocations", "entries": list(entries)}}


def test_what_came_by_the_feed_is_taken_back_everywhere_or_not_at_all(replica, feed):
    feed.publish(listing("revocations", "", "", ALICE),
                 listing("revocations/analytics", "analytics", "*", {"token_id": "t1"}))
    one = replica()
    connected(feed, one)
    assert status(one, token(one)) == 401
    assert status(one, token(one, sub="bob", jti="t1")) == 401
    assert one.admin.call("DELETE", "/revocations", ALICE) == (
        200, {"applied": True, "taken_back": 1, "told": "all"})
    wait_until(lambda: ("", "") in feed.facts("unrevoke"), "the word of it")
    assert status(one, token(one)) == 200
    address = feed.address
    feed.close()
    one.proxy.wait_metric("kernelgate_feed_controllers", 0)
    refused, answer = one.admin.call("DELETE", "/revocations", {"token_id": "t1"})
    assert refused == 503 and "counts on" in answer["message"]
    assert status(one, token(one, sub="bob", jti="t1")) == 401
    feed.start(address)


def test_what_no_controller_heard_is_told_once_one_answers(replica, feed):
    address = feed.address
    feed.close()
    one = replica()
    said, answer = one.admin.call("POST", "/revocations", {"token_id": "stolen"})
    assert said == 200 and answer["told"] == "nobody" and "this proxy alone" in answer["message"]
    assert status(one, token(one, jti="stolen")) == 401
    feed.start(address)
    wait_until(lambda: feed.facts("revoke"), "the revocation to be told")
    # Announced, and taken back at another replica: it counts here no more.
    mark = next(fact["text"] for fact in feed.status()["facts"]
                if fact["text"].startswith("revoke ")).split(" ", 1)[1]
    feed.wait_taken(feed.publish({**listing("revocations", "", ""), "payload":
                                  '{"schema":1,"entries":[' + mark + "]}"}))
    assert status(one, token(one, jti="stolen")) == 401
    feed.wait_taken(feed.publish(deletes=["revocations"]))
    assert status(one, token(one, jti="stolen")) == 200


def test_a_renewal_at_one_replica_lets_sockets_at_another_live_on(replica, feed):
    rules = {"session_rules": {"expiry_grace": "0s"}}
    one, two = replica(endpoint=rules), replica("sidecar", endpoint=rules)
    connected(feed, one, two)
    mine, upstream = websocket(one, token(one, seconds=3))
    other, _ = websocket(one, token(one, seconds=3, sub="bob"))
    assert status(two, token(two, seconds=300, jti="fresh")) == 200
    within(SECONDS, lambda: one.proxy.metrics().value("kernelgate_websockets_renewed_total") == 1,
           "the renewal at the other replica")
    assert "alice" not in str(feed.status()["facts"])
    assert other.read_to_close().close_code == 1008, "nobody renewed bob's"
    upstream.send_text("still here")
    while (frame := mine.read()).payload != b"still here":
        assert b"session ends" in frame.payload
    assert two.admin.call("POST", "/revocations", {"token_id": "fresh"})[0] == 200
    assert mine.read_to_close().close_code == 1008


def test_reset_takes_what_a_restored_cluster_offers(replica, feed):
    one = replica(endpoint=None)
    feed.term = 9
    feed.wait_taken(feed.publish(announced(one.workshop, "late", [one.gateway])))
    address = feed.address
    feed.close()
    feed.start(address)
    feed.term = 2
    feed.publish(announced(one.workshop, "early", [one.gateway]))
    one.moved("kernelgate_feed_rejected_total", reason="behind")
    assert status(one, token(one, "late"), "late") == 200
    ready = one.proxy.monitoring("/readyz")[2]
    assert '"version":"9.1"' in ready and '"offered":"2.' in ready, ready
    done = tokens.run_cli("admin", "feed", "reset", "--config", one.proxy.config_file,
                          "--address", f"127.0.0.1:{one.admin.port}")
    assert done.returncode == 0 and '"held":"9.1"' in done.stdout, done
    wait_until(lambda: status(one, token(one, "early"), "early") == 200, "what is offered")
    assert status(one, token(one, "late"), "late") == 404
    assert one.proxy.metrics().value("kernelgate_feed_term") == 2
