"""Keeps a full disk from becoming a lost one.

Two lines of defence on each volume. The guard: with little space left applications may only read, so that whoever is
on call can delete, extend the volume, or let retention work. The ballast: a file that gives way when the volume is full
all the same, so that PostgreSQL can start and recover: it cannot without room for WAL.
"""

import logging
import os

from settings import VOLUMES
from sql import SqlError, literal, query

log = logging.getLogger("disk")

BALLAST = "ballast"
# Part of the guard kept as ballast.
BALLAST_PART = 0.25


def free(path):
    """Bytes that a process without special rights can still write."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


class DiskGuard:
    """guard: bytes by volume (`data`, `wal`) below which applications may only read."""

    def __init__(self, guard, database, admin, free=free, run=query, volumes=VOLUMES):
        self._guard = guard
        self._database = database
        self._admin = admin
        self._free = free
        self._run = run
        self._volumes = volumes
        self._closed = None

    def conditions(self):
        """What is wrong, for people; empty when nothing is."""
        return [
            f"{name} volume: {self._free(path) >> 20} MiB free, less than the {self._guard[name] >> 20} MiB that are kept "
            "for recovery: applications may only read (docs/runbooks/disk-filling.md)"
            for name, path in self._volumes.items()
            if self._free(path) < self._guard[name]
        ]

    def before_start(self):
        """Makes room where there is none: call it before PostgreSQL starts."""
        for name, path in self._volumes.items():
            ballast = os.path.join(path, BALLAST)
            size = int(self._guard[name] * BALLAST_PART)
            if os.path.exists(ballast) and self._free(path) < size:
                os.unlink(ballast)
                log.error("%s volume is full: gave way with %d MiB so that PostgreSQL can recover", name, size >> 20)

    def look(self, primary):
        """Puts ballast down where there is room, and closes or opens the database where this is the primary."""
        for name, path in self._volumes.items():
            self._lay_ballast(path, int(self._guard[name] * BALLAST_PART), self._guard[name])
        if not primary:
            self._closed = None
            return
        short = bool(self.conditions())
        # Opened again only with twice the room, so that it does not flap.
        roomy = all(self._free(path) > 2 * self._guard[name] for name, path in self._volumes.items())
        if self._closed is None:
            self._closed = self._is_closed()
        if short and not self._closed:
            self._set("SET default_transaction_read_only = on")
            log.error("; ".join(self.conditions()))
        elif roomy and self._closed:
            self._set("RESET default_transaction_read_only")
            log.warning("enough room again: applications may write")

    def _lay_ballast(self, path, size, guard):
        ballast = os.path.join(path, BALLAST)
        if os.path.exists(ballast) or self._free(path) < 2 * guard + size:
            return
        with open(f"{ballast}.new", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        os.replace(f"{ballast}.new", ballast)

    def _is_closed(self):
        return bool(
            self._run(
                "SELECT 1 FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND s.setrole <> 0 "
                f"WHERE d.datname = {literal(self._database)} AND 'default_transaction_read_only=on' = ANY (s.setconfig)"
            )
        )

    def _set(self, change):
        """For whoever logs in by password. The owner of tables and jobs has none: retention is what makes room."""
        roles = f"rolpassword IS NOT NULL AND NOT rolsuper AND rolname <> {literal(self._admin)}"
        try:
            self._run(
                f"SELECT format('ALTER ROLE %I IN DATABASE %I {change}', rolname, {literal(self._database)}) "
                f"FROM pg_authid WHERE {roles} \\gexec"
            )
            # A session has its settings from its start: those of applications begin anew.
            self._run(
                "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_authid r ON r.oid = a.usesysid "
                f"WHERE a.datname = {literal(self._database)} AND a.backend_type = 'client backend' AND {roles}"
            )
            self._closed = change.startswith("SET")
        except SqlError as error:
            log.error("cannot change whether applications may write: %s", error)
