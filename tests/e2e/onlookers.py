"""Clients at all proxies of a site: onlookers, who see when an endpoint is as it should be, and
traffic, which goes on whatever happens and must not see any of it."""

import time

from support.peer_process import PeerProcess
from support.raw_client import RawClient
from support.stage import CHANNELS
from support.waiting import PATIENCE


class Onlookers:
    """Each has one connection, so that looking takes well under a millisecond."""

    def __init__(self, site):
        self.site, self.looks = site, 0
        context = site.workshop.context()
        self.clients = [RawClient(proxy.port, context, sni=None, keep_record=False)
                        for proxy in site.proxies]

    def see(self, name, status, seconds=PATIENCE):
        """When the last of them was answered with it, as time.monotonic()."""
        token = self.site.workshop.token(name)
        waiting, deadline = list(self.clients), time.monotonic() + seconds
        seen = {}
        while waiting:
            for client in list(waiting):
                self.looks += 1
                answer = client.exchange("GET", "/api/kernelspecs", token=token,
                                         host=f"{name}.example.com")
                seen[client] = answer.status
                if answer.status == status:
                    waiting.remove(client)
            assert time.monotonic() < deadline, f"{name} is {list(seen.values())}, not {status}"
        return time.monotonic()

    def close(self):
        for client in self.clients:
            client.close()


class Traffic:
    """At each proxy so many WebSockets, which send a message every `period` seconds and want it
    back, and REST clients; all of one endpoint. end() fails if anything at all went wrong."""

    def __init__(self, site, name, websockets, rest=2, period=0.2):
        self.site, self.name, self.websockets = site, name, websockets
        self.before = [proxy.metrics() for proxy in site.proxies]
        self.crowds = [PeerProcess(
            "support.soak_peers", "clients", proxy.port, site.workshop.keyring.ca,
            f"{name}.example.com", CHANNELS, websockets, rest, 0, period,
            given=site.workshop.token(name)) for proxy in site.proxies]
        for crowd in self.crowds:
            if crowd.wait_for("open", 300)["open"] < websockets + rest:
                self.judge()
        self.check()

    def check(self):
        """No WebSocket is closed, not even on the gateway's side, and no error is counted."""
        for proxy, before in zip(self.site.proxies, self.before):
            now = proxy.metrics()
            assert now.value("kernelgate_websockets_open", endpoint=self.name) == self.websockets
            for name, labels in (("kernelgate_errors_total", {"endpoint": self.name}),
                                 ("kernelgate_websocket_gaps_total", {}),
                                 ("kernelgate_feed_rejected_total", {})):
                assert now.value(name, **labels) == before.value(name, **labels), (
                    name, proxy.stderr_lines[-5:])

    def end(self):
        """(messages, requests) that were answered."""
        self.check()
        return self.judge()

    def judge(self):
        for crowd in self.crowds:
            crowd.end_input()
        results = [crowd.wait_for("messages", 120) for crowd in self.crowds]
        self.close()
        errors = [error for result in results for error in result["errors"]]
        assert not errors, f"{len(errors)} errors, the first: {errors[:5]}"
        messages, requests = (sum(result[what] for result in results)
                              for what in ("messages", "requests"))
        assert messages and requests
        return messages, requests

    def close(self):
        for crowd in self.crowds:
            crowd.close()
