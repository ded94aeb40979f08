"""The kernel API as a closed grammar: operations and their targets upstream. What is refused stands
in strictness_forwarded.py."""

import json

import pytest

from support.stage import KERNEL

# Request -> (operation, target as it goes upstream). Domain 8.1, G1, G2.
OPERATIONS = {
    "GET /api/kernelspecs": ("ListKernelSpecs", "/api/kernelspecs?user=alice"),
    "GET /api/kernelspecs?x=1&user=a%20b&token=T": ("ListKernelSpecs",
                                                    "/api/kernelspecs?user=alice"),
    "GET /api/kernelspecs/python3": ("GetKernelSpec", "/api/kernelspecs/python3?user=alice"),
    "GET /kernelspecs/python3/logo-64x64.png": ("GetKernelSpecResource",
                                                "/kernelspecs/python3/logo-64x64.png"),
    "GET /api/kernels": ("ListKernels", "/api/kernels"),
    "POST /api/kernels": ("CreateKernel", "/api/kernels"),
    f"GET /api/kernels/{KERNEL}": ("GetKernel", f"/api/kernels/{KERNEL}"),
    f"DELETE /api/kernels/{KERNEL}": ("DeleteKernel", f"/api/kernels/{KERNEL}"),
    f"POST /api/kernels/{KERNEL}/interrupt": ("InterruptKernel",
                                              f"/api/kernels/{KERNEL}/interrupt"),
    f"POST /api/kernels/{KERNEL}/restart": ("RestartKernel", f"/api/kernels/{KERNEL}/restart"),
}


@pytest.mark.parametrize("request_line", OPERATIONS)
def test_operations(shared_stage, request_line):
    stage = shared_stage
    method, target = request_line.split(" ")
    operation, upstream_target = OPERATIONS[request_line]
    client = stage.connect()
    body = b'{"name": "python3"}' if method == "POST" else b""
    client.send_request(method, target.replace("=T", "=" + stage.token()), body=body,
                        token=stage.token())
    call = stage.gateway.next_call()
    assert (call.request.method, call.request.target) == (method, upstream_target)
    before = stage.proxy.metrics()
    status = 201 if operation == "CreateKernel" else 204 if method == "DELETE" else 200
    model = {"id": KERNEL}
    call.reply(status, json.dumps([model] if operation == "ListKernels" else model).encode(),
               [("Location", f"/api/kernels/{KERNEL}")])
    assert client.read_response(method).status == status
    labels = {"operation": operation, "code": "2xx"}
    for name in ("kernelgate_request_duration_seconds_count",
                 "kernelgate_request_first_byte_seconds_count"):
        stage.proxy.wait_metric(name, before.value(name, **labels) + 1, **labels)
    line = stage.proxy.wait_log(client=client.address)
    assert (line["operation"], line["status"], line["method"]) == (operation, status, method)
    assert line["path"] == target.split("?")[0] and line["endpoint"] == "ep"
    assert line.get("kernel") == (KERNEL if KERNEL in target or status == 201 else None)


@pytest.mark.parametrize("request_line", ["HEAD /api/kernels", "GET /api/kernels?token=T&a=b"])
def test_a_list_is_asked_for_by_the_proxy_itself(stage, request_line):
    method, target = request_line.split(" ")
    client = stage.connect()
    client.send_request(method, target.replace("=T", "=" + stage.token()), token=stage.token())
    call = stage.gateway.next_call()
    assert (call.request.method, call.request.target) == ("GET", "/api/kernels")
    call.reply(200, b"[]")
    response = client.read_response(method)
    assert response.status == 200 and response.get("Content-Length") == "2"
    line = stage.proxy.wait_log(operation="ListKernels")
    assert (line["method"], line["path"]) == (method, "/api/kernels")


