"""TLS to gateways: verified always, told clearly when it fails, and a truncation is no end."""

import ssl
import subprocess

import pytest

from support import tokens
from support.certificates import Keyring
from support.http_text import read_response_head
from support.scripted_gateway import ScriptedGateway
from support.stage import GATEWAY_TOKEN, KERNEL, PLAIN

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def gateway_context(pair, version=None, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, pair))
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if version:
        context.minimum_version = context.maximum_version = version
    if client_ca:
        context.load_verify_locations(str(client_ca))
        context.verify_mode = ssl.CERT_REQUIRED
    context.names = []
    context.sni_callback = lambda _ssl, name, _context: context.names.append(name)
    return context


@pytest.fixture
def tls_stage(make_stage, workshop):
    """tls_stage(context, KEY=...): a stage whose gateway speaks TLS; keys go into gateway.tls."""
    def make(context=None, gateway=None, keys=None, other=None, **more):
        pair = workshop.keyring.server_certificate("jeg.test")
        tls = {"ca_file": str(workshop.keyring.ca), "server_name": "jeg.test", **(keys or {})}
        tls = {key: value for key, value in tls.items() if value is not None}
        endpoint = {"other_paths": "forward", "gateway": {"tls": tls, **(other or {})}}
        gateway = gateway or ScriptedGateway(tls=context or gateway_context(pair))
        return make_stage(gateway=gateway, endpoint=endpoint, **more)
    return make


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_go_by_tls_and_connections_are_kept_and_resumed(tls_stage, workshop, version):
    context = gateway_context(workshop.keyring.server_certificate("jeg.test"), version)
    stage = tls_stage(context)
    client = stage.connect()
    for _ in range(3):
        response, call = stage.get(client=client)
        assert response.body == b"[]"
        assert call.request.get("Authorization") == f"token {GATEWAY_TOKEN}"
    assert len(stage.gateway.wires) == 1 and context.names == ["jeg.test"]
    assert call.wire.sock.tls.version() == {VERSIONS[0]: "TLSv1.2", VERSIONS[1]: "TLSv1.3"}[version]
    stage.moved("kernelgate_upstream_tls_handshakes_total", kind="full")
    call.wire.half_close()
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 0)
    _, call = stage.get(client=client)
    assert call.wire.sock.tls.session_reused
    stage.moved("kernelgate_upstream_tls_handshakes_total", kind="resumed")
    line = stage.proxy.wait_log(count=4)[-1]
    assert line["upstream_connect_seconds"] > 0


def test_without_a_name_the_certificate_must_hold_the_address(tls_stage, workshop):
    context = gateway_context(workshop.keyring.server_certificate("jeg.test"))
    stage = tls_stage(context, keys={"server_name": None})
    stage.get()
    assert context.names == [None]  # RFC 6066 section 3: an address is no server name


def test_a_client_certificate_is_shown_where_one_is_asked_for(tls_stage, workshop):
    pair = workshop.keyring.server_certificate("jeg.test")
    own = workshop.keyring.server_certificate("proxy.test")
    stage = tls_stage(gateway_context(pair, client_ca=workshop.keyring.ca), keys={
        "client_certificate": {"certificate": str(own[0]), "private_key": str(own[1])}})
    _, call = stage.get()
    shown = call.wire.sock.tls.getpeercert()
    assert (("commonName", "proxy.test"),) in shown["subject"]


def test_a_websocket_over_tls(tls_stage):
    stage = tls_stage()
    mine, upstream = stage.websocket()
    for size in (1, 125, 70_000):
        mine.send_text("u" * size)
        assert upstream.read_text() == "u" * size
        upstream.send_text("d" * size)
        assert mine.read_text() == "d" * size
    upstream.send_close(1000, "done")
    assert mine.read_close().close_code == 1000


# ---- what is not accepted ----

def refused(stage, said):
    """GET and POST are answered 502 with the reason, once each, and nothing reached the gateway."""
    for method, body in (("GET", b""), ("POST", b'{"name": "python3"}')):
        client = stage.connect()
        target = PLAIN if method == "GET" else "/api/kernels"
        response = client.exchange(method, target, body=body, token=stage.token())
        assert response.status == 502 and {"reason", "message"} <= set(response.json())
        line = stage.proxy.wait_log(client=client.address, error="upstream_tls")
        assert said in line["detail"].lower(), line
    stage.moved("kernelgate_errors_total", by=2, reason="upstream_tls", endpoint="ep")
    stage.unmoved("kernelgate_upstream_retries_total")
    stage.unmoved("kernelgate_upstream_tls_handshakes_total")
    stage.proxy.wait_metric("kernelgate_upstream_connections_open", 0)
    assert not stage.gateway.requests
    assert all(GATEWAY_TOKEN.encode() not in bytes(w.received) for w in stage.gateway.wires)


def serving(gateway):
    return gateway.serve(lambda call: call.reply(200, b"never"))


@pytest.mark.parametrize("keys, said", [
    ({"server_name": "other.test"}, "hostname mismatch"),
    ({"server_name": "est"}, "hostname mismatch"),
], ids=["another name", "a suffix"])
def test_a_certificate_for_another_name_is_refused(tls_stage, workshop, keys, said):
    context = gateway_context(workshop.keyring.server_certificate("jeg.test"))
    stage = tls_stage(gateway=serving(ScriptedGateway(tls=context)), keys=keys)
    refused(stage, said)
    assert len(stage.gateway.handshake_errors) == 2  # told by an alert, not by silence


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    return Keyring(tmp_path_factory.mktemp("strangers"))


