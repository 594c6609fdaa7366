"""A restore drill: the newest backup is restored into this pod, recovered to an exact place, and compared with the source.

Measured: how long it takes until a server answers (RTO), and how long a committed write waits until the archive has it
(RPO). Recorded in audit.backup_drills whatever comes of it. Ends with 0 when the copy was as it should be, else 1.
"""

import json
import os
import sys
import time

from after_restore import findings_after
from ask import Ask, AskError
from backrest import BackrestError, info
from findings import described, failed, finding
from restore import RestoreError, Server, fetch, findings_before, position
from settings import JOB_TLS, Settings
from snapshot import count_tables, differences

PGDATA = "/data/pgdata"
# Seconds that the archive has for a place in the log; archive_timeout is part of it.
ARCHIVED_WITHIN = 900
SEGMENT = 4 << 20


def main():
    settings = Settings(member=False)
    ask = Ask(settings, "backup", JOB_TLS)
    drill = {"label": None, "target": None, "restore_seconds": None, "loss_seconds": None, "bytes": None, "tables": 0, "rows": 0}
    findings, problem = [], None
    try:
        findings = run(settings, ask, drill)
        problem = described(failed(findings)) or None
    except (RestoreError, BackrestError, AskError) as error:
        problem = str(error)
    drill |= {"passed": problem is None, "detail": problem or described(failed(findings, "WARNING")) or None}
    try:
        drill["drill"] = ask.stream(ask.primary(), "/drills", drill, tell)
    except AskError as error:
        problem = f"{problem + '; ' if problem else ''}not recorded: {error}"
        drill |= {"passed": False, "detail": problem}
    print(json.dumps({**drill, "findings": findings}), flush=True)
    return 0 if drill["passed"] else 1


def run(settings, ask, drill):
    """Fills in the drill, and returns the findings. Raises what kept it from being finished."""
    source = source_of(ask)
    target = {"kind": "latest", "value": None}
    if source is not None:
        target = {"kind": "lsn", "value": source["lsn"], "lsn": source["lsn"], "exclusive": True}
        # Behind what was counted: when the archive has it, it has that too.
        written = ask.stream(ask.primary(), "/mark", {}, tell)
        drill["loss_seconds"] = until_archived(written)
        tell(f"the archive had {written} {drill['loss_seconds']:.1f} s after it was written")
    drill["target"] = source and source["lsn"]
    findings, backup = findings_before(target, "/data")
    if failed(findings) or backup is None:
        return findings
    drill |= {"label": backup["label"], "bytes": backup["info"]["size"]}
    begun = time.monotonic()
    fetch(target, backup, PGDATA, tell)
    server = Server(PGDATA)
    server.start()
    try:
        server.wait(tell)
        drill["restore_seconds"] = time.monotonic() - begun
        tell(f"a server answers {drill['restore_seconds']:.1f} s after the beginning")
        tables = count_tables(settings.database)
        drill |= {"tables": len(tables), "rows": sum(rows for rows, _ in tables.values())}
        return [*findings, compared(source, tables), *findings_after(settings.database, lambda: tables)]
    finally:
        server.stop()


def source_of(ask):
    """Rows and sums at a place in the log, from a replica; None where the cluster has none."""
    for name, status in ask.statuses().items():
        if status.get("replica"):
            tell(f"{name} counts its tables")
            return ask.stream(name, "/snapshot", {}, tell)
    return None


def compared(source, tables):
    if source is None:
        return finding("same as the source", "WARNING", "the cluster has no replica that could say what it had at one moment")
    wrong = list(differences(source["tables"], tables))
    text = f"{len(wrong)} tables differ: {'; '.join(wrong[:5])}" if wrong else None
    return finding("same as the source", "CRITICAL", text, f"{len(tables)} tables at {source['lsn']}")


def until_archived(lsn):
    """Seconds until the archive has the segment with this place in it."""
    begun = time.monotonic()
    wanted = (position(lsn) - 1) // SEGMENT
    while time.monotonic() - begun < ARCHIVED_WITHIN:
        newest = info().archived_until()
        if newest and number(newest) >= wanted:
            return time.monotonic() - begun
        time.sleep(1)
    raise RestoreError(f"the archive has not got {lsn} within {ARCHIVED_WITHIN} s")


def number(segment):
    """A segment's place in the log, counted in segments."""
    return int(segment[8:16], 16) * ((1 << 32) // SEGMENT) + int(segment[16:], 16)


def tell(line):
    print(line, flush=True)


if __name__ == "__main__":
    os.makedirs("/data", exist_ok=True)
    sys.exit(main())
