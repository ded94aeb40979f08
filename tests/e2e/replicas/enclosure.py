"""Pid 1 of the namespace in which gateways that share their kernels run: starts them, signals them,
reaps what they leave behind.

A gateway may signal kernels that another one started, by process group; nothing outside of the
namespace can be meant then, for it has no number in here. Everything in here ends with this
process, and this process with its standard input. It speaks in JSON lines:

  {"start": NAME, "argv": [...], "env": {...}, "cwd": FOLDER, "log": FILE}   -> {"started": NAME}
  {"signal": NAME, "number": N}                                           -> {"signalled": NAME}
  of its own accord, when one has ended                       -> {"ended": NAME, "code": CODE}
"""

import json
import os
import selectors
import signal
import subprocess
import sys


def say(**message):
    print(json.dumps(message), flush=True)


class Enclosure:
    def __init__(self):
        self.running = {}  # name -> Popen

    def obey(self, command):
        if "start" in command:
            name = command["start"]
            with open(command["log"], "ab") as log:
                self.running[name] = subprocess.Popen(
                    command["argv"], env=command["env"], cwd=command["cwd"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            say(started=name)
        else:
            name = command["signal"]
            if name in self.running:  # and not reaped, so the number is still its own
                os.kill(self.running[name].pid, command["number"])
            say(signalled=name)

    def reap(self):
        """Takes leave of gateways, and of kernels whose gateway has ended before them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, process in list(self.running.items()):
                if process.pid == pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    del self.running[name]
                    say(ended=name, code=process.returncode)


def main():
    assert os.getpid() == 1, "not in a namespace of its own"
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    enclosure = Enclosure()
    say(ready=True)
    with selectors.DefaultSelector() as selector:
        selector.register(wake, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == wake:
                    os.read(wake, 4096)
                    enclosure.reap()
                else:
                    line = sys.stdin.buffer.raw.readline()
                    if not line:
                        return
                    enclosure.obey(json.loads(line))


main()
