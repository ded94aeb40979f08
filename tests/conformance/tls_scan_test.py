"""sslscan and testssl.sh look at a listener as an auditor would, with both kinds of keys.

An RSA certificate is the harder case: most of what was ever weak needs one.
"""

import json
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

TLS_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
TLS_1_2 = {"ECDHE-{}-AES128-GCM-SHA256", "ECDHE-{}-AES256-GCM-SHA384",
           "ECDHE-{}-CHACHA20-POLY1305"}
# What a list of ciphers cannot show is asked of testssl.sh, whose every check takes seconds.
CHECKS = ["--protocols", "--heartbleed", "--ccs-injection", "--ticketbleed", "--robot",
          "--renegotiation", "--compression", "--breach", "--tls-fallback"]
# Each must be said to be fine, by name: a check that it no longer makes is no pass.
FINE = {"SSLv2", "SSLv3", "TLS1_2", "TLS1_3", "heartbleed", "CCS", "ticketbleed", "ROBOT",
        "secure_renego", "secure_client_renego", "CRIME_TLS", "BREACH", "fallback_SCSV"}
NOT_OFFERED = {"TLS1", "TLS1_1", "NPN"}


@pytest.fixture
def listening(make_stage, workshop):
    def make(rsa):
        pair = workshop.keyring.server_certificate("ep.test", rsa=rsa)
        return f"127.0.0.1:{make_stage(certificates=[pair]).proxy.port}"

    return make


@pytest.mark.parametrize("rsa", [False, True], ids=["ecdsa", "rsa"])
def test_sslscan_sees_aead_and_forward_secrecy_only(listening, debian_tool, rsa):
    done = subprocess.run([debian_tool("sslscan"), "--xml=-", "--no-colour", "--show-sigs",
                           "--sni-name=ep.test", listening(rsa)],
                          capture_output=True, text=True, timeout=120)
    scan = ElementTree.fromstring(done.stdout).find("ssltest")
    offered = {f"{p.get('type')}{p.get('version')}" for p in scan.iter("protocol")
               if p.get("enabled") == "1"}
    assert offered == {"tls1.2", "tls1.3"}
    ciphers = {version: {c.get("cipher") for c in scan.iter("cipher")
                         if c.get("sslversion") == version} for version in ("TLSv1.2", "TLSv1.3")}
    kind = "RSA" if rsa else "ECDSA"
    assert ciphers == {"TLSv1.2": {name.format(kind) for name in TLS_1_2}, "TLSv1.3": TLS_1_3}
    assert {g.get("name") for g in scan.iter("group")} == {"x25519", "secp256r1 (NIST P-256)"}
    assert scan.find("renegotiation").get("supported") == "0"
    assert {h.get("vulnerable") for h in scan.iter("heartbleed")} == {"0"}
    signatures = {s.get("name") for s in scan.iter("connection-signature-algorithm")}
    assert signatures and not [s for s in signatures if "sha1" in s or "md5" in s or "dsa_sha224"
                               in s], signatures


def test_testssl_finds_no_weakness(listening, debian_tool, tmp_path):
    report = tmp_path / "report.json"
    done = subprocess.run(
        [debian_tool("testssl"), "--quiet", "--color", "0", "--warnings", "off", "--sneaky",
         "--nodns", "none", "--connect-timeout", "5", "--openssl-timeout", "5",
         "--jsonfile", str(report), *CHECKS, listening(rsa=True)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
    assert report.exists(), done.stdout + done.stderr
    findings = {finding["id"]: finding for finding in json.loads(report.read_text())}
    said = {name: (f["severity"], f["finding"]) for name, f in findings.items()}
    assert {name: said.get(name) for name in FINE if said.get(name, ["none"])[0] != "OK"} == {}
    assert {name: said.get(name) for name in NOT_OFFERED
            if "not offered" not in said.get(name, ["", ""])[1]} == {}
    # Nothing that testssl.sh ranks at all, whatever its name. engine_problem is about itself.
    ranked = {"LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL"}
    assert {n: s for n, s in said.items() if s[0] in ranked and n != "engine_problem"} == {}
