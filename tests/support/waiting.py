"""Waiting with a deadline: every wait says what it waited for when it gives up."""

import os
import threading
import time

# Seconds. A sanitized build on a busy machine is slow; a passing test never waits this long.
PATIENCE = float(os.environ.get("KG_TEST_PATIENCE", "10"))
_POLL_SECONDS = 0.005


class GaveUp(AssertionError):
    """A wait ended without what it waited for."""


def wait_until(probe, what, timeout=PATIENCE):
    """Calls probe() until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    never = threading.Event()
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= deadline:
            state = what() if callable(what) else what
            raise GaveUp(f"waited {timeout:g} s for {state}")
        never.wait(_POLL_SECONDS)
