"""Where a session token may stand, which one counts, and what a browser is told of it."""

import signal

import pytest

from support import tokens
from support.http_text import build_request
from support.stage import CHANNELS, GATEWAY_TOKEN, PLAIN

BARE = "v1.token.websocket.jupyter.org"
V1 = "v1.kernel.websocket.jupyter.org"
COOKIE = "__Host-kernelgate"


@pytest.fixture
def cookie_stage(make_stage, workshop):
    sessions = workshop.endpoint("ep", 1)["sessions"]
    return make_stage(endpoint={"sessions": {**sessions, "cookie": COOKIE}})


def send(stage, headers=(), target=PLAIN, method="GET"):
    client = stage.connect()
    client.send(build_request(method, target, [("Host", "ep.test"), *headers]))
    return client


def served(stage, headers=(), target=PLAIN):
    """The whole good exchange: what reached the gateway."""
    client = send(stage, headers, target)
    call = stage.gateway.next_call()
    call.reply(200, b"[]")
    assert client.read_response().status == 200
    return call.request


def status_of(stage, headers=(), target=PLAIN):
    return send(stage, headers, target).read_response().status


def subject_of(stage):
    return stage.proxy.wait_log(operation="GetKernel", status=200)["subject"]


def test_a_named_cookie_is_a_session(cookie_stage):
    stage = cookie_stage
    request = served(stage, [("Cookie", f"theme=dark; {COOKIE}={stage.token()}; x={{1, 2}}")])
    assert request.get("Authorization") == f"token {GATEWAY_TOKEN}" and not request.has("Cookie")
    assert subject_of(stage) == "alice"


def test_cookies_are_no_session_unless_named(stage):
    assert status_of(stage, [("Cookie", f"{COOKIE}={stage.token()}")]) == 401
    stage.gateway.assert_untouched()


def test_the_session_cookie_twice_is_ambiguous(cookie_stage):
    stage = cookie_stage
    token = stage.token()
    for cookies in ([f"{COOKIE}={token}; {COOKIE}={token}"],
                    [f"{COOKIE}={token}", f"{COOKIE}=x"]):
        assert status_of(stage, [("Cookie", text) for text in cookies]) == 400
        line = stage.proxy.wait_log(status=400)
        assert line["detail"] == "the session cookie twice"
    stage.gateway.assert_untouched()


def test_a_token_brought_on_purpose_comes_before_the_cookie(cookie_stage):
    stage = cookie_stage
    mallory = ("Cookie", f"{COOKIE}={stage.token(subject='mallory')}")
    served(stage, [mallory, ("Authorization", f"token {stage.token()}")])
    assert subject_of(stage) == "alice"
    assert status_of(stage, [("Cookie", f"{COOKIE}={stage.token()}"),
                             ("Authorization", "token bad")]) == 401


def test_tokens_that_differ_are_refused(stage):
    alice, bob = stage.token(), stage.token(subject="bob")
    differing = [([("Authorization", f"token {alice}")], f"/api/kernels?token={bob}"),
                 ([], f"/api/kernels?token={alice}&token={bob}"),
                 ([], f"/api/kernels?token={alice}&%74oken="),
                 ([("Authorization", f"token {alice}")], "/api/kernels?token=%zz&token=x")]
    for headers, target in differing:
        assert status_of(stage, headers, target) == 400, target
    stage.proxy.wait_log(count=4, status=400, error="bad_request")
    stage.gateway.assert_untouched()


def test_equal_tokens_in_several_places_are_one(stage):
    token = stage.token()
    served(stage, [("Authorization", f"Bearer {token}")],
           f"/api/kernels?token={token}&token={token}")


def upgraded(stage, protocols, chosen=None, headers=(), token=None, target=CHANNELS):
    """(what the gateway was offered, what the client was told)."""
    client = stage.connect()
    key = client.send_upgrade(target, headers, token, protocols)
    call = stage.gateway.next_call()
    call.accept_websocket(chosen)
    told = client.read_upgrade(key).handshake.all("Sec-WebSocket-Protocol")
    return call.request.all("Sec-WebSocket-Protocol"), told


def test_a_subprotocol_carries_a_token(stage):
    encoded = stage.token().replace(".", "%2e")
    for text in (stage.token(), encoded):
        offered, told = upgraded(stage, [V1, BARE, f"{BARE}.{text}"], V1)
        assert offered == [f"{V1}, {BARE}"] and told == [V1]
    upstream = b"".join(bytes(wire.received) for wire in stage.gateway.wires).decode()
    assert stage.token() not in upstream and encoded not in upstream


