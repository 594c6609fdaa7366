"""Holds the key without which this server can receive no WAL.

`primary_conninfo` names the key's place, and pg_hba lets nobody replicate without it. While the fence is closed there
is nothing at that place, and no WAL receiver runs. What is closed stays closed through restarts of this process and of
PostgreSQL: the folder is an emptyDir, which lives as long as the pod, and a new pod begins closed.
"""

import os
import signal
import time

from processes import postgres_processes


class Fence:
    """key: the mounted key. place: where PostgreSQL looks for it. note: a file that remembers the term."""

    def __init__(self, key, place, note):
        self._key = key
        self._place = place
        self._note = note
        # The term in which nothing more is taken, or None: open, or not opened yet.
        self.term = _read(note)
        # Closed by this process, not by one before it that may have been stopped half way.
        self._tight = False

    def open(self):
        """Lets PostgreSQL have the key."""
        if not os.path.islink(self._place):
            os.symlink(self._key, self._place)
        if self.term is not None:
            os.unlink(self._note)
            self.term = None
        self._tight = False

    def close(self, term):
        """Returns when no WAL of this term can arrive any more. Raises TimeoutError when a receiver survives its end."""
        if self.term != term:
            with open(f"{self._note}.new", "w", encoding="utf8") as file:
                file.write(term)
            os.replace(f"{self._note}.new", self._note)
            self.term = term
        if self._tight:
            return
        if os.path.islink(self._place):
            os.unlink(self._place)
        # One that has read the key already has its name in the process list already, so one clean look is enough.
        deadline = time.monotonic() + 5
        while receivers := list(postgres_processes("walreceiver")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"WAL receiver {receivers} does not end")
            for pid in receivers:
                _end(pid)
            time.sleep(0.01)
        self._tight = True


def _end(pid):
    try:
        # It has written all it took before it ends; what it took but did not acknowledge does no harm.
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass


def _read(note):
    try:
        with open(note, encoding="utf8") as file:
            return file.read()
    except FileNotFoundError:
        return None
