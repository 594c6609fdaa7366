"""The two kinds of object the agent touches in the API server, by plain HTTPS as the pod's service account.

Only the standard library: the image's Python has Patroni's modules, and those may change.
"""

import http.client
import json
import os
import ssl

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Unreachable(Exception):
    """The API server gave no usable answer in time: nothing is known of what it did."""


class Conflict(Exception):
    """The object is not the one that was read: somebody was faster."""


class Kube:
    """ConfigMaps and pods of the pod's own namespace. `timeout`: seconds for one request."""

    def __init__(self, timeout, namespace=None):
        self.timeout = timeout
        self.namespace = namespace or _read("namespace")
        self._host = os.environ["KUBERNETES_SERVICE_HOST"]
        self._port = int(os.environ["KUBERNETES_SERVICE_PORT"])
        self._tls = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")

    def config_map(self, name):
        """The ConfigMap's metadata, or None where there is none."""
        return self._metadata("GET", f"configmaps/{name}")

    def annotate_config_map(self, name, version, annotations):
        """Compare and swap: sets annotations (None removes) of exactly the version that was read.

        Raises Conflict when the object has changed since, or is gone.
        """
        metadata = {"resourceVersion": version, "annotations": annotations}
        if self._metadata("PATCH", f"configmaps/{name}", {"metadata": metadata}) is None:
            raise Conflict(f"{name} is gone")

    def pods(self, selector):
        """Metadata of the pods with these labels."""
        answer = self._request("GET", f"pods?labelSelector={selector.replace('=', '%3D').replace(',', '%2C')}")
        return [item["metadata"] for item in (answer or {}).get("items", [])]

    def label_pod(self, name, labels):
        self._request("PATCH", f"pods/{name}", {"metadata": {"labels": labels}})

    def annotate_pod(self, name, annotations):
        self._request("PATCH", f"pods/{name}", {"metadata": {"annotations": annotations}})

    def _metadata(self, method, path, body=None):
        answer = self._request(method, path, body)
        return answer and answer["metadata"]

    def _request(self, method, path, body=None):
        # The token is read each time: kubelet renews it.
        headers = {"Authorization": f"Bearer {_read('token')}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/merge-patch+json"
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=self.timeout, context=self._tls)
        try:
            text = body and json.dumps(body)
            connection.request(method, f"/api/v1/namespaces/{self.namespace}/{path}", text, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if response.status == 404:
            return None
        if response.status == 409:
            raise Conflict(path)
        if response.status >= 300:
            raise Unreachable(f"{method} {path}: {response.status} {answer[:200]!r}")
        return json.loads(answer)


def _read(name):
    with open(f"{ACCOUNT}/{name}", encoding="utf8") as file:
        return file.read()
