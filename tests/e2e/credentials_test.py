"""The session credentials API: a real API server says who may, a real proxy takes the sessions."""

import http.client
import json
import signal
import ssl
import time
import urllib.request

import peers
import pytest
import yaml
from controller_site import Site
from control_plane import ingress_path
from support import tokens
from support.metrics_text import Metrics
from support.waiting import wait_until

ISSUER = "https://sessions.test"
ROLE = "arn:aws:iam::111122223333:role/analytics"
WISH = {"credentialType": "TOKEN"}
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"


class Issuing(Site):
    """A site whose controller issues sessions; its endpoints `mine` and `other` take them."""

    def __init__(self, folder):
        self.audit = folder / "audit"
        self.port = peers.free_port()
        super().__init__(folder, proxies=1)
        self.trust = ssl.create_default_context(cafile=self.workshop.keyring.ca)
        self.make_gateways("team")
        for name in ("mine", "other"):
            self.plane.must("POST", ingress_path("team"), self.manifest(name, **{
                "kernelgate.io/issuer": ISSUER, "kernelgate.io/execution-role": ROLE}))
        self.rule("issuer", {"apiGroups": ["kernelgate.io"], "resources": ["endpoints/credentials"],
                             "verbs": ["create"], "resourceNames": ["mine"]})
        self.rule("hub", {"apiGroups": ["kernelgate.io"], "resources": ["endpoints/credentials"],
                          "verbs": ["create"]},
                  {"apiGroups": ["kernelgate.io"], "resources": ["subjects"],
                   "verbs": ["impersonate"], "resourceNames": ["alice"]})
        self.rule("stranger")

    def controller_options(self):
        certificate, key = self.workshop.keyring.server_certificate("credentials.test")
        return [f"--credentials-listen=127.0.0.1:{self.port}",
                f"--credentials-certificate={certificate}", f"--credentials-certificate-key={key}",
                f"--credentials-signing-key={self.workshop.keyring.session_key}",
                f"--credentials-issuer={ISSUER}", f"--credentials-audit={self.audit}",
                "--credentials-audience=kernelgate", "--credentials-calls=60"]

    def rule(self, account, *rules):
        """A service account with a Role of these rules in the namespace `team`."""
        plane = self.plane
        plane.must("POST", "/api/v1/namespaces/team/serviceaccounts",
                   {"metadata": {"name": account}})
        plane.must("POST", f"{RBAC}/team/roles", {"metadata": {"name": account}, "rules": rules})
        plane.must("POST", f"{RBAC}/team/rolebindings", {
            "metadata": {"name": account},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "team"}]})

    def token_of(self, account, audience="kernelgate"):
        path = f"/api/v1/namespaces/team/serviceaccounts/{account}/token"
        return self.plane.must("POST", path, {
            "spec": {"audiences": [audience], "expirationSeconds": 600}})["status"]["token"]

    def call(self, method, path, token=None, body=None):
        """(status, fields, body)"""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20,
                                                 context=self.trust)
        try:
            fields = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, None if body is None else json.dumps(body), fields)
            answer = connection.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())
        finally:
            connection.close()

    def ask(self, token, endpoint="mine", role=ROLE, **wish):
        wish = {**WISH, **({"executionRoleArn": role} if role else {}), **wish}
        return self.call("POST", f"/virtualclusters/team/endpoints/{endpoint}/credentials", token,
                         wish)

    def calls(self, outcome):
        port = self.controllers.running[0].monitoring_port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            metrics = Metrics(answer.read().decode())
        return metrics.value("kernelgate_credentials_calls_total", outcome=outcome)

    def decisions(self):
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Issuing(tmp_path_factory.mktemp("issuing"))
    try:
        for name in ("mine", "other"):
            site.wait_status(name, 401)  # it is known, and the token is another issuer's
        yield site
    finally:
        site.stop()


def test_a_service_account_with_the_role_gets_a_session_of_that_endpoint(site):
    status, fields, session = site.ask(site.token_of("issuer"), logContext="team-a",
                                       durationInSeconds=600)
    assert status == 200, session
    assert fields["Cache-Control"] == "no-store"
    claims = tokens.claims_of(session["credentials"]["token"])
    assert claims["sub"] == "system:serviceaccount:team:issuer"
    assert (claims["endpoint"], claims["virtual_cluster"]) == ("mine", "team")
    assert (claims["jti"], claims["exp"] - claims["iat"]) == (session["id"], 600)
    assert session["expiresAt"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claims["exp"]))
    site.wait_status("mine", 200, token=session["credentials"]["token"])
    site.wait_status("other", 403, token=session["credentials"]["token"])
    wait_until(lambda: site.audit.read_text().count(session["id"]) == 1, "the audit line")
    line = next(line for line in site.decisions() if line.get("id") == session["id"])
    assert line["caller"] == line["subject"] == claims["sub"] and line["role"] == ROLE
    assert session["credentials"]["token"] not in site.audit.read_text()


def test_a_session_ends_when_it_was_said_to(site):
    status, _, session = site.ask(site.token_of("issuer"), durationInSeconds=2)
    assert status == 200, session
    site.wait_status("mine", 200, token=session["credentials"]["token"])
    site.wait_status("mine", 401, token=session["credentials"]["token"])
    assert time.time() >= tokens.claims_of(session["credentials"]["token"])["exp"]


