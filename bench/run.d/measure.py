"""Measures the CPU time of each proxy per request and per message, interleaved, and reports it.

Called by bench/run, which has built and installed what is needed.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

import report
from contestants import ALL, Before, Kernelgate, Keys, contestant, require_programs, versions
from processes import BenchError, Child, cores, on_signals, run

WORKLOADS = {
    "get": ("small HTTPS GET, HTTP/1.1 keep-alive", 32),
    "ws": ("256 B WebSocket round trip", 64),
}


WINDOW_SECONDS = 0.5


class Upstream:
    """The gateway behind all of them; a context manager."""

    def __init__(self, bin_dir, folder):
        self.command = [bin_dir / "bench-upstream"]
        self.out = folder / "upstream.out"
        self.log = folder / "upstream.log"

    def __enter__(self):
        self.child = Child(self.command, self.log, core=cores()[1], stdout=self.out)
        self.child.wait_until(lambda: self.out.read_text().startswith("listening "),
                              "bench-upstream")
        self.port = int(self.out.read_text().split()[1])
        return self

    def __exit__(self, *_):
        self.child.stop()


def load(options, seconds, keys, mode, url, pids):
    """One measured window of bench-client; its figures."""
    command = ["taskset", "-c", cores()[1], options.bin_dir / "bench-client",
               "--url", url, "--mode", mode, "--connections", WORKLOADS[mode][1],
               "--seconds", seconds, "--warmup", options.warmup,
               "--token-file", keys.session_token_file, "--ca-file", keys.certificate]
    for pid in pids:
        command += ["--cpu-of", pid]
    figures = json.loads(run(command, timeout=seconds + options.warmup + 30))
    figures["cpu_us"], figures["upstream_cpu_us"] = figures["cpu_us"]
    return figures


class Progress:
    def __init__(self, total):
        self.total, self.done = total, 0
        self.terminal = sys.stderr.isatty()

    def step(self, text):
        self.done += 1
        if self.terminal:
            print(f"\r\033[K  [{self.done}/{self.total}] {text}", end="", file=sys.stderr,
                  flush=True)
        elif self.done == self.total or self.done % 50 == 0:
            print(f"  {self.done} of {self.total} windows measured", file=sys.stderr, flush=True)

    def clear(self):
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def measure(options, folder, keys):
    """In each round all contestants are started, and windows go from one to the next: what one core
    can do changes from second to second, and so it meets all of them alike."""
    samples = {mode: {name: [] for name in options.contestants} for mode in options.workloads}
    windows = max(1, round(options.seconds / WINDOW_SECONDS))
    seconds = options.seconds / windows
    total = options.rounds * windows * len(options.contestants) * len(options.workloads)
    progress = Progress(total)
    with Upstream(options.bin_dir, folder) as upstream:
        for round_ in range(options.rounds):
            with contextlib.ExitStack() as stack:
                proxies = [stack.enter_context(contestant(name, keys, folder, upstream.port))
                           for name in options.contestants]
                for window in range(windows):
                    shift = window % len(proxies)
                    for mode in options.workloads:
                        for proxy in proxies[shift:] + proxies[:shift]:
                            progress.step(f"round {round_ + 1}: {proxy.name}, {mode}")
                            samples[mode][proxy.name].append(
                                load(options, seconds, keys, mode,
                                     f"https://localhost:{proxy.port}",
                                     [proxy.pid, upstream.child.pid]))
    progress.clear()
    return samples


def names_of(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
        return names
    return parse


def parse_options():
    parser = argparse.ArgumentParser(prog="bench/run")
    parser.add_argument("--bin-dir", type=Path, required=True)
    parser.add_argument("--kernelgate", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--warmup", type=float, default=0.1)
    parser.add_argument("--before", type=Path)
    usual = [name for name in ALL if name != "before"]
    parser.add_argument("--contestants", type=names_of(usual), default=usual)
    parser.add_argument("--workloads", type=names_of(WORKLOADS), default=list(WORKLOADS))
    options = parser.parse_args()
    if options.before:
        options.contestants.insert(1, "before")
    return options


def main():
    options = parse_options()
    require_programs(options.contestants)
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchError("two cores are needed: one for the proxy, one for load and gateway")
    os.environ["PATH"] += ":/usr/sbin"
    Kernelgate.binary, Before.binary = options.kernelgate, options.before
    before = os.getloadavg()[0]
    if before > 0.5:
        print(f"  The machine is busy (load {before:.1f}): "
              "ratios hold better than absolute figures.", file=sys.stderr)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kernelgate-bench-")))
        keys = Keys(folder, options.kernelgate if "kernelgate" in options.contestants else None)
        samples = measure(options, folder, keys)
    result = report.medians(samples)
    for mode, by_name in result.items():
        title, connections = WORKLOADS[mode]
        windows = len(samples[mode][options.contestants[0]])
        heading = f"{title}, {connections} connections, median of {windows} windows"
        print("\n" + report.table(heading, by_name))
        if options.before:
            print(report.comparison(samples[mode]["kernelgate"], samples[mode]["before"]))
    print(report.NOTE)
    report.write_json(options.out, {
        "versions": versions(options.contestants, options.kernelgate), "rounds": options.rounds,
        "seconds": options.seconds, "load_before": before, "medians": result, "samples": samples})
    print(f"\nAll figures: {options.out}")


if __name__ == "__main__":
    on_signals()
    try:
        main()
    except BenchError as error:
        sys.exit(f"\nbench/run: {error}")
