"""Client certificates: asked for by a listener, verified, logged, and never skipped by a ticket."""

import copy
import ssl

import pytest

from support.certificates import Keyring
from support.raw_client import RawClient
from support.stage import PLAIN
from support.tls_socket import VERSIONS

HANDSHAKE_ERRORS = "kernelgate_tls_handshake_errors_total"


@pytest.fixture(scope="module")
def alice(workshop):
    return workshop.keyring.client_certificate("alice", "/O=Team 7, Inc./CN=alice\tB\u00fclow")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """A certificate of a CA that nobody trusts here."""
    return Keyring(tmp_path_factory.mktemp("strangers")).client_certificate("eve", "/CN=alice")


def context_of(workshop, pair=None, version=None):
    context = workshop.context(minimum=version, maximum=version)
    if pair:
        context.load_cert_chain(*map(str, pair))
    return context


def asking(workshop, mode, ca_file=None):
    return {"ca_file": str(ca_file or workshop.keyring.ca), "mode": mode}


@pytest.fixture
def asking_stage(make_stage, workshop):
    def make(mode, ca_file=None):
        stage = make_stage(start=False)
        clients = asking(workshop, mode, ca_file)
        stage.proxy.config["listeners"][0]["tls"]["client_certificates"] = clients
        return stage.start()

    return make


def refused(stage, context, alert, port=None, session=None):
    """TLS 1.3 clients learn it by their first read, after their handshake."""
    with pytest.raises(ssl.SSLError, match=alert):
        client = RawClient(port or stage.proxy.port, context, session=session)
        stage.closes(client)
        client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        client.read_until(b"\r\n", "a status line")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["optional", "required"])
def test_the_subject_of_a_valid_certificate_is_logged(asking_stage, workshop, alice, mode, version):
    stage = asking_stage(mode)
    context = context_of(workshop, alice, version)
    client = stage.connect(context=context)
    stage.get(client=client)
    subject = "CN=alice\\09B\u00fclow,O=Team 7\\, Inc."
    assert stage.proxy.wait_log(operation="GetKernel")["client_certificate"] == subject
    resumed = stage.connect(context=context, session=client.tls.session)
    assert resumed.tls.session_reused
    stage.get(client=resumed)
    line = stage.proxy.wait_log(operation="GetKernel", tls_resumed=True)
    assert line["client_certificate"] == subject


@pytest.mark.parametrize("version, alert", [(ssl.TLSVersion.TLSv1_2, "(?i)handshake.failure"),
                                            (ssl.TLSVersion.TLSv1_3, "(?i)certificate.required")])
def test_none_is_refused_where_one_is_required(asking_stage, workshop, version, alert):
    stage = asking_stage("required")
    refused(stage, context_of(workshop, version=version), alert)
    stage.moved(HANDSHAKE_ERRORS)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["optional", "required"])
def test_an_unknown_issuer_is_refused(asking_stage, workshop, stranger, mode, version):
    stage = asking_stage(mode)
    refused(stage, context_of(workshop, stranger, version), "(?i)unknown.ca")
    stage.moved(HANDSHAKE_ERRORS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_certificate_is_no_client_certificate(asking_stage, workshop, version):
    """Its extended key usage does not say clientAuth."""
    stage = asking_stage("required")
    keyring = workshop.keyring
    server = keyring.issue("server-only", "/CN=server", ["extendedKeyUsage=serverAuth"],
                           keyring.new_ec_key)
    refused(stage, context_of(workshop, server, version), "(?i)unsupported.certificate")


@pytest.mark.parametrize("version", VERSIONS)
def test_none_is_fine_where_it_is_optional(asking_stage, workshop, version):
    stage = asking_stage("optional")
    stage.get(client=stage.connect(context=context_of(workshop, version=version)))
    assert "client_certificate" not in stage.proxy.wait_log(operation="GetKernel")


def test_a_certificate_is_no_session(asking_stage, workshop, alice):
    stage = asking_stage("required")
    client = stage.connect(context=context_of(workshop, alice))
    assert client.exchange("GET", PLAIN).status == 401


def test_who_is_not_asked_shows_none(stage, workshop, alice):
    stage.get(client=stage.connect(context=context_of(workshop, alice)))
    assert "client_certificate" not in stage.proxy.wait_log(operation="GetKernel")


@pytest.mark.parametrize("mode", ["optional", None])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_does_not_get_round_the_check(make_stage, workshop, alice, mode, version):
    """CVE-2025-23419: sessions of a listener that asks less resume on none that asks more."""
    stage = make_stage(start=False)
    listeners = stage.proxy.config["listeners"]
    listeners.append(copy.deepcopy(listeners[0]))
    listeners[1]["tls"]["client_certificates"] = asking(workshop, "required")
    if mode:
        listeners[0]["tls"]["client_certificates"] = asking(workshop, mode)
    stage.start()
    context = context_of(workshop, version=version)
    client = stage.connect(context=context)
    stage.get(client=client)
    again = stage.connect(context=context, session=client.tls.session)
    assert again.tls.session_reused
    refused(stage, context, "(?i)certificate.required|handshake.failure",
            port=stage.proxy.ports[1], session=client.tls.session)
    stage.moved(HANDSHAKE_ERRORS)
    stage.moved("kernelgate_tls_handshakes_total", kind="resumed")


@pytest.mark.parametrize("version", VERSIONS)
def test_another_ca_ends_the_sessions_of_the_old_one(asking_stage, workshop, alice, tmp_path,
                                                     stranger, version):
    """The CA file changes on disk: what its clients hold does not resume."""
    ca = tmp_path / "ca.crt"
    ca.write_bytes(workshop.keyring.ca.read_bytes())
    stage = asking_stage("required", ca)
    context = context_of(workshop, alice, version)
    client = stage.connect(context=context)
    stage.get(client=client)
    (tmp_path / "fresh").write_bytes((stranger[0].parent / "ca.crt").read_bytes())
    (tmp_path / "fresh").replace(ca)
    stage.moved("kernelgate_certificate_reloads_total", result="ok")
    refused(stage, context, "(?i)unknown.ca", session=client.tls.session)
    stage.get(client=client)  # an open connection stays
    friend = context_of(workshop, stranger, version)
    stage.get(client=stage.connect(context=friend))
