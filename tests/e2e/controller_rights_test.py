"""What the controller writes, with the rights that deploy/kubernetes gives it and no others."""

import base64
import json
import os

import pages
import peers
import pytest
from control_plane import ingress_path
from rights_site import ADDRESSES, CLASSES, EVENTS, PATHS, Site
from support.controller import program, run_controller
from support.waiting import wait_until

PAGE = "routing/controller/README.md"
SECRETS = "/api/v1/namespaces/kernelgate/secrets"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("rights"))
    yield site
    site.stop()


def test_a_finding_is_an_event_that_counts_and_its_end_is_one_too(site):
    made = site.post("broken", identity="nobody")
    event = site.wait_event("broken", "UnknownAnnotation")
    assert event["regarding"] == {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "namespace": "analytics",
        "name": "broken", "uid": made["metadata"]["uid"]}
    assert (event["type"], event["reportingController"]) == ("Warning", "kernelgate.io/ingress")
    assert "kernelgate.io/identity" in event["note"] and "series" not in event
    number = len(site.plane.must("GET", EVENTS.format("analytics"))["items"])
    # Another one reports the same: the same Event, counted.
    site.process.stop()
    site.process = site.start()
    site.wait_event("broken", "UnknownAnnotation",
                    lambda event: event.get("series", {}).get("count") == 2)
    assert len(site.plane.must("GET", EVENTS.format("analytics"))["items"]) == number
    core = site.plane.must("GET", "/api/v1/namespaces/analytics/events")["items"]
    assert {event["involvedObject"]["uid"] for event in core} == {made["metadata"]["uid"]}


def test_an_object_that_becomes_right_hears_it(site):
    site.plane.must("POST", "/api/v1/namespaces/analytics/secrets", {
        "metadata": {"name": "sessions"}, "stringData": {"token": "a" * 40}})
    site.plane.must("POST", "/api/v1/namespaces/analytics/services", {
        "metadata": {"name": "gateway"}, "spec": {"ports": [{"name": "http", "port": 8888}]}})
    site.post("mended", endpoint_id="Not An Id", sessions_by_gateway="/api/kernelspecs",
              gateway_credentials="forward")
    wait_until(lambda: site.events("mended"), lambda: f"an Event; {site.process.tail()}", 20)
    mended = {"kind": "Ingress", "namespace": "analytics", "name": "mended"}
    assert site.metric("object_errors", **mended) == 1
    site.annotate("mended", **{"endpoint-id": "mended"})
    event = site.wait_event("mended", "Resolved")
    assert event["type"] == "Normal" and event["action"] == "Serve"
    assert site.metric("object_errors", **mended) == 0


def test_what_it_remembers_is_a_secret_that_is_written_again(site):
    memory = "/api/v1/namespaces/kernelgate/secrets/kernelgate-controller-memory"

    def text():
        found = site.plane.call("GET", memory)
        data = found.body.get("data", {}) if found.status == 200 else {}
        return base64.b64decode(data.get("memory", "")).decode()

    site.annotate("mended", **{"gone-after": "soon"})
    site.wait_event("mended", "LastGoodServes")
    wait_until(lambda: '"ingress":"mended"' in text(), lambda: f"a memory: {text()!r}", 20)
    assert "soon" not in text() and "/api/kernelspecs" in text()
    site.plane.must("DELETE", memory)
    wait_until(lambda: '"ingress":"mended"' in text(), lambda: f"it again: {text()!r}", 20)
    site.plane.must("PATCH", memory, {"stringData": {"memory": "nonsense"}},
                    content_type="application/merge-patch+json")
    wait_until(lambda: '"ingress":"mended"' in text(), lambda: f"it again: {text()!r}", 20)
    site.annotate("mended", **{"gone-after": "7s"})
    wait_until(lambda: text() == "", lambda: f"nothing: {text()!r}", 20)


def test_our_ingresses_say_where_they_are_reached(site):
    site.post("reached")
    site.wait_addresses("reached", ADDRESSES)
    version = site.plane.must("GET", ingress_path("analytics", "reached"))["metadata"]
    site.post("later")
    site.wait_addresses("later", ADDRESSES)
    again = site.plane.must("GET", ingress_path("analytics", "reached"))["metadata"]
    assert again["resourceVersion"] == version["resourceVersion"]  # written once


