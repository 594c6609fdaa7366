"""Gives the lock away when this member's PostgreSQL has ended, or is to end: at once instead of after a time-out.

Safe without anybody's promise: Patroni, the only one that starts PostgreSQL here, is held, and no process of
PostgreSQL is left that could acknowledge a write. What it had acknowledged is on a voter, by quorum commit.
"""

import logging
import os
import subprocess
import time

from kube import Conflict, Unreachable
from lock import Lock, Synchronous
from processes import postgres_processes
from settings import DATA, LEAVING, POSTGRES_BIN

log = logging.getLogger("handover")

# Seconds for PostgreSQL to end properly, with all WAL sent, before it is ended improperly.
STOP_TIMEOUT = 3
# Seconds that another member has for taking the lock before Patroni may go on here.
TAKE_TIMEOUT = 5


def hand_over(settings, kube, peers, patroni, why):
    """Returns whether another member has the lock now. Nothing is done when nobody could take it.

    patroni: the supervised process, with `hold()` and `resume()`.
    """
    leader = f"{settings.scope}-leader"
    try:
        lock = _read(kube, leader)
        if lock is None or lock.holder != settings.name:
            return False
        metadata = kube.config_map(f"{settings.scope}-sync")
        if metadata is None:
            return False
        synchronous = Synchronous(metadata)
        ready = peers.answering(synchronous.voters)
        if len(ready) < synchronous.quorum + 1:
            log.warning("%s, but only %s could take over: the lock stays here", why, ready or "nobody")
            return False
        log.warning("%s: giving the lock to one of %s", why, ", ".join(sorted(ready)))
        patroni.hold()
        try:
            # Candidates ask every member that says where it is, and this one does not answer any more.
            kube.annotate_pod(settings.name, {"status": None})
            # What is not archived yet the next primary has too: it sees to that (backups.py).
            with open(LEAVING, "w", encoding="utf8"):
                pass
            _end_postgres()
            _release(kube, leader, settings.name)
            for voter in ready:
                peers.wake(voter)
            return _until_taken(kube, leader, settings.name)
        finally:
            if os.path.exists(LEAVING):
                os.unlink(LEAVING)
            patroni.resume()
    except (Conflict, Unreachable) as error:
        log.warning("%s, but the lock cannot be given away: %s", why, error)
        return False


def _end_postgres():
    for mode, seconds in (("fast", STOP_TIMEOUT), ("immediate", STOP_TIMEOUT)):
        if not any(postgres_processes()):
            return
        command = [f"{POSTGRES_BIN}/pg_ctl", "-D", DATA, "-m", mode, "-t", str(seconds), "stop"]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    for pid in postgres_processes():
        os.kill(pid, 9)
    while any(postgres_processes()):
        time.sleep(0.01)


def _release(kube, leader, name):
    for _ in range(10):
        lock = _read(kube, leader)
        if lock is None or lock.holder != name:
            return
        try:
            kube.annotate_config_map(leader, lock.version, {"leader": None})
            return
        except Conflict:
            # A promise of another member came between; the lock is still ours to give.
            continue


def _until_taken(kube, leader, name):
    deadline = time.monotonic() + TAKE_TIMEOUT
    while time.monotonic() < deadline:
        lock = _read(kube, leader)
        if lock is not None and lock.holder not in (None, name):
            log.warning("%s has the lock", lock.holder)
            return True
        time.sleep(0.1)
    log.error("nobody has taken the lock within %d s", TAKE_TIMEOUT)
    return False


def _read(kube, leader):
    metadata = kube.config_map(leader)
    return metadata and Lock(metadata)
