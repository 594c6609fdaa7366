"""The agent of a database pod: keeps Patroni running, and does what Patroni does not.

One agent a member: releases the lock of a primary that is gone (witness.py), gives its own away when PostgreSQL dies or
the pod is to end (handover.py), answers HAProxy and kubelet (health.py), sees to roles and passwords (roles.py), to
renewed certificates, and to full disks (disk.py). Only the standard library and PostgreSQL's own programs.
"""

import json
import logging
import os
import signal
import sys
import threading
import time

from backrest_server import BackrestServer
from backups import Backups, render
from disk import DiskGuard
from drills import drill_metrics, mark, record_drill
from fence import Fence
from handover import hand_over
from health import Health
from kube import Kube, Unreachable
from member_metrics import member_metrics
from mounted import Mounted
from patroni_api import Peers
from patroni_process import PatroniProcess
from processes import postmaster, received
from roles import ensure_roles
from settings import CREDENTIALS, DATA, PATRONI_CONFIG, ROBOT_TLS, RUN, Settings
from snapshot import take_snapshot
from sql import SqlError, query
from witness import Witness

log = logging.getLogger("agent")

# Seconds between two looks at the lock, when nobody calls for one.
LOOK_EVERY = 0.5
# Seconds for one question to the API server or to another member.
PEER_TIMEOUT = 0.7
# Seconds between two rounds of what is not urgent.
CHORES_EVERY = 2
# Seconds that Patroni has for acting on settings that it finds in its store: it looks every second.
SETTLED_AFTER = 2.5
# Seconds after which the primary looks again whether roles and settings are as they should be, with no reason to.
SEE_TO_EVERY = 60
# Seconds that PostgreSQL has for ending properly when the pod does; below the pod's own grace period.
END_TIMEOUT = 50


