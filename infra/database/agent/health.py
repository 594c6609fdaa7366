"""The HTTPS answers that HAProxy and kubelet go by. Stricter than Patroni's: a primary that has just woken up from a
frozen node still believes in a lock it may have lost, and must not get clients until it has looked."""

import http.server
import json
import logging
import ssl
import threading
import time

from ask import AskError
from backrest import BackrestError
from settings import AGENT_PORT, CA, SERVER_TLS, SETTINGS
from sql import SqlError

log = logging.getLogger("health")

# Seconds for which a look at the lock speaks for this member: Patroni looks every second, and one that finds no API
# server within its retry_timeout of 3 s asks the other members instead.
FRESH = 6
# Whose certificates may ask for work.
ROBOTS = {"patroni", "backup"}
# Seconds between two signs of life while work goes on without a word; below ask.SILENCE.
HEARTBEAT = 5


class Health:
    """peers: asks Patroni. vouch(): whether this is the primary although Patroni does not answer for the moment.
    wake(): called when another member wants a look. conditions(): what is wrong, for people. metrics(): Prometheus' text.
    facts(): what else members have to know of each other.
    work: by path, what robots may ask for: a function of the request's body and of `tell(line)` that returns a result."""

    def __init__(self, peers, vouch, wake, conditions, metrics, facts, work):
        self._peers = peers
        self._vouch = vouch
        self._wake = wake
        self._conditions = conditions
        self._metrics = metrics
        self._facts = facts
        self._work = work
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.reload()

    def reload(self):
        """Takes over what has changed of the mounted files; `/status` says which settings those were, once they are settled."""
        # Whether Patroni has acted on them: what waits for a restart is known only then.
        self.settled = False
        with open(SETTINGS, encoding="utf8") as file:
            self._revision = json.load(file)["revision"]
        self._context.load_cert_chain(f"{SERVER_TLS}/tls.crt", f"{SERVER_TLS}/tls.key")
        # kubelet and HAProxy have none, and need none for looking.
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._context.load_verify_locations(CA)

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
                if self.path == "/metrics":
                    self._say(200, "text/plain; version=0.0.4", health._metrics())
                else:
                    status, body = health.answer(self.path)
                    self._say(status, "application/json", json.dumps(body))

            def do_POST(self):
                work = health._work.get(self.path)
                if work is None:
                    return self._say(404, "application/json", json.dumps({"error": f"no such work: {self.path}"}))
                if robot(self.request.getpeercert()) not in ROBOTS:
                    return self._say(403, "application/json", json.dumps({"error": "show a certificate of a robot"}))
                try:
                    body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
                except ValueError:
                    return self._say(400, "application/json", json.dumps({"error": "the body is no JSON"}))
                self.close_connection = True
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson")
                self.send_header("Connection", "close")
                self.end_headers()
                return carry_out(work, body, self.wfile)

            def _say(self, status, kind, text):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

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
            **self._facts(),
            "revision": self._revision if self.settled else None,
            "pendingRestart": bool(status.get("pending_restart")),
        }
        wanted = {"/primary": primary, "/replica": replica, "/ready": primary or replica, "/status": True}.get(path)
        if wanted is None:
            return 404, {"error": f"no such path: {path}"}
        return (200 if wanted else 503), body


def robot(certificate):
    """The common name in a verified client certificate, or None without one."""
    for part in (certificate or {}).get("subject", ()):
        for key, value in part:
            if key == "commonName":
                return value
    return None


def carry_out(work, body, stream):
    """Does it, and writes a line of JSON for all that is to be told: `line`, at the end `result` or `error`.

    Who asked may go away meanwhile: what was begun is brought to its end all the same.
    """
    writing = threading.Lock()
    done = threading.Event()

    def say(answer):
        with writing:
            try:
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()
            except OSError:
                pass

    def beat():
        while not done.wait(HEARTBEAT):
            say({})

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
    try:
        answer = {"result": work(body, lambda line: say({"line": line}))}
    except (AskError, BackrestError, SqlError) as error:
        answer = {"error": str(error)}
    except Exception:
        log.exception("work failed")
        answer = {"error": "a bug of the agent: its log has more"}
    finally:
        done.set()
    say(answer)


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
