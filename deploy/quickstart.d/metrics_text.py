"""Reads Prometheus text (version 0.0.4): samples, and latency summaries from histogram buckets."""

import re
import urllib.request

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """[(name, {label: value}, number)] in the order of the text."""
    samples = []
    for line in text.splitlines():
        match = None if line.startswith("#") else SAMPLE.match(line)
        if match:
            samples.append((match[1], dict(LABEL.findall(match[2] or "")), float(match[3])))
    return samples


def scrape(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return parse(answer.read().decode())


def value(samples, name, **labels):
    """The sum of all samples of that name that carry these labels."""
    return sum(v for n, ls, v in samples if n == name and labels.items() <= ls.items())


def latencies(samples, name, by):
    """{label value: (count, mean in seconds, bound that 95 % stay below)} of one histogram."""
    out = {}
    for key in {ls[by] for n, ls, _ in samples if n == f"{name}_count" and by in ls}:
        count = value(samples, f"{name}_count", **{by: key})
        if count == 0:
            continue
        buckets = {}
        for n, ls, v in samples:
            if n == f"{name}_bucket" and ls.get(by) == key:
                bound = float(ls["le"])
                buckets[bound] = buckets.get(bound, 0) + v
        p95 = min(bound for bound, below in buckets.items() if below >= 0.95 * count)
        out[key] = (int(count), value(samples, f"{name}_sum", **{by: key}) / count, p95)
    return out
