"""Pages of other sites: what they may do where the browser adds the credential itself, and CORS."""

import pytest

from support.http_text import build_request
from support.stage import CHANNELS, KERNEL, PLAIN

COOKIE = "kg"
LISTED = "https://lab.example.com"
FOREIGN = "https://evil.test"


@pytest.fixture
def make_cookie_stage(make_stage, workshop):
    def make(**endpoint):
        sessions = workshop.endpoint("ep", 1)["sessions"]
        stage = make_stage(endpoint={"sessions": {**sessions, "cookie": COOKIE}, **endpoint})
        stage.gateway.serve(lambda call: call.reply(204))
        return stage

    return make


def send(stage, method, target, headers, host="ep.test"):
    client = stage.connect()
    client.send(build_request(method, target, [("Host", host), *headers]))
    return client.read_response(method)


def by_cookie(stage, *headers):
    return [("Cookie", f"{COOKIE}={stage.token()}"), *headers]


def upgrade(stage, headers, host=None):
    client = stage.connect()
    client.send_upgrade(CHANNELS, headers, host=host)
    return client.read_response()


ACTIONS = [("POST", f"/api/kernels/{KERNEL}/interrupt"), ("DELETE", f"/api/kernels/{KERNEL}"),
           ("POST", "/api/kernels")]


@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://ep.test", "https://ep.test:444",
                                    "https://sub.ep.test", "https://EP.test", "",
                                    "https://ep.test/"])
def test_a_foreign_page_may_not_act_by_cookie(make_cookie_stage, origin):
    stage = make_cookie_stage(allowed_origins=[LISTED])
    headers = by_cookie(stage, ("Origin", origin))
    for method, target in ACTIONS:
        response = send(stage, method, target, headers)
        assert response.status == 403 and "allowed_origins" in response.json()["message"]
        assert not response.has("Access-Control-Allow-Origin")
    assert upgrade(stage, headers).status == 403
    stage.moved("kernelgate_errors_total", by=4, reason="foreign_origin", endpoint="ep")
    assert stage.gateway.requests == []


def test_two_origins_are_none_of_ours(make_cookie_stage):
    stage = make_cookie_stage()
    own = ("Origin", "https://ep.test")
    assert send(stage, *ACTIONS[1], by_cookie(stage, own, own)).status == 403


@pytest.mark.parametrize("site, status", [("cross-site", 403), ("same-site", 403),
                                          ("same-origin", 204), ("none", 204)])
def test_without_an_origin_the_site_of_the_fetch_tells(make_cookie_stage, site, status):
    stage = make_cookie_stage()
    response = send(stage, *ACTIONS[1], by_cookie(stage, ("Sec-Fetch-Site", site)))
    assert response.status == status


@pytest.mark.parametrize("host, origin", [("ep.test", "https://ep.test"),
                                          ("EP.test:443", "https://ep.test"),
                                          ("ep.test:18888", "https://ep.test:18888"),
                                          ("ep.test", LISTED)])
def test_its_own_and_listed_pages_may(make_cookie_stage, host, origin):
    """Behind an ALB whose listener has a port of its own, Host carries it (A24)."""
    stage = make_cookie_stage(allowed_origins=[LISTED])
    headers = by_cookie(stage, ("Origin", origin))
    assert send(stage, *ACTIONS[1], headers, host).status == 204
    assert not stage.gateway.requests[0].has("Origin")
    assert stage.gateway.requests[0].get("Host") == host


def test_its_own_page_opens_a_websocket_by_cookie(make_stage, workshop):
    sessions = workshop.endpoint("ep", 1)["sessions"]
    stage = make_stage(endpoint={"sessions": {**sessions, "cookie": COOKIE}})
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, by_cookie(stage, ("Origin", "https://ep.test")))
    call = stage.gateway.next_call()
    assert not call.request.has("Origin") and not call.request.has("Cookie")
    call.accept_websocket()
    client.read_upgrade(key)


def test_a_program_without_an_origin_may_act_by_cookie(make_cookie_stage):
    stage = make_cookie_stage()
    assert send(stage, *ACTIONS[1], by_cookie(stage)).status == 204


