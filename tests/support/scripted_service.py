"""ScriptedService: an issuer, authorization server or authentication service behind TLS. Its
answer is the test's to choose and to change; what it was asked is kept."""

import json
import ssl
import threading

from .scripted_gateway import ScriptedGateway
from .waiting import wait_until


class ScriptedService:
    """Each request gets answer(call); None holds it until release()."""

    def __init__(self, keyring, certificate=None):
        pair = certificate or keyring.server_certificate("localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, pair))
        self._peer = ScriptedGateway(tls=context)
        self._lock = threading.Lock()
        self._calls = []
        self._held = threading.Event()
        self.answer = lambda call: call.reply(503)
        self._peer.serve(self._serve)

    @property
    def port(self):
        return self._peer.port

    def url(self, path="/"):
        return f"https://localhost:{self.port}{path}"

    def _serve(self, call):
        with self._lock:
            self._calls.append(call.request)
        answer = self.answer
        if answer is None:
            self._held.wait(60)
            answer = self.answer or (lambda late: late.reply(503))
        answer(call)

    def says(self, body, status=200, headers=()):
        """From now on this JSON (or text)."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.answer = lambda call: call.reply_json(text, status, headers)

    def says_status(self, status, headers=()):
        self.answer = lambda call: call.reply(status, b"", headers)

    def holds(self):
        """From now on no answer comes, until release()."""
        self._held.clear()
        self.answer = None

    def release(self):
        self._held.set()

    @property
    def asked(self):
        """The requests so far."""
        with self._lock:
            return list(self._calls)

    def wait_asked(self, count):
        wait_until(lambda: len(self.asked) >= count,
                   lambda: f"{count} requests at the service; it had {len(self.asked)}")

    def close(self):
        self.release()
        self._peer.close()
