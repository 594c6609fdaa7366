"""The first process of a clone: a restored copy beside the running cluster, never over it.

What it is to be restored to is in CLONE_TARGET (JSON: kind, value, at?, lsn?). What became of it is in /data/clone.json;
only one that passed every check is ready.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time

from after_restore import findings_after
from backrest import BackrestError
from findings import described, failed
from restore import RestoreError, Server, fetch, findings_before
from roles import ensure_roles
from settings import CREDENTIALS, Settings
from snapshot import count_tables
from sql import SqlError

PGDATA = "/data/pgdata"
STATE = "/data/clone.json"
READY = "/run/ms5/good"


class Clone:
    def __init__(self):
        self._settings = Settings(member=False)
        self._target = json.loads(os.environ["CLONE_TARGET"])
        self._state = _read() or {"target": self._target, "phase": "new", "findings": []}
        self._server = Server(PGDATA, listen="localhost")
        self._ending = threading.Event()

    def run(self):
        """Returns when the pod is to end."""
        signal.signal(signal.SIGTERM, lambda *_: self._ending.set())
        worker = threading.Thread(target=self._work, daemon=True)
        worker.start()
        while not self._ending.wait(1):
            if self._state["phase"] == "good" and not self._server.running():
                return 1
        self._server.stop()
        return 0

    def _work(self):
        try:
            if self._state["phase"] not in ("good", "failed"):
                self._restore()
            if self._state["phase"] == "good":
                self._serve()
        except (RestoreError, BackrestError, SqlError) as error:
            self._server.stop()
            self._note("failed", reason=str(error))

    def _restore(self):
        # Left by a pod that was ended half way: nothing of it is worth keeping.
        shutil.rmtree(PGDATA, ignore_errors=True)
        findings, backup = findings_before(self._target, "/data")
        self._note("checking", findings=findings)
        if failed(findings) or backup is None:
            raise RestoreError(described(failed(findings)))
        begun = time.monotonic()
        self._note("restoring", backup=backup["label"], bytes=backup["info"]["size"])
        self._note("recovering", restore_seconds=fetch(self._target, backup, PGDATA, _tell))
        self._server.start()
        self._server.wait(_tell)
        # Its passwords are of that time: whoever is the administrator today must get in.
        ensure_roles(self._settings, CREDENTIALS, os.path.join(os.path.dirname(__file__), "database.sql"))
        self._note("validating", ready_seconds=time.monotonic() - begun, recovered=self._server.recovered_to())
        findings = findings + findings_after(self._settings.database, lambda: count_tables(self._settings.database))
        self._note("validating", findings=findings)
        if failed(findings):
            raise RestoreError(described(failed(findings)))
        self._note("good")

    def _serve(self):
        if not self._server.running():
            self._server.start()
            self._server.wait(_tell)
        with open(READY, "w", encoding="utf8"):
            pass

    def _note(self, phase, **more):
        self._state = {**self._state, **more, "phase": phase}
        _tell(f"{phase} {json.dumps(more) if phase != 'validating' else ''}".strip())
        with open(f"{STATE}.new", "w", encoding="utf8") as file:
            json.dump(self._state, file)
        os.replace(f"{STATE}.new", STATE)


def _read():
    try:
        with open(STATE, encoding="utf8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def _tell(line):
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(Clone().run())