def test_a_refused_path_keeps_the_connection(stage):
    """The framing was clear, only the path was not: the next request is welcome."""
    client = stage.connect()
    assert client.exchange("GET", "/api/sessions", token=stage.token()).status == 404
    assert client.exchange("PUT", "/api/kernels", token=stage.token()).status == 405
    stage.get(client=client)


def test_other_paths_pass_when_the_endpoint_says_so(open_stage):
    stage, client = open_stage, open_stage.connect()
    client.send_request("GET", f"/api/status?a=1&token={stage.token()}&b=2", token=stage.token())
    call = stage.gateway.next_call()
    assert call.request.target == "/api/status?a=1&b=2"
    call.reply(200, b"[]")
    assert client.read_response().status == 200
    line = stage.proxy.wait_log(operation="Other")
    assert line["path"] == "/api/status"


@pytest.mark.parametrize("target, status", [
    ("/a/../b", 400), ("/a/%2e%2e/b", 400), ("//evil.test/", 400), ("/a;b", 400),
    ("/api/kernels/none", 404), (f"/api/kernels/{KERNEL}/x", 404)])
def test_other_paths_stay_unambiguous(open_stage, target, status):
    assert open_stage.connect().exchange("GET", target, token=open_stage.token()).status == status
    open_stage.gateway.assert_untouched()


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "BREW"])
def test_methods_that_nobody_serves(open_stage, method):
    target = "ep.test:443" if method == "CONNECT" else "/api/kernels"
    client = open_stage.connect()
    client.send_request(method, target, token=open_stage.token())
    assert client.read_response().status in (400, 405, 501)
    open_stage.gateway.assert_untouched()


def test_absolute_form_is_routed_by_its_authority(stage):
    client = stage.connect()
    client.send_request("GET", "https://ep.test/api/kernels", token=stage.token(), host="ep.test")
    call = stage.gateway.next_call()
    assert call.request.target == "/api/kernels"
    call.reply(200, b"[]")
    assert client.read_response().status == 200


def test_a_kernel_start_has_a_bounded_body(stage):
    client = stage.connect()
    client.send_request("POST", "/api/kernels", [("Content-Length", str(2 * 1024 * 1024))],
                        token=stage.token())
    response = client.read_response()
    assert response.status == 413
    assert stage.proxy.wait_log(status=413)["error"] == "body_too_large"
    stage.gateway.assert_untouched()


def test_a_chunked_kernel_start_has_a_bounded_body(stage):
    client = stage.connect()
    client.send_request("POST", "/api/kernels", [("Transfer-Encoding", "chunked")],
                        token=stage.token())
    client.send_to_the_end((b"10000\r\n" + b" " * 65536 + b"\r\n") * 20)
    assert client.read_response().status == 413
    stage.gateway.assert_untouched()


@pytest.mark.parametrize("body", [b"[1, 2]", b"{", b"not json", b"[" * 100, b'{"env": {"a": 1}'])
def test_a_kernel_start_that_is_no_json_object(stage, body):
    client = stage.connect()
    response = client.exchange("POST", "/api/kernels", body=body, token=stage.token())
    assert response.status == 400
    stage.gateway.assert_untouched()


def test_kernel_starts_are_counted(stage):
    client = stage.connect()
    failed = {"reason": "x", "message": "no such kernel"}
    for status, body in ((201, {"id": KERNEL}), (500, failed)):
        client.send_request("POST", "/api/kernels", body=b'{"name": "python3"}',
                            token=stage.token())
        stage.gateway.next_call().reply(
            status, json.dumps(body).encode(), [("Location", f"/api/kernels/{KERNEL}")])
        response = client.read_response()
        assert response.status == status and response.json() == body
    stage.moved("kernelgate_kernel_launches_total", result="ok", endpoint="ep",
                virtual_cluster="analytics")
    stage.moved("kernelgate_kernel_launches_total", result="failed", endpoint="ep")
    assert stage.proxy.wait_log(operation="CreateKernel", status=201)["kernel"] == KERNEL
