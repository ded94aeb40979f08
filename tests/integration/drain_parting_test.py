"""A drain parts from the gateway first: what that has said arrives before the client hears 1012."""

import signal
import time

import pytest

from support.kernel_messages import Notebook, status
from support.reconnects import GAPS, expect_goodbye

UNTAKEN = "kernelgate_websocket_messages_untaken_total"
LINES = 200


class Parting:
    """A notebook whose gateway has just heard the proxy's Close, and whose client has not."""

    def __init__(self, stage):
        self.stage = stage
        notebook = Notebook(stage)
        notebook.say(status, None, "idle")
        self.mine, self.upstream = notebook.mine, notebook.upstream
        self.began = time.monotonic()
        stage.proxy.signal(signal.SIGTERM)
        assert self.upstream.read_close().close_code == 1012

    def end(self):
        """Returns the access log's line."""
        expect_goodbye(self.mine, 1012, "Reconnect")
        self.upstream.wire.close()
        assert self.stage.proxy.wait_exit() == 0
        line = self.stage.proxy.wait_log(operation="ConnectKernel")
        assert (line["close_code"], line["closed_by"], line["error"]) == (1012, "proxy", "draining")
        return line


@pytest.fixture(params=["reconnects", "does not"])
def parting(request, make_stage):
    window = "10s" if request.param == "reconnects" else "off"
    return Parting(make_stage(config={"drain": {"lame_duck": "0s", "deadline": "30s"}},
                              endpoint={"gateway": {"websocket_reconnect": window}}))


@pytest.mark.parametrize("last", ["close", "end"])
def test_what_the_gateway_says_until_its_end_arrives_first(parting, last):
    lines = [f"line {number}" for number in range(LINES)]
    for line in lines:
        parting.upstream.send_text(line)
    if last == "close":
        parting.upstream.send_close(1012)
        parting.upstream.wire.expect_end("close")
    else:
        parting.upstream.wire.close()
    assert [parting.mine.read_text() for _ in lines] == lines
    parting.stage.unmoved(GAPS, result="mended")
    assert parting.end()["messages_out"] == LINES + 1  # and what made the kernel idle


def test_a_gateway_that_never_answers_is_waited_for_a_second(parting):
    parting.upstream.send_text("goes on")
    assert parting.mine.read_text() == "goes on"
    parting.mine.wire.arrived(seconds=8)
    assert time.monotonic() - parting.began > 0.99
    parting.end()


def test_what_the_client_says_meanwhile_goes_nowhere_and_is_counted(parting):
    parting.mine.send_text("too late")
    parting.stage.moved(UNTAKEN)
    parting.upstream.send_close(1012)
    parting.upstream.wire.expect_end("close")
    line = parting.end()
    assert line["messages_in"] == 1 and line["bytes_in"] > len("too late")
