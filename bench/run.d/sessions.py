"""Counts the instructions that sessions add to a request, in Kernelgate's own object.

There is no switch that turns sessions off. So callgrind counts the real program twice: once every
instruction, once only those inside the functions that take a credential out of a request, recognise
it and ask policy and quotas; "off" is the difference. Instructions of other objects (OpenSSL, the C
library, jemalloc) are told apart. Each count is that of a long run less that of a short one: what
start, handshake and the one signature took cancels out, and requests in steady state are left.

Called by bench/run, which has built and installed what is needed.
"""

import argparse
import contextlib
import re
import shutil
import socket
import ssl
import sys
import tempfile
from collections import Counter
from pathlib import Path

import report
from callgrind import ELSEWHERE, Counted, own_instructions
from contestants import Kernelgate, Keys
from measure import Upstream
from processes import BenchError, on_signals

# One inside another counts once.
ENTRIES = ("kg::exchange::Credentials::of*", "kg::exchange::SessionDesk::recognise*",
           "kg::auth::Policy::allow*", "kg::auth::Policy::permit*", "kg::exchange::Quotas::*")
# These call them, and then the rest of the request: their own instructions belong to sessions.
CALLERS = re.compile(r"kg::exchange::Exchange::(recognise|on_session|authorise)\(")
SHORT, LONG = 300, 1_300  # requests


def ask(port, keys, requests):
    """So many requests on one connection, each after the answer to the one before."""
    context = ssl.create_default_context(cafile=keys.certificate)
    token = keys.session_token_file.read_text().strip()
    request = ("GET /api/kernelspecs HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
               f"User-Agent: bench-sessions\r\nAuthorization: token {token}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", port)) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as client:
        client.settimeout(60)
        for _ in range(requests):
            client.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += client.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise BenchError(f"the answer is {head.splitlines()[0]}")
            left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
            while left > 0:
                left -= len(client.recv(left))


def count(options, folder, keys, upstream, name, inside=()):
    """Instructions per request by function, in steady state."""
    runs = []
    for requests in (SHORT, LONG):
        with Counted(f"{name}-{requests}", keys, folder, upstream.port, inside) as proxy:
            ask(proxy.port, keys, requests)
        runs.append(own_instructions(proxy.out, options.kernelgate))
    short, long = runs
    return Counter({function: (instructions - short[function]) / (LONG - SHORT)
                    for function, instructions in long.items()})


def main():
    parser = argparse.ArgumentParser(prog="bench/run --sessions")
    parser.add_argument("--bin-dir", type=Path, required=True)
    parser.add_argument("--kernelgate", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        raise BenchError("valgrind is not installed: bench/run without --bin-dir installs it")
    Kernelgate.binary = options.kernelgate
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kernelgate-bench-")))
        keys = Keys(folder, options.kernelgate)
        upstream = stack.enter_context(Upstream(options.bin_dir, folder))
        everything = count(options, folder, keys, upstream, "all")
        inside = count(options, folder, keys, upstream, "sessions", ENTRIES)
    elsewhere = everything.pop(ELSEWHERE, 0), inside.pop(ELSEWHERE, 0)
    callers = sum(value for name, value in everything.items() if CALLERS.search(name))
    total, on = sum(everything.values()), sum(inside.values()) + callers
    if min(sum(inside.values()), callers) <= 0:
        raise BenchError("the functions that are counted have other names now")
    print(f"Instructions per request in {options.kernelgate.name}'s own object, steady state:\n"
          f"  all of it         {total:8.0f}\n  sessions          {on:8.0f}\n"
          f"  without sessions  {total - on:8.0f}\n"
          f"  sessions add      {on / (total - on):8.1%}\n"
          f"Of {elsewhere[0]:.0f} in other objects (OpenSSL, the C library) {elsewhere[1]:.0f} are "
          "for sessions.\n")
    for name, value in inside.most_common(12):
        print(f"  {value:8.0f}  {name[:100]}")
    report.write_json(options.out, {
        "instructions": {"all": total, "sessions": on, "share": on / (total - on),
                         "elsewhere": elsewhere},
        "functions": dict(inside.most_common()), "everything": dict(everything.most_common(60))})
    print(f"\nAll figures: {options.out}")


if __name__ == "__main__":
    on_signals()
    try:
        main()
    except BenchError as error:
        sys.exit(f"\nbench/run: {error}")