def test_what_is_not_ours_is_not_written_to(site):
    others = {("analytics", "observed"): site.post("observed", class_name="alb", identity="x"),
              ("analytics", "foreign"): site.post("foreign", class_name="nginx", identity="x"),
              ("science", "elsewhere"): site.post("elsewhere", namespace="science", identity="x")}
    wait_until(lambda: site.metric("ingresses", state="observed") == 1, "the observed one")
    site.post("behind", identity="x")
    site.wait_event("behind", "UnknownAnnotation")
    site.wait_addresses("behind", ADDRESSES)
    for (namespace, name), made in others.items():
        found = site.plane.must("GET", ingress_path(namespace, name))
        assert found["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"], name
        assert site.events(name, namespace) == {}
    # One that leaves our class is cleared of what we wrote, and is written to no more.
    site.plane.must("PATCH", ingress_path("analytics", "behind"),
                    {"spec": {"ingressClassName": "nginx"}, "status": None},
                    content_type="application/merge-patch+json")
    site.wait_addresses("behind", None)
    theirs = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.99"}]}}}
    site.plane.must("PATCH", ingress_path("analytics", "behind") + "/status", theirs,
                    content_type="application/merge-patch+json")
    site.post("last")
    site.wait_addresses("last", ADDRESSES)
    assert site.addresses("behind") == theirs["status"]["loadBalancer"]["ingress"]


def test_a_standby_writes_nothing(site):
    standby = site.start("standby")
    try:
        before = site.metric("writes_total", result="ok")
        site.post("seen-by-both", identity="x")
        site.wait_event("seen-by-both", "UnknownAnnotation")
        site.wait_addresses("seen-by-both", ADDRESSES)
        assert site.metric("writes_total", result="ok") > before
        wait_until(lambda: site.metric("findings", standby, reason="UnknownAnnotation") > 0,
                   "the standby to see it")
        assert site.metric("leader", standby) == 0
        assert site.metric("writes_total", standby) == site.metric("writes_waiting", standby) == 0
    finally:
        standby.stop()


def test_a_namespace_where_the_role_is_not_bound_is_named_and_waited_for(site):
    bindings = PATHS["RoleBinding"].format(namespace="science")
    late = site.launch("late", ("analytics", "science", "gone"))  # which nobody has made
    try:
        def waits_for():
            status, text = site.page("/readyz", late)
            return json.loads(text)["waits_for"] if status == 503 else []
        missing = {("science", resource) for resource in (
            "ingresses.networking.k8s.io", "endpointslices.discovery.k8s.io", "services",
            "secrets")}
        wait_until(lambda: {(one["namespace"], one["resource"]) for one in waits_for()} == missing,
                   lambda: f"all it misses: {waits_for()}")
        assert all("403" in one["problem"] and "RBAC" in one["problem"] for one in waits_for())
        message = json.loads(site.page("/readyz", late)[1])["message"]
        assert "deploy/kubernetes/controller-rbac.yaml" in message and "--namespace" in message
        assert site.metric("list_forbidden", late, namespace="science") == 4
        assert site.metric("feed_term", late) == 0
        site.plane.must("POST", bindings, {
            "metadata": {"name": "kernelgate-controller"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                        "name": "kernelgate-controller-namespace"},
            "subjects": [{"kind": "ServiceAccount", "name": "kernelgate-controller",
                          "namespace": "kernelgate"}]})
        wait_until(lambda: site.page("/readyz", late)[0] == 200, late.tail, 20)
        wait_until(lambda: site.metric("list_forbidden", late, namespace="science") == 0,
                   "its watches")
        assert site.metric("list_forbidden", late, namespace="gone") == 4
    finally:
        late.stop()
        site.plane.call("DELETE", f"{bindings}/kernelgate-controller")


def test_an_ingress_class_has_its_events_in_default(site):
    site.plane.must("POST", CLASSES, {"metadata": {"name": "unusable"}, "spec": {
        "controller": "kernelgate.io/ingress",
        "parameters": {"kind": "ConfigMap", "scope": "Namespace", "namespace": "analytics",
                       "name": "missing"}}})
    site.wait_event("unusable", "ParametersNotFound", namespace="default")


