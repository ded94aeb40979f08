"""Whose kernel it is: judged from the id alone, on every operation, before a gateway is asked."""

import uuid

import pytest

from support.http_text import build_request
from support.kernels import create
from support.stage import KERNEL

FOREIGN = "kernelgate_kernel_ids_foreign_total"


def operations(kernel):
    return [("GET", f"/api/kernels/{kernel}"), ("HEAD", f"/api/kernels/{kernel}"),
            ("DELETE", f"/api/kernels/{kernel}"), ("POST", f"/api/kernels/{kernel}/interrupt"),
            ("POST", f"/api/kernels/{kernel}/restart"),
            ("GET", f"/api/kernels/{kernel}/channels?session_id=s")]


def send(client, stage, method, target, subject="alice", **options):
    token = stage.token(subject=subject, **options)
    if "/channels" in target:
        return client.send_upgrade(target, token=token)
    return client.send_request(method, target, token=token)


def assert_not_there(stage, kernel, subject, detail, **options):
    """Every operation is 404 as gateways say it, and none of them reaches the gateway."""
    before = len(stage.gateway.requests)
    for method, target in operations(kernel):
        client = stage.connect()
        send(client, stage, method, target, subject, **options)
        response = client.read_response(method)
        assert response.status == 404, (method, target, response)
        if method != "HEAD":
            assert response.json() == {"reason": "Not Found",
                                       "message": f"Kernel does not exist: {kernel}"}
        line = stage.proxy.wait_log(client=client.address)
        assert (line["error"], line["detail"]) == ("no_kernel", detail)
    stage.gateway.accept_waiting()
    assert len(stage.gateway.requests) == before


def assert_works(stage, kernel, subject, **options):
    """Every operation reaches the gateway."""
    for method, target in operations(kernel):
        client = stage.connect()
        key = send(client, stage, method, target, subject, **options)
        call = stage.gateway.next_call()
        assert (call.request.method, call.request.target) == (method, target)
        if key:
            call.accept_websocket()
            client.read_upgrade(key)
            client.reset()
        else:
            call.reply(204)
            assert client.read_response(method).status == 204


@pytest.mark.parametrize("foreign_ids", ["deny", "endpoint"])
def test_a_kernel_is_its_creators_by_every_operation(make_owned, foreign_ids):
    stage = make_owned(foreign_ids=foreign_ids)
    kernel = create(stage, "alice")
    assert_works(stage, kernel, "alice")
    assert_not_there(stage, kernel, "bob", "somebody else's")
    assert_not_there(stage, kernel.upper(), "alice", "somebody else's")
    assert_not_there(stage, kernel.upper(), "bob", "somebody else's")
    stage.unmoved(FOREIGN)


def test_groups_of_the_token_do_not_open_a_users_kernel(make_owned):
    stage = make_owned()
    kernel = create(stage, "alice", group=["analytics"])
    assert_not_there(stage, kernel, "bob", "somebody else's", group=["analytics", "alice"])


def test_foreign_ids_are_denied_by_default(make_owned):
    stage = make_owned(foreign_ids=None)
    assert_not_there(stage, KERNEL, "alice", "not minted here")
    stage.moved(FOREIGN, by=6)


def test_foreign_ids_are_everybodys_where_the_endpoint_says_so(make_owned):
    stage = make_owned(foreign_ids="endpoint")
    assert_works(stage, KERNEL, "alice")
    assert_works(stage, KERNEL, "bob")
    stage.unmoved(FOREIGN)


def test_every_id_but_ones_own_is_not_there(make_owned):
    stage = make_owned()
    kernel = create(stage, "alice")
    flipped = [kernel[:at] + ("1" if kernel[at] == "0" else "0") + kernel[at + 1:]
               for at in (0, 3, 10, 22, 35)]
    for other in [str(uuid.uuid4()), *flipped]:
        assert_not_there(stage, other, "alice", "not minted here")


def test_a_group_shares_what_its_members_create(make_owned):
    stage = make_owned(sharing="group:analytics")
    kernel = create(stage, "alice", group=["analytics"])
    assert_works(stage, kernel, "alice", group=["x", "analytics"])
    assert_works(stage, kernel, "bob", group=["analytics"])
    assert_not_there(stage, kernel, "bob", "somebody else's", group=["other"])
    assert_not_there(stage, kernel, "alice", "somebody else's")