def test_reading_is_not_acting(make_cookie_stage):
    stage = make_cookie_stage()
    response = send(stage, "GET", f"/api/kernels/{KERNEL}", by_cookie(stage, ("Origin", FOREIGN)))
    assert response.status == 204 and not response.has("Access-Control-Allow-Origin")


def test_who_knows_the_token_may_act_from_anywhere(make_cookie_stage):
    stage = make_cookie_stage()
    token = stage.token()
    for headers, query in (([("Authorization", f"token {token}")], ""), ([], f"?token={token}")):
        response = send(stage, "DELETE", f"/api/kernels/{KERNEL}{query}",
                        [("Origin", FOREIGN), ("Cookie", f"{COOKIE}={token}"), *headers])
        assert response.status == 204


PREFLIGHT = [("Access-Control-Request-Method", "DELETE"),
             ("Access-Control-Request-Headers", "authorization")]


@pytest.mark.parametrize("target, methods", [("/api/kernels", "GET, HEAD, POST"),
                                             (f"/api/kernels/{KERNEL}", "GET, HEAD, DELETE")])
def test_preflights_of_listed_origins_are_answered_here(make_cookie_stage, target, methods):
    stage = make_cookie_stage(allowed_origins=[LISTED])
    response = send(stage, "OPTIONS", target, [("Origin", LISTED), *PREFLIGHT])
    assert response.status == 204 and response.body == b""
    assert response.get("Access-Control-Allow-Origin") == LISTED
    assert response.get("Access-Control-Allow-Credentials") == "true"
    assert response.get("Access-Control-Allow-Methods") == methods
    assert "Authorization" in response.get("Access-Control-Allow-Headers")
    assert response.get("Vary") == "Origin"
    assert stage.proxy.wait_log(status=204)["endpoint"] == "ep"
    stage.gateway.assert_untouched()


@pytest.mark.parametrize("origin", [FOREIGN, "null", LISTED + ".evil.test"])
def test_other_preflights_are_refused(make_cookie_stage, origin):
    stage = make_cookie_stage(allowed_origins=[LISTED])
    response = send(stage, "OPTIONS", "/api/kernels", [("Origin", origin), *PREFLIGHT])
    assert response.status == 403 and not response.has("Access-Control-Allow-Origin")
    stage.moved("kernelgate_errors_total", reason="foreign_origin", endpoint="ep")
    stage.gateway.assert_untouched()


def test_an_endpoint_that_lists_none_refuses_all_preflights(stage):
    assert send(stage, "OPTIONS", "/api/kernels", [("Origin", LISTED), *PREFLIGHT]).status == 403


def test_answers_name_a_listed_origin_and_no_other(make_stage):
    stage = make_stage(endpoint={"allowed_origins": [LISTED]})
    theirs = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true")]
    for origin, named in ((LISTED, [LISTED]), (FOREIGN, []), (None, [])):
        headers = [("Origin", origin)] if origin else []
        client = stage.connect()
        client.send_request("GET", PLAIN, headers, token=stage.token())
        stage.gateway.next_call().reply(200, b"[]", theirs)
        good = client.read_response()
        client.send_request("GET", PLAIN, headers, token=stage.token())
        stage.gateway.next_call().reply_json('{"reason": "no", "message": "no"}', 404, theirs)
        bad = client.read_response()
        refused = stage.connect().exchange("GET", PLAIN, headers)
        assert (good.status, bad.status, refused.status) == (200, 404, 401)
        for response in (good, bad, refused):
            assert response.all("Access-Control-Allow-Origin") == named
            assert response.all("Access-Control-Allow-Credentials") == ["true"] * len(named)
            assert response.all("Vary") == ["Origin"]


@pytest.mark.parametrize("origin", ["*", "https://*.example.com", "http://lab.example.com",
                                    "https://lab.example.com/", "https://lab.example.com:443",
                                    "https://Lab.example.com", "lab.example.com", "null"])
def test_what_is_no_origin_cannot_be_listed(make_stage, origin):
    stage = make_stage(endpoint={"allowed_origins": [origin]}, start=False)
    with pytest.raises(AssertionError, match=r"allowed_origins\[0\]"):
        stage.start()
    stage.proxy.wait_exit()
