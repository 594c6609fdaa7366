"""Keeps a group of processes below a rate of reading, by stopping them for moments: pgBackRest has no limit of its own."""

import os
import signal
import time

from processes import members

# Seconds between two looks; also the longest burst above the rate.
TURN = 0.1
# Seconds a group is stopped at most, so that none of its connections is taken for dead.
LONGEST_STOP = 2


def reading(group, seen, proc="/proc"):
    """Bytes that the group's processes have read since the last call. seen: bytes by process id, kept between calls."""
    total = 0
    for pid in members(group, proc):
        try:
            with open(f"{proc}/{pid}/io", encoding="utf8") as file:
                now = int(next(line for line in file if line.startswith("rchar:")).split()[1])
        except (OSError, StopIteration):
            continue
        total += now - seen.get(pid, 0)
        seen[pid] = now
    return total


def owed(debt, bytes_read, rate, elapsed):
    """Bytes read too early after this look. What was not used is no credit for later."""
    return max(0, debt + bytes_read - rate * elapsed)


def throttle(process, rate):
    """Returns when the process has ended. It leads a group of its own. rate: bytes a second; None for any."""
    seen, debt, last = {}, 0, time.monotonic()
    while process.poll() is None:
        time.sleep(TURN)
        if rate is None:
            continue
        now = time.monotonic()
        debt, last = owed(debt, reading(process.pid, seen), rate, now - last), now
        if debt > 0:
            _signal(process.pid, signal.SIGSTOP)
            time.sleep(min(LONGEST_STOP, debt / rate))
            _signal(process.pid, signal.SIGCONT)


def _signal(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass
