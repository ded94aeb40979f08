"""The commands of README.md as a user types them, with ports and a state folder of their own."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.request

import peers
import pytest

SECONDS_MAX = 60  # a warm run is promised in 30 s on an idle machine


def run(state, *options):
    command = [peers.TREE / "deploy/quickstart", "--state", state, *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600,
                          env={**os.environ, "KERNELGATE_CACHE": str(peers.CACHE)},
                          stdin=subprocess.DEVNULL, check=False)


@pytest.fixture
def ports():
    return "--port", peers.free_port(), "--monitoring-port", peers.free_port()


def port_answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def last_sentence(done):
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_once_shows_the_table_and_leaves_nothing_running(tmp_path, ports):
    begin = time.monotonic()
    done = run(tmp_path / "state", "--once", *ports)
    seconds = time.monotonic() - begin
    assert done.returncode == 0, done.stdout + done.stderr
    assert "KeyboardInterrupt" in done.stdout
    for row in (r"a 1\+1 cell \(median of 20\) +[\d.]+ ms +[\d.]+ ms",
                r"CreateKernel +[\d.]+ m?s +[\d.]+ m?s +\d+"):
        assert re.search(row, done.stdout), done.stdout
    assert not port_answers(ports[1]) and not port_answers(ports[3])
    assert not list((tmp_path / "state/run").iterdir())
    assert seconds < SECONDS_MAX


def test_it_stays_runs_twice_and_stops(tmp_path, ports):
    state = tmp_path / "state"
    try:
        for options in [], ["--spark"]:
            done = run(state, *ports, *options)
            assert done.returncode == 0, done.stdout + done.stderr
        lab = re.search(r"http://127\.0\.0\.1:(\d+)/lab\?token=\w+", done.stdout)
        with urllib.request.urlopen(lab[0], timeout=10) as page:
            assert b"JupyterLab" in page.read()
        curl = re.search(r"^ +(curl .*)$", done.stdout, re.MULTILINE)[1]
        specs = subprocess.run(["bash", "-c", curl], capture_output=True, timeout=20, check=True)
        assert set(json.loads(specs.stdout)["kernelspecs"]) == {"python3", "pyspark", "spark_scala"}
        metrics = re.search(r"http://127\.0\.0\.1:\d+/metrics", done.stdout)[0]
        with urllib.request.urlopen(metrics, timeout=5) as page:
            assert b"kernelgate_build_info" in page.read()
    finally:
        stopped = run(state, "--stop")
    assert stopped.returncode == 0
    assert not port_answers(ports[1]) and not port_answers(ports[3]) and not port_answers(lab[1])


def test_in_front_of_a_gateway_that_is_already_there(tmp_path, ports, gateway, workshop):
    done = run(tmp_path / "state", "--once", *ports, "--gateway", gateway.url,
               "--gateway-token-file", workshop.gateway_token_file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert gateway.child.poll() is None


def test_a_dead_gateway_is_one_sentence(tmp_path, ports, workshop):
    done = run(tmp_path / "state", *ports, "--gateway", f"http://127.0.0.1:{peers.free_port()}",
               "--gateway-token-file", workshop.gateway_token_file)
    assert "nothing answers there" in last_sentence(done)


def test_a_gateway_with_another_token_is_one_sentence(tmp_path, ports, gateway):
    wrong = tmp_path / "wrong-token"
    wrong.write_text("wrong")
    done = run(tmp_path / "state", *ports, "--gateway", gateway.url,
               "--gateway-token-file", wrong)
    assert "it says 401" in last_sentence(done)


def test_a_busy_port_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = run(tmp_path / "state", "--port", port)
    assert f"Port {port} is in use" in last_sentence(done)


def test_a_folder_with_other_files_is_never_taken(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for options in ([], ["--clean"]):
        assert "is not empty and not Kernelgate's" in last_sentence(run(tmp_path, *options))
    assert (tmp_path / "mine.txt").exists()