def test_its_rights_suffice_and_nothing_went_wrong(site):
    assert site.metric("leader") == 1 and site.metric("synced") == 1
    for what in ("event", "status"):
        assert site.metric("writes_total", what=what, result="ok") > 0
        assert site.metric("writes_total", what=what, result="failed") == 0
    assert site.metric("objects", kind="Ingress") >= 5
    assert site.metric("watch_lag_seconds", kind="Secret") == 0
    assert site.page("/healthz")[0] == 200
    lines = [json.loads(line) for line in site.process.log.read_text().splitlines()]
    assert all({"time", "level", "area", "message"} <= line.keys() for line in lines)
    assert {"Ingress analytics/broken"} <= {line.get("object") for line in lines}
    assert not [line for line in lines if "orbidden" in line["message"]]


def test_other_namespaces_and_other_secrets_are_closed_to_it(site):
    def may(verb, resource, namespace, name=""):
        group, _, plural = resource.rpartition("/")
        review = {"spec": {
            "user": "system:serviceaccount:kernelgate:kernelgate-controller",
            "resourceAttributes": {"verb": verb, "group": group, "resource": plural,
                                   "namespace": namespace, "name": name}}}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return site.plane.must("POST", path, review)["status"]["allowed"]

    assert may("list", "secrets", "analytics")
    assert may("update", "secrets", "kernelgate", "kernelgate-revocations")
    assert may("update", "secrets", "kernelgate", "kernelgate-controller-memory")
    for namespace in ("science", "kernelgate", "kube-system", "default"):
        assert not may("list", "secrets", namespace), namespace
    assert not may("list", "secrets", "")
    assert not may("update", "secrets", "analytics", "sessions")
    assert not may("update", "networking.k8s.io/ingresses", "analytics")
    assert not may("create", "events.k8s.io/events", "science")


def secret(site, name, namespace="kernelgate"):
    return site.plane.must("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")


def test_what_the_fleet_shares_is_made_once_and_never_overwritten(site):
    shared = {"kernelgate-controller-key": {"key", "key.pub"},
              "kernelgate-proxy-key": {"key", "key.pub"},
              "kernelgate-kernel-ids": {"key"}, "kernelgate-ticket-keys": {"key"}}
    lost = {"kernelgate-proxy-key", "kernelgate-ticket-keys"}
    before = {name: secret(site, name) for name in shared}
    assert {name: set(found["data"]) for name, found in before.items()} == shared
    for name in lost:
        site.plane.must("DELETE", f"{SECRETS}/{name}")
    # Without a use for pairs it makes what proxies mount all the same.
    site.start("plain", options=["--plaintext"]).stop()
    made = secret(site, "kernelgate-ticket-keys")
    assert site.plane.call("GET", f"{SECRETS}/kernelgate-proxy-key").status == 404
    site.process.stop()
    site.process = site.start()
    after = {name: secret(site, name) for name in shared}
    assert after["kernelgate-ticket-keys"]["data"] == made["data"]
    for name, found in after.items():
        assert (found["data"] != before[name]["data"]) == (name in lost), name
    log = site.process.log.read_text()
    for name, found in after.items():
        assert found["data"]["key"] not in log
        assert base64.b64decode(found["data"]["key"]).decode().split()[-1] not in log
    public = base64.b64decode(after["kernelgate-controller-key"]["data"]["key.pub"]).decode()
    assert json.dumps(public.strip())[1:-1] in log


