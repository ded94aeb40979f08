"""`kernelgate-controller check`: what manifests become, offline."""

import json
import re
from pathlib import Path

import pytest

from support.certificates import openssl
from support.controller import run_controller

PAGE = Path(__file__).resolve().parents[2] / "routing/controller/README.md"

CLASS = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: kernelgate}
spec:
  controller: kernelgate.io/ingress
  parameters: {kind: ConfigMap, scope: Namespace, namespace: platform, name: kernelgate}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kernelgate, namespace: platform}
data:
  issuer: https://studio.example.com
  audience: kernelgate
  jwks-url: https://studio.example.com/jwks
  allowed-hosts: |
    *: {namespace}.example.com
"""

GATEWAY = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: jeg, namespace: analytics}
  spec: {ports: [{name: http, port: 80, targetPort: 8888}]}
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata:
    name: jeg-x
    namespace: analytics
    labels: {kubernetes.io/service-name: jeg}
  addressType: IPv4
  ports: [{name: http, port: 8888}]
  endpoints:
  - {addresses: [10.0.3.17], targetRef: {kind: Pod, name: jeg-0, uid: u0}}
  - addresses: [10.0.3.18]
    conditions: {ready: false, serving: true, terminating: true}
    targetRef: {kind: Pod, name: jeg-1, uid: u1}
- apiVersion: v1
  kind: Secret
  metadata: {name: gateway, namespace: analytics}
  stringData: {token: s3cr3t-gateway-token}
"""

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: notebooks
  namespace: analytics
  annotations:
    kernelgate.io/endpoint-id: abc123
    kernelgate.io/gateway-token-secret: gateway
spec:
  ingressClassName: kernelgate
  rules:
  - host: nb.analytics.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: jeg, port: {name: http}}}}
"""

# Shaped like those that the control plane of EMR on EKS makes: class and annotations of the AWS
# Load Balancer Controller, no host, one path (domain E2, E10, 1.1).
EMR = """\
{"apiVersion": "v1", "kind": "List", "items": [
 {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
  "metadata": {"name": "ingress-3kqj9fzm2yd0v", "namespace": "emr",
   "labels": {"emr-containers.amazonaws.com/component": "endpoint"},
   "annotations": {
    "alb.ingress.kubernetes.io/scheme": "internal",
    "alb.ingress.kubernetes.io/listen-ports": "[{\\"HTTPS\\":18888}]",
    "alb.ingress.kubernetes.io/target-type": "ip"}},
  "spec": {"ingressClassName": "alb", "rules": [{"http": {"paths": [
   {"path": "/*", "pathType": "ImplementationSpecific",
    "backend": {"service": {"name": "service-3kqj9fzm2yd0v", "port": {"number": 18888}}}}]}}]}},
 {"apiVersion": "v1", "kind": "Service",
  "metadata": {"name": "service-3kqj9fzm2yd0v", "namespace": "emr"},
  "spec": {"type": "ClusterIP", "ports": [{"port": 18888, "targetPort": 8888}]}},
 {"apiVersion": "v1", "kind": "ConfigMap",
  "metadata": {"name": "emr", "namespace": "platform"},
  "data": {"sessions-by-gateway": "/api/kernelspecs", "gateway-credentials": "forward",
   "host-template": "{id}.kernels.example.com", "endpoint-id-prefix": "ingress-"}}]}
"""


@pytest.fixture
def check(tmp_path):
    """check(NAME=TEXT, ..., flags) runs it over a folder with these files."""
    def run(*flags, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return run_controller("check", "-f", tmp_path, *flags)
    return run


def test_what_proxies_would_refuse_is_an_error(check, tmp_path):
    chain, key = tmp_path / "weak.crt", tmp_path / "weak.key"
    openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "2", "-keyout", str(key),
            "-subj", "/CN=weak", "-addext", "subjectAltName=DNS:nb.analytics.example.com",
            "-out", str(chain))
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
              "metadata": {"name": "weak", "namespace": "analytics"},
              "stringData": {"tls.crt": chain.read_text(), "tls.key": key.read_text()}}
    ingress = INGRESS.replace("  rules:", "  tls: [{secretName: weak}]\n  rules:")
    done = check(classes=CLASS, gateway=GATEWAY, ingress=ingress, secret=json.dumps(secret))
    assert done.returncode == 1
    assert "error: NotUsable: certificate/analytics/weak: cannot be served: " in done.stdout
    assert "PRIVATE KEY" not in done.stdout


def test_an_endpoint_is_told_with_all_that_it_becomes(check):
    done = check(a=CLASS, b=GATEWAY, c=INGRESS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == """\
