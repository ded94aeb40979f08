"""What a process takes: CPU time and memory, as Linux counts them."""

import os
import re
from pathlib import Path


def cpu_ms(pid):
    """CPU time of all of its threads so far, in milliseconds, counted in nanoseconds."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        total += int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
    return total / 1e6


def rss(pid):
    """Resident memory in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
