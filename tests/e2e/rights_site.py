"""A real API server, and a controller that has the rights of deploy/kubernetes and no others."""

import http.client
import json

import peers
import yaml
from control_plane import ControlPlane, ingress, ingress_path
from support.controller import program
from support.metrics_text import Metrics
from support.waiting import wait_until

PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "CronJob": "/apis/batch/v1/namespaces/{namespace}/cronjobs?fieldValidation=Strict",
    "Service": "/api/v1/namespaces/{namespace}/services?fieldValidation=Strict"}
CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
EVENTS = "/apis/events.k8s.io/v1/namespaces/{}/events"
ADDRESSES = [{"hostname": "gate.example.com"}, {"ip": "192.0.2.7"}]


class Site:
    """A control plane, and a controller for the namespace analytics as its service account."""

    def __init__(self, folder):
        self.folder, self.plane = folder, ControlPlane(folder)
        for namespace in ("kernelgate", "analytics", "science"):
            self.plane.new_namespace(namespace)
        self.apply("controller-rbac.yaml")
        for name, controller in (("kernelgate", "kernelgate.io/ingress"), ("alb", "aws/alb")):
            self.plane.must("POST", CLASSES, {"metadata": {"name": name},
                                              "spec": {"controller": controller}})
        self.process = self.start()

    def apply(self, manifest):
        """The objects of a manifest of ours, by their kind."""
        text = (peers.TREE / "deploy/kubernetes" / manifest).read_text()
        made = {}
        for item in yaml.safe_load_all(text):
            path = PATHS[item["kind"]].format(namespace=item["metadata"].get("namespace"))
            made[item["kind"]] = self.plane.must("POST", path, item)
        return made

    def kubeconfig_of(self, account):
        token = self.plane.must(
            "POST", f"/api/v1/namespaces/kernelgate/serviceaccounts/{account}/token",
            {"spec": {"expirationSeconds": 3600}})["status"]["token"]
        kubeconfig = json.loads(self.plane.kubeconfig.read_text())
        kubeconfig["users"][0]["user"] = {"token": token}
        file = self.folder / "pki" / account
        file.write_text(json.dumps(kubeconfig))
        return file

    def start(self, name="controller", namespaces=("analytics",), options=()):
        process = self.launch(name, namespaces, options)
        process.wait_ready(lambda: self.page("/readyz", process)[0] == 200)
        return process

    def launch(self, name, namespaces, options=()):
        monitoring = peers.free_port()
        process = peers.Process(name, self.folder, [
            program(), "run",
            f"--kubeconfig={self.kubeconfig_of('kernelgate-controller')}",
            *[f"--namespace={namespace}" for namespace in namespaces],
            "--lease-namespace=kernelgate", f"--publish=tcp://127.0.0.1:{peers.free_port()}",
            f"--monitoring=127.0.0.1:{monitoring}", "--observe-class=alb",
            "--observe-parameters=analytics/missing",  # so that all of the observed are wrong
            "--status-address=gate.example.com", "--status-address=192.0.2.7", *options])
        process.monitoring = monitoring
        return process

    def page(self, path, process=None):
        process = process or self.process
        connection = http.client.HTTPConnection("127.0.0.1", process.monitoring, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def metric(self, name, process=None, /, **labels):
        text = self.page("/metrics", process)[1]
        return Metrics(text).value(f"kernelgate_controller_{name}", **labels)

    def post(self, name, namespace="analytics", class_name="kernelgate", **annotations):
        made = ingress(name, **{f"kernelgate.io/{key.replace('_', '-')}": value
                                for key, value in annotations.items()})
        made["spec"]["ingressClassName"] = class_name
        return self.plane.must("POST", ingress_path(namespace), made)

    def annotate(self, name, **annotations):
        self.plane.must("PATCH", ingress_path("analytics", name),
                        {"metadata": {"annotations": {f"kernelgate.io/{key}": value
                                                      for key, value in annotations.items()}}},
                        content_type="application/merge-patch+json")

    def events(self, name, namespace="analytics"):
        found = self.plane.must("GET", EVENTS.format(namespace))["items"]
        return {event["reason"]: event for event in found if event["regarding"]["name"] == name}

    def wait_event(self, name, reason, condition=lambda event: True, **options):
        wait_until(lambda: condition(self.events(name, **options)[reason])
                   if reason in self.events(name, **options) else False,
                   lambda: f"{reason} of {name}: {self.events(name, **options)}; "
                           f"{self.process.tail()}", 20)
        return self.events(name, **options)[reason]

    def addresses(self, name):
        found = self.plane.must("GET", ingress_path("analytics", name))
        return found["status"]["loadBalancer"].get("ingress")

    def wait_addresses(self, name, wanted):
        wait_until(lambda: self.addresses(name) == wanted,
                   lambda: f"{wanted}; it is {self.addresses(name)}; {self.process.tail()}", 20)

    def stop(self):
        self.process.stop()
        self.plane.stop()
