"""The main job of the quickstart: a kernel's whole life through the proxy, with stock client code.

First through an unmodified Jupyter server in gateway mode, then by a direct WebSocket client, then
a comparison of one trivial cell with and without the proxy. Prints progress and ends with a table.
Exit code 1 and one sentence when something does not do what it should.
"""

import argparse
import statistics
import sys
import time

import websocket
from kernel_client import Gateway, KernelError
from metrics_text import latencies, scrape

STREAM = "import time\nfor i in range(5):\n    print('line', i, flush=True)\n    time.sleep(0.1)\n"
BUSY = "import time\nprint('busy', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)\n"
CELLS = 20  # each way, interleaved


def check(condition, problem):
    if not condition:
        raise KernelError(problem)


class Steps:
    """Prints `what ... answer  time`, one line per step."""

    def __init__(self, title):
        print(f"\n{title}")
        self.begin = time.perf_counter()

    def done(self, what, answer):
        now = time.perf_counter()
        print(f"  {what:<22}{answer:<42}{(now - self.begin) * 1000:8.0f} ms", flush=True)
        self.begin = time.perf_counter()


def python_spec(specs):
    known = specs["kernelspecs"]
    names = [specs.get("default"), *known]
    for name in names:
        if name in known and known[name]["spec"].get("language") == "python":
            return name
    raise KernelError(f"the gateway offers no Python kernel, only: {', '.join(known) or 'none'}")


def whole_life(steps, server, user):
    """list, create, execute, stream, complete, interrupt, restart, delete."""
    specs = server.specs()
    spec = python_spec(specs)
    steps.done("list kernel specs", ", ".join(specs["kernelspecs"]))
    kernel = server.create(spec, user)
    try:
        steps.done("create a kernel", kernel)
        with server.connect(kernel) as channels:
            steps.done("open its WebSocket", "101")
            cell = channels.execute("6 * 7")
            check(cell.result == "42", f"6 * 7 gave {cell.result!r} ({cell.status} {cell.error})")
            steps.done("execute 6 * 7", cell.result)
            pieces = []
            cell = channels.execute(STREAM, on_output=pieces.append)
            lines = cell.stdout.splitlines()
            check(lines == [f"line {i}" for i in range(5)], f"the stream arrived as {lines}")
            steps.done("stream output", f"{len(lines)} lines in {len(pieces)} pieces, as printed")
            matches = channels.complete("pri")
            check("print" in matches, f"completion of pri gave {matches[:5]}")
            steps.done("complete pri", ", ".join(matches[:3]))
            cell = channels.execute(BUSY, on_output=lambda _: server.interrupt(kernel))
            check(cell.error == "KeyboardInterrupt", f"the interrupt gave {cell}")
            steps.done("interrupt a busy cell", cell.error)
            channels.execute("x = 1")
            server.restart(kernel)
            steps.done("restart", "200")
        with server.connect(kernel) as channels:
            cell = channels.execute("x")
            check(cell.error == "NameError", f"after the restart the old x gave {cell}")
            cell = channels.execute("1 + 1")
            check(cell.result == "2", f"after the restart 1 + 1 gave {cell.result!r}")
            steps.done("use it again", "1 + 1 = 2, old variables gone")
    finally:
        server.delete(kernel)
    steps.done("delete", "204")


def start_kernel(gateway, spec, user):
    """(id, open channels, seconds from the POST to the open WebSocket)"""
    begin = time.perf_counter()
    kernel = gateway.create(spec, user)
    try:
        return kernel, gateway.connect(kernel), time.perf_counter() - begin
    except BaseException:
        gateway.delete(kernel)
        raise


def compare(proxy, direct, user):
    """Median seconds of 1+1 through the proxy and without it, and of a kernel start each way."""
    spec = python_spec(proxy.specs())
    open_kernels = []
    try:
        for gateway in (proxy, direct):
            open_kernels.append((gateway, *start_kernel(gateway, spec, user)))
        times = {proxy: [], direct: []}
        for turn in range(CELLS + 2):
            for gateway, _, channels, _ in open_kernels:
                cell = channels.execute("1+1")
                check(cell.result == "2", f"1+1 gave {cell.result!r} ({cell.status} {cell.error})")
                if turn >= 2:  # the first cells of a kernel load modules
                    times[gateway].append(cell.seconds)
        starts = {gateway: seconds for gateway, _, _, seconds in open_kernels}
        return {gateway: (starts[gateway], statistics.median(times[gateway])) for gateway in times}
    finally:
        for gateway, kernel, channels, _ in open_kernels:
            channels.close()
            gateway.delete(kernel)


def time_text(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def print_table(with_proxy, without, metrics_url):
    print(f"\n  {'':<36}{'with the proxy':>16}{'without':>12}")
    names = "kernel start (POST to open socket)", f"a 1+1 cell (median of {CELLS})"
    for name, one, other in zip(names, with_proxy, without):
        print(f"  {name:<36}{time_text(one):>16}{time_text(other):>12}")
    title = "from /metrics: time to first byte"
    print(f"\n  {title:<36}{'mean':>16}{'95 % below':>12}{'count':>8}")
    rows = latencies(scrape(metrics_url), "kernelgate_request_first_byte_seconds", "operation")
    for operation, (count, mean, p95) in sorted(rows.items()):
        print(f"  {operation:<36}{time_text(mean):>16}{time_text(p95):>12}{count:>8}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("jupyter", "jupyter-token-file", "proxy", "session-token-file", "ca", "gateway",
                 "gateway-token-file", "metrics"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--user", default="quickstart", help="KERNEL_USERNAME")
    options = parser.parse_args()

    jupyter = Gateway(options.jupyter, read(options.jupyter_token_file))
    proxy = Gateway(options.proxy, read(options.session_token_file), options.ca)
    direct = Gateway(options.gateway, read(options.gateway_token_file))
    try:
        steps = Steps("The main job, by a stock Jupyter server in gateway mode")
        whole_life(steps, jupyter, options.user)
        steps = Steps("The same, by a WebSocket client straight at the proxy")
        whole_life(steps, proxy, options.user)
        results = compare(proxy, direct, options.user)
        print_table(results[proxy], results[direct], options.metrics)
    except (KernelError, websocket.WebSocketException, OSError) as error:
        sys.exit(f"\nThe main job failed: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
