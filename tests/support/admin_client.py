"""The admin interface: how a test configures it, and a client that calls it."""

import http.client
import json

from .waiting import PATIENCE

TOKEN = "an-admin-token-of-some-length"


def admin_config(folder, token=TOKEN):
    """Top keys of a configuration with an admin interface on a free port."""
    file = folder / "admin-token"
    file.write_text(token + "\n")
    file.chmod(0o600)
    return {"admin": {"address": "127.0.0.1:0", "token_file": str(file)}}


class AdminClient:
    def __init__(self, stage):
        found = stage.proxy.wait_for_stderr(r"admin interface address=127\.0\.0\.1:(\d+)",
                                            "the admin address")
        self.port = int(found[1])

    def call(self, method, path, body=None, token=TOKEN):
        """(status, JSON; None for anything else)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        text = json.dumps(body) if isinstance(body, dict) else body
        try:
            connection.request(method, path, text, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text.startswith(b"{") else None
        finally:
            connection.close()
