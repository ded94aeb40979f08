"""Kernelgate under callgrind, and what it counted in Kernelgate's own object."""

import re
from collections import Counter
from pathlib import Path

from contestants import Kernelgate

ELSEWHERE = "(other objects)"


class Counted(Kernelgate):
    """Kernelgate under callgrind; `inside`: count only inside these functions. `activity`: what the
    configuration says of it. `by_thread`: see busiest_thread()."""

    start_seconds = 300

    def __init__(self, name, keys, folder, upstream_port, inside=(), activity="on",
                 by_thread=False):
        super().__init__(name, keys, folder, upstream_port, pinned=False)
        self.values["MORE"] = f"websocket: {{kernel_activity: {activity}}}"
        self.out = self.folder / "callgrind.out"
        self.under = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}",
                      f"--separate-threads={'yes' if by_thread else 'no'}",
                      *(f"--toggle-collect={entry}" for entry in inside)]


def own_instructions(file, binary):
    """Function to instructions of its own, of those that stand in that object; all others under one
    name. (Callgrind's format, with names written once and numbered.)"""
    names, counts = {}, Counter()
    here = {"ob": "", "fn": ""}
    called = False
    for line in file.read_text(errors="replace").splitlines():
        spec = re.match(r"(c?)(ob|fn|fl|fi|fe)=\((\d+)\)(?: (.*))?$", line)
        if spec:
            callee, kind, number, name = spec.groups()
            kind = "ob" if kind == "ob" else "fn" if kind == "fn" else "file"
            if name:
                names[kind, number] = name
            if not callee and kind in here:
                here[kind] = names[kind, number]
        elif line.startswith("calls="):
            called = True  # the next line is the callee's cost
        elif line[:1].isdigit() or line[:1] in "+-*":
            if not called:
                own = Path(here["ob"]).name == binary.name
                counts[here["fn"] if own else ELSEWHERE] += sum(map(int, line.split()[1:2]))
            called = False
    return counts


def busiest_thread(file, binary, function):
    """The same of the one thread that spent most in that function: what others do by the clock, and
    a slow machine more often than a fast one, is left out."""
    threads = [own_instructions(each, binary) for each in file.parent.glob(f"{file.name}-*")]
    return max(threads, key=lambda counts: sum(
        count for name, count in counts.items() if name.startswith(function)))
