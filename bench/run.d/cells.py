"""Times a 1+1 cell on a real gateway, directly and through each proxy, interleaved cell by cell.

Called by bench/run, which has built and installed what is needed.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import report
from contestants import Kernelgate, Keys, contestant, require_programs, versions
from processes import BenchError, Child, free_port, on_signals, run

WAYS = ["kernelgate", "nginx", "haproxy"]
RESTS_MS = [0, 500]  # before each cell
TITLES = {0: "back to back", 500: "half a second apart"}
SETUP = Path(__file__).resolve().parents[2] / "deploy" / "setup"


class Gateway:
    """A Jupyter Enterprise Gateway of the quickstart's environment; a context manager."""

    def __init__(self, venv, folder, token_file):
        self.port = free_port()
        self.token = token_file.read_text().strip()
        self.command = [SETUP / "run-gateway", venv, folder / "gateway", self.port, token_file]
        self.log = folder / "gateway.log"

    def ready(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api",
                                         headers={"Authorization": f"token {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            raise BenchError(f"the gateway answers {error.code} to its own token") from error
        except OSError:
            return False

    def __enter__(self):
        self.child = Child(self.command, self.log)
        try:
            self.child.wait_until(self.ready, "the gateway", seconds=60)
        except BaseException:
            self.child.stop()
            raise
        return self

    def __exit__(self, *_):
        self.child.stop()


def measure(options, folder, keys, stack):
    """{rest in ms: {way: times}}"""
    gateway = stack.enter_context(Gateway(options.gateway_venv, folder, keys.gateway_token_file))
    command = [options.bin_dir / "bench-cell", "--ca-file", keys.certificate,
               "--way", "direct", f"http://127.0.0.1:{gateway.port}", keys.gateway_token_file]
    for name in WAYS:
        proxy = stack.enter_context(contestant(name, keys, folder, gateway.port, pinned=False))
        token = keys.session_token_file if name == "kernelgate" else keys.gateway_token_file
        command += ["--way", name, f"https://localhost:{proxy.port}", token]
    result = {}
    for rest_ms in RESTS_MS:
        print(f"  {options.cells} cells on each of {len(WAYS) + 1} ways, {TITLES[rest_ms]} ...",
              file=sys.stderr)
        timing = ["--cells", options.cells, "--pause-ms", rest_ms]
        result[rest_ms] = json.loads(run([*command, *timing], timeout=60 + 4 * options.cells))
    return result


def table(rest_ms, ways, cells):
    direct = ways["direct"]["p50_ms"]
    lines = [f"1+1 cell on a real gateway and kernel, {TITLES[rest_ms]}, "
             f"{cells} cells on each way, interleaved",
             f"  {'':<14}{'p50 ms':>9}{'ratio*':>9}{'p90 ms':>9}{'p99 ms':>9}"]
    lines += [f"  {name:<14}{times['p50_ms']:9.1f}{times['p50_ms'] / direct:9.2f}"
              f"{times['p90_ms']:9.1f}{times['p99_ms']:9.1f}" for name, times in ways.items()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="bench/run --cell")
    parser.add_argument("--bin-dir", type=Path, required=True)
    parser.add_argument("--kernelgate", type=Path, required=True)
    parser.add_argument("--gateway-venv", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=60)
    options = parser.parse_args()
    require_programs(WAYS)
    Kernelgate.binary = options.kernelgate
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kernelgate-bench-")))
        result = measure(options, folder, Keys(folder, options.kernelgate), stack)
    for rest_ms, ways in result.items():
        print("\n" + table(rest_ms, ways, options.cells))
    print("* to no proxy at all")
    report.write_json(options.out,
                      {"versions": versions(WAYS, options.kernelgate), "cells": result})
    print(f"\nAll figures: {options.out}")


if __name__ == "__main__":
    on_signals()
    try:
        main()
    except BenchError as error:
        sys.exit(f"\nbench/run: {error}")
