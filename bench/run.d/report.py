"""Results to medians, a table and a JSON file."""

import json
import math
import os
import platform
import statistics
import time

# cpu_us_low and cpu_us_high hold the middle half of the windows.
FIGURES = ("cpu_us", "per_second", "p50_us", "p99_us", "upstream_cpu_us", "client_cpu_us")


def medians(samples):
    """samples[workload][contestant] = list of one dict per window -> the same with medians."""
    return {workload: {name: middle(windows) for name, windows in by_name.items()}
            for workload, by_name in samples.items()}


def middle(windows):
    figures = {figure: statistics.median(window[figure] for window in windows)
               for figure in FIGURES}
    cpu = sorted(window["cpu_us"] for window in windows)
    figures["cpu_us_low"], figures["cpu_us_high"] = cpu[len(cpu) // 4], cpu[len(cpu) * 3 // 4]
    return figures


def comparison(ours, before):
    """What a change costs: the median of the ratios of neighbouring windows, and the range that
    holds the true one 19 times in 20 (the order statistics of a median)."""
    ratios = sorted(one["cpu_us"] / other["cpu_us"] for one, other in zip(ours, before))
    half = 0.98 * math.sqrt(len(ratios))
    low = ratios[max(0, math.floor((len(ratios) - 1) / 2 - half))]
    high = ratios[min(len(ratios) - 1, math.ceil((len(ratios) - 1) / 2 + half))]
    return (f"  kernelgate to before: {statistics.median(ratios):.3f} "
            f"(95 % between {low:.3f} and {high:.3f})")


def best_peer(by_name, logs):
    peers = [figures["cpu_us"] for name, figures in by_name.items()
             if name not in ("kernelgate", "before") and name.endswith("-log") == logs]
    return min(peers, default=None)


def table(title, by_name):
    quiet, logging = best_peer(by_name, logs=False), best_peer(by_name, logs=True)
    lines = [title,
             f"  {'':<14}{'CPU µs':>8}{'half between':>15}{'ratio*':>9}{'ratio**':>9}"
             f"{'per s':>9}{'p50 µs':>9}{'p99 µs':>9}"]
    for name, figures in by_name.items():
        cpu = figures["cpu_us"]
        ratios = "".join(f"{cpu / best:9.2f}" if best else f"{'-':>9}" for best in (quiet, logging))
        half = f"{figures['cpu_us_low']:.1f} and {figures['cpu_us_high']:.1f}"
        lines.append(f"  {name:<14}{cpu:8.2f}{half:>15}{ratios}{figures['per_second']:9.0f}"
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
