"""`pgbackrest server`: lets the replica that makes a backup begin and end it on the primary, over TLS."""

import logging
import os
import signal
import subprocess

from processes import children
from settings import BACKREST_SPOOL, RUN

log = logging.getLogger("backups")


class BackrestServer:
    def __init__(self):
        self._child = None

    def tick(self):
        """Starts it unless it runs. To be called often."""
        if self._child is not None and self._child.poll() is None:
            return
        if self._child is not None:
            log.warning("pgbackrest server has ended with %d: starting it again", self._child.returncode)
        for folder in (f"{BACKREST_SPOOL}/spool", f"{BACKREST_SPOOL}/log", f"{RUN}/pgbackrest"):
            os.makedirs(folder, exist_ok=True)
        self._child = subprocess.Popen(["pgbackrest", "server"], stdout=subprocess.DEVNULL, preexec_fn=lambda: os.nice(10))

    def reload(self):
        """Takes over renewed certificates; work that is under way goes on."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGHUP)

    def drop_guests(self):
        """Ends what it does for other members; returns how many there were.

        One that was cut off in the middle holds its lock here until the kernel gives up its connection: a quarter of an hour.
        """
        guests = [] if self._child is None else list(children(self._child.pid))
        for pid in guests:
            os.kill(pid, signal.SIGTERM)
        return len(guests)

    def end(self):
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
