"""A cell that prints numbered lines, and which of them arrived."""

import re


def printing(name, lines, pause):
    return (f"import time\nfor n in range({lines}):\n"
            f"    print(f'{name}-{{n:04}}', flush=True)\n    time.sleep({pause})")


def printing_until(name, file, pause):
    """The same, until that file is there."""
    return (f"import os, time\nfor n in range(10_000):\n"
            f"    if os.path.exists({str(file)!r}): break\n"
            f"    print(f'{name}-{{n:04}}', flush=True)\n    time.sleep({pause})")


def numbers(name, output):
    """Of the lines in that output, in order; also where it is JSON, in which an end of line is part
    of the next word and may come in a message of its own."""
    return [int(n) for n in re.findall(rf"{name}-(\d{{4}})", output)]
