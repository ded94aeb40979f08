"""What the proxy says when TLS goes wrong (RFC 8446 section 6), and which ends count as whole."""

import socket
import ssl
import subprocess

import pytest

from support.stage import KERNEL, PLAIN
from support.tls_socket import VERSIONS
from support.wire import Wire

ONE = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike a list

FATAL = 2
UNEXPECTED_MESSAGE, RECORD_OVERFLOW, DECODE_ERROR, PROTOCOL_VERSION = 10, 22, 50, 70

HELLO_OF_TLS_1_1 = (b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x02" + b"r" * 32
                    + b"\x00\x00\x02\xc0\x2b\x01\x00")


@pytest.mark.parametrize("flight, alert", [
    (b"\x16\x03\x01\xff\xff" + b"x" * 64, RECORD_OVERFLOW),
    (b"\x17\x03\x03\x00\x05hello", UNEXPECTED_MESSAGE),
    (b"\x16\x03\x01\x00\x04\x0e\x00\x00\x00", UNEXPECTED_MESSAGE),
    (b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", DECODE_ERROR),
    (HELLO_OF_TLS_1_1, PROTOCOL_VERSION),
])
def test_a_broken_flight_gets_its_alert_and_then_an_end(stage, flight, alert):
    wire = stage.closes(Wire(socket.create_connection(("127.0.0.1", stage.proxy.port)), "client"))
    wire.send(flight)
    answer = wire.read_to_end()
    assert wire.ended == "close", wire.ended
    assert answer[0] == 21 and answer[3:] == bytes([0, 2, FATAL, alert]), answer
    stage.moved("kernelgate_tls_handshake_errors_total")
    wire.close()
    stage.wait_quiet()


@pytest.mark.parametrize("change, alert", [
    (lambda context: context.set_ciphers("AES128-GCM-SHA256"), "handshake.failure"),  # no secrecy
    (lambda context: context.set_ciphers("ECDHE-ECDSA-AES128-SHA"), "handshake.failure"),  # no AEAD
    (lambda context: context.set_ecdh_curve("secp521r1"), "handshake.failure"),
])
def test_a_weak_wish_gets_its_alert(stage, workshop, change, alert):
    context = workshop.context(maximum=ssl.TLSVersion.TLSv1_2)
    change(context)
    with pytest.raises(ssl.SSLError, match=f"(?i){alert}"):
        stage.connect(context=context)
    stage.moved("kernelgate_tls_handshake_errors_total")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broken_record_gets_its_alert_though_the_client_goes_on(stage, workshop, version):
    client = stage.connect(context=workshop.context(minimum=version, maximum=version))
    stage.get(client=client)
    client.sock.send_ciphertext(b"\x17\x03\x03\x00\x30" + b"x" * 48 + b"more" * 10_000)
    with pytest.raises(ssl.SSLError, match="(?i)bad.record.mac"):
        client.read_to_end()
    client.close()
    stage.wait_quiet()
    stage.unmoved("kernelgate_tls_handshake_errors_total")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broken_record_ends_a_waiting_request(stage, workshop, version):
    client = stage.connect(context=workshop.context(minimum=version, maximum=version))
    client.send_request("GET", PLAIN, token=stage.token())
    call = stage.gateway.next_call()
    client.sock.send_ciphertext(b"\x17\x03\x03\x00\x30" + b"x" * 48)
    with pytest.raises(ssl.SSLError, match="(?i)bad.record.mac"):
        client.read_to_end()
    call.wire.expect_end(None)
    stage.moved("kernelgate_errors_total", reason="client_tls")


@pytest.mark.parametrize("cut, detail", [
    (lambda client: client.sock.fin_without_close_notify(), "cut off without close_notify"),
    (lambda client: client.half_close(), "closed while waiting for the answer"),
])
def test_a_truncation_is_told_from_a_close(stage, cut, detail):
    client = stage.connect()
    client.send_request("GET", PLAIN, token=stage.token())
    stage.gateway.next_call()
    cut(client)
    line = stage.proxy.wait_log(operation="GetKernel")
    assert line["error"] == "client_gone" and line["detail"] == detail
    client.expect_end("close")


def test_an_answer_that_breaks_off_ends_without_close_notify(stage):
    client = stage.connect()
    client.send_request("GET", ONE, token=stage.token())
    call = stage.gateway.next_call()
    call.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    call.wire.close()
    assert client.read_until(b"half", "half an answer")
    client.expect_end("truncated")


def test_renegotiation_is_refused(stage, workshop):
    """A line R makes s_client ask for it."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{stage.proxy.port}", "-tls1_2",
         "-CAfile", str(workshop.keyring.ca), "-verify_return_error", "-no_ign_eof"],
        input=b"R\n", capture_output=True, timeout=30)
    said = done.stdout + done.stderr
    assert b"Secure Renegotiation IS supported" in said, said
    assert b"RENEGOTIATING" in said and b"no renegotiation" in said, said
    assert b"Compression: NONE" in said, said
    stage.get()
