"""The HTTPS answers that HAProxy and kubelet go by. Stricter than Patroni's: a primary that has just woken up from a
frozen node still believes in a lock it may have lost, and must not get clients until it has looked."""

import http.server
import json
import logging
import ssl
import threading
import time

from settings import AGENT_PORT, SERVER_TLS, SETTINGS

log = logging.getLogger("health")

# Seconds for which a look at the lock speaks for this member: Patroni looks every second, and one that finds no API
# server within its retry_timeout of 3 s asks the other members instead.
FRESH = 6


class Health:
    """peers: asks Patroni. vouch(): whether this is the primary although Patroni does not answer for the moment.
    wake(): called when another member wants a look. conditions(): what is wrong, for people."""

    def __init__(self, peers, vouch, wake, conditions):
        self._peers = peers
        self._vouch = vouch
        self._wake = wake
        self._conditions = conditions
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.reload()

    def reload(self):
        """Takes over what has changed of the mounted files; `/status` says which settings those were."""
        with open(SETTINGS, encoding="utf8") as file:
            self._revision = json.load(file)["revision"]
        self._context.load_cert_chain(f"{SERVER_TLS}/tls.crt", f"{SERVER_TLS}/tls.key")

    def serve(self):
        """Answers for ever."""
        health = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # A client that stays silent must not keep a thread.
            timeout = 5

            def setup(self):
                # The handshake belongs here, not into the one thread that accepts.
                self.request.settimeout(self.timeout)
                self.request = health._context.wrap_socket(self.request, server_side=True)
                super().setup()

            def do_GET(self):
                status, body = health.answer(self.path)
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                """Several requests a second are not worth a line each."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                """A client that breaks off, or speaks no TLS."""

        server = Server(("", AGENT_PORT), Handler)
        threading.Thread(target=server.serve_forever, name="health", daemon=True).start()

    def answer(self, path):
        """(HTTP status, body) for `/primary`, `/replica`, `/ready`, `/alive`, `/wake`, `/status`."""
        if path == "/alive":
            # Nothing that PostgreSQL does or is kept from doing makes a restart of the pod right.
            return 200, {}
        if path == "/wake":
            self._wake()
            return 202, {}
        has_lock, status = self._peers.own_status()
        primary = is_primary(status, has_lock, time.time()) if status else self._vouch()
        replica = is_replica(status)
        body = {
            "primary": primary,
            "replica": replica,
            "conditions": self._conditions(),
            "revision": self._revision,
            "pendingRestart": bool(status.get("pending_restart")),
        }
        wanted = {"/primary": primary, "/replica": replica, "/ready": primary or replica, "/status": True}.get(path)
        if wanted is None:
            return 404, {"error": f"no such path: {path}"}
        return (200 if wanted else 503), body


def is_primary(status, has_lock, now):
    """Whether clients may write here: PostgreSQL is no replica, and Patroni has just seen that the lock is its own.

    In Patroni's failsafe mode the other members vouch for it instead of the API server. Patroni itself says for moments of
    each turn in that mode that it has no lock: what counts is that PostgreSQL is still allowed to be the primary.
    """
    if status.get("state") != "running" or status.get("role") != "primary":
        return False
    if status.get("failsafe_mode_is_active"):
        return True
    return has_lock and now - status.get("dcs_last_seen", 0) < FRESH


def is_replica(status):
    return status.get("state") in ("running", "streaming") and status.get("role") == "replica"
