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

    def server_certificate(self, *names, rsa=False):
        """(certificate file, key file) for these DNS names and 127.0.0.1."""
        stem = names[0].replace("*", "any") + (".rsa" if rsa else "")
        alternatives = ",".join([f"DNS:{name}" for name in names] + ["IP:127.0.0.1"])
        return self.issue(stem, f"/CN={names[0]}", [f"subjectAltName={alternatives}"],
                          self.new_rsa_key if rsa else self.new_ec_key)

    def client_certificate(self, stem, subject, alternatives=None):
        """(certificate file, key file) for a subject like /O=Team/CN=alice, and a subjectAltName
        like email:alice@example.com."""
        extensions = ["extendedKeyUsage=clientAuth"]
        if alternatives:
            extensions.append(f"subjectAltName={alternatives}")
        return self.issue(stem, subject, extensions, self.new_ec_key)

    def issue(self, stem, subject, extensions, new_key):
        certificate, key = self.folder / f"{stem}.crt", self.folder / f"{stem}.key"
        if certificate.exists():
            return certificate, key
        new_key(key.name)
        added = [part for extension in extensions for part in ("-addext", extension)]
        request = openssl("req", "-utf8", "-new", "-key", str(key), "-subj", subject, *added)
        openssl("x509", "-req", "-CA", str(self.ca), "-CAkey", str(self._ca_key), "-days", "2",
                "-CAcreateserial", "-copy_extensions", "copy", "-out", str(certificate),
                given=request)
        return certificate, key
