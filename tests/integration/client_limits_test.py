"""What one client address may take: connections by its peer address, requests by the name that a
trusted proxy gives it."""

import pytest

from support.http_text import build_request
from support.stage import CHANNELS, PLAIN

TRUSTED = "127.0.0.5"


def staged(make_stage, **limits):
    return make_stage(config={"limits": limits}, listener={"trusted_proxies": [TRUSTED + "/32"]})


def hit(stage, limit, times=1):
    stage.moved("kernelgate_limits_hit_total", times, limit=limit)


def fields(stage, forwarded_for=None):
    out = [("Host", "ep.test"), ("Authorization", f"token {stage.token()}")]
    return out + ([("X-Forwarded-For", forwarded_for)] if forwarded_for else [])


def begin(stage, client, forwarded_for):
    """A request that waits for its gateway: (client, call)."""
    client.send(build_request("GET", PLAIN, fields(stage, forwarded_for)))
    return stage.gateway.next_call()


def refused(stage, client, forwarded_for):
    client.send(build_request("GET", PLAIN, fields(stage, forwarded_for)))
    response = client.read_response()
    assert response.status == 429, response
    assert response.get("Retry-After") == "2"
    assert "too many requests" in response.json()["message"]


def test_500_connections_of_a_trusted_proxy_are_served_while_another_is_held(make_stage):
    stage = staged(make_stage, connections_per_address=4)
    stage.gateway.serve(lambda call: call.reply(200, b"[]"))
    held = [stage.connect() for _ in range(4)]
    with pytest.raises(OSError):
        stage.connect()
    hit(stage, "connections_per_address")
    stage.moved("kernelgate_connections_refused_total")
    trusted = [stage.connect(source=TRUSTED) for _ in range(500)]
    for client in trusted:
        client.send(build_request("GET", PLAIN, fields(stage)))
    for client in trusted:
        assert client.read_response().status == 200
    hit(stage, "connections_per_address")  # not one more
    held.pop().close()
    stage.proxy.wait_metric("kernelgate_connections_open", 503)
    assert stage.connect().exchange("GET", "/healthz").status == 200


def test_each_address_has_a_bound_of_its_own(make_stage):
    stage = staged(make_stage, connections_per_address=1)
    stage.connect()
    stage.connect(source="127.0.0.2")
    for source in (None, "127.0.0.2"):
        with pytest.raises(OSError):
            stage.connect(source=source)
    hit(stage, "connections_per_address", 2)


def test_requests_count_by_the_client_that_the_trusted_proxy_saw(make_stage):
    stage = staged(make_stage, requests_per_client=2)
    first, second, third = (stage.connect(source=TRUSTED) for _ in range(3))
    running = begin(stage, first, "203.0.113.9, 192.0.2.1")
    begin(stage, second, "192.0.2.1:50000")  # the same one: a port does not make another
    refused(stage, third, "198.51.100.7, 192.0.2.1")
    hit(stage, "requests_per_client")
    stage.moved("kernelgate_errors_total", reason="too_many_requests")
    stage.proxy.wait_log(error="too_many_requests", status=429, forwarded_for="192.0.2.1")
    begin(stage, third, "192.0.2.1, 192.0.2.2").reply(200, b"[]")  # another client, same connection
    assert third.read_response().status == 200
    running.reply(200, b"[]")
    assert first.read_response().status == 200
    begin(stage, third, "192.0.2.1").reply(200, b"[]")  # what ended made room
    assert third.read_response().status == 200


def test_an_open_websocket_counts_until_it_ends(make_stage):
    stage = staged(make_stage, requests_per_client=1)
    client, other = stage.connect(source=TRUSTED), stage.connect(source=TRUSTED)
    mine, theirs = stage.websocket(client, headers=[("X-Forwarded-For", "192.0.2.1")])
    refused(stage, other, "192.0.2.1")
    key = other.send_upgrade(CHANNELS, [("X-Forwarded-For", "192.0.2.1")], stage.token())
    assert key and other.read_response().status == 429
    mine.send_text("goes on")
    assert theirs.read_text() == "goes on"
    client.close()
    stage.moved("kernelgate_connections_open", 1)
    begin(stage, other, "192.0.2.1").reply(200, b"[]")
    assert other.read_response().status == 200
    hit(stage, "requests_per_client", 2)


def test_pipelined_requests_are_one_at_a_time(make_stage):
    stage = staged(make_stage, requests_per_client=1)
    client = stage.connect(source=TRUSTED)
    client.send(build_request("GET", "/api/nothing", fields(stage, "192.0.2.1")) * 5)
    assert [client.read_response().status for _ in range(5)] == [404] * 5
    stage.unmoved("kernelgate_limits_hit_total", limit="requests_per_client")


def test_health_is_answered_above_the_bound(make_stage):
    stage = staged(make_stage, requests_per_client=1)
    client, other = stage.connect(source=TRUSTED), stage.connect(source=TRUSTED)
    begin(stage, client, "192.0.2.1")
    named = [("X-Forwarded-For", "192.0.2.1")]
    assert other.exchange("GET", "/readyz", named).status == 200


def test_nobody_else_is_believed(make_stage):
    """A claim of an untrusted peer neither counts nor fills the count of the one it names."""
    stage = staged(make_stage, requests_per_client=1)
    liars = [stage.connect() for _ in range(3)]
    for liar in liars:
        begin(stage, liar, "192.0.2.1")
    begin(stage, stage.connect(source=TRUSTED), "192.0.2.1")
    stage.unmoved("kernelgate_limits_hit_total", limit="requests_per_client")
