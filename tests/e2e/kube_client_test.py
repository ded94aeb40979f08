"""The controller's Kubernetes client against a real API server: nothing is missed, nothing lost."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from control_plane import (
    DEBIANS_ETCD, ETCD, INGRESSES, ControlPlane, ingress, ingress_path)
from support.waiting import wait_until

WATCHER = Path(os.environ["KERNELGATE_BIN"]).parents[2] / "tests/kube_watcher"


class Watcher:
    """tests/e2e/kube_watcher.cc, and a picture made of nothing but what its handler was told."""

    def __init__(self, *access, selection=(*INGRESSES, "")):
        self.objects, self.told, self.counts, self.errors = {}, [], {}, []
        self.process = subprocess.Popen([WATCHER, *map(str, access), *selection],
                                        stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "upsert" in said:
                metadata = said["upsert"]["metadata"]
                key = f"{metadata.get('namespace', '')}/{metadata['name']}"
                self.objects[key] = said["upsert"]
                self.told.append(f"+{key}")
            elif "remove" in said:
                del self.objects[said["remove"]]
                self.told.append(f"-{said['remove']}")
            elif "synced" in said:
                self.told.append("synced")
            self.counts = said.get("counts", self.counts)
            self.errors = said.get("errors", self.errors)

    def wait_for(self, condition, what, seconds=30):
        wait_until(lambda: condition(self),
                   lambda: f"{what}; told {self.told[-10:]}, counts {self.counts}", seconds)

    def wait_synced(self):
        self.wait_for(lambda w: "synced" in w.told, "the first list")
        self.wait_for(lambda w: w.counts.get("watches"), "a watch")

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        assert self.process.wait(10) == 0


@pytest.fixture(scope="module", params=[ETCD], ids=["etcd"])
def plane(request, tmp_path_factory):
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), request.param)
    yield plane
    plane.stop()


with_either_etcd = pytest.mark.parametrize("plane", [ETCD, DEBIANS_ETCD], indirect=True,
                                           ids=["etcd", "debians-etcd"])


@pytest.fixture
def namespace(plane, request):
    return plane.new_namespace(request.node.originalname.replace("_", "-")[:63].strip("-"))


@pytest.fixture
def watch(plane):
    """watch(context, selection...) -> a Watcher with the kubeconfig of the control plane."""
    running = []

    def start(*access, selection=(*INGRESSES, "")):
        access = access or ("kubeconfig", plane.kubeconfig, "")
        running.append(Watcher(*access, selection=selection))
        return running[-1]

    yield start
    for watcher in running:
        watcher.close()


def versions(plane, namespace):
    """{key: resourceVersion} as the API server has it."""
    items = plane.must("GET", ingress_path(namespace))["items"]
    return {f"{namespace}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for item in items}


def seen_versions(watcher):
    return {key: item["metadata"]["resourceVersion"] for key, item in watcher.objects.items()}


@with_either_etcd
def test_what_is_there_and_each_change(plane, watch, namespace):
    for name in "abcde":
        plane.must("POST", ingress_path(namespace), ingress(name))
    watcher = watch(selection=(*INGRESSES, namespace))
    watcher.wait_synced()
    assert watcher.told == [f"+{namespace}/{name}" for name in "abcde"] + ["synced"]
    listed = watcher.objects[f"{namespace}/a"]
    assert (listed["kind"], listed["apiVersion"]) == ("Ingress", "networking.k8s.io/v1")
    assert "managedFields" not in listed["metadata"]

    other = plane.new_namespace(f"{namespace}-2")
    plane.must("POST", ingress_path(other), ingress("elsewhere"))
    plane.must("POST", ingress_path(namespace), ingress("f"))
    plane.must("PATCH", ingress_path(namespace, "a"),
               {"metadata": {"annotations": {"edited": "yes"}}},
               content_type="application/merge-patch+json")
    plane.must("DELETE", ingress_path(namespace, "b"))
    watcher.wait_for(lambda w: w.told[-1] == f"-{namespace}/b", "the deletion")
    assert watcher.told[6:] == [f"+{namespace}/f", f"+{namespace}/a", f"-{namespace}/b"]
    assert watcher.objects[f"{namespace}/a"]["metadata"]["annotations"] == {"edited": "yes"}
    assert seen_versions(watcher) == versions(plane, namespace)
    counts = watcher.counts
    assert (counts["lists"], counts["list_errors"], counts["watch_errors"]) == (1, 0, 0)


@pytest.mark.parametrize("context", ["admin", "certificate"])
def test_a_kubeconfig_with_a_token_or_a_certificate(plane, watch, context):
    watcher = watch("kubeconfig", plane.kubeconfig, context,
                    selection=("", "v1", "namespaces", "Namespace", ""))
    watcher.wait_synced()
    assert "/kube-system" in watcher.objects


def test_a_service_account_sees_what_its_role_allows(plane, watch, namespace, tmp_path):
    plane.must("POST", ingress_path(namespace), ingress("mine"))
    base = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    plane.must("POST", base, {"metadata": {"name": "controller"}})
    token = plane.must("POST", f"{base}/controller/token",
                       {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                        "spec": {}})["status"]["token"]
    (tmp_path / "token").write_text(token)
    (tmp_path / "ca.crt").write_bytes(plane.keyring.ca.read_bytes())
    pod = ("pod", "127.0.0.1", plane.port, tmp_path)
    watcher = watch(*pod, selection=(*INGRESSES, namespace))
    watcher.wait_for(lambda w: "answers 403" in w.counts.get("problem", ""), "a refusal")
    account = f"system:serviceaccount:{namespace}:controller"
    assert f'"{account}" cannot list' in watcher.counts["problem"]
    assert watcher.told == []

    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    plane.must("POST", f"{rbac}/roles", {
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"],
                   "verbs": ["list", "watch"]}]})
    plane.must("POST", f"{rbac}/rolebindings", {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "controller", "namespace": namespace}]})
    watcher.wait_synced()
    assert watcher.told == [f"+{namespace}/mine", "synced"]


@with_either_etcd
def test_an_api_server_that_restarts_is_caught_up_with(plane, watch, namespace):
    for name in ("kept", "edited", "deleted"):
        plane.must("POST", ingress_path(namespace), ingress(name))
    watcher = watch(selection=(*INGRESSES, namespace))
    watcher.wait_synced()
    before = len(watcher.told)
    # It does not run while one API server sees this and the next one comes, so that its version is
    # older than any that this one remembers.
    watcher.process.send_signal(signal.SIGSTOP)
    plane.restart_api()
    plane.must("POST", ingress_path(namespace), ingress("new"))
    plane.must("PATCH", ingress_path(namespace, "edited"),
               {"metadata": {"annotations": {"edited": "yes"}}},
               content_type="application/merge-patch+json")
    plane.must("DELETE", ingress_path(namespace, "deleted"))
    plane.restart_api()
    watcher.process.send_signal(signal.SIGCONT)
    watcher.wait_for(lambda w: w.counts["gone"] and w.counts["lists"] == 2, "410 and a second list")
    watcher.wait_for(lambda w: seen_versions(w) == versions(plane, namespace), "the same objects")
    assert sorted(watcher.told[before:]) == sorted(
        [f"+{namespace}/new", f"+{namespace}/edited", f"-{namespace}/deleted"])


def test_without_etcd_nothing_is_lost_and_with_it_all_goes_on(plane, watch, namespace):
    plane.must("POST", ingress_path(namespace), ingress("kept"))
    watcher = watch(selection=(*INGRESSES, namespace))
    watcher.wait_synced()
    plane.etcd.kill()
    wait_until(lambda: not plane.is_ready(), "the API server to miss etcd", 30)
    assert watcher.told == [f"+{namespace}/kept", "synced"]
    plane.start_etcd()
    wait_until(plane.is_ready, "the API server to find etcd again", 60)
    plane.must("POST", ingress_path(namespace), ingress("later"))
    watcher.wait_for(lambda w: w.told[-1] == f"+{namespace}/later", "the new object")
    assert watcher.told == [f"+{namespace}/kept", "synced", f"+{namespace}/later"]
    assert seen_versions(watcher) == versions(plane, namespace)
