"""The way of WAL into the archive, seen from this pod's files."""

import os
import re

from settings import BACKREST_SPOOL, DATA

PG_WAL = f"{DATA}/pg_wal"
# pgBackRest's background process writes there what it had to do (log-level-file=warn).
LOG = f"{BACKREST_SPOOL}/log/database-archive-push-async.log"
DROPPED = re.compile(r"^\S+ \S+ .*dropped WAL file '([0-9A-F]{24})'", re.MULTILINE)
SEGMENT = re.compile(r"^[0-9A-F]{24}$")


def waiting(folder=PG_WAL):
    """(segments that wait for the archive, their bytes)."""
    try:
        ready = [name[:-6] for name in os.listdir(f"{folder}/archive_status") if name.endswith(".ready")]
    except FileNotFoundError:
        return 0, 0
    return len(ready), sum(_size(os.path.join(folder, name)) for name in ready)


def dropped(path=LOG):
    """Names of segments that were given up because too many waited, oldest first."""
    try:
        with open(path, encoding="utf8") as file:
            return DROPPED.findall(file.read())
    except FileNotFoundError:
        return []


def place(segment):
    """Where a segment is in the log, whichever primary wrote it: to compare by."""
    return segment[8:]


def timeline(segment):
    return int(segment[:8], 16)


def of_earlier_timelines(names, current_timeline):
    """Whole segments that a primary before this one wrote, in order.

    A replica marks what it streams as none of its business; if it becomes the primary, nobody else archives it any more.
    """
    segments = sorted(name for name in names if SEGMENT.match(name))
    # Where a timeline was left it may have written half a segment: whole that is the first of the next, begun as a copy.
    left_at = {
        left: min((name[8:] for name in segments if timeline(name) > left), default="")
        for left in {timeline(name) for name in segments if timeline(name) < current_timeline}
    }
    return [name for name in segments if name[8:] < left_at.get(timeline(name), "")]


def _size(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
