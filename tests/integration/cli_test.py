"""The command line: check, explain, token, version, and what `run` says when it cannot start."""

import fcntl
import json
import os
import re
import subprocess
import time

import pytest

from support import tokens
from support.proxy_process import base_config
from support.stage import KERNEL
from support.tokens import run_cli


@pytest.fixture
def config_file(workshop, tmp_path):
    config = base_config(workshop.keyring, tmp_path / "access.log")
    config["endpoints"] = [workshop.endpoint("ep", 1),
                           workshop.endpoint("two", 1, hosts=None, path_prefix="/two")]
    path = tmp_path / "kernelgate.yaml"
    path.write_text(json.dumps(config, indent=2))
    return path


def test_version():
    done = run_cli("version")
    assert done.returncode == 0 and re.search(r"\b\d+\.\d+\.\d+\b", done.stdout)


def test_help_names_every_command():
    done = run_cli("--help")
    assert done.returncode == 0
    for command in ("run", "check", "explain", "token", "version"):
        assert command in done.stdout


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["run"], ["check", "--config"]])
def test_wrong_use_is_exit_2_with_a_sentence(arguments):
    done = run_cli(*arguments)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert (done.stdout + done.stderr).strip()


def test_check_of_a_good_file(config_file):
    done = run_cli("check", "--config", config_file)
    assert done.returncode == 0, done.stdout + done.stderr


BAD = """\
workers: 0
listeners:
  - address: 0.0.0.0
    tls:
      certificates:
        - {certificate: missing.crt, private_key: missing.key}
colour: red
drain: {lame_duck: 25}
endpoints:
  - id: UPPER
    hosts: [ep.test:8443]
    gateway:
      pods: [{name: jeg-0, address: 127.0.0.1}]
      replication: maybe
    sessions:
      jwt: {issuer: x, keys_file: jwks.json}
"""


def test_check_names_all_errors_at_once_with_line_key_and_remedy(tmp_path):
    path = tmp_path / "kernelgate.yaml"
    path.write_text(BAD)
    done = run_cli("check", "--config", path)
    assert done.returncode == 2
    said = done.stdout + done.stderr
    for line, word in ((1, "workers"), (3, "address"), (6, "certificate"), (7, "colour"),
                       (8, "lame_duck"), (10, "id"), (11, "hosts"), (13, "address"),
                       (14, "replication"), (16, "audience")):
        found = [text for text in said.splitlines() if f"kernelgate.yaml:{line}:" in text]
        assert any(word in text for text in found), f"line {line} {word}\n{said}"
    for text in said.splitlines():
        if re.search(r"kernelgate\.yaml:\d+:", text):
            assert text.count(": ") >= 3, f"no remedy: {text}"  # place, key, problem, remedy


@pytest.mark.parametrize("text", ["", "a: [", "- 1\n- 2\n", "endpoints: *x\n", "\0",
                                  "a: 1\na: 2\n"])
def test_check_of_what_is_no_configuration(tmp_path, text):
    path = tmp_path / "kernelgate.yaml"
    path.write_text(text)
    done = run_cli("check", "--config", path)
    assert done.returncode == 2 and "kernelgate.yaml" in done.stdout + done.stderr


def test_check_of_a_missing_file(tmp_path):
    done = run_cli("check", "--config", tmp_path / "none.yaml")
    assert done.returncode == 2 and "none.yaml" in done.stdout + done.stderr


def test_run_refuses_a_bad_file(tmp_path):
    path = tmp_path / "kernelgate.yaml"
    path.write_text(BAD)
    done = run_cli("run", "--config", path)
    assert done.returncode == 2
    assert "kernelgate.yaml:7:" in done.stderr + done.stdout


def test_run_says_when_its_port_is_busy(stage, config_file):
    config = json.loads(config_file.read_text())
    config["monitoring"]["address"] = f"127.0.0.1:{stage.proxy.monitoring_port}"
    config_file.write_text(json.dumps(config))
    done = run_cli("run", "--config", config_file)
    assert done.returncode != 0
    assert str(stage.proxy.monitoring_port) in done.stderr


def test_run_refuses_a_certificate_with_another_key(workshop, config_file):
    config = json.loads(config_file.read_text())
    pair = config["listeners"][0]["tls"]["certificates"][0]
    pair["private_key"] = str(workshop.keyring.session_key)
    config_file.write_text(json.dumps(config))
    for command in ("check", "run"):
        done = run_cli(command, "--config", config_file)
        assert done.returncode == 2, (command, done.stdout, done.stderr)
        said = done.stderr + done.stdout
        assert "session-key.pem" in said or "private_key" in said


