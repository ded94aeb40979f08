"""Session tokens: minted by `kernelgate token`, or forged for what it refuses to mint."""

import base64
import json
import os
import subprocess
import time

from .certificates import openssl

ISSUER = "https://studio.test"
AUDIENCE = "kernelgate"


def binary():
    path = os.environ.get("KERNELGATE_BIN")
    assert path, "set KERNELGATE_BIN to the built program, or use tests/run"
    return path


def run_cli(*arguments, timeout=30):
    """The finished process of `kernelgate ARGUMENTS`, with text output."""
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout)


def mint(key, endpoint, subject="alice", **options):
    """A token by `kernelgate token`. role="x" becomes --role x; a list repeats its option."""
    arguments = ["token", "--key", key, "--endpoint", endpoint, "--subject", subject]
    for name, value in {"issuer": ISSUER, "audience": AUDIENCE, **options}.items():
        for item in value if isinstance(value, list) else [value]:
            arguments += ["--" + name.replace("_", "-"), item]
    done = run_cli(*arguments)
    assert done.returncode == 0, f"kernelgate token: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def mint_opaque(subject="alice", **options):
    """An opaque token and the line that its file needs, by `kernelgate token --opaque`."""
    arguments = ["token", "--opaque", "--subject", subject]
    for name, value in options.items():
        for item in value if isinstance(value, list) else [value]:
            arguments += ["--" + name.replace("_", "-"), item]
    done = run_cli(*arguments)
    assert done.returncode == 0, f"kernelgate token --opaque: {done.stdout}{done.stderr}"
    token, line = done.stdout.splitlines()
    return token, line + "\n"


def public_jwks(key):
    done = run_cli("token", "--key", key, "--print-jwks")
    assert done.returncode == 0, f"kernelgate token --print-jwks: {done.stdout}{done.stderr}"
    return done.stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def base64url_decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token):
    return json.loads(base64url_decode(token.split(".")[1]))


def header_of(token):
    return json.loads(base64url_decode(token.split(".")[0]))


def raw_signature(der):
    """r||s of 64 bytes from the DER that openssl writes."""
    assert der[0] == 0x30
    at, parts = 2, []
    for _ in range(2):
        assert der[at] == 0x02
        length = der[at + 1]
        parts.append(int.from_bytes(der[at + 2 : at + 2 + length], "big"))
        at += 2 + length
    return b"".join(part.to_bytes(32, "big") for part in parts)


def forge(key, claims, kid=None, algorithm="ES256", signature=None):
    """A token with exactly these claims, signed by an EC or RSA key file."""
    header = {"alg": algorithm, "typ": "JWT"}
    if kid is not None:
        header["kid"] = kid
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    if signature is None:
        signature = openssl("dgst", "-sha256", "-sign", str(key), given=signed.encode())
        if algorithm == "ES256":
            signature = raw_signature(signature)
    return f"{signed}.{base64url(signature)}"


def claims(endpoint, subject="alice", seconds=600, **changes):
    """The claims of a good token, with changes; a change to None removes the claim."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "endpoint": endpoint, "iat": now,
            "exp": now + seconds, "jti": "test"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}
