"""Every place of a credential, against all that others read: gateways, logs, metrics, answers."""

import pytest

from support.http_text import build_request
from support.stage import CHANNELS, GATEWAY_TOKEN, KERNEL, PLAIN
from support.waiting import wait_until

SECRET = "s3cr3t-7f1c9a"
BARE = "v1.token.websocket.jupyter.org"
COOKIE = "kg-session"
SPELLINGS = ["token={}", "%74oken={}", "a=1&token={}", "a=1;token={}", "t%6Fken={}&token={}",
             "session_id=x&%74%6f%6b%65%6e={}"]

# name -> (headers, query, subprotocols), where {} is the token
PLACES = {
    "token scheme": ([("Authorization", "token {}")], "", []),
    "bearer scheme": ([("Authorization", "Bearer {}")], "", []),
    "upper-case scheme": ([("AUTHORIZATION", "BEARER {}")], "", []),
    **{f"query {spelling}": ([], spelling, []) for spelling in SPELLINGS},
    "cookie": ([("Cookie", "a=1; " + COOKIE + "={}")], "", []),
    "another cookie": ([("Cookie", "other={}"), ("Authorization", "token {}")], "", []),
    "cookie of the load balancer": ([("Cookie", "AWSELBAuthSessionCookie-0={}"),
                                     ("Authorization", "token {}")], "", []),
    "subprotocol": ([], "", [BARE, BARE + ".{}"]),
    "subprotocol of another case": ([("Authorization", "token {}")], "", [BARE.upper() + ".{}"]),
    "oidc headers": ([("X-Amzn-Oidc-Data", "{}"), ("X-Amzn-Oidc-Accesstoken", "{}"),
                      ("X-Amzn-Oidc-Identity", "{}"), ("Authorization", "token {}")], "", []),
    "oidc headers with underscores": ([("X_Amzn_Oidc_Data", "{}"),
                                       ("Authorization", "token {}")], "", []),
    "mtls headers": ([("X-Amzn-Mtls-Clientcert", "{}"), ("X-Amzn-Mtls-Clientcert-Leaf", "{}"),
                      ("Authorization", "token {}")], "", []),
    "referer": ([("Referer", "https://ep.test/lab?token={}"),
                 ("Authorization", "token {}")], "", []),
    "proxy authorization": ([("Proxy-Authorization", "Bearer {}"),
                             ("Authorization", "token {}")], "", []),
}


@pytest.fixture
def stage(make_stage, workshop, tmp_path):
    sessions = workshop.endpoint("ep", 1)["sessions"]
    made = make_stage(endpoint={"sessions": {**sessions, "cookie": COOKIE},
                                "other_paths": "forward"},
                      config={"audit_log": {"path": str(tmp_path / "audit.log")}})
    made.audit_file = tmp_path / "audit.log"
    return made


def filled(place, token):
    headers, query, protocols = place
    return ([(name, value.replace("{}", token)) for name, value in headers],
            query.replace("{}", token), [name.replace("{}", token) for name in protocols])


def target_of(path, query):
    return path + ("?" + query if query else "")


def answers(stage, place, token):
    """Sends the place with every kind of request; all bytes of the answers."""
    headers, query, protocols = filled(place, token)
    got = bytearray()
    for method, path in (("GET", PLAIN), ("DELETE", f"/api/kernels/{KERNEL}"),
                         ("GET", "/lab/tree"), ("GET", "/api/kernels/%2e")):
        client = stage.connect()
        client.send(build_request(method, target_of(path, query), [("Host", "ep.test"), *headers]))
        client.read_response(method)
        got += bytes(client.received)
    client = stage.connect()
    client.send_upgrade(target_of(CHANNELS, query), headers, protocols=protocols)
    client.read_until(b"\r\n\r\n", "an answer to the upgrade")
    return bytes(got + client.received)


def echo(call):
    """A gateway that says all it got: in a redirect, in a cookie, in an error body."""
    seen = call.request.head.decode("latin-1").replace("\r\n", "|")
    if call.request.get("Upgrade"):
        return call.reply(403, seen.encode(), [("X-Seen", seen)])
    if call.request.method == "DELETE":
        return call.reply(500, seen.encode(), [("Set-Cookie", f"seen={len(seen)}")])
    return call.reply(302, seen.encode(), [("Location", "/lab?" + call.request.target)])


def everything_read_by_others(stage, events):
    stage.proxy.wait_log(count=5)
    wait_until(lambda: stage.audit_file.read_text().count("\n") >= events,
               lambda: f"{events} events in:\n" + stage.audit_file.read_text())
    upstream = b"".join(bytes(wire.received) for wire in stage.gateway.wires).decode("latin-1")
    return {"the gateway": upstream, "the access log": stage.proxy.access_log.read_text(),
            "the audit log": stage.audit_file.read_text(),
            "the operational log": "\n".join(stage.proxy.stderr_lines),
            "the metrics": stage.proxy.metrics().text}


@pytest.mark.parametrize("name", PLACES)
def test_a_good_credential_stays_here(stage, name):
    stage.gateway.serve(echo)
    token = stage.token()
    received = answers(stage, PLACES[name], token)
    wait_until(lambda: stage.gateway.requests, "requests that reach the gateway")
    places = {**everything_read_by_others(stage, 1),
              "the answers": received.decode("latin-1")}
    for where, text in places.items():
        for part in (token, *token.split(".")):
            assert part not in text, f"{where} has it: {text}"
    for where in ("the access log", "the audit log", "the operational log", "the metrics"):
        assert GATEWAY_TOKEN not in places[where], where


@pytest.mark.parametrize("name", PLACES)
def test_a_bad_credential_stays_here(stage, name):
    stage.gateway.serve(echo)
    received = answers(stage, PLACES[name], SECRET)
    assert b" 401 " in received
    places = {**everything_read_by_others(stage, 4),
              "the answers": received.decode("latin-1")}
    for where, text in places.items():
        assert SECRET not in text, f"{where} has it: {text}"
    assert places["the gateway"] == ""
    assert places["the audit log"].count('"event":"refuse"') == 4  # all but the odd path
