"""slowhttptest in its four modes, over TLS: a normal client is served throughout."""

import re
import subprocess
import time

import pytest

from support.http_text import build_request

CONNECTIONS = 500
SECONDS = 8  # of each mode
NORMAL_SECONDS = 3  # a normal request is answered within: two busy cores, five processes
ANSWER = b"k" * 60_000  # a long list of kernels

MODES = {
    "slow headers": ["-H", "-x", "24"],
    "slow body": ["-B", "-s", "8192", "-x", "10", "-f", "application/json"],  # a form is 415
    "range": ["-R", "-t", "HEAD", "-a", "5", "-b", "500"],
    "slow read": ["-X", "-w", "10", "-y", "20", "-n", "2", "-z", "8"],
}


def attack(program, mode, url, folder):
    log = open(folder / "slowhttptest.log", "wb")
    return subprocess.Popen(
        [program, *MODES[mode], "-c", str(CONNECTIONS), "-r", str(CONNECTIONS), "-i", "1",
         "-l", str(SECONDS), "-p", "3", "-u", url],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


@pytest.mark.parametrize("mode", MODES)
def test_a_normal_client_is_served_throughout(make_stage, debian_tool, tmp_path, mode):
    stage = make_stage(endpoint={"hosts": None, "path_prefix": "/slow", "other_paths": "forward"})
    stage.gateway.serve(lambda call: call.reply(200, ANSWER))
    url = f"https://127.0.0.1:{stage.proxy.port}/slow/thing?token={stage.token()}"
    normal = [("Host", "ep.test"), ("Authorization", f"token {stage.token()}")]
    before = stage.proxy.rss()
    tool = stage.closes(Ended(attack(debian_tool("slowhttptest"), mode, url, tmp_path)))
    times, most, open_most = [], 0, 0
    while tool.process.poll() is None:
        asked = time.monotonic()
        if len(times) % 10 == 0:  # new connections are served, too
            client = stage.connect(keep_record=False)
        client.send(build_request("GET", "/slow/thing", normal))
        response = client.read_response()
        times.append(time.monotonic() - asked)
        assert (response.status, response.body) == (200, ANSWER)
        most = max(most, stage.proxy.rss() - before)
        open_most = max(open_most, stage.proxy.metrics().value("kernelgate_connections_open"))
    said = re.sub(r"\x1b\[[0-9;]*m", "", (tmp_path / "slowhttptest.log").read_text())
    assert tool.process.returncode == 0, said[-2000:]
    assert not re.search(r"service available:\s*NO", said), said[-2000:]
    print(f"{mode}: {len(times)} normal requests, the slowest in {max(times):.3f} s, "
          f"{open_most:.0f} connections at a time, {most >> 20} MiB more memory")
    accepted = stage.proxy.metrics().value("kernelgate_connections_accepted_total")
    assert accepted >= CONNECTIONS, "the attack did not take place"
    assert mode == "range" or open_most >= CONNECTIONS / 2, "it was turned away at once"
    assert max(times) < NORMAL_SECONDS
    assert most < CONNECTIONS * 256 * 1024


class Ended:
    """Ends a program with its test."""

    def __init__(self, process):
        self.process = process

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
