"""Questions to members' agents, by whoever has a certificate that they know: another agent, or a job."""

import http.client
import json
import ssl
import time

from settings import AGENT_PORT, CA

# Seconds without a word after which a member is given up: a working one says something every five.
SILENCE = 30
# Seconds that work for a replica waits for one, before the primary has to do it.
PATIENCE = 120


class AskError(Exception):
    """gone: the member may not have done anything wrong, it went away; another one may be asked."""

    def __init__(self, reason, gone=False):
        super().__init__(reason)
        self.gone = gone


class Ask:
    """settings: names of members. robot: base name of the certificate below `folder`."""

    def __init__(self, settings, robot, folder="/tls/robots"):
        self._settings = settings
        self._context = ssl.create_default_context(cafile=CA)
        self._context.load_cert_chain(f"{folder}/{robot}.crt", f"{folder}/{robot}.key")

    def statuses(self):
        """What each member that answers says of itself, by name."""
        found = {}
        for name in self._settings.members:
            try:
                found[name] = json.loads(self._request(name, "GET", "/status", None, 5).read())
            # Also one that goes away while it answers.
            except (AskError, OSError, http.client.HTTPException, ValueError):
                continue
        return found

    def best_members(self, patience=PATIENCE, wait=time.sleep):
        """Members that could do work: replicas first, the primary last.

        Where there should be replicas, waits `patience` seconds for the first: a cluster has none for its first moments.
        """
        deadline = time.monotonic() + (patience if len(self._settings.members) > 1 else 0)
        while True:
            statuses = self.statuses()
            replicas = [name for name, status in statuses.items() if status.get("replica")]
            if replicas or time.monotonic() >= deadline:
                return replicas + [name for name, status in statuses.items() if status.get("primary")]
            wait(1)

    def primary(self):
        """Raises AskError while there is none."""
        for name, status in self.statuses().items():
            if status.get("primary"):
                return name
        raise AskError("no member is the primary at the moment", gone=True)

    def stream(self, name, path, body, tell):
        """Lets a member work, hands on what it says, and returns its result."""
        response = self._request(name, "POST", path, body, SILENCE)
        if response.status != 200:
            raise AskError(f"{path}: {response.status} {response.read()[:300].decode(errors='replace')}")
        try:
            for line in response:
                answer = json.loads(line)
                if "line" in answer:
                    tell(answer["line"])
                elif "error" in answer:
                    raise AskError(answer["error"])
                elif "result" in answer:
                    return answer["result"]
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise AskError(f"broke off: {error}", gone=True) from error
        raise AskError("broke off", gone=True)

    def _request(self, name, method, path, body, timeout):
        connection = http.client.HTTPSConnection(
            self._settings.host(name), AGENT_PORT, timeout=timeout, context=self._context
        )
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise AskError(f"does not answer: {error}", gone=True) from error
