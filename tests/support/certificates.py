"""Test keys and certificates, made by the openssl program: none stands in the repository."""

import subprocess
from pathlib import Path


def openssl(*arguments, given=None):
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, timeout=30)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout


class Keyring:
    """One folder of keys for a whole test run: a CA, server certificates, session keys."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.ca = self.folder / "ca.crt"
        self._ca_key = self.new_ec_key("ca.key")
        openssl("req", "-x509", "-new", "-key", str(self._ca_key), "-days", "2", "-subj",
                "/CN=Kernelgate test CA", "-out", str(self.ca),
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.session_key = self.new_ec_key("session-key.pem")
        self.other_session_key = self.new_ec_key("other-session-key.pem")

    def new_ec_key(self, name):
        path = self.folder / name
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-out", str(path))
        path.chmod(0o600)
        return path

    def new_rsa_key(self, name):
        path = self.folder / name
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                "-out", str(path))
        return path

    def new_ed25519_key(self, name):
        path = self.folder / name
        openssl("genpkey", "-algorithm", "ED25519", "-out", str(path))
        return path

    def server_certificate(self, *names):
        """(certificate file, key file) for these DNS names and 127.0.0.1."""
        stem = names[0].replace("*", "any")
        certificate, key = self.folder / f"{stem}.crt", self.folder / f"{stem}.key"
        if certificate.exists():
            return certificate, key
        self.new_ec_key(key.name)
        alternatives = ",".join([f"DNS:{name}" for name in names] + ["IP:127.0.0.1"])
        request = openssl("req", "-new", "-key", str(key), "-subj", f"/CN={names[0]}",
                          "-addext", f"subjectAltName={alternatives}")
        openssl("x509", "-req", "-CA", str(self.ca), "-CAkey", str(self._ca_key), "-days", "2",
                "-CAcreateserial", "-copy_extensions", "copy", "-out", str(certificate),
                given=request)
        return certificate, key
