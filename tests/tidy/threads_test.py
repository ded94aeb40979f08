"""Which unit tests the thread sanitizer is shown: those in whose programs several threads run."""

import re

from rules import report
from source_tree import CPP, ROOT, of

# Whoever includes one of these may start a thread.
STARTERS = {"<thread>", "<future>", "<pthread.h>", '"proxy/fetch/fetcher.h"',
            '"metrics/log_writer.h"', '"proxy/server/worker.h"', '"routing/feed/subscriber.h"'}


def _starts_threads(source, by_path, seen):
    """By itself or by what it includes of tests/unit."""
    seen.add(source.path)
    for _, name in source.includes:
        if name in STARTERS:
            return True
        for path in {name[1:-1], f"{source.folder}/{name[1:-1]}"} & by_path.keys() - seen:
            if _starts_threads(by_path[path], by_path, seen):
                return True
    return False


def test_the_thread_sanitizer_sees_every_test_with_threads():
    listed = re.search(r"set\(KG_THREADED([^)]*)\)", (ROOT / "tests/CMakeLists.txt").read_text())
    listed = {f"tests/unit/{name}.cc" for name in listed[1].split()}
    by_path = {s.path: s for s in of(CPP) if s.path.startswith("tests/unit/")}
    threaded = {path for path, source in by_path.items()
                if path.endswith("_test.cc") and _starts_threads(source, by_path, set())}
    report("threaded-tests",
           [(path, path, "starts threads and is not in KG_THREADED") for path in threaded - listed]
           + [(path, path, "is in KG_THREADED and starts no thread") for path in listed - threaded],
           "keep the list KG_THREADED of tests/CMakeLists.txt true")
