"""Reporting of broken rules, and the list of exceptions that may only shrink."""

import functools
from pathlib import Path

EXCEPTIONS = Path(__file__).with_name("exceptions.txt")


@functools.lru_cache(maxsize=None)
def exceptions():
    """(limit, {(rule, path)})"""
    limit, allowed = 0, set()
    for line in EXCEPTIONS.read_text().splitlines():
        if line.startswith("at most:"):
            limit = int(line.partition(":")[2])
        elif line.strip() and not line.startswith("#"):
            rule, path, reason = line.split(None, 2)
            assert reason, f"an exception needs a reason: {line}"
            allowed.add((rule, path))
    return limit, allowed


_used = set()


def report(rule, findings, instead):
    """Fails with all findings (path, where, what) that are not excepted, and what to do."""
    _, allowed = exceptions()
    left = []
    for path, where, what in findings:
        if (rule, path) in allowed:
            _used.add((rule, path))
        else:
            left.append(f"  {where}: {what}")
    assert not left, f"\n{rule}: {instead}\n" + "\n".join(left)


def unused_exceptions():
    return sorted(exceptions()[1] - _used)
