"""Restores a backup into an empty folder and recovers it to a target, as a server of its own.

For clones (clone.py), drills (drill_job.py) and a cluster that begins from its backups (bootstrap.py). Such a server
archives nothing, and runs no job of TimescaleDB: retention would at once delete what was restored because it is old.
"""

import os
import re
import shutil
import subprocess
import time

from backrest import BackrestError, command, info, reason_in, redacted
from findings import finding
from settings import CA, POSTGRES_BIN, RUN, SERVER_TLS, SOCKET
from sql import SqlError, query

# Seconds for recovery to a target.
LONGEST = 24 * 3600
# Bytes beside the files of the backup: WAL on its way, and room to work in.
HEADROOM = 256 << 20
# What PostgreSQL and pgBackRest need to start at all.
LEAST_MEMORY = 384 << 20
KINDS = ("latest", "time", "lsn", "name")


class RestoreError(Exception):
    """It was not restored, or not to where it should be."""


def chosen(target, found):
    """The backup to begin with: the newest that ended before the target. Raises RestoreError when there is none.

    target: {kind, value, at?, lsn?}; `at` (Unix seconds) or `lsn` where known place a name among the backups.
    """
    good = sorted((b for b in found.backups if not b.get("error")), key=lambda backup: backup["timestamp"]["stop"])
    if not good:
        raise RestoreError("the repository holds no backup")
    if target["kind"] == "latest":
        return good[-1]
    lsn, at = target.get("lsn"), target.get("at")
    if lsn is None and at is None:
        raise RestoreError("nothing says where the restore point is: name a time or an LSN instead")
    before = [
        backup
        for backup in good
        if (position(backup["lsn"]["stop"]) <= position(lsn) if lsn is not None else backup["timestamp"]["stop"] <= at)
    ]
    if not before:
        first = good[0]
        moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(first["timestamp"]["stop"]))
        raise RestoreError(
            f"the first backup ended at {moment} ({first['lsn']['stop']}): nothing before that can be restored"
        )
    return before[-1]


def position(lsn):
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def findings_before(target, data, free=None, memory=None, libraries=None):
    """What must hold before anything is written. Returns (findings, the backup to begin with or None)."""
    try:
        found = info()
    except BackrestError as error:
        return [finding("repository answers", "CRITICAL", str(error))], None
    broken = [f"repository {key}: {problem}" for key, problem in found.problems.items() if problem]
    # Another one that answers is what a second repository is for.
    findings = [finding("repository answers", "WARNING" if found.backups else "CRITICAL", "; ".join(broken))]
    if broken and not found.backups:
        return findings, None
    try:
        backup = chosen(target, found)
    except RestoreError as error:
        return [*findings, finding("a backup from before the target", "CRITICAL", str(error))], None
    findings.append(finding("a backup from before the target", "CRITICAL", None, f"{backup['label']}"))
    needed = backup["info"]["size"] + HEADROOM
    there = shutil.disk_usage(data).free if free is None else free
    short = f"{there >> 20} MiB free, {needed >> 20} MiB needed: name a larger volume" if there < needed else None
    findings.append(finding("disk", "CRITICAL", short, f"{there >> 20} MiB free"))
    writable = None if os.access(data, os.W_OK) else f"{data} cannot be written"
    findings.append(finding("permissions", "CRITICAL", writable))
    limit = memory_limit() if memory is None else memory
    small = f"{limit >> 20} MiB, less than {LEAST_MEMORY >> 20} MiB" if limit < LEAST_MEMORY else None
    findings.append(finding("memory", "ERROR", small, f"{limit >> 20} MiB"))
    version = (backup.get("annotation") or {}).get("timescaledb", "unknown")
    findings.append(finding("extension version", "CRITICAL", _missing_library(version, libraries), f"TimescaleDB {version}"))
    return findings, backup


def _missing_library(version, libraries):
    if version in ("none", "unknown"):
        return None
    there = os.listdir(_library_folder()) if libraries is None else libraries
    if any(name == f"timescaledb-{version}.so" for name in there):
        return None
    return f"the backup is of TimescaleDB {version}, which this image has not: use the image it was made with"


def _library_folder():
    return subprocess.run([f"{POSTGRES_BIN}/pg_config", "--pkglibdir"], capture_output=True, text=True, check=True).stdout.strip()