Ingress analytics/notebooks (class "kernelgate")
  endpoint abc123
    route nb.analytics.example.com/
    service jeg:http
    pod jeg-0 10.0.3.17:8888
    pod jeg-1 10.0.3.18:8888 terminating takes no new kernels
1 Ingresses, 1 of them ours, 1 endpoints, 0 errors, 0 warnings
"""


def test_errors_are_named_with_their_remedy_and_no_secret_is_printed(check):
    wrong = INGRESS.replace("kernelgate.io/endpoint-id: abc123",
                            "kernelgate.io/endpoint-id: abc123\n"
                            "    kernelgate.io/quota-kernels: lots\n"
                            "    kernelgate.io/replicaton: \"true\"")
    done = check(a=CLASS, b=GATEWAY, c=wrong.replace("nb.analytics", "nb.other"))
    assert done.returncode == 1
    assert "error: HostNotAllowed: \"nb.other.example.com\" is not for this" in done.stdout
    assert re.search(r"warning: UnknownAnnotation: .*did you mean kernelgate.io/replication\?",
                     done.stdout)
    done = check(c=wrong)
    assert done.returncode == 1
    assert re.search(r"error: InvalidAnnotation: annotation kernelgate.io/quota-kernels: \"lots\" "
                     r"is not a number: write a value from 1 to 10000", done.stdout)
    assert "abc123, not published" in done.stdout
    assert "s3cr3t" not in done.stdout + done.stderr


def test_ingresses_shaped_like_those_of_emr(check):
    done = check(emr=EMR)
    assert done.returncode == 0
    assert "Ingress emr/ingress-3kqj9fzm2yd0v: not ours" in done.stdout
    done = check("--observe-class", "alb", "--observe-parameters", "platform/emr")
    assert done.returncode == 0, done.stdout + done.stderr
    assert """\
Ingress emr/ingress-3kqj9fzm2yd0v (class "alb", observed)
  endpoint 3kqj9fzm2yd0v
    route 3kqj9fzm2yd0v.kernels.example.com/
    service service-3kqj9fzm2yd0v:18888
""" in done.stdout
    done = check("--observe-label", "emr-containers.amazonaws.com/component=endpoint",
                 "--observe-parameters", "platform/emr")
    assert "endpoint 3kqj9fzm2yd0v\n" in done.stdout
    # Nothing says who may come in: nobody may.
    done = check("--observe-class", "alb")
    assert done.returncode == 1 and "error: NoSessions:" in done.stdout


def test_the_example_of_the_page_is_right(check):
    example = re.search(r"```yaml\n(apiVersion.*?)```", PAGE.read_text(), re.DOTALL)[1]
    done = check("--class", "kernelgate", a=example)
    assert done.returncode == 1 and "error: SecretNotFound" in done.stdout
    assert "error: CertificateUnusable: Secret \"notebooks-tls\"" in done.stdout
    done = check("--class", "kernelgate", "--assume-secrets", a=example)
    assert done.returncode == 0, done.stdout
    assert "endpoint abc123xyz456\n" in done.stdout and "note: SecretAssumed" in done.stdout


@pytest.mark.parametrize("text, problem", [
    ("kind: Ingress\nmetadata: {name: a}\n", "write networking.k8s.io/v1"),
    ("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a, annotations: {b: yes}}",
     "\"b\" is no string: put its value in quotes"),
    ("apiVersion: v1\nkind: Service\nmetadata: {}\n", "has no metadata.name"),
    ("kind: [\n", "not valid YAML"),
    ("", "0 Ingresses"),
])
def test_manifests_that_no_cluster_would_take(check, text, problem):
    done = check(a=text)
    assert problem in done.stdout, done.stdout
    assert done.returncode == (0 if text == "" else 1)


def test_wrong_use_is_exit_2_with_a_sentence(tmp_path):
    for arguments in ([], ["check"], ["check", "-f", tmp_path, "--observe-label", "x"],
                      ["check", "-f", tmp_path, "--observe-parameters", "x"]):
        done = run_controller(*arguments)
        assert done.returncode == 2, arguments
        assert (done.stdout + done.stderr).strip()
    done = run_controller("check", "-f", tmp_path / "missing.yaml")
    assert done.returncode == 1 and "missing.yaml: cannot be opened" in done.stdout


def test_which_namespaces_are_watched_is_said_and_said_once():
    for arguments in ([], ["--namespace", "a", "--all-namespaces"]):
        done = run_controller("run", *arguments)
        assert done.returncode == 2
        assert "--namespace NAME, repeatable, or --all-namespaces" in done.stderr
    # Of a variable that is not set: the API server would take it for every namespace.
    done = run_controller("run", "--namespace", "")
    assert done.returncode == 2 and "--namespace \"\": write the name" in done.stderr