@pytest.mark.parametrize("offered, chosen, told", [
    ([BARE, "TOKEN"], None, [BARE]),  # a browser fails if nothing is selected (G27)
    ([V1, BARE, "TOKEN"], None, [BARE]),
    ([V1, BARE, "TOKEN"], V1, [V1]),
    ([BARE, "TOKEN"], BARE, [BARE]),
    (["TOKEN"], None, []),  # nothing is added that was not offered (G26)
    ([V1, "TOKEN"], None, []),
])
def test_what_is_selected_towards_the_client(stage, offered, chosen, told):
    protocols = [f"{BARE}.{stage.token()}" if name == "TOKEN" else name for name in offered]
    assert upgraded(stage, protocols, chosen)[1] == told


def test_without_a_token_among_them_offers_are_the_gateways_business(stage):
    assert upgraded(stage, [BARE], token=stage.token()) == ([BARE], [])


@pytest.mark.parametrize("text, status", [("%", 401), ("%4", 401), ("%zz", 401), ("", 401),
                                          ("bad", 401)])
def test_a_subprotocol_that_is_no_token_is_401(stage, text, status):
    client = stage.connect()
    client.send_upgrade(CHANNELS, protocols=[BARE, f"{BARE}.{text}"])
    assert client.read_response().status == status
    stage.gateway.assert_untouched()


def test_two_tokens_among_the_subprotocols_are_refused(stage):
    client = stage.connect()
    client.send_upgrade(CHANNELS, protocols=[f"{BARE}.{stage.token()}",
                                             f"{BARE}.{stage.token(subject='bob')}"])
    assert client.read_response().status == 400
    client = stage.connect()
    client.send_upgrade(CHANNELS, token=stage.token(subject="bob"),
                        protocols=[f"{BARE}.{stage.token()}"])
    assert client.read_response().status == 400
    stage.gateway.assert_untouched()


def test_a_subprotocol_is_no_session_without_an_upgrade(stage):
    assert status_of(stage, [("Sec-WebSocket-Protocol", f"{BARE}.{stage.token()}")]) == 401
    stage.gateway.assert_untouched()


def test_cookies_of_gateways_stay_here(cookie_stage):
    stage = cookie_stage
    client = send(stage, [("Authorization", f"token {stage.token()}")])
    stage.gateway.next_call().reply(200, b"[]", [("Set-Cookie", f"{COOKIE}=theirs; Path=/"),
                                                 ("Set-Cookie", "_xsrf=1")])
    assert not client.read_response().has("Set-Cookie")


def test_what_claims_a_users_name_stays_here(stage):
    names = ("Remote-User", "Remote-Email", "X-Remote-User", "X-Remote-Group",
             "X-Auth-Request-User", "X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity",
             "X-Amzn-Mtls-Clientcert-Subject")
    request = served(stage, [("Authorization", f"token {stage.token()}"),
                             *[(name, "mallory") for name in names]])
    assert b"mallory" not in request.head


@pytest.mark.parametrize("name", ["AWSELBAuthSessionCookie-0", "a b", "a;b"])
def test_a_name_that_no_session_cookie_may_have_is_refused(make_stage, workshop, name):
    sessions = workshop.endpoint("ep", 1)["sessions"]
    stage = make_stage(endpoint={"sessions": {**sessions, "cookie": name}}, start=False)
    with pytest.raises(AssertionError, match="sessions.cookie"):
        stage.start()
    stage.proxy.wait_exit()


def test_a_websocket_of_a_cookie_is_judged_again_by_its_cookie(cookie_stage):
    """After a reload, and by a fresher cookie of any later request: nothing else was shown."""
    stage = cookie_stage
    client = stage.connect()
    key = client.send_upgrade(CHANNELS, [("Cookie", f"{COOKIE}={stage.token()}")])
    upstream = stage.gateway.next_call().accept_websocket()
    mine = client.read_upgrade(key)
    stage.proxy.signal(signal.SIGHUP)
    stage.moved("kernelgate_config_reloads_total", result="ok")
    stage.moved("kernelgate_session_cache_misses_total", by=2)  # the handshake, and this
    mine.send_text("still here")
    assert upstream.read_text() == "still here"
    fresh = tokens.forge(stage.workshop.keyring.session_key, tokens.claims("ep", seconds=3000))
    served(stage, [("Cookie", f"{COOKIE}={fresh}")])
    stage.moved("kernelgate_websockets_renewed_total")