def test_who_has_no_role_hears_the_same_of_every_endpoint(site):
    for account, endpoints in (("stranger", ("mine", "other", "none")),
                               ("issuer", ("other", "none"))):
        token = site.token_of(account)
        answers = [site.ask(token, endpoint) for endpoint in endpoints]
        assert {status for status, _, _ in answers} == {403}
        assert len({answer["message"].replace(endpoint, "ID")
                    for endpoint, (_, _, answer) in zip(endpoints, answers)}) == 1
    hub = site.token_of("hub")
    assert site.ask(hub, "none")[0] == 404
    assert site.ask(hub, role=None)[0] == site.ask(hub, role=ROLE + "x")[0] == 400


def test_a_token_for_others_proves_nothing(site):
    api_servers_own = "https://kubernetes.default.svc.cluster.local"
    for token in (None, "x.y.z", site.token_of("issuer", api_servers_own)):
        status, fields, answer = site.ask(token)
        assert (status, fields["WWW-Authenticate"]) == (401, "Bearer"), answer
        assert set(answer) == {"reason", "message"}


def test_another_subject_needs_impersonate(site):
    hub = site.token_of("hub")
    status, _, session = site.ask(hub, subject="alice")
    assert status == 200, session
    token = session["credentials"]["token"]
    assert tokens.claims_of(token)["sub"] == "alice"
    site.wait_status("mine", 200, token=token)
    assert site.ask(hub, subject="bob")[0] == 403
    assert site.ask(site.token_of("issuer"), subject="alice")[0] == 403
    assert site.decisions()[-1]["outcome"] == "forbidden"


def test_a_right_that_is_taken_away_is_gone(site):
    site.rule("leaver", {"apiGroups": ["kernelgate.io"], "resources": ["endpoints/credentials"],
                         "verbs": ["create"]})
    token = site.token_of("leaver")
    wait_until(lambda: site.ask(token)[0] == 200, "the right")
    site.plane.must("DELETE", f"{RBAC}/team/rolebindings/leaver")
    wait_until(lambda: site.ask(token)[0] == 403, "its end")


def test_keys_are_public_and_are_those_that_sign(site):
    status, _, keys = site.call("GET", "/.well-known/jwks.json")
    assert status == 200
    assert keys == json.loads(tokens.public_jwks(site.workshop.keyring.session_key))


def test_who_calls_too_often_waits_and_others_do_not(site):
    site.rule("eager", {"apiGroups": ["kernelgate.io"], "resources": ["endpoints/credentials"],
                        "verbs": ["create"]})
    token = site.token_of("eager")
    assert site.ask(token)[0] == 200
    # A minute's worth at once, and one more after each second.
    answers = (site.ask(token) for _ in range(200))
    status, fields, _ = next(answer for answer in answers if answer[0] != 200)
    assert status == 429 and 1 <= int(fields["Retry-After"]) <= 2
    assert site.ask(site.token_of("issuer"))[0] == 200
    outcomes = [decision["outcome"] for decision in site.decisions()]
    assert outcomes.count("issued") >= 60 and "too_many" in outcomes
    assert site.calls("too_many") >= 1 and site.calls("issued") >= 60


def test_the_manifest_lets_the_controller_review_and_no_more(site):
    plane = site.plane
    plane.new_namespace("kernelgate")
    accounts = "/api/v1/namespaces/kernelgate/serviceaccounts"
    plane.must("POST", accounts, {"metadata": {"name": "kernelgate-controller"}})
    manifest = peers.TREE / "deploy/kubernetes/credentials-rbac.yaml"
    plane.must("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
               yaml.safe_load(manifest.read_text()))
    own = plane.must("POST", f"{accounts}/kernelgate-controller/token", {})["status"]["token"]
    groups = ["authentication.k8s.io", "authorization.k8s.io"]
    kinds = ["TokenReview", "SubjectAccessReview"]
    specs = [{"token": "x"}, {"user": "x", "nonResourceAttributes": {"path": "/", "verb": "get"}}]

    def statuses():
        return [plane.call("POST", f"/apis/{group}/v1/{kind.lower()}s",
                           {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec},
                           token=own).status
                for group, kind, spec in zip(groups, kinds, specs)]

    wait_until(lambda: statuses() == [201, 201], lambda: f"reviews: {statuses()}")
    assert plane.call("GET", "/api/v1/namespaces/kernelgate/secrets", token=own).status == 403


def test_the_audit_log_is_reopened_for_rotation(site):
    before = site.audit.rename(site.audit.with_suffix(".1"))
    site.controllers.running[0].child.send_signal(signal.SIGUSR1)
    wait_until(site.audit.exists, "a new audit log")
    status, _, session = site.ask(site.token_of("issuer"))
    assert status == 200, session
    wait_until(lambda: session["id"] in site.audit.read_text(), "its line in the new one")
    assert session["id"] not in before.read_text()


def test_without_an_api_server_nothing_is_issued(site):
    token = site.token_of("issuer")
    site.plane.api.kill()
    status, fields, answer = site.ask(token)
    assert (status, fields["Retry-After"]) == (503, "5"), answer
    site.plane.start_api()
    wait_until(lambda: site.ask(token)[0] == 200, "the API server")