@pytest.mark.parametrize("keys", [{}, {"ca_file": None}], ids=["a CA file", "the system's store"])
def test_a_certificate_of_an_unknown_issuer_is_refused(tls_stage, strangers, keys):
    context = gateway_context(strangers.server_certificate("jeg.test"))
    stage = tls_stage(gateway=serving(ScriptedGateway(tls=context)), keys=keys)
    refused(stage, "unable to get local issuer certificate")


def test_an_answer_that_is_no_tls_is_refused(tls_stage):
    gateway = ScriptedGateway()
    stage = tls_stage(gateway=gateway)
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    gateway.accept().send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    assert client.read_response().status == 502
    assert stage.proxy.wait_log(error="upstream_tls")["detail"] == "wrong version number"


def test_old_protocol_versions_are_not_spoken(tls_stage, workshop):
    context = gateway_context(workshop.keyring.server_certificate("jeg.test"))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    refused(tls_stage(gateway=serving(ScriptedGateway(tls=context))), "alert protocol version")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_gateway_that_misses_our_certificate_says_so(tls_stage, workshop, version):
    """In TLS 1.3 its alert comes after our side of the handshake, perhaps after the request."""
    pair = workshop.keyring.server_certificate("jeg.test")
    context = gateway_context(pair, version, client_ca=workshop.keyring.ca)
    stage = tls_stage(gateway=serving(ScriptedGateway(tls=context)))
    client = stage.connect()
    assert client.exchange("GET", PLAIN, token=stage.token()).status == 502
    line = stage.proxy.wait_log(client=client.address)
    assert line["error"] in ("upstream_tls", "upstream_reset")
    assert not stage.gateway.requests and len(stage.gateway.wires) == 1


def test_a_gateway_that_leaves_in_the_handshake(tls_stage):
    stage = tls_stage(gateway=ScriptedGateway())
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    wire = stage.gateway.accept()
    wire.read_exact(5, "the ClientHello")
    wire.half_close()
    assert client.read_response().status == 502
    assert stage.proxy.wait_log(error="upstream_tls")["detail"] == "closed in the TLS handshake"


def test_a_handshake_that_stalls_is_504_after_connect_timeout(tls_stage):
    stage = tls_stage(gateway=ScriptedGateway(), other={"connect_timeout": "200ms"})
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.accept()
    assert client.read_response().status == 504
    stage.proxy.wait_log(error="upstream_connect_timeout")


# ---- ends ----

@pytest.mark.parametrize("how", ["half_close", "close"])
def test_get_on_a_stale_tls_connection_is_sent_again(tls_stage, how):
    stage = tls_stage()
    client = stage.connect()
    stage.get(client=client)
    client.send_request("GET", ONE, token=stage.token())
    getattr(stage.gateway.next_call().wire, how)()
    stage.gateway.next_call().reply(200, b"second")
    assert client.read_response().body == b"second"
    stage.moved("kernelgate_upstream_retries_total")


UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end"


def test_a_body_until_close_ends_with_close_notify(tls_stage):
    stage = tls_stage()
    client = stage.connect()
    client.send_request("GET", "/page", token=stage.token())
    wire = stage.gateway.next_call().wire
    wire.send(UNTIL_CLOSE)
    wire.half_close()
    assert client.read_response().body == b"until the end"
    assert "error" not in stage.proxy.wait_log(operation="Other")


def test_a_body_until_close_without_close_notify_is_a_truncation(tls_stage):
    """RFC 9112 section 9.8: anybody on the way could have cut it."""
    stage = tls_stage()
    client = stage.connect()
    client.send_request("GET", "/page", token=stage.token())
    wire = stage.gateway.next_call().wire
    wire.send(UNTIL_CLOSE)
    wire.sock.fin_without_close_notify()
    assert read_response_head(client).status == 200
    assert b"0\r\n\r\n" not in client.read_to_end()
    line = stage.proxy.wait_log(operation="Other")
    assert (line["error"], line["detail"]) == ("upstream_gone", "closed without close_notify")
    stage.moved("kernelgate_errors_total", reason="upstream_gone", endpoint="ep")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_framed_body_is_whole_without_close_notify(tls_stage, framing):
    stage = tls_stage()
    client = stage.connect()
    client.send_request("GET", "/page", token=stage.token())
    call = stage.gateway.next_call()
    call.reply(200, b"whole", framing=framing)
    call.wire.sock.fin_without_close_notify()
    assert client.read_response().body == b"whole"
    assert "error" not in stage.proxy.wait_log(operation="Other")


def test_the_proxy_says_close_notify_when_it_ends_a_connection(tls_stage):
    stage = tls_stage(other={"idle_timeout": "1s"})
    _, call = stage.get()
    call.wire.expect_end("close")  # "truncated" without close_notify


# ---- configuration ----

def test_unusable_files_are_named_at_start(tls_stage, tmp_path):
    junk = tmp_path / "ca.pem"
    junk.write_text("no certificate")
    stage = tls_stage(keys={"ca_file": str(junk)}, start=False)
    stage.proxy.write_config()
    done = subprocess.run([tokens.binary(), "check", "--config", str(stage.proxy.config_file)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "endpoints[0].gateway.tls" in said and str(junk) in said
