"""Every limit on one request and on connections acts, answers as promised, and counts."""

import copy
import signal
import threading

import pytest

from support.http_text import build_request
from support.stage import PLAIN


def staged(make_stage, **limits):
    return make_stage(config={"limits": limits})


def hit(stage, limit, times=1):
    stage.moved("kernelgate_limits_hit_total", times, limit=limit)


def head(stage, target=PLAIN, fields=()):
    return build_request("GET", target, [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token()}"), *fields])


def refused(stage, request, status):
    client = stage.connect()
    threading.Thread(target=client.send_to_the_end, args=(request,), daemon=True).start()
    response = client.read_response()
    assert response.status == status, response
    client.expect_end(None)


def passed(stage, request):
    client = stage.connect()
    client.send(request)
    stage.gateway.next_call().reply(200, b"[]")
    assert client.read_response().status == 200


def test_what_an_alb_passes_is_accepted(stage):
    """A request line of 16 KiB, one field of 16 KiB, 64 KiB of fields in all."""
    path = "/api/kernelspecs?" + "q" * (16 * 1024 - len("GET /api/kernelspecs? HTTP/1.1"))
    fields = [("X-A", "a" * (16 * 1024 - len("X-A: \r\n")))]
    fields += [(f"X-{i}", "b" * 1000) for i in range(46)]
    passed(stage, head(stage, path, fields))


def test_a_long_uri_is_414(make_stage):
    stage = staged(make_stage, uri_bytes="2KiB")
    passed(stage, head(stage, "/api/kernels?" + "q" * (2048 - len("GET /api/kernels? HTTP/1.1"))))
    refused(stage, head(stage, "/api/kernels?" + "q" * 2048), 414)
    hit(stage, "uri_bytes")


def test_a_large_head_is_431(make_stage):
    stage = staged(make_stage, header_bytes="4KiB")
    passed(stage, head(stage, fields=[("X-A", "a" * 3000)]))
    refused(stage, head(stage, fields=[("X-A", "a" * 4096)]), 431)
    hit(stage, "header_bytes")
    stage.unmoved("kernelgate_limits_hit_total", limit="header_count")


def test_too_many_fields_are_431(make_stage):
    stage = staged(make_stage, header_count=16)
    passed(stage, head(stage, fields=[("X-A", "a")] * 14))
    refused(stage, head(stage, fields=[("X-A", "a")] * 15), 431)
    hit(stage, "header_count")
    stage.unmoved("kernelgate_limits_hit_total", limit="header_bytes")


def test_the_last_request_of_a_connection_says_close(make_stage):
    stage = staged(make_stage, requests_per_connection=2)
    client = stage.connect()
    assert stage.get(client=client)[0].get("Connection") != "close"
    assert stage.get(client=client)[0].get("Connection") == "close"
    client.expect_end("close")
    hit(stage, "requests_per_connection")


@pytest.mark.parametrize("key", ["connections", "connections_per_worker"])
def test_connections_above_the_bound_are_closed(make_stage, key):
    stage = make_stage(config={"workers": 1, "limits": {key: 3}})
    held = [stage.connect() for _ in range(3)]
    with pytest.raises(OSError):
        stage.connect()
    hit(stage, key)
    stage.moved("kernelgate_connections_refused_total")
    stage.get(client=held[0])  # who is in is served
    held[1].close()
    stage.proxy.wait_metric("kernelgate_connections_open", 2)
    stage.get()  # and there is room again


def test_a_reload_changes_limits_for_what_comes_next(stage):
    before = stage.connect()
    config = copy.deepcopy(stage.proxy.config)
    config["limits"] = {"connections": 1, "header_bytes": "4KiB"}
    config["timeouts"] = {"keep_alive": "300ms"}
    stage.proxy.write_config(config)
    stage.proxy.signal(signal.SIGHUP)
    stage.moved("kernelgate_config_reloads_total", result="ok")
    with pytest.raises(OSError):
        stage.connect()
    before.send(head(stage, fields=[("X-A", "a" * 5000)]))  # an open one keeps what it began with
    stage.gateway.next_call().reply(200, b"[]")
    assert before.read_response().status == 200
    before.expect_end("close")  # the next wait is new
    hit(stage, "keep_alive")
    hit(stage, "connections")
