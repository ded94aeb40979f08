"""kernelgate-controller as a command."""

import os
import subprocess
from pathlib import Path


def program():
    """KERNELGATE_CONTROLLER_BIN, else the one of the build that KERNELGATE_BIN is of."""
    named = os.environ.get("KERNELGATE_CONTROLLER_BIN")
    if named:
        return named
    build = Path(os.environ["KERNELGATE_BIN"]).parents[2]
    return str(build / "routing/controller/kernelgate-controller")


def run_controller(*arguments):
    return subprocess.run([program(), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
