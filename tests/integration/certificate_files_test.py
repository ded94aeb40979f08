"""Certificates that change on disk, certificates that nobody configured, and when they end."""

import os
import shutil
import signal
import ssl
import subprocess

import pytest

from support.waiting import wait_until

RELOADS = "kernelgate_certificate_reloads_total"


class SecretVolume:
    """A folder as Kubernetes mounts a Secret: names lead through ..data, which is swapped."""

    def __init__(self, folder):
        self.folder = folder
        self.turn = 0
        folder.mkdir()
        for name in ("tls.crt", "tls.key"):
            (folder / name).symlink_to(f"..data/{name}")

    def put(self, pair):
        self.turn += 1
        fresh = self.folder / f"..turn{self.turn}"
        fresh.mkdir()
        for source, name in zip(pair, ("tls.crt", "tls.key")):
            shutil.copy(source, fresh / name)
            (fresh / name).chmod(0o600)
        link = self.folder / "..data_tmp"
        link.symlink_to(fresh.name)
        os.replace(link, self.folder / "..data")
        return self

    def pair(self):
        return self.folder / "tls.crt", self.folder / "tls.key"


def served_name(stage, sni="ep.test"):
    client = stage.connect(sni=sni)
    names = [value for kind, value in client.tls.getpeercert()["subjectAltName"] if kind == "DNS"]
    client.close()
    return names[0]


def wait_served(stage, name, sni="ep.test"):
    wait_until(lambda: served_name(stage, sni) == name, f"{name} to be served")


def not_after(pair):
    text = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", str(pair[0])],
                          capture_output=True, text=True, check=True).stdout
    return ssl.cert_time_to_seconds(text.strip().partition("=")[2])


def test_a_swapped_secret_is_served_and_closes_nothing(make_stage, workshop, tmp_path):
    keyring = workshop.keyring
    volume = SecretVolume(tmp_path / "secret").put(keyring.server_certificate("before.test"))
    other = keyring.server_certificate("other.test")
    stage = make_stage(certificates=[volume.pair(), other], config={"workers": 2})
    mine, upstream = stage.websocket()
    idle = stage.connect()
    stage.get(client=idle)
    assert served_name(stage) == "before.test"
    after = keyring.server_certificate("after.test")
    volume.put(after)
    stage.moved(RELOADS, result="ok")
    wait_served(stage, "after.test")
    assert served_name(stage, sni="other.test") == "other.test"
    stage.get(client=idle)
    mine.send_text("still here")
    assert upstream.read_text() == "still here"
    metrics = stage.proxy.metrics()
    assert metrics.value(RELOADS, result="failed") == 0
    assert metrics.value("kernelgate_config_reloads_total") == 0
    assert metrics.value("kernelgate_certificate_not_after_seconds",
                         certificate=str(volume.pair()[0])) == not_after(after)


def test_a_bad_pair_keeps_the_last_good_one(make_stage, workshop, tmp_path):
    keyring = workshop.keyring
    first = SecretVolume(tmp_path / "one").put(keyring.server_certificate("one.test"))
    second = SecretVolume(tmp_path / "two").put(keyring.server_certificate("two.test"))
    stage = make_stage(certificates=[first.pair(), second.pair()])
    renewed, mismatched = (keyring.server_certificate(f"{name}.test") for name in ("new", "odd"))
    lines = len(stage.proxy.stderr_lines)
    first.put((renewed[0], mismatched[1]))  # a key of another certificate
    stage.moved(RELOADS, result="failed")
    stage.proxy.wait_for_stderr(r"one/tls\.key holds no usable key", "the reason", start=lines)
    assert served_name(stage) == "one.test"
    second.put(renewed)  # its neighbour is renewed all the same
    stage.moved(RELOADS, result="ok")
    wait_served(stage, "new.test", sni="new.test")
    assert served_name(stage) == "one.test"
    first.put(mismatched)
    wait_served(stage, "odd.test")
    stage.moved(RELOADS, by=2, result="ok")
    assert stage.proxy.metrics().value(RELOADS, result="failed") == 1
    assert "PRIVATE KEY" not in "\n".join(stage.proxy.stderr_lines)


def test_a_file_that_vanishes_keeps_the_last_good_one(make_stage, workshop, tmp_path):
    volume = SecretVolume(tmp_path / "secret").put(workshop.keyring.server_certificate("one.test"))
    stage = make_stage(certificates=[volume.pair()])
    (volume.folder / "tls.key").unlink()
    stage.moved(RELOADS, result="failed")
    assert served_name(stage) == "one.test"


def test_sighup_reads_certificates_too(make_stage, workshop, tmp_path):
    keyring = workshop.keyring
    volume = SecretVolume(tmp_path / "secret").put(keyring.server_certificate("before.test"))
    stage = make_stage(certificates=[volume.pair()])
    volume.put(keyring.server_certificate("after.test"))
    stage.proxy.signal(signal.SIGHUP)
    stage.moved("kernelgate_config_reloads_total", result="ok")
    wait_served(stage, "after.test")
    stage.moved(RELOADS, result="ok")
    odd = keyring.server_certificate("odd.test")
    volume.put((odd[0], keyring.server_certificate("before.test")[1]))
    stage.proxy.signal(signal.SIGHUP)
    stage.moved("kernelgate_config_reloads_total", result="failed")
    assert stage.proxy.metrics().value(RELOADS, result="failed") >= 1
    assert served_name(stage) == "after.test"


def test_without_a_certificate_one_is_made_in_memory(make_stage, workshop):
    stage = make_stage(certificates=[], start=False)
    del stage.proxy.config["listeners"][0]["tls"]
    stage.start()
    stage.proxy.wait_for_stderr(r"listeners\[0\]\.tls\.certificates: none is given", "the warning")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client = stage.connect(context=context)
    stage.get(client=client)
    stage.get(client=stage.connect(context=context, sni=None))
    der = client.tls.getpeercert(binary_form=True)
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-text"], input=der,
                          capture_output=True, check=True).stdout.decode()
    assert "prime256v1" in text and "ecdsa-with-SHA256" in text and "CA:FALSE" in text
    with pytest.raises(ssl.SSLCertVerificationError):
        stage.connect()
    # A reload makes no second one.
    stage.proxy.signal(signal.SIGHUP)
    stage.moved("kernelgate_config_reloads_total", result="ok")
    assert stage.connect(context=context).tls.getpeercert(binary_form=True) == der
    end = stage.proxy.metrics().value("kernelgate_certificate_not_after_seconds",
                                      certificate="self-signed")
    assert end == ssl.cert_time_to_seconds(
        subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-enddate"], input=der,
                       capture_output=True, check=True).stdout.decode().strip().partition("=")[2])