@pytest.mark.parametrize("url, words", [
    ("https://ep.test/api/kernels", ["ep", "ListKernels", "jeg-0"]),
    (f"https://anything.test:8443/two/api/kernels/{KERNEL}", ["two", "GetKernel", KERNEL]),
    ("https://ep.test/api/status", ["ep", "Other", "/api/status"]),
    ("https://unknown.test/api/kernels", ["No endpoint"]),
])
def test_explain(config_file, url, words):
    done = run_cli("explain", "--config", config_file, "--url", url)
    said = done.stdout + done.stderr
    for word in words:
        assert word in said, said


@pytest.mark.parametrize("endpoint, word", [("ep", "alice"), ("two", "not allowed")])
def test_explain_judges_a_token(config_file, workshop, endpoint, word):
    token = workshop.token(endpoint)
    done = run_cli("explain", "--config", config_file, "--url", "https://ep.test/api/kernels",
                   "--token", token)
    said = done.stdout + done.stderr
    assert word in said, said
    assert token not in said


def test_explain_knows_where_sessions_of_notebooks_are_off(config_file, workshop):
    arguments = ["--config", config_file, "--url", "https://ep.test/api/sessions",
                 "--token", workshop.token("ep")]
    assert "notebook_sessions is off" in run_cli("explain", *arguments).stdout
    config = json.loads(config_file.read_text())
    config["endpoints"][0]["notebook_sessions"] = True
    config_file.write_text(json.dumps(config))
    assert "ListSessions (notebook_sessions: true)" in run_cli("explain", *arguments).stdout


# ---- token ----

def test_token_claims_and_defaults(workshop):
    token = tokens.mint(workshop.keyring.session_key, "ep", "alice")
    claims, header, now = tokens.claims_of(token), tokens.header_of(token), time.time()
    assert (claims["iss"], claims["aud"], claims["sub"], claims["endpoint"]) == (
        tokens.ISSUER, tokens.AUDIENCE, "alice", "ep")
    assert abs(claims["iat"] - now) < 10 and claims["exp"] - claims["iat"] == 900
    assert claims["jti"] and not {"role", "log_context", "virtual_cluster"} & claims.keys()
    assert header["alg"] == "ES256" and header["kid"]
    assert tokens.mint(workshop.keyring.session_key, "ep", "alice") != token


def test_token_options(workshop):
    token = tokens.mint(workshop.keyring.session_key, "ep", "alice", role="arn:aws:iam::1:role/x",
                        group=["analytics", "admins"], log_context="team-7", lifetime="2h",
                        virtual_cluster="science")
    claims = tokens.claims_of(token)
    assert claims["role"] == "arn:aws:iam::1:role/x" and claims["log_context"] == "team-7"
    assert claims["virtual_cluster"] == "science"
    assert claims["groups"] == ["analytics", "admins"] and claims["exp"] - claims["iat"] == 7200


@pytest.mark.parametrize("lifetime, good", [("12h", True), ("12h1s", False), ("13h", False),
                                            ("0s", False), ("1s", True), ("soon", False)])
def test_token_lifetimes(workshop, lifetime, good):
    done = run_cli("token", "--key", workshop.keyring.session_key, "--endpoint", "ep", "--subject",
                   "a", "--issuer", "i", "--audience", "b", "--lifetime", lifetime)
    assert (done.returncode == 0) == good, done.stdout + done.stderr
    assert good or done.returncode == 2


def test_token_takes_what_the_endpoint_expects_from_the_configuration(workshop, config_file):
    done = run_cli("token", "--key", workshop.keyring.session_key, "--endpoint", "ep", "--subject",
                   "alice", "--config", config_file)
    assert done.returncode == 0, done.stderr
    claims = tokens.claims_of(done.stdout.strip())
    assert (claims["iss"], claims["aud"], claims["virtual_cluster"]) == (
        tokens.ISSUER, tokens.AUDIENCE, "analytics")


def test_token_is_one_line_on_stdout(workshop):
    done = run_cli("token", "--key", workshop.keyring.session_key, "--endpoint", "ep", "--subject",
                   "alice", "--issuer", "i", "--audience", "a")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert done.stdout.strip().count(".") == 2


