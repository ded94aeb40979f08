"""A flood of bad tokens costs bounded work, and locks nobody out who is in."""

from support.http_text import build_request
from support.stage import PLAIN
from support.waiting import wait_until

BURST = 2_000  # of ES256, above the 20 ms of checking that a client has


def bad_tokens(stage):
    """Tokens that look right until their signature is checked; no two are equal."""
    head, body, signature = stage.token().split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for first in letters:
        for second in letters:
            changed = first + second + signature[2:]
            if changed != signature:
                yield f"{head}.{body}.{changed}"


def request(token):
    return build_request("GET", PLAIN,
                         [("Host", "ep.test"), ("Authorization", f"token {token}")])


def test_a_client_with_bad_tokens_is_not_looked_at_for_a_while(make_stage):
    stage = make_stage(config={"workers": 1})
    known = stage.connect()
    stage.get(client=known)
    flood = stage.connect()
    statuses = []
    for token, _ in zip(bad_tokens(stage), range(BURST)):
        flood.send(request(token))
        response = flood.read_response()
        statuses.append(response.status)
        if response.status == 429:
            break
    assert statuses[-1] == 429 and set(statuses[:-1]) == {401}, statuses[-5:]
    assert response.get("Retry-After")
    assert response.json()["reason"] and response.json()["message"]
    stage.moved("kernelgate_limits_hit_total", limit="session_checks")
    assert stage.proxy.wait_log(client=flood.address, status=429)["error"] == "too_many_requests"
    # The same address, even the same connection: who is known is let in all the same.
    stage.get(client=known)
    stage.get(client=flood)

    def looked_at_again():
        flood.send(request(next(tokens)))
        return flood.read_response().status == 401

    tokens = bad_tokens(stage)
    wait_until(looked_at_again, "the budget to fill again")


def test_the_same_bad_token_is_checked_once_in_a_while(make_stage):
    stage = make_stage(config={"workers": 1})
    token = next(bad_tokens(stage))
    client = stage.connect()
    for _ in range(1_000):
        client.send(request(token))
        assert client.read_response().status == 401
    stage.unmoved("kernelgate_limits_hit_total", limit="session_checks")
    # Refusals are believed for 5 s: of so many requests all but a few are told from memory.
    assert stage.proxy.metrics().value("kernelgate_session_cache_hits_total") > 900
