"""Patroni as a child that is started again when it dies: at once, without kubelet's growing delays, and with PostgreSQL
left running meanwhile, which the new Patroni takes over."""

import logging
import signal
import subprocess
import threading
import time

from settings import PATRONI_CONFIG

log = logging.getLogger("patroni")


class PatroniProcess:
    """before_start: called before each start."""

    def __init__(self, before_start):
        self._before_start = before_start
        self._child = None
        self._held = False
        self._ending = False
        # Holding from another thread must not meet a start half way.
        self._lock = threading.RLock()

    @property
    def wanted(self):
        """Whether it is to run: neither held nor ending."""
        return not (self._held or self._ending)

    def tick(self):
        """Starts it where it should run and does not. To be called often."""
        with self._lock:
            if self._running() or not self.wanted:
                return
            if self._child is not None:
                log.error("Patroni has ended with %d: starting it again", self._child.returncode)
            self._before_start()
            self._child = subprocess.Popen(["patroni", PATRONI_CONFIG])

    def hold(self):
        """Ends it by force, so that it does nothing more, and keeps it from starting. PostgreSQL goes on running."""
        with self._lock:
            self._held = True
            self._kill(signal.SIGKILL)
        self._until_ended(10)

    def resume(self):
        self._held = False

    def reload(self):
        """Lets it read its config and certificates again, and PostgreSQL with it."""
        self._kill(signal.SIGHUP)

    def end(self, timeout):
        """Ends it and PostgreSQL properly; by force after `timeout` seconds."""
        with self._lock:
            self._ending = True
            self._kill(signal.SIGTERM)
        if not self._until_ended(timeout):
            self._kill(signal.SIGKILL)

    def _running(self):
        return self._child is not None and self._child.poll() is None

    def _kill(self, number):
        with self._lock:
            if self._running():
                self._child.send_signal(number)

    def _until_ended(self, timeout):
        deadline = time.monotonic() + timeout
        while self._running() and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._running()
