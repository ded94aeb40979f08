"""Proxies are restarted one by one under cells that print, before a stock Jupyter server."""

from concurrent.futures import ThreadPoolExecutor

import peers
import pytest
from fleet import KERNEL_ID_KEYS
from printed_lines import numbers, printing_until
from support.waiting import wait_until

NOTEBOOKS = 3


class Deployment:
    """Proxies behind a balancer, with a stock Jupyter server as its client, in front of a tap."""

    def __init__(self, folder, workshop, tap):
        self.folder = folder
        self.workshop = workshop
        self.tap = tap
        (folder / "kernel-id-keys").write_text(KERNEL_ID_KEYS)
        (folder / "kernel-id-keys").chmod(0o600)
        self.started = 0
        self.proxies = [self.start_proxy() for _ in range(3)]
        self.balancer = peers.Tap(*[proxy.port for proxy in self.proxies])
        (folder / "jupyter").mkdir()
        self.jupyter = peers.JupyterServer(
            folder / "jupyter", workshop, f"https://localhost:{self.balancer.port}/rolling",
            self.proxies[0].session_token("rolling"))

    def start_proxy(self):
        own = self.folder / f"proxy-{self.started}"
        own.mkdir()
        self.started += 1
        return peers.Kernelgate(
            own, self.workshop, {"rolling": self.tap.port}, {},
            config={"kernel_ids": {"keys_file": str(self.folder / "kernel-id-keys")},
                    "drain": {"lame_duck": "0s", "deadline": "1s"}})

    def restart(self, number):
        self.balancer.target_ports[number] = peers.free_port()  # nobody is there
        self.proxies[number].stop()
        self.proxies[number] = self.start_proxy()
        self.balancer.target_ports[number] = self.proxies[number].port

    def open_websockets(self):
        return sum(proxy.metrics().value("kernelgate_websockets_open") for proxy in self.proxies)

    def close(self):
        self.jupyter.stop()
        for proxy in self.proxies:
            proxy.stop()
        self.balancer.close()


@pytest.fixture
def deployment(tmp_path, workshop, tap):
    deployment = Deployment(tmp_path, workshop, tap)
    yield deployment
    deployment.close()


def test_proxies_restarted_under_printing_cells_lose_no_line(deployment, tap):
    """What the gateway has said on its own sockets, and nothing less, is at the notebooks."""
    client = deployment.jupyter.client
    notebooks = {f"book{number}": client.connect(client.create()) for number in range(NOTEBOOKS)}
    began, enough = set(), deployment.folder / "enough"
    with ThreadPoolExecutor() as hands:
        cells = {name: hands.submit(channels.execute, printing_until(name, enough, 0.025),
                                    timeout=90, on_output=lambda _, name=name: began.add(name))
                 for name, channels in notebooks.items()}
        wait_until(lambda: len(began) == NOTEBOOKS, "every cell to print", 30)
        for number in range(len(deployment.proxies)):
            deployment.restart(number)
            wait_until(lambda: deployment.open_websockets() == NOTEBOOKS,
                       "every notebook to be connected again", 30)
        enough.touch()
        results = {name: cell.result() for name, cell in cells.items()}
    said = b"\n".join(tap.came_back).decode(errors="replace")
    for name, channels in notebooks.items():
        cell = results[name]
        assert cell.status == "ok"
        # The tap's connections are reused, so they do not stand in the order of what they say.
        assert numbers(name, cell.stdout) == sorted(numbers(name, said))
        assert channels.execute("6 * 7").result == "42"
        channels.close()
