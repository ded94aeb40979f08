"""TLS at the listener: versions, certificates by name, ALPN, tickets, and what is refused."""

import socket
import ssl
import warnings

import pytest

from support.stage import PLAIN
from support.tls_socket import TlsSocket
from support.wire import Wire


@pytest.mark.parametrize("version, name", [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                                           (ssl.TLSVersion.TLSv1_3, "TLSv1.3")])
def test_both_versions_carry_a_request(stage, workshop, version, name):
    client = stage.connect(context=workshop.context(minimum=version, maximum=version))
    stage.get(client=client)
    assert client.tls.version() == name
    stage.moved("kernelgate_tls_handshakes_total", kind="full")
    stage.moved("kernelgate_tls_handshake_seconds_count")
    assert stage.proxy.wait_log(operation="GetKernel", status=200).get("tls_resumed") is None


def test_versions_before_1_2_are_refused(stage, workshop):
    context = workshop.context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        stage.connect(context=context)
    stage.moved("kernelgate_tls_handshake_errors_total")


@pytest.fixture
def two_certificates(make_stage, workshop):
    keyring = workshop.keyring
    return make_stage(certificates=[keyring.server_certificate("default.test"),
                                    keyring.server_certificate("ep.test", "*.wild.test")])


@pytest.mark.parametrize("sni, expected", [
    (None, "default.test"), ("ep.test", "ep.test"), ("EP.TEST", "ep.test"),
    ("one.wild.test", "ep.test"), ("unknown.test", "default.test"),
])
def test_the_name_picks_the_certificate(two_certificates, sni, expected):
    client = two_certificates.connect(sni=sni)
    names = [value for kind, value in client.tls.getpeercert()["subjectAltName"] if kind == "DNS"]
    assert names[0] == expected
    assert client.exchange("GET", "/healthz").status == 200


@pytest.mark.parametrize("offered, chosen", [(["h2", "http/1.1"], "http/1.1"),
                                             (["http/1.1"], "http/1.1"), (None, None)])
def test_alpn_chooses_http_1_1(stage, workshop, offered, chosen):
    client = stage.connect(context=workshop.context(alpn=offered))
    assert client.tls.selected_alpn_protocol() == chosen
    stage.get(client=client)


def test_alpn_without_http_1_1_is_refused(stage, workshop):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        stage.connect(context=workshop.context(alpn=["h2"]))
    stage.moved("kernelgate_tls_handshake_errors_total")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tickets_resume_on_every_worker(make_stage, workshop, version):
    stage = make_stage(config={"workers": 2})
    stage.gateway.serve(lambda call: call.reply(200, b"[]"))
    context = workshop.context(minimum=version, maximum=version)

    def one(session):
        client = stage.connect(context=context, session=session)
        assert client.exchange("GET", PLAIN, token=stage.token()).status == 200
        return client

    session = one(None).tls.session
    for _ in range(8):
        client = one(session)
        assert client.tls.session_reused
        session = client.tls.session
    stage.moved("kernelgate_tls_handshakes_total", by=8, kind="resumed")
    assert len(stage.proxy.wait_log(count=8, tls_resumed=True)) == 8


def test_a_forged_ticket_means_a_full_handshake(stage, make_stage, workshop):
    client = stage.connect()
    stage.get(client=client)
    other = make_stage()  # another process, other ticket keys
    resumed = other.connect(context=stage.context, session=client.tls.session)
    assert not resumed.tls.session_reused
    other.get(client=resumed)


@pytest.mark.parametrize("first_bytes", [b"GET / HTTP/1.1\r\nHost: ep.test\r\n\r\n",
                                         b"\x00" * 300, b"\x16\x03\x01\xff\xff" + b"a" * 100])
def test_what_is_not_tls_is_closed(stage, first_bytes):
    raw = Wire(socket.create_connection(("127.0.0.1", stage.proxy.port)), "plain client")
    raw.send(first_bytes)
    answer = raw.read_to_end()
    assert not answer.startswith(b"HTTP"), answer
    raw.close()
    stage.moved("kernelgate_tls_handshake_errors_total")
    stage.get()


def test_a_handshake_in_single_bytes(stage):
    raw = socket.create_connection(("127.0.0.1", stage.proxy.port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.settimeout(10)
    sock = TlsSocket(raw, stage.context, "ep.test")
    try:
        sock.tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    for byte in sock.take_ciphertext():
        sock.send_ciphertext(bytes([byte]))
    sock.handshake()
    client = stage.closes(Wire(sock, "client"))
    client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.read_until(b"\r\n", "a status line") == b"HTTP/1.1 200 OK\r\n"


def test_a_client_that_goes_before_the_handshake_ends(stage):
    raw = socket.create_connection(("127.0.0.1", stage.proxy.port))
    raw.close()
    stage.moved("kernelgate_connections_accepted_total")
    stage.wait_quiet()
    stage.get()


def test_the_end_is_clean(stage):
    """close_notify before FIN: a client can tell an end from a cut."""
    client = stage.connect()
    client.send_request("GET", "/healthz", [("Connection", "close")])
    assert client.read_response().status == 200
    client.expect_end("close")


def test_close_notify_from_the_client_is_answered(stage):
    client = stage.connect()
    stage.get(client=client)
    client.half_close()
    client.expect_end("close")
    stage.wait_quiet()


def test_many_handshakes_at_once(stage):
    stage.gateway.serve(lambda call: call.reply(200, b"[]"))
    clients = [stage.connect() for _ in range(50)]
    for client in clients:
        client.send_request("GET", PLAIN, token=stage.token())
    for client in clients:
        assert client.read_response().status == 200
    stage.proxy.wait_metric("kernelgate_connections_open", 50)
    for client in clients:
        client.close()
    stage.wait_quiet()
