"""Backups of this cluster: what has to be there for them, their state for people and metrics, and making one.

The primary sees to the archive: that the repository knows this database, that nothing is missing between two primaries,
that there is a backup at all. Whoever is asked to makes a backup; a replica, where there is one, so that writers do not
notice.
"""

import json
import logging
import os
import subprocess
import threading
import time

import archiving
from ask import Ask, AskError
from backrest import STANZA, BackrestError, command, info, reason_in, redacted, run
from settings import BACKREST_PORT, BACKREST_SPOOL, CA, DATA, ROBOT_TLS, SOCKET
from sql import SqlError, query
from throttle import throttle

log = logging.getLogger("backups")

# Seconds between two looks into the repository: each is a few requests that cost money.
INFO_EVERY = 60
# The same while more segments wait than do on a good day: the repository may be the reason.
INFO_WHEN_WAITING = 10
USUALLY_WAITING = 2
# Seconds after which something that failed is tried again.
RETRY_EVERY = 15
KINDS = ("full", "diff", "incr")
# How often all members are asked, when none could: the first may have gone a moment ago, and its lock on the primary not yet.
ATTEMPTS = 4
# pgBackRest's LockAcquireError: another backup is under way, or its end not noticed yet; and DbMissingError, which follows
# from a lock at the primary, or comes while there is none.
PASSING = ("[050]", "[056]")