def test_print_jwks_has_no_private_part(workshop):
    keys = json.loads(tokens.public_jwks(workshop.keyring.session_key))["keys"]
    assert len(keys) == 1
    assert keys[0]["kty"] == "EC" and keys[0]["crv"] == "P-256" and "d" not in keys[0]
    assert keys[0]["kid"] == tokens.header_of(workshop.token())["kid"]


@pytest.mark.parametrize("key", ["none.pem", "jwks.json"])
def test_token_with_an_unusable_key(workshop, key):
    done = run_cli("token", "--key", workshop.keyring.folder / key, "--endpoint", "ep",
                   "--subject", "a", "--issuer", "i", "--audience", "b")
    assert done.returncode != 0 and not done.stdout.strip()
    assert key in done.stderr


def test_keys_are_made_once_and_rotated_in_place(tmp_path):
    for kind in ("feed", "kernel-ids", "tickets"):
        file = tmp_path / kind
        made = run_cli("keys", "new", "--kind", kind, file)
        assert made.returncode == 0, made.stderr
        before = file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        again = run_cli("keys", "new", "--kind", kind, file)
        assert again.returncode == 1 and file.read_text() == before
        for _ in range(2):
            assert run_cli("keys", "rotate", "--kind", kind, file).returncode == 0
        assert file.read_text() != before and file.stat().st_mode & 0o777 == 0o600
        assert before.split()[-1] not in (made.stdout + made.stderr)
    assert (tmp_path / "feed.next").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "feed", "feed.next", "feed.next.pub", "feed.pub", "kernel-ids", "tickets"]
    other = run_cli("keys", "rotate", "--kind", "tickets", tmp_path / "kernel-ids")
    assert other.returncode == 1 and "is it a file of --kind tickets?" in other.stderr
    assert run_cli("keys", "new", "--kind", "curve", tmp_path / "x").returncode == 2


def test_a_rotation_keeps_owners_and_modes(tmp_path):
    owner = (12345, 23456) if os.geteuid() == 0 else (os.geteuid(), os.getgroups()[-1])
    key = tmp_path / "key"
    assert run_cli("keys", "new", key).returncode == 0
    for file, mode in ((key, 0o640), (tmp_path / "key.pub", 0o444)):
        os.chown(file, *owner)
        file.chmod(mode)
    for _ in range(2):
        done = run_cli("keys", "rotate", key)
        assert done.returncode == 0, done.stderr
    for name, mode in (("key", 0o640), ("key.pub", 0o444), ("key.next", 0o640),
                       ("key.next.pub", 0o644)):
        found = (tmp_path / name).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (*owner, mode), name


def test_of_two_rotations_at_once_one_is_refused(tmp_path):
    key, link = tmp_path / "key", tmp_path / "link"
    assert run_cli("keys", "new", "--kind", "tickets", key).returncode == 0
    before = key.read_text()
    link.symlink_to(key)
    with open(key) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = run_cli("keys", "rotate", "--kind", "tickets", key)
    assert refused.returncode == 1 and "by another command: nothing is done" in refused.stderr
    through = run_cli("keys", "rotate", "--kind", "tickets", link)
    assert through.returncode == 1 and "is no regular file" in through.stderr
    assert key.read_text() == before and link.is_symlink()


def test_no_rotation_is_lost(tmp_path):
    key = tmp_path / "key"
    assert run_cli("keys", "new", "--kind", "kernel-ids", key).returncode == 0
    running = [subprocess.Popen([tokens.binary(), "keys", "rotate", "--kind", "kernel-ids", key],
                                stderr=subprocess.DEVNULL) for _ in range(6)]
    done = [rotation.wait(30) for rotation in running].count(0)
    epoch, state, _ = key.read_text().splitlines()[0].split()
    assert (int(epoch), state) == (done, "next"), "each one that was done made an epoch"
    assert list(tmp_path.iterdir()) == [key]


def test_the_next_public_key_is_said_before_it_is_used(tmp_path):
    first = run_cli("keys", "new", tmp_path / "key").stdout
    following = run_cli("keys", "rotate", tmp_path / "key").stdout
    assert (tmp_path / "key.pub").read_text() == first != following
    assert run_cli("keys", "rotate", tmp_path / "key").stdout != following
    assert (tmp_path / "key.pub").read_text() == following
