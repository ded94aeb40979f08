"""An answer that comes before the request has ended is seen, however much is still on its way."""

import threading
import time

import pytest

from support.http_text import build_request
from support.stage import KERNEL

UPLOAD_S = 3.0  # longer than a silent client is waited for after its answer (2 s)


def upload_on(client, seconds):
    """Goes on sending, as a client does that reads nothing before it has sent all."""
    never, end = threading.Event(), time.monotonic() + seconds
    while time.monotonic() < end:
        client.send(b"y" * 10_000)
        never.wait(0.02)


@pytest.mark.parametrize("who", ["proxy", "gateway"])
def test_a_client_that_goes_on_sending_sees_the_answer(stage, who):
    client, size = stage.connect(), 100 * 1024 * 1024
    fields = [("Host", "ep.test"), ("Authorization", f"token {stage.token()}"),
              ("Content-Length", str(size))]
    if who == "proxy":  # a kernel start of that size is refused at once
        client.send(build_request("POST", "/api/kernels", fields))
    else:
        client.send(build_request("POST", f"/api/kernels/{KERNEL}/restart", fields))
        stage.gateway.next_call(body=False).reply(
            413, b'{"reason": "Content Too Large", "message": "no"}')
    upload_on(client, UPLOAD_S)
    response = client.read_response()
    assert response.status == 413 and response.get("Connection").lower() == "close"
    client.expect_end("close")
    client.close()
    stage.wait_quiet()
