"""Stage: one proxy in front of one scripted gateway, and what most tests want to say."""

import time
from pathlib import Path

from . import tokens
from .proxy_process import ProxyProcess, base_config, endpoint_config
from .raw_client import RawClient, client_context
from .scripted_gateway import ScriptedGateway

FRESH_SECONDS = 300  # tokens live for 15 minutes, a run on a slow machine for longer
GATEWAY_TOKEN = "gateway-secret-4711"
KERNEL = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f"
CHANNELS = f"/api/kernels/{KERNEL}/channels"
PLAIN = f"/api/kernels/{KERNEL}"  # a GET whose answer passes as it is, unlike that for a list


class Workshop:
    """What a test run shares: keys, the public key set, tokens already minted."""

    def __init__(self, keyring):
        self.keyring = keyring
        self.jwks = keyring.folder / "jwks.json"
        self.jwks.write_text(tokens.public_jwks(keyring.session_key))
        self.gateway_token_file = keyring.folder / "gateway-token"
        self.gateway_token_file.write_text(GATEWAY_TOKEN + "\n")
        self.gateway_token_file.chmod(0o600)
        self._minted = {}

    def token(self, endpoint="ep", subject="alice", **options):
        key = (endpoint, subject, repr(sorted(options.items())))
        token, when = self._minted.get(key, ("", 0))
        if not token or time.monotonic() - when > FRESH_SECONDS:
            token = tokens.mint(self.keyring.session_key, endpoint, subject, **options)
            self._minted[key] = (token, time.monotonic())
        return token

    def endpoint(self, endpoint_id, port, **changes):
        return endpoint_config(endpoint_id, port, self.jwks, self.gateway_token_file, **changes)

    def context(self, **options):
        return client_context(self.keyring.ca, **options)


class Stage:
    """Endpoint `ep` (host ep.test) on self.gateway. `endpoint` changes its keys, `listener` those
    of the listener, `config` the top keys of the file (None removes one); more_endpoints(stage)
    gives further endpoint entries; descriptors is the process's bound (ulimit -n)."""

    def __init__(self, workshop, folder, endpoint=None, config=None, gateway=None,
                 more_endpoints=None, certificates=None, start=True, listener=None,
                 descriptors=None):
        self.workshop = workshop
        self.folder = Path(folder)
        self.gateway = gateway or ScriptedGateway()
        self._closing = []
        whole = base_config(workshop.keyring, self.folder / "access.log", certificates)
        whole["endpoints"] = [workshop.endpoint("ep", self.gateway.port, **(endpoint or {}))]
        if more_endpoints:
            whole["endpoints"] += more_endpoints(self)
        whole["listeners"][0].update(listener or {})
        whole.update(config or {})
        whole = {key: value for key, value in whole.items() if value is not None}
        self.proxy = ProxyProcess(self.folder, whole, descriptors=descriptors)
        self.context = workshop.context()
        if start:
            self.start()

    def start(self):
        self.proxy.start()
        self.before = self.proxy.metrics()
        return self

    def token(self, endpoint="ep", subject="alice", **options):
        return self.workshop.token(endpoint, subject, **options)

    def connect(self, **options):
        """A client connection; it is closed with the stage."""
        context = options.pop("context", self.context)
        client = RawClient(self.proxy.port, context, **options)
        self._closing.append(client)
        return client

    def closes(self, thing):
        """Registers something with close() for the end of the test."""
        self._closing.append(thing)
        return thing

    def get(self, target=PLAIN, answer=b"[]", client=None):
        """One whole good exchange: (response, call)."""
        client = client or self.connect()
        client.send_request("GET", target, token=self.token())
        call = self.gateway.next_call()
        call.reply(200, answer)
        response = client.read_response()
        assert response.status == 200, response
        return response, call

    def websocket(self, client=None, protocols=None, chosen=None, target=CHANNELS, headers=()):
        """An open WebSocket through the proxy: (client's end, gateway's end)."""
        client = client or self.connect()
        key = client.send_upgrade(target, headers, self.token(), protocols)
        upstream = self.gateway.next_call().accept_websocket(chosen)
        return client.read_upgrade(key), upstream

    def moved(self, name, by=1, **labels):
        """Waits until a counter stands `by` above where it stood when the proxy had started."""
        start = self.before.value(name, **labels)
        self.proxy.wait_metric(name, start + by, **labels)

    def unmoved(self, name, **labels):
        now, start = self.proxy.metrics().value(name, **labels), self.before.value(name, **labels)
        assert now == start, f"{name}{labels} went from {start} to {now}"

    def wait_quiet(self):
        """Waits until every client connection is counted as closed."""
        self.proxy.wait_metric("kernelgate_connections_open", 0)

    def close(self):
        for thing in reversed(self._closing):
            thing.close()
        self.gateway.close()
        self.proxy.stop()
