"""A trivial cell through the proxy against the same without it, on the same gateway."""

import statistics

from main_job import start_kernel

CELLS = 60
WARM_UP = 5  # the first cells of a kernel load modules
# Gateways leave Nagle's algorithm on; the proxy's quick acknowledgements make that harmless
# (bench/README.md).
RATIO_MAX = 0.35


def test_a_cell_through_the_proxy_takes_a_third_of_the_time(through_proxy, gateway):
    clients = through_proxy, gateway.client
    opened = [(client, *start_kernel(client, "python3", "alice")) for client in clients]
    times = {client: [] for client in clients}
    try:
        for turn in range(WARM_UP + CELLS):
            for client, _, channels, _ in opened:
                cell = channels.execute("1+1")
                assert cell.result == "2"
                if turn >= WARM_UP:
                    times[client].append(cell.seconds)
    finally:
        for client, kernel, channels, _ in opened:
            channels.close()
            client.delete(kernel)
    with_proxy, without = (statistics.median(times[client]) for client in clients)
    figures = f"{with_proxy * 1000:.1f} ms with the proxy, {without * 1000:.1f} ms without"
    print(figures)
    assert with_proxy <= RATIO_MAX * without, figures
