"""A cell that prints numbered lines, and which of them arrived."""

import re


def printing(name, lines, pause):
    return (f"import time\nfor n in range({lines}):\n"
            f"    print(f'{name}-{{n:04}}', flush=True)\n    time.sleep({pause})")


def numbers(name, output):
    """Of the lines in that output, in order; also where it is JSON."""
    return [int(n) for n in re.findall(rf"\b{name}-(\d{{4}})(?:\n|\\n)", output)]
