"""Child processes of the benchmark: pinned to a core, waited for, and always ended."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

START_SECONDS = 15
STOP_SECONDS = 10


def on_signals():
    """SIGINT and SIGTERM leave every `with` in order, which ends what was started."""
    def leave(number, _frame):
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_, signal.SIG_IGN)
        sys.exit(128 + number)
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, leave)


class BenchError(Exception):
    """A sentence for the user."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cores():
    """(core of the proxy, core of load and gateway)."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


def run(command, timeout=60, **options):
    """The output of a short command; BenchError with its last words if it fails."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              timeout=timeout, **options)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{command[0]} did not end within {timeout} s") from error
    except OSError as error:
        raise BenchError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        program = os.path.basename(str(command[0]))
        raise BenchError(f"{program} failed: {words[-1] if words else done.returncode}")
    return done.stdout


class Child:
    """A long-running process with its output in a file."""

    def __init__(self, command, log, core=None, cwd=None, stdout=None):
        self.log = log
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        with open(log, "wb") as sink, contextlib.ExitStack() as files:
            out = files.enter_context(open(stdout, "wb")) if stdout else sink
            # Signals of the terminal reach only this script, which ends its children itself.
            self.process = subprocess.Popen(
                [str(part) for part in [*pinned, *command]], cwd=cwd, stdout=out, stderr=sink,
                stdin=subprocess.DEVNULL, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid  # taskset becomes the command: it is the same process

    def last_words(self):
        lines = open(self.log, errors="replace").read().strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def wait_until(self, ready, what, seconds=START_SECONDS):
        """Until ready() is true; BenchError if the process ends before, or takes too long."""
        until = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > until:
                raise BenchError(f"{what} did not start: {self.last_words()}")
            time.sleep(0.02)

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def answers(port):
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
