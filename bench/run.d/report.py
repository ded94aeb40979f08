"""Results to medians, a table and a JSON file."""

import json
import os
import platform
import statistics
import time

FIGURES = ("cpu_us", "per_second", "p50_us", "p99_us", "upstream_cpu_us", "client_cpu_us")


def medians(samples):
    """samples[workload][contestant] = list of one dict per round -> the same with medians."""
    return {
        workload: {
            name: {figure: statistics.median(round_[figure] for round_ in rounds)
                   for figure in FIGURES}
            for name, rounds in by_name.items()
        }
        for workload, by_name in samples.items()
    }


def best_peer(by_name, logs):
    peers = [figures["cpu_us"] for name, figures in by_name.items()
             if name not in ("kernelgate", "before") and name.endswith("-log") == logs]
    return min(peers, default=None)


def table(title, by_name):
    quiet, logging = best_peer(by_name, logs=False), best_peer(by_name, logs=True)
    lines = [title,
             f"  {'':<14}{'CPU µs':>8}{'ratio*':>9}{'ratio**':>9}"
             f"{'per s':>9}{'p50 µs':>9}{'p99 µs':>9}"]
    for name, figures in by_name.items():
        cpu = figures["cpu_us"]
        ratios = "".join(f"{cpu / best:9.2f}" if best else f"{'-':>9}" for best in (quiet, logging))
        lines.append(f"  {name:<14}{cpu:8.2f}{ratios}{figures['per_second']:9.0f}"
                     f"{figures['p50_us']:9.0f}{figures['p99_us']:9.0f}")
    return "\n".join(lines)


NOTE = "*  to the best peer without a log   ** to the best peer that writes a JSON log line too"


def cpu_model():
    with open("/proc/cpuinfo") as info:
        names = (line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
        return next(names, "unknown")


def machine():
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "kernel": platform.release(),
            "system": platform.freedesktop_os_release()["PRETTY_NAME"]}


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path.write_text(json.dumps({"date": when, "machine": machine(), **content}, indent=1) + "\n")