class Backups:
    """settings: with `backups`, the stated limits."""

    def __init__(self, settings, clock=time.time):
        self._settings = settings
        self._stated = settings.backups
        self._clock = clock
        self._info = None
        self._problem = None
        # The last look found nobody to ask at all.
        self._blind = False
        self._asked_at = 0
        self._wait_until = 0
        self._was_primary = False
        self._gap_open = False
        self._making = threading.Lock()
        self._requesting = threading.Lock()
        # The newest segment that any member had to give up while it was the primary.
        self._dropped = None

    def tend(self, primary):
        """One round of what the primary does for backups. May take as long as a repository does not answer."""
        now = self._clock()
        if not primary:
            self._was_primary = False
            self._asked_at = 0
            return
        if not self._was_primary:
            self._gap_open = True
            self._was_primary = True
        every = INFO_WHEN_WAITING if archiving.waiting()[0] > USUALLY_WAITING else INFO_EVERY
        if now < self._wait_until or now - self._asked_at < every and not self._gap_open:
            return
        try:
            self._look(now)
            self._problem = None
        except (BackrestError, SqlError) as error:
            self._problem = str(error)
            self._wait_until = now + RETRY_EVERY
            log.warning("%s", error)

    def _look(self, now):
        self._blind = True
        found = info()
        self._info, self._asked_at, self._blind = found, now, False
        broken = [f"repository {key}: {problem}" for key, problem in found.problems.items() if problem]
        if not broken:
            found = self._prepare(found)
        self._dropped = max(filter(None, [self.given_up(), *self._given_up_elsewhere()]), key=archiving.place, default=None)
        # One that is away is no reason for the other to have none.
        answering = [key for key, problem in found.problems.items() if not problem]
        if answering and (self._uncovered() or any(found.last(KINDS, key) is None for key in answering)):
            self._request("incr")
        if broken:
            raise BackrestError("; ".join(broken))

    def _prepare(self, found):
        """What needs every repository. Returns what they hold then."""
        if not found.made:
            # Refuses a repository that belongs to another database; never makes one over it.
            run("stanza-create", timeout=120)
            log.info("the repository knows this database now")
            found = self._info = info()
        self._require_ours(found)
        if self._gap_open:
            self._close_gap(found)
            self._gap_open = False
        return found

    def _require_ours(self, found):
        ours = int(query("SELECT system_identifier FROM pg_control_system()")[0][0])
        if found.system_ids and ours not in found.system_ids:
            raise BackrestError(
                "the repository holds another database's backups: give this stack a path of its own (backups.path), or "
                "restore that database (docs/runbooks/lose-a-cluster.md)"
            )

    def _close_gap(self, found):
        # Not what pg_control says: that changes with the first checkpoint, a good while after the promotion.
        current = archiving.timeline(query("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0])
        names = archiving.of_earlier_timelines(os.listdir(archiving.PG_WAL), current)
        archived = self._archived(names, found)
        left = [name for name in names if name not in archived]
        for name in left:
            # The same segment twice is no fault: pgBackRest compares.
            run("archive-push", "--no-archive-async", f"{archiving.PG_WAL}/{name}", timeout=300)
        if left:
            log.warning("archived %d segments that the primary before had left: %s … %s", len(left), left[0], left[-1])

    def _archived(self, names, found):
        """Those of the segments that every repository has."""
        there = None
        for archive in found.archives:
            repo = archive["database"]["repo-key"]
            # pgBackRest keeps them in a folder for each 4 GiB.
            listed = set()
            for folder in {name[:16] for name in names}:
                listing = run("repo-ls", f"--repo={repo}", f"archive/{STANZA}/{archive['id']}/{folder}")
                listed |= {line[:24] for line in listing.splitlines()}
            there = listed if there is None else there & listed
        return there or set()

    def given_up(self):
        """The newest segment that this member had to give up, or None: it stays known when another one is the primary."""
        return max(archiving.dropped(), key=archiving.place, default=None)

    def _given_up_elsewhere(self):
        return [status.get("givenUp") for status in Ask(self._settings, "patroni").statuses().values()]

    def _uncovered(self):
        """The newest segment that was given up, while no backup has begun behind it; else None."""
        newest = max(filter(None, [self._dropped, self.given_up()]), key=archiving.place, default=None)
        if newest is None or self._info is None:
            return newest
        begun = [backup["archive"]["start"] for backup in self._info.backups if not backup.get("error")]
        return None if any(archiving.place(start) > archiving.place(newest) for start in begun) else newest

    def _request(self, kind):
        """Asks for a backup in the background: it may take hours."""
        if not self._requesting.acquire(blocking=False):
            return

        def work():
            try:
                make_somewhere(self._settings, kind, log.info)
                self._asked_at = 0
            except (AskError, BackrestError) as error:
                self._wait_until = self._clock() + RETRY_EVERY
                log.error("no %s backup: %s", kind, error)
            finally:
                self._requesting.release()

        threading.Thread(target=work, name="first-backup", daemon=True).start()

    def make(self, kind, tell):
        """Makes a backup from here, one after another for each repository. Returns its label.

        tell(line): called with what pgBackRest says. Raises BackrestError; nothing of a backup that failed is ever used.
        """
        if kind not in KINDS:
            raise BackrestError(f"{kind!r} is no kind of backup: {', '.join(KINDS)}")
        if not self._making.acquire(blocking=False):
            raise BackrestError("a backup is being made here already")
        try:
            # What a member is made of may be hot from its last life: a replica that has only just come up.
            os.makedirs(f"{BACKREST_SPOOL}/log", exist_ok=True)
            failures = []
            for repo in self._stated["repositories"]:
                try:
                    self._backup(kind, repo, tell)
                except BackrestError as error:
                    # One that is away is no reason for the other to have none.
                    failures.append(f"repository {repo}: {error}")
            if failures:
                raise BackrestError("; ".join(failures))
            newest = info().last(KINDS, self._stated["repositories"][0])
            if newest is None:
                raise BackrestError("pgBackRest says it is done, but the repository has no backup")
            return newest["label"]
        finally:
            self._making.release()

    def _backup(self, kind, repo, tell):
        args = ["backup", f"--type={kind}", f"--repo={repo}", *self._other_members(), *self._annotations()]
        child = subprocess.Popen(
            command(*args),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: os.nice(19),
        )
        said = []
        limit = threading.Thread(target=throttle, args=(child, self._stated["bytesPerSecond"]), daemon=True)
        limit.start()
        replayed = None
        for line in child.stdout:
            said.append(line)
            if replayed is not None:
                replayed.set()
            if "wait for replay on the standby" in line:
                replayed = threading.Event()
                threading.Thread(target=_checkpoints_until, args=(replayed,), daemon=True).start()
            # Its first line repeats every option.
            if "command begin" not in line:
                tell(redacted(line.rstrip()))
        if replayed is not None:
            replayed.set()
        if child.wait() != 0:
            raise BackrestError(f"backup: {reason_in(''.join(said))}", child.returncode)

    def _other_members(self):
        """pgBackRest finds out by itself who is the primary."""
        others = [name for name in self._settings.members if name != self._settings.name]
        for number, name in enumerate(others, start=2):
            place = {
                "host": self._settings.host(name),
                "host-type": "tls",
                "host-port": BACKREST_PORT,
                "host-ca-file": CA,
                "host-cert-file": f"{ROBOT_TLS}/patroni.crt",
                "host-key-file": f"{ROBOT_TLS}/patroni.key",
                "path": DATA,
                "socket-path": SOCKET,
            }
            yield from (f"--pg{number}-{key}={value}" for key, value in place.items())
        if others:
            yield "--backup-standby=prefer"

    def _annotations(self):
        """What a restore has to know of the server before it can ask one."""
        rows = query(
            "SELECT current_setting('server_version_num'), "
            "coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), 'none')",
            self._settings.database,
        )
        yield f"--annotation=postgresql={rows[0][0]}"
        yield f"--annotation=timescaledb={rows[0][1]}"

    def making(self):
        """Whether a backup is being made here."""
        return self._making.locked()

    def conditions(self):
        """What is wrong with backups, for people; empty when nothing is."""
        if not self._was_primary:
            return []
        found = []
        segments, size = archiving.waiting()
        if self._problem is not None:
            found.append(f"backups: {self._problem} (docs/runbooks/backup-storage-away.md)")
        if size > self._stated["queueMaxBytes"] / 2:
            found.append(
                f"archive: {segments} segments ({size >> 20} MiB) wait; from {self._stated['queueMaxBytes'] >> 20} MiB on "
                "they are given up, so that writers go on (docs/runbooks/backup-storage-away.md)"
            )
        if lost := self._uncovered():
            found.append(
                f"archive: segments up to {lost} were given up; no point in time between the last one that was archived "
                "before them and the next backup can be restored (docs/runbooks/backup-storage-away.md)"
            )
        if self._info is not None:
            ages = (self._age(repo) for repo in self._info.problems)
            if (oldest := max(filter(None, ages), default=0)) > self._stated["maxAgeSeconds"]:
                found.append(f"backups: the newest is {oldest / 3600:.0f} hours old (docs/runbooks/backup-failed.md)")
        return found

    def _age(self, repo):
        """Seconds since the newest backup in a repository ended; None where there is none yet."""
        newest = self._info.last(KINDS, repo)
        return newest and self._clock() - newest["timestamp"]["stop"]

    def metrics(self):
        """Lines of metrics (name, labels, value), of the primary only: it is who asks the repository."""
        if not self._was_primary:
            return
        segments, size = archiving.waiting()
        yield "ms5_archive_waiting_segments", {}, segments
        yield "ms5_archive_waiting_bytes", {}, size
        yield "ms5_archive_queue_limit_bytes", {}, self._stated["queueMaxBytes"]
        yield "ms5_archive_gap", {}, 1 if self._uncovered() else 0
        yield "ms5_backup_age_limit_seconds", {}, self._stated["maxAgeSeconds"]
        if self._info is None:
            return
        for repo, problem in self._info.problems.items():
            label = {"repository": str(repo)}
            yield "ms5_backup_repository_up", label, 0 if problem or self._blind else 1
            for kind, kinds in (("full", ("full",)), ("any", KINDS)):
                newest = self._info.last(kinds, repo)
                if newest is not None:
                    labels = {**label, "type": kind}
                    yield "ms5_backup_last_completed_timestamp_seconds", labels, newest["timestamp"]["stop"]
                    yield "ms5_backup_last_duration_seconds", labels, newest["timestamp"]["stop"] - newest["timestamp"]["start"]
                    yield "ms5_backup_last_bytes", labels, newest["info"]["repository"]["delta"]
        if (earliest := self._info.earliest()) is not None:
            yield "ms5_backup_earliest_restorable_timestamp_seconds", {}, earliest


def make_somewhere(settings, kind, tell, ask=None, wait=time.sleep):
    """Has a backup made by the member that is best for it; by another one when that member goes away meanwhile.

    Raises AskError with the last reason when none could.
    """
    ask = ask or Ask(settings, "patroni")
    last = AskError("no member answers")
    for attempt in range(ATTEMPTS):
        for name in ask.best_members():
            try:
                tell(f"{name} makes a {kind} backup")
                return ask.stream(name, "/backup", {"type": kind}, tell)
            except AskError as error:
                last = error
                tell(f"{name}: {error}")
                if any(code in str(error) for code in PASSING):
                    free_locks(ask, tell)
                    break
                if not error.gone:
                    raise
        if attempt < ATTEMPTS - 1:
            wait(RETRY_EVERY)
    raise last


def _checkpoints_until(replayed, every=2):
    """Restartpoints here, until the one that pgBackRest waits for is there.

    It asks for one alone, and under load that one is of the checkpoint before: then it would wait in vain for a minute.
    """
    while not replayed.wait(every):
        try:
            query("CHECKPOINT", timeout=60)
        except SqlError as error:
            log.warning("%s", error)


def free_locks(ask, tell):
    """Takes the locks of a maker that is gone from the members. One that is at work keeps its own."""
    statuses = ask.statuses()
    if any(status.get("backingUp") for status in statuses.values()):
        return
    for name in statuses:
        try:
            if ask.stream(name, "/unlock", {}, tell):
                tell(f"{name} lets go of a backup whose maker is gone")
        except AskError as error:
            tell(f"{name}: {error}")


def render(metrics):
    """Prometheus' text format."""
    seen, lines = set(), []
    for name, labels, value in metrics:
        if name not in seen:
            seen.add(name)
            lines.append(f"# TYPE {name} gauge")
        inside = ",".join(f"{key}={json.dumps(text)}" for key, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value}" if inside else f"{name} {value}")
    return "".join(f"{line}\n" for line in lines)
