"""The keys of kernel ids: from a file that changes on disk, made where there is none."""

import os
import stat
import subprocess
import uuid

import pytest

from support import tokens
from support.kernels import create, key_line
from support.stage import KERNEL

RELOADS = "kernelgate_kernel_id_key_reloads_total"


def put(file, *lines):
    fresh = file.with_suffix(".new")
    fresh.write_text("# EPOCH STATE SECRET\n" + "".join(lines))
    fresh.chmod(0o600)
    fresh.replace(file)


def is_mine(stage, kernel):
    """Whether a request for that kernel reaches the gateway."""
    client = stage.connect()
    client.send_request("GET", f"/api/kernels/{kernel}", token=stage.token())
    client.send_request("GET", "/api/kernelspecs", token=stage.token())
    first = stage.gateway.next_call()
    if first.request.target.startswith("/api/kernelspecs"):
        first.reply_json("{}")
        assert client.read_response().status == 404
        assert client.read_response().status == 200
        return False
    assert first.request.target == f"/api/kernels/{kernel}"
    first.reply_json("{}")
    assert client.read_response().status == 200
    stage.gateway.next_call().reply_json("{}")
    assert client.read_response().status == 200
    return True


def config(file=None, state_dir=None):
    out = {}
    if file:
        out["kernel_ids"] = {"keys_file": str(file)}
    if state_dir:
        out["state_dir"] = str(state_dir)
    return out


DENY = {"foreign_ids": "deny"}


def test_keys_change_without_losing_a_kernel(make_stage, tmp_path):
    file = tmp_path / "kernel-id-keys"
    old, new = key_line(0), key_line(1)
    put(file, old)
    stage = make_stage(config={**config(file), "workers": 2}, endpoint=DENY)
    first = create(stage)
    put(file, old, new.replace("current", "next"))
    stage.moved(RELOADS, result="ok")
    second = create(stage)
    put(file, old.replace("current", "previous"), new)
    stage.moved(RELOADS, by=2, result="ok")
    third = create(stage)
    assert all(is_mine(stage, kernel) for kernel in (first, second, third))
    put(file, new)
    stage.moved(RELOADS, by=3, result="ok")
    assert [is_mine(stage, kernel) for kernel in (first, second, third)] == [False, False, True]


def test_unusable_keys_keep_the_last_good_ones(make_stage, tmp_path):
    file = tmp_path / "kernel-id-keys"
    good, bad = key_line(0), key_line(9)
    put(file, good)
    stage = make_stage(config=config(file), endpoint=DENY)
    kernel = create(stage)
    lines = len(stage.proxy.stderr_lines)
    put(file, good, bad)
    stage.moved(RELOADS, result="failed")
    stage.proxy.wait_for_stderr(r"kernel-id-keys line 3 does not begin with 0 to 7", "why",
                                start=lines)
    assert is_mine(stage, kernel)
    log = "\n".join(stage.proxy.stderr_lines)
    assert bad.split()[2] not in log and good.split()[2] not in log


@pytest.mark.parametrize("text, problem", [
    ("", "holds no current key"),
    ("0 next " + key_line().split()[2] + "\n", "holds no current key"),
    ("0 current c2hvcnQ=\n", "line 2 does not hold 32 to 64 bytes in base64"),
    (key_line(0) + key_line(1), "line 3 is a second current key"),
], ids=["empty", "next only", "short", "two current"])
def test_check_says_what_is_wrong_with_a_key_file(make_stage, tmp_path, text, problem):
    file = tmp_path / "kernel-id-keys"
    put(file, text)
    stage = make_stage(config=config(file), start=False)
    stage.proxy.write_config()
    done = subprocess.run([tokens.binary(), "check", "--config", str(stage.proxy.config_file)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "kernel_ids.keys_file: " in done.stderr and problem in done.stderr, done.stderr
    assert "openssl rand -base64 32" in done.stderr


def test_a_key_is_made_in_state_dir_and_kept(make_stage, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    one = make_stage(config=config(state_dir=state), endpoint=DENY)
    file = state / "kernel-id-keys"
    one.proxy.wait_for_stderr(r"made the key of kernel ids file=\S+kernel-id-keys", "the warning")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in state.iterdir()] == ["kernel-id-keys"]
    kernel = create(one)
    secret = file.read_text()
    one.proxy.signal(1)
    one.moved("kernelgate_config_reloads_total", result="ok")
    assert is_mine(one, kernel)
    other = make_stage(config=config(state_dir=state), endpoint=DENY)
    assert is_mine(other, kernel)
    assert file.read_text() == secret
    assert not any("made the key" in line for line in other.proxy.stderr_lines)
    assert secret.split()[2] not in "\n".join(one.proxy.stderr_lines)


@pytest.mark.parametrize("state_dir, why", [
    (None, "there is no state_dir"), ("/proc/nowhere", "No such file or directory")])
def test_without_a_place_for_it_the_key_is_in_memory_and_said_to_be(make_stage, state_dir, why):
    stage = make_stage(config=config(state_dir=state_dir), endpoint=DENY)
    stage.proxy.wait_for_stderr(rf"the key of kernel ids is in memory only \({why}\)", "warning")
    kernel = create(stage)
    stage.proxy.signal(1)
    stage.moved("kernelgate_config_reloads_total", result="ok")
    assert is_mine(stage, kernel)
    assert not is_mine(make_stage(config=config(state_dir=state_dir), endpoint=DENY), kernel)


def test_check_makes_nothing(make_stage, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    stage = make_stage(config=config(state_dir=state), start=False)
    stage.proxy.write_config()
    done = subprocess.run([tokens.binary(), "check", "--config", str(stage.proxy.config_file)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert os.listdir(state) == []


def test_ids_are_lower_case_uuids_of_version_4(stage):
    """What gateways take (domain J14)."""
    kernel = create(stage)
    assert kernel == str(uuid.UUID(kernel)) != KERNEL
    assert uuid.UUID(kernel).version == 4 and uuid.UUID(kernel).variant == uuid.RFC_4122
