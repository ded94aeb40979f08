"""SIGHUP applies a new configuration whole or not at all, and touches no open connection."""

import copy
import json
import signal

from support import tokens
from support.scripted_gateway import ScriptedGateway
from support.stage import KERNEL, PLAIN

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list


def reload(stage, config, result):
    """Writes the file, signals, and waits until the reload is counted."""
    before = stage.proxy.metrics().value("kernelgate_config_reloads_total", result=result)
    stage.proxy.write_config(config)
    stage.proxy.signal(signal.SIGHUP)
    stage.proxy.wait_metric("kernelgate_config_reloads_total", before + 1, result=result)


def changed(stage, **changes):
    config = copy.deepcopy(stage.proxy.config)
    config["endpoints"][0].update(changes)
    return config


def status_of(stage, host, token="ep"):
    return stage.connect().exchange("GET", "/api/nothing", token=stage.token(token),
                                    host=host).status


def test_a_new_route_serves_and_a_removed_one_does_not(stage, workshop):
    second = stage.closes(ScriptedGateway())
    config = changed(stage, hosts=["renamed.test"])
    config["endpoints"].append(workshop.endpoint("two", second.port))
    before = stage.proxy.metrics().value("kernelgate_routes_version")
    reload(stage, config, "ok")
    after = stage.proxy.metrics()
    assert after.value("kernelgate_routes_version") > before
    assert after.value("kernelgate_endpoints") == 2
    client = stage.connect()
    client.send_request("GET", ONE, token=stage.token(), host="renamed.test")
    stage.gateway.next_call().reply(200, b"1")
    assert client.read_response().body == b"1"
    client.send_request("GET", ONE, token=stage.token("two"), host="two.test")
    second.next_call().reply(200, b"2")
    assert client.read_response().body == b"2"
    assert client.exchange("GET", PLAIN, token=stage.token()).status == 404  # ep.test


def test_an_endpoint_may_move_to_another_gateway(stage):
    stage.get()
    second = stage.closes(ScriptedGateway())
    config = changed(stage)
    config["endpoints"][0]["gateway"]["pods"][0]["address"] = f"127.0.0.1:{second.port}"
    reload(stage, config, "ok")
    client = stage.connect()
    client.send_request("GET", ONE, token=stage.token())
    second.next_call().reply(200, b"moved")
    assert client.read_response().body == b"moved"
    assert len(stage.gateway.requests) == 1


def test_open_websockets_and_requests_outlive_their_route(stage):
    mine, upstream = stage.websocket()
    idle = stage.connect()
    stage.get(client=idle)
    waiting = stage.connect()
    waiting.send_request("GET", ONE, token=stage.token())
    call = stage.gateway.next_call()
    reload(stage, changed(stage, hosts=["renamed.test"]), "ok")
    mine.send_text("still here")
    assert upstream.read_text() == "still here"
    upstream.send_text("me too")
    assert mine.read_text() == "me too"
    call.reply(200, b"late")
    assert waiting.read_response().body == b"late"
    response = idle.exchange("GET", PLAIN, token=stage.token())
    assert response.status == 404  # the connection lives, the route is gone
    upstream.send_close(1000)
    mine.read_close()
    mine.send_close(1000)
    upstream.read_close()
    upstream.wire.close()
    mine.wire.close()
    assert stage.proxy.wait_log(operation="ConnectKernel")["endpoint"] == "ep"


def test_a_bad_configuration_keeps_the_old_one_and_says_why(stage):
    mine, upstream = stage.websocket()
    lines = len(stage.proxy.stderr_lines)
    stage.proxy.config_file.write_text(json.dumps(
        {**stage.proxy.config, "nonsense": 1}, indent=2) + "\n")
    stage.proxy.signal(signal.SIGHUP)
    stage.proxy.wait_metric("kernelgate_config_reloads_total", 1, result="failed")
    stage.proxy.wait_for_stderr(r"kernelgate\.yaml:\d+.*nonsense", "the reason", start=lines)
    stage.get()
    mine.send_text("x")
    assert upstream.read_text() == "x"
    assert stage.proxy.metrics().value("kernelgate_config_reloads_total", result="ok") == 0
    reload(stage, changed(stage, hosts=["renamed.test"]), "ok")  # and a good one is still taken
    assert status_of(stage, "renamed.test") == 404
    assert status_of(stage, "ep.test") == 404


def test_a_missing_configuration_file_keeps_the_old_one(stage):
    stage.proxy.config_file.unlink()
    stage.proxy.signal(signal.SIGHUP)
    stage.proxy.wait_metric("kernelgate_config_reloads_total", 1, result="failed")
    stage.get()


def test_an_unusable_key_file_keeps_the_old_keys(stage, tmp_path):
    broken = tmp_path / "jwks.json"
    broken.write_text('{"keys": []}')
    config = changed(stage)
    config["endpoints"][0]["sessions"]["jwt"]["keys_file"] = str(broken)
    lines = len(stage.proxy.stderr_lines)
    reload(stage, config, "failed")
    stage.proxy.wait_for_stderr(r"jwks\.json|keys_file", "the reason", start=lines)
    stage.get()


def test_a_new_gateway_token_is_used(stage, tmp_path):
    fresh = tmp_path / "new-token"
    fresh.write_text("rotated-0815\n")
    fresh.chmod(0o600)
    stage.get()
    config = changed(stage)
    config["endpoints"][0]["gateway"]["token_file"] = str(fresh)
    reload(stage, config, "ok")
    _, call = stage.get()
    assert call.request.get("Authorization") == "token rotated-0815"


def test_new_session_keys_end_old_tokens(stage, workshop, tmp_path):
    stage.get()
    jwks = tmp_path / "jwks.json"
    jwks.write_text(tokens.public_jwks(workshop.keyring.other_session_key))
    config = changed(stage)
    config["endpoints"][0]["sessions"]["jwt"]["keys_file"] = str(jwks)
    reload(stage, config, "ok")
    client = stage.connect()
    assert client.exchange("GET", PLAIN, token=stage.token()).status == 401
    client.send_request("GET", PLAIN,
                        token=tokens.mint(workshop.keyring.other_session_key, "ep"))
    stage.gateway.next_call().reply(200, b"[]")
    assert client.read_response().status == 200


def test_a_new_certificate_is_served_to_new_connections(stage, workshop):
    certificate, key = workshop.keyring.server_certificate("renewed.test")
    old = stage.connect()
    config = copy.deepcopy(stage.proxy.config)
    config["listeners"][0]["tls"]["certificates"] = [
        {"certificate": str(certificate), "private_key": str(key)}]
    reload(stage, config, "ok")
    names = [value for _, value in stage.connect().tls.getpeercert()["subjectAltName"]]
    assert names[0] == "renewed.test"
    stage.get(client=old)


def test_many_reloads_leak_nothing(stage):
    stage.gateway.serve(lambda call: call.reply(200, b"[]"))
    files = None
    for turn in range(20):
        reload(stage, changed(stage, hosts=["ep.test", f"turn{turn}.test"]), "ok")
        client = stage.connect()
        assert client.exchange("GET", PLAIN, token=stage.token(),
                               host=f"turn{turn}.test").status == 200
        client.close()
        stage.wait_quiet()
        if turn == 5:
            files = stage.proxy.open_files()
    assert stage.proxy.open_files() <= files + 2
