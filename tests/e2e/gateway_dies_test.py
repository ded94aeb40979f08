"""A gateway that dies while a cell runs and stays away: clients hear of it as soon as nobody looks
for it any more, and the metrics count it."""

import struct
import time

import peers
import pytest
import websocket
from support.waiting import wait_until

TICKS = "import time\nwhile True:\n    print('tick', flush=True)\n    time.sleep(0.05)"


@pytest.fixture
def scene(start_gateway, start_proxy):
    """(gateway, proxy, client) of their own, whose gateway a test may kill."""
    gateway = start_gateway()
    proxy = start_proxy({"health_check": {"interval": "500ms"}, "websocket_reconnect": "500ms"},
                        mortal=gateway.port)
    return gateway, proxy, proxy.client("mortal")


def close_frame(socket, seconds):
    """(code, reason) of the Close that arrives within that time."""
    until = time.monotonic() + seconds
    while True:
        socket.settimeout(max(0.01, until - time.monotonic()))
        opcode, data = socket.recv_data(control_frame=True)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return struct.unpack("!H", data[:2])[0], data[2:].decode()


def test_clients_hear_of_a_killed_gateway_and_metrics_count_it(scene):
    gateway, proxy, client = scene
    kernel = client.create()
    channels = client.connect(kernel)
    request = channels.request("execute_request", {
        "code": TICKS, "silent": False, "store_history": False, "user_expressions": {},
        "allow_stdin": False})
    next(m for m in channels.replies_to(request) if m["msg_type"] == "stream")
    assert proxy.metrics().value("kernelgate_websockets_open", endpoint="mortal") == 1

    gateway.child.kill()
    begin = time.monotonic()
    code, reason = close_frame(channels.socket, 5)
    seconds = time.monotonic() - begin
    assert code == 1012
    assert "gateway" in reason
    assert seconds < 0.5 + 1

    gateway.child.wait()
    reply = client.call("GET", "/api/kernels")
    assert reply.status == 503  # rather than an empty list (domain G28)
    assert reply.headers["Content-Type"].startswith("application/json")
    assert "gateway" in reply.json()["message"]

    proxy.wait_metric("kernelgate_websockets_open", 0, endpoint="mortal")
    # One for the WebSocket, one for the request.
    proxy.wait_metric("kernelgate_errors_total", 2, endpoint="mortal")
    proxy.wait_metric("kernelgate_requests_total", 1, endpoint="mortal", code="5xx")
    line = proxy.wait_log(operation="ConnectKernel")
    assert (line["close_code"], line["closed_by"], line["kernel"]) == (1012, "proxy", kernel)
    assert proxy.wait_log(operation="ListKernels")["status"] == 503


def test_a_gateway_that_comes_back_is_used_again(scene, tmp_path, workshop):
    gateway, proxy, client = scene
    assert client.call("GET", "/api/kernelspecs").status == 200
    proxy.wait_metric("kernelgate_pod_healthy", 1, endpoint="mortal")
    passed = proxy.metrics().value("kernelgate_pod_health_checks_total", result="ok")
    wait_until(lambda: proxy.metrics().value("kernelgate_pod_health_checks_total",
                                             result="ok") > passed, "a check that passes")
    gateway.kill()
    proxy.wait_metric("kernelgate_pod_healthy", 0, endpoint="mortal")
    assert client.call("GET", "/api/kernelspecs").status == 502
    again = peers.EnterpriseGateway(tmp_path, workshop, gateway.port)
    try:
        wait_until(lambda: client.call("GET", "/api/kernelspecs").status == 200,
                   "the proxy to reach the gateway again", 5)
        proxy.wait_metric("kernelgate_pod_healthy", 1, endpoint="mortal")
    finally:
        again.stop()