def test_who_is_not_of_the_group_creates_nothing(make_owned):
    stage = make_owned(sharing="group:analytics")
    client = stage.connect()
    client.send_request("POST", "/api/kernels", body=b"{}", token=stage.token(group=["other"]))
    response = client.read_response()
    assert response.status == 403
    assert "only members of group analytics may start kernels here" in response.json()["message"]
    stage.gateway.assert_untouched()


def test_an_endpoint_shares_what_is_created(make_owned):
    stage = make_owned(sharing="endpoint")
    kernel = create(stage, "alice")
    assert_works(stage, kernel, "bob")


def test_sharing_is_fixed_at_creation(make_owned):
    """A reload changes who may use the next kernel, not this one."""
    stage = make_owned()
    private = create(stage, "alice")
    config = stage.proxy.config
    config["endpoints"][0]["sessions"]["sharing"] = "endpoint"
    stage.proxy.write_config(config)
    stage.proxy.signal(1)
    stage.moved("kernelgate_config_reloads_total", result="ok")
    shared = create(stage, "alice")
    assert_works(stage, shared, "bob")
    assert_not_there(stage, private, "bob", "somebody else's")
    assert_works(stage, private, "alice")


def test_equal_names_of_two_realms_are_two_people(make_owned):
    """By one connection, so that nothing of the first answer is remembered for the second."""
    stage = make_owned()
    kernel = create(stage, "alice")
    config = stage.proxy.config
    config["endpoints"][0]["sessions"]["jwt"]["realm"] = "another"
    stage.proxy.write_config(config)
    client = stage.connect()
    send(client, stage, "GET", f"/api/kernels/{kernel}")
    stage.gateway.next_call().reply_json("{}")
    assert client.read_response().status == 200
    stage.proxy.signal(1)
    stage.moved("kernelgate_config_reloads_total", result="ok")
    send(client, stage, "GET", f"/api/kernels/{kernel}")
    assert client.read_response().status == 404


def test_users_on_one_connection_are_told_apart(make_owned):
    """An ALB sends many users' requests on one connection."""
    stage = make_owned()
    alices, bobs = create(stage, "alice"), create(stage, "bob")
    client = stage.connect()
    for subject, kernel, status in [("alice", alices, 200), ("bob", alices, 404),
                                    ("alice", alices, 200), ("alice", bobs, 404),
                                    ("bob", bobs, 200), ("bob", alices, 404)] * 2:
        send(client, stage, "GET", f"/api/kernels/{kernel}", subject)
        if status == 200:
            stage.gateway.next_call().reply_json("{}")
        assert client.read_response().status == status


def test_replicas_with_the_same_keys_agree(make_owned):
    one, other = make_owned(), make_owned()
    kernel = create(one, "alice")
    assert_works(other, kernel, "alice")
    assert_not_there(other, kernel, "bob", "somebody else's")


def test_an_id_that_the_gateway_chose_itself_is_counted(make_owned):
    stage = make_owned()
    create(stage, "alice", returned=KERNEL)
    stage.moved("kernelgate_kernel_id_mismatches_total")
    line = stage.proxy.wait_log(operation="CreateKernel")
    assert line["kernel"] == KERNEL
    stage.proxy.wait_for_stderr(rf"an id of its own minted=\S+ returned={KERNEL}", "the warning")
    assert_not_there(stage, KERNEL, "alice", "not minted here")


def test_nobody_learns_of_a_kernel_by_a_body_that_waits(make_owned):
    """The refusal comes before the body, as with every other refusal."""
    stage = make_owned()
    kernel = create(stage, "alice")
    client = stage.connect()
    client.send(build_request("POST", f"/api/kernels/{kernel}/interrupt", [
        ("Host", "ep.test"), ("Authorization", f"token {stage.token(subject='bob')}"),
        ("Content-Length", "5"), ("Expect", "100-continue")]))
    assert client.read_response("POST").status == 404
