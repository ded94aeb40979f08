"""Session tickets: keys that replicas share, that change, and where a ticket may be used."""

import base64
import os
import subprocess

import pytest

from support import tokens
from support.tls_socket import VERSIONS

RELOADS = "kernelgate_ticket_key_reloads_total"


def new_key():
    return base64.b64encode(os.urandom(80)).decode()


class KeyFile:
    def __init__(self, path, *keys):
        self.path = path
        self.put(*keys)

    def put(self, *keys):
        fresh = self.path.with_suffix(".new")
        fresh.write_text("# first seals\n" + "".join(f"{key}\n" for key in keys))
        fresh.chmod(0o600)
        fresh.replace(self.path)

    @property
    def config(self):
        return {"ticket_keys_file": str(self.path)}


def session_of(stage, context, session=None):
    """(session for the next connection, whether this one was resumed)"""
    client = stage.connect(context=context, session=session)
    assert client.exchange("GET", "/healthz").status == 200  # the ticket has come before
    taken = client.tls.session, client.tls.session_reused
    client.half_close()
    client.expect_end("close")
    return taken


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_of_one_process_resumes_at_another(make_stage, workshop, tmp_path, version):
    keys = KeyFile(tmp_path / "ticket-keys", new_key())
    one, other = (make_stage(config=keys.config) for _ in range(2))
    context = workshop.context(minimum=version, maximum=version)
    session, resumed = session_of(one, context)
    assert not resumed
    session, resumed = session_of(other, context, session)
    assert resumed
    assert session_of(one, context, session)[1]
    other.moved("kernelgate_tls_handshakes_total", kind="resumed")
    one.moved("kernelgate_tls_handshakes_total", kind="resumed")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_replaced_key_opens_as_long_as_it_is_listed(make_stage, workshop, tmp_path, version):
    old, new = new_key(), new_key()
    keys = KeyFile(tmp_path / "ticket-keys", old)
    stage = make_stage(config={**keys.config, "workers": 2})
    context = workshop.context(minimum=version, maximum=version)
    idle = stage.connect(context=context)
    session, _ = session_of(stage, context)
    keys.put(new, old)
    stage.moved(RELOADS, result="ok")
    renewed, resumed = session_of(stage, context, session)
    assert resumed
    keys.put(new)
    stage.moved(RELOADS, by=2, result="ok")
    assert session_of(stage, context, renewed)[1]  # it came sealed by the new key
    assert not session_of(stage, context, session)[1]
    stage.get(client=idle)


def test_unusable_ticket_keys_keep_the_last_good_ones(make_stage, workshop, tmp_path):
    key = new_key()
    keys = KeyFile(tmp_path / "ticket-keys", key)
    stage = make_stage(config=keys.config)
    session, _ = session_of(stage, stage.context)
    lines = len(stage.proxy.stderr_lines)
    secret = new_key()[:50]
    keys.put(key, secret)
    stage.moved(RELOADS, result="failed")
    stage.proxy.wait_for_stderr(r"ticket-keys line 3 is not 80 bytes in base64", "why", start=lines)
    assert session_of(stage, stage.context, session)[1]
    log = "\n".join(stage.proxy.stderr_lines)
    assert secret not in log and key not in log


@pytest.mark.parametrize("text, problem", [
    ("", "holds no key"),
    ("# nothing\n", "holds no key"),
    ("%\n", "line 1 is not 80 bytes in base64"),
    (base64.b64encode(b"x" * 48).decode(), "line 1 is not 80 bytes in base64"),
    (f"{base64.b64encode(b'x' * 80).decode()}\n" * 2, "line 2 begins with the same 16 bytes"),
])
def test_check_says_what_is_wrong_with_ticket_keys(make_stage, tmp_path, text, problem):
    file = tmp_path / "ticket-keys"
    file.write_text(text)
    file.chmod(0o600)
    stage = make_stage(config={"ticket_keys_file": str(file)}, start=False)
    stage.proxy.write_config()
    done = subprocess.run([tokens.binary(), "check", "--config", str(stage.proxy.config_file)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "ticket_keys_file: " in done.stderr and problem in done.stderr, done.stderr
    assert "openssl rand -base64 80" in done.stderr
