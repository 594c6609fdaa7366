"""Patroni's REST API, of this member and of others, checked against our CA."""

import http.client
import json
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from settings import AGENT_PORT, CA, PATRONI_PORT, ROBOT_TLS

# Seconds for which Patroni's answer about this member is shared by all who ask.
SHARED_FOR = 0.15


class Peers:
    """settings: names of members. timeout: seconds for one question."""

    def __init__(self, settings, timeout):
        self._settings = settings
        self._timeout = timeout
        self._contexts = {}
        self._asking = threading.Lock()
        self._answer = (False, {})
        self._answered_at = -SHARED_FOR

    def answers(self, member):
        """Whether the member's Patroni says anything at all."""
        return self._get(self._settings.host(member), PATRONI_PORT, "/liveness") is not None

    def answering(self, members):
        """Those of them whose Patroni says anything, asked all at once."""
        members = sorted(members)
        with ThreadPoolExecutor(max_workers=max(1, len(members))) as pool:
            return [member for member, answer in zip(members, pool.map(self.answers, members)) if answer]

    def wake(self, member):
        """Lets the member's agent look at the lock now instead of at its next turn."""
        self._get(self._settings.host(member), AGENT_PORT, "/wake")

    def own_status(self):
        """(whether this pod's Patroni believes to have the lock, what it says of itself; empty while it does not run)."""
        with self._asking:
            # Every pooler asks about every member several times a second: one answer is for all who ask meanwhile.
            if time.monotonic() - self._answered_at > SHARED_FOR:
                answer = self._get("localhost", PATRONI_PORT, "/primary")
                self._answer = (False, {}) if answer is None else (answer[0] == 200, json.loads(answer[1]))
                self._answered_at = time.monotonic()
            return self._answer

    def cluster(self):
        """What this pod's Patroni says of all members, or None while it does not answer."""
        answer = self._get("localhost", PATRONI_PORT, "/cluster")
        return json.loads(answer[1]) if answer is not None and answer[0] == 200 else None

    def restart_own(self):
        """Restarts this pod's PostgreSQL. Returns what went wrong, or None."""
        answer = self._ask("localhost", PATRONI_PORT, "POST", "/restart", {})
        return None if answer is not None and answer[0] == 200 else f"Patroni does not restart PostgreSQL: {answer}"

    def end_failsafe(self):
        """Lets this pod's Patroni forget the primary that it vouched for while the API server was away.

        It goes on doing so for its ttl of 20 s, during which it would not take a lock that is free. A primary without a name
        is none to it (patroni/ha.py, Failsafe).
        """
        if self.own_status()[1].get("failsafe_mode_is_active"):
            self._ask("localhost", PATRONI_PORT, "POST", "/failsafe", {"name": "", "conn_url": "", "api_url": ""})

    def dynamic_config(self):
        """Patroni's settings for the whole cluster as they are in its store, or None while it does not answer."""
        answer = self._get("localhost", PATRONI_PORT, "/config")
        return json.loads(answer[1]) if answer is not None and answer[0] == 200 else None

    def set_dynamic_config(self, config):
        """Returns whether it was taken."""
        answer = self._ask("localhost", PATRONI_PORT, "PUT", "/config", config)
        return answer is not None and answer[0] == 200

    def _get(self, host, port, path):
        return self._ask(host, port, "GET", path)

    def _ask(self, host, port, method, path, body=None):
        """(status, body), or None where nobody answers."""
        context = self._context(with_certificate=body is not None)
        connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def reload(self):
        """Takes over renewed certificates."""
        self._contexts = {}

    def _context(self, with_certificate):
        contexts = self._contexts
        if with_certificate not in contexts:
            context = ssl.create_default_context(cafile=CA)
            if with_certificate:
                context.load_cert_chain(f"{ROBOT_TLS}/patroni.crt", f"{ROBOT_TLS}/patroni.key")
            contexts[with_certificate] = context
        return contexts[with_certificate]