def test_it_runs_as_the_page_says(site):
    folder, monitoring = site.folder / "page", peers.free_port()
    process = peers.Process("page", site.folder, pages.command(
        pages.block(PAGE, "kernelgate keys new"), folder,
        kernelgate=f"{os.environ['KERNELGATE_BIN']} \"$@\"",
        # What a pod is given by its cluster, and addresses that are free here.
        kernelgate_controller=f"setpriv --pdeathsig TERM {program()} \"$@\""
        f" --kubeconfig={site.plane.kubeconfig} --lease-namespace=kernelgate"
        f" --publish=tcp://127.0.0.1:{peers.free_port()} --monitoring=127.0.0.1:{monitoring}"))
    process.monitoring = monitoring
    try:
        process.wait_ready(lambda: site.page("/readyz", process)[0] == 200)
        public = {name: (folder / f"{name}.pub").read_text().strip()
                  for name in ("controller-key", "proxy-key")}
        assert process.log.read_text().splitlines()[:2] == list(public.values())
        assert (folder / "allowed").read_text() == f"{public['proxy-key']} all\n"
        assert site.metric("leader", process) == 0  # beside the one that leads
    finally:
        process.stop()


def test_proxies_find_all_controllers_by_one_name(site):
    service = site.apply("controller-service.yaml")["Service"]
    meta, spec = service["metadata"], service["spec"]
    assert spec["clusterIP"] == "None" and spec["publishNotReadyAddresses"]
    address = f"{meta['name']}.{meta['namespace']}.svc:{spec['ports'][0]['port']}"
    for page in (PAGE, "config/README.md"):
        assert f"controllers: [{address}]" in (peers.TREE / page).read_text(), page
    published = f"(tcp://0.0.0.0:{spec['ports'][0]['port']})"
    assert published in run_controller("run", "--help").stdout


def test_a_secret_of_keys_is_rotated_in_place(site):
    def keys(verb, kind, name="science/mine"):
        return run_controller("keys", verb, "--kind", kind, "--secret", name,
                              "--kubeconfig", site.plane.kubeconfig)

    assert keys("new", "feed").returncode == 0
    made = secret(site, "mine", "science")
    assert keys("new", "feed").returncode == 1
    following = keys("rotate", "feed").stdout.strip()
    once = secret(site, "mine", "science")["data"]
    assert once["key"] == made["data"]["key"]
    assert base64.b64decode(once["key.next.pub"]).decode().strip() == following
    assert keys("rotate", "feed").returncode == 0
    twice = secret(site, "mine", "science")["data"]
    assert (twice["key"], twice["key.pub"]) == (once["key.next"], once["key.next.pub"])
    wrong = keys("rotate", "tickets")
    assert wrong.returncode == 1 and "is it one of --kind tickets?" in wrong.stderr
    assert keys("rotate", "feed", "science/none").returncode == 1
    assert keys("rotate", "feed", "none").returncode == 1


def test_ticket_keys_are_rotated_with_two_rights_to_one_secret(site):
    made = site.apply("ticket-key-rotation.yaml")
    pod = made["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    program_name, *arguments = pod["containers"][0]["command"] + pod["containers"][0]["args"]
    assert program_name == "kernelgate-controller"
    kubeconfig = site.kubeconfig_of(pod["serviceAccountName"])

    def rotate():
        return run_controller(*arguments, "--kubeconfig", kubeconfig)

    def lines(found):
        return base64.b64decode(found["data"]["key"]).decode().split()

    name = "kernelgate-ticket-keys"
    site.plane.must("PATCH", f"/api/v1/namespaces/kernelgate/secrets/{name}", {"metadata": {
        "labels": {"team": "gate"}, "annotations": {"example.com/replicate": "true"}}},
        content_type="application/merge-patch+json")
    before = secret(site, name)
    wait_until(lambda: rotate().returncode == 0, lambda: f"a rotation: {rotate().stderr}", 20)
    after = secret(site, name)
    assert lines(after)[1:] == lines(before)[:1]
    for kept in ("labels", "annotations", "uid"):
        assert after["metadata"][kept] == before["metadata"][kept], kept
    role, rule = made["Role"], made["Role"]["rules"][0]
    assert len(role["rules"]) == 1 and rule["resourceNames"] == [name]
    path = PATHS["Role"].format(namespace="kernelgate") + "/" + role["metadata"]["name"]
    for verb in rule["verbs"]:  # none is too many
        others = [other for other in rule["verbs"] if other != verb]
        site.plane.must("PATCH", path, {"rules": [{**rule, "verbs": others}]},
                        content_type="application/merge-patch+json")
        wait_until(lambda: "orbidden" in rotate().stderr, f"{verb} to be missed", 20)