class Agent:
    def __init__(self):
        self.settings = Settings()
        self.kube = Kube(timeout=PEER_TIMEOUT)
        self.peers = Peers(self.settings, PEER_TIMEOUT)
        self.disk = DiskGuard(self.settings.guard, self.settings.database, self.settings.admin)
        self.patroni = PatroniProcess(before_start=self.disk.before_start)
        self.mounted = Mounted()
        self.backups = Backups(self.settings) if self.settings.backups else None
        self.backrest_server = BackrestServer()
        self.health = Health(self.peers, self._vouch, self.wake, self._conditions, self._metrics, self._facts, self._work())
        self._primary = False
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._asked = threading.Event()
        self._handing_over = threading.Lock()
        # Since when Patroni's store has the settings as mounted; None: it has not, or nobody has looked since they came.
        self._stored_since = None
        # When roles and settings were last seen to; None: they have to be.
        self._seen_to_at = None
        self.witness = Witness(
            name=self.settings.name,
            scope=self.settings.scope,
            silence=self.settings.silence,
            kube=self.kube,
            fence=Fence(f"{ROBOT_TLS}/replicator.key", f"{RUN}/replicator.key", f"{RUN}/fenced"),
            answers=self.peers.answers,
            follows=self._follows,
            progress=received,
            now=time.monotonic,
            on_free=self.peers.end_failsafe,
            wait=time.sleep,
        )

    def run(self):
        """Returns when the pod is to end and PostgreSQL has."""
        signal.signal(signal.SIGTERM, lambda *_: self._ending.set())
        # Whoever may run commands in this pod may ask for a switchover: infra/database/switchover.ts does.
        signal.signal(signal.SIGUSR1, lambda *_: self._asked.set())
        self.health.serve()
        self._in_background(self._look, self._until_next_look)
        self._in_background(self._chores, lambda _: time.sleep(CHORES_EVERY))
        self._in_background(self._watch_postmaster, lambda _: time.sleep(0.1))
        if self.backups is not None:
            self._in_background(self._tend_backups, lambda _: time.sleep(CHORES_EVERY))
        while not self._ending.is_set():
            self.patroni.tick()
            if self._asked.wait(0.05):
                self._asked.clear()
                self._hand_over("asked to")
        self._hand_over("the pod is to end")
        self.backrest_server.end()
        self.patroni.end(END_TIMEOUT)

    def _work(self):
        """What robots may ask this member for."""
        if self.backups is None:
            return {}
        return {
            "/backup": lambda body, tell: self.backups.make(body.get("type"), tell),
            "/snapshot": lambda _, tell: take_snapshot(self.settings, tell),
            "/unlock": lambda *_: 0 if self.backups.making() else self.backrest_server.drop_guests(),
            "/mark": lambda *_: mark(),
            "/drills": lambda body, _: record_drill(self.settings, body),
        }

    def _conditions(self):
        return self.disk.conditions() + ([] if self.backups is None else self.backups.conditions())

    def _facts(self):
        if self.backups is None:
            return {}
        return {"givenUp": self.backups.given_up(), "backingUp": self.backups.making()}

    def _metrics(self):
        _, status = self.peers.own_status()
        own = member_metrics(self.settings.name, self.settings.members, status, self.peers.cluster())
        if self.backups is None:
            return render(own)
        drills = drill_metrics(self.settings) if self._primary else []
        return render([*own, *self.backups.metrics(), *drills])

    def _tend_backups(self):
        self.backrest_server.tick()
        self.backups.tend(self._primary)

    def _hand_over(self, why):
        with self._handing_over:
            return hand_over(self.settings, self.kube, self.peers, self.patroni, why)

    def _vouch(self):
        """Patroni is being started again, or the machine is too busy for it to answer: PostgreSQL goes on, and so may clients."""
        return self.patroni.wanted and self.witness.holds_lock() and (postmaster(DATA) or (0, False))[1]

    def wake(self):
        self._woken.set()

    def _in_background(self, work, pause):
        """Does it for ever, with `pause(result)` in between."""

        def loop():
            while True:
                result = None
                try:
                    result = work()
                # Patroni must go on whatever happens here: a bug in the agent costs speed, not the database.
                except Exception:
                    log.exception("%s failed", work.__name__)
                pause(result)

        threading.Thread(target=loop, name=work.__name__, daemon=True).start()

    def _look(self):
        return self.witness.look()

    def _until_next_look(self, at_once):
        self._woken.wait(0.02 if at_once else LOOK_EVERY)
        self._woken.clear()

    def _follows(self):
        """The member that this server is set to stream from."""
        try:
            rows = query("SHOW primary_conninfo", timeout=2)
        except SqlError:
            return None
        words = dict(word.split("=", 1) for word in (rows[0][0] if rows else "").split() if "=" in word)
        return words.get("host", "").strip("'").split(".")[0] or None

    def _watch_postmaster(self):
        """A postmaster that has died without a word leaves its file; one that ended does not."""
        seen = postmaster(DATA)
        if seen is None or seen[1] or self._ending.is_set():
            return
        if self._hand_over("PostgreSQL has died"):
            return
        # Not the primary, or nobody to take over: Patroni recovers it here.
        time.sleep(2)

    def _chores(self):
        if self.mounted.changed():
            log.info("settings, certificates or passwords have changed: loading them")
            self.peers.reload()
            self.patroni.reload()
            self.health.reload()
            self.backrest_server.reload()
            self._seen_to_at = None
            self._stored_since = None
        self._see_whether_settled()
        has_lock, status = self.peers.own_status()
        primary = has_lock and status.get("role") == "primary" and status.get("state") == "running"
        self._primary = primary
        if not primary:
            self._seen_to_at = None
        try:
            self.disk.look(primary)
            if primary:
                self._be_primary()
        except (SqlError, Unreachable) as error:
            log.warning("%s", error)

    def _see_whether_settled(self):
        """Only then does a member know whether a setting waits for a restart: whoever asks for it must not be told too early."""
        if self.health.settled:
            return
        if self.peers.dynamic_config() != _stated():
            self._stored_since = None
        elif self._stored_since is None:
            self._stored_since = time.monotonic()
        elif time.monotonic() - self._stored_since > SETTLED_AFTER:
            self.health.settled = True

    def _be_primary(self):
        # A lost node's pod keeps its label until the node is back, and a Service would go on sending clients there.
        for pod in self.kube.pods(f"ms5.io/cluster={self.settings.scope},role=primary"):
            if pod["name"] != self.settings.name:
                self.kube.label_pod(pod["name"], {"role": "replica"})
                log.warning("%s is no longer labelled as the primary", pod["name"])
        now = time.monotonic()
        if self._seen_to_at is not None and now - self._seen_to_at < SEE_TO_EVERY:
            return
        if ensure_roles(self.settings, CREDENTIALS, os.path.join(os.path.dirname(__file__), "database.sql")):
            log.info("database, roles and the administrator's password are as they should be")
        stated = _stated()
        if self.peers.dynamic_config() != stated and self.peers.set_dynamic_config(stated):
            log.info("Patroni's settings for the cluster are as they should be")
        self._seen_to_at = now


def _stated():
    """Patroni's settings for the whole cluster as they should be."""
    with open(PATRONI_CONFIG, encoding="utf8") as file:
        return json.load(file)["bootstrap"]["dcs"]


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s: agent %(name)s: %(message)s")
    Agent().run()
