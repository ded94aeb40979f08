"""kubectl, as far as a page of ours needs it: a Secret is read, written anew as text, replaced."""

import base64
import http.client
import json
import os
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit


def ask(method, name, body=None):
    kubeconfig = Path(os.environ["KUBECONFIG"])
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    trust = ssl.create_default_context(cafile=kubeconfig.parent / cluster["certificate-authority"])
    server = urlsplit(cluster["server"])
    connection = http.client.HTTPSConnection(server.hostname, server.port, timeout=20,
                                             context=trust)
    connection.request(method, f"/api/v1/namespaces/default/secrets/{name}", body,
                       {"Authorization": f"Bearer {user['token']}",
                        "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"kubectl: {method} {name}: {answer.status} {text}")
    return json.loads(text)


def main(arguments):
    match arguments:
        case ["get", "secret", name, "-o", path] if path.startswith("jsonpath={.data."):
            print(ask("GET", name)["data"][path.removeprefix("jsonpath={.data.")[:-1]], end="")
        case ["create", "secret", "generic", name, source, "--dry-run=client", "-o", "yaml"]:
            key = source.removeprefix("--from-file=")
            text = base64.b64encode(Path(key).read_bytes()).decode()
            print(json.dumps({"metadata": {"name": name}, "data": {key: text}}))
        case ["replace", "-f", "-"]:
            secret = json.load(sys.stdin)
            ask("PUT", secret["metadata"]["name"], json.dumps(secret))
        case _:
            sys.exit(f"kubectl: not among what is played here: {arguments}")


if __name__ == "__main__":
    main(sys.argv[1:])