def memory_limit():
    """Bytes this container may use."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path, encoding="utf8") as file:
                text = file.read().strip()
            return 1 << 62 if text == "max" else int(text)
        except FileNotFoundError:
            continue
    return 1 << 62


def arguments(target, backup, pgdata, *more):
    """What pgBackRest is told."""
    # Nobody else works here: as many at a time as there are processors, of which few are enough to fill the way here.
    processes = min(8, os.cpu_count() or 1)
    args = ["restore", f"--pg1-path={pgdata}", f"--set={backup['label']}", f"--process-max={processes}", *more]
    if target["kind"] == "latest":
        return args
    args += [f"--type={target['kind']}", f"--target={target['value']}", "--target-action=promote"]
    return [*args, "--target-exclusive"] if target.get("exclusive") else args


def fetch(target, backup, pgdata, tell, *more):
    """Puts the files of a backup in place, checked against its sums. Seconds it took."""
    begun = time.monotonic()
    os.makedirs(pgdata, mode=0o700, exist_ok=True)
    child = subprocess.Popen(
        command(*arguments(target, backup, pgdata, *more)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in child.stdout:
        said.append(line)
        # One line for each file is too much, and the first repeats every option.
        if "restore file" not in line and "command begin" not in line:
            tell(redacted(line.rstrip()))
    if child.wait() != 0:
        raise RestoreError(reason_in("".join(said)))
    return time.monotonic() - begun


class Server:
    """A PostgreSQL of its own on restored files. listen: addresses, or empty for its socket alone."""

    def __init__(self, pgdata, listen=""):
        self._pgdata = pgdata
        self._listen = listen
        self._log = f"{os.path.dirname(pgdata)}/postgres.log"
        self._child = None

    def start(self):
        os.makedirs(RUN, exist_ok=True)
        with open(f"{RUN}/clone.conf", "w", encoding="utf8") as file:
            file.write(self._settings())
        with open(f"{RUN}/clone_hba.conf", "w", encoding="utf8") as file:
            # Whoever gets here came through the API server's port-forward; passwords are those of the source.
            file.write("local all postgres peer\nhostssl all all 127.0.0.1/32 scram-sha-256\nhost all all all reject\n")
        with open(self._log, "w", encoding="utf8") as log:
            self._child = subprocess.Popen(
                [f"{POSTGRES_BIN}/postgres", "-D", self._pgdata, "-c", f"config_file={RUN}/clone.conf"],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _settings(self):
        memory = min(memory_limit(), 4 << 30)
        stated = {
            "data_directory": self._pgdata,
            "hba_file": f"{RUN}/clone_hba.conf",
            "listen_addresses": self._listen,
            "unix_socket_directories": SOCKET,
            "shared_preload_libraries": "timescaledb,pgaudit",
            "ssl": "on",
            "ssl_cert_file": f"{SERVER_TLS}/tls.crt",
            "ssl_key_file": f"{SERVER_TLS}/tls.key",
            "ssl_ca_file": CA,
            "shared_buffers": f"{max(64, (memory >> 20) // 4)}MB",
            "max_locks_per_transaction": 1024,
            "max_connections": 30,
            # Nobody reads before recovery is over; without this the settings of the source would have to fit in here.
            "hot_standby": "off",
            "archive_mode": "off",
            # No scheduler, from the first moment on: alter_job, which comes after promotion, would come too late.
            "timescaledb.max_background_workers": 0,
            "timescaledb.telemetry_level": "off",
            "log_line_prefix": "%m [%p] ",
        }
        return "".join(f"{name} = '{value}'\n" for name, value in stated.items())

    def wait(self, tell):
        """Returns when it takes writes: recovered and promoted. Raises RestoreError with PostgreSQL's own reason."""
        deadline = time.monotonic() + LONGEST
        told = 0
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise RestoreError(explained(self.log()))
            try:
                if query("SELECT pg_is_in_recovery()", timeout=5)[0][0] == "f":
                    return
            except SqlError:
                pass
            if time.monotonic() - told > 15:
                told = time.monotonic()
                tell("recovering")
            time.sleep(0.2)
        raise RestoreError(f"not recovered within {LONGEST // 3600} h")

    def recovered_to(self):
        """{lsn, at} of the last transaction that was recovered, by PostgreSQL's log."""
        text = self.log()
        lsn = re.search(r"redo done at ([0-9A-F]+/[0-9A-F]+)", text)
        at = re.search(r"last completed transaction was at log time (.+)", text)
        return {"lsn": lsn and lsn[1], "at": at and at[1].strip()}

    def log(self):
        try:
            with open(self._log, encoding="utf8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def running(self):
        return self._child is not None and self._child.poll() is None

    def stop(self):
        if not self.running():
            return
        stop = [f"{POSTGRES_BIN}/pg_ctl", "-D", self._pgdata, "-m", "fast", "-w", "-t", "60", "stop"]
        subprocess.run(stop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        self._child.wait()


def explained(log):
    """Why a recovery ended, for who asked for it."""
    fatal = [line.split("FATAL:", 1)[1].strip() for line in log.splitlines() if "FATAL:" in line]
    if any("recovery ended before configured recovery target" in line for line in fatal):
        last = re.findall(r"last completed transaction was at log time (.+)", log)
        until = f" (its last transaction is of {last[-1].strip()})" if last else ""
        missing = re.findall(r"unable to find ([0-9A-F]{24}) in the archive", log)
        hole = f"; segment {missing[-1]} is missing" if missing else ""
        return f"the archive ends before the target{until}{hole}: choose an earlier one"
    if fatal:
        return fatal[-1]
    return log.strip().splitlines()[-1] if log.strip() else "PostgreSQL ended without a word"
