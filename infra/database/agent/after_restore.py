"""What must hold of a restored copy before anyone may take it for good."""

import os
import subprocess

from findings import finding
from settings import POSTGRES_BIN, SOCKET
from sql import SqlError, query

# Seconds for reading every page of every table and index.
LONGEST = 6 * 3600


def hold_jobs(database):
    """Number of jobs held. None where this edition of TimescaleDB has none."""
    with open(os.path.join(os.path.dirname(__file__), "hold.sql"), encoding="utf8") as file:
        script = file.read()
    if not query("SELECT 1 FROM timescaledb_information.jobs WHERE job_id >= 1000", database):
        return None
    return int(query(script, database)[-1][0])


def findings_after(database, count):
    """count(): rows and sums of every table."""
    held = _tried(lambda: hold_jobs(database))
    return [
        finding("jobs held", "CRITICAL", *held(lambda jobs: (None, "no jobs" if jobs is None else f"{jobs} jobs"))),
        _check("catalogue and pages (amcheck)", "CRITICAL", lambda: _amcheck(database)),
        _check("checksums", "CRITICAL", lambda: _checksums(database)),
        _check("hypertables and chunks", "ERROR", lambda: _chunks(database)),
        _check("policies", "ERROR", lambda: _policies(database)),
        finding("row counts", "INFO", *_tried(count)(lambda tables: (None, _described(tables)))),
    ]


def _tried(work):
    """A function that makes (problem, detail) of what came of it."""
    try:
        result = work()
    except SqlError as error:
        reason = str(error)
        return lambda _: (reason, None)
    return lambda describe: describe(result)


def _check(name, severity, work):
    return finding(name, severity, *_tried(work)(lambda result: result))


def _amcheck(database):
    # Every page of every table and index is read, so checksums are verified on the way.
    command = [f"{POSTGRES_BIN}/pg_amcheck", "-h", SOCKET, "-U", "postgres", "-d", database]
    command += ["--install-missing", "--heapallindexed", "--no-dependent-toast"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {LONGEST // 3600} h", None
    if done.returncode == 0:
        return None, "every table and index"
    return (done.stdout + done.stderr).strip()[:500] or "it failed", None


def _checksums(database):
    rows = query("SELECT current_setting('data_checksums'), coalesce(sum(checksum_failures), 0) FROM pg_stat_database", database)
    on, failures = rows[0]
    if on != "on":
        return "the cluster has none: pages that went bad are not noticed", None
    return (None, "on, none wrong") if failures == "0" else (f"{failures} pages are wrong", None)


def _chunks(database):
    rows = query(
        "SELECT count(*), count(*) FILTER (WHERE to_regclass(format('%I.%I', chunk_schema, chunk_name)) IS NULL), "
        "(SELECT count(*) FROM timescaledb_information.hypertables) FROM timescaledb_information.chunks",
        database,
    )
    chunks, missing, hypertables = (int(value) for value in rows[0])
    return (f"{missing} chunks have no table", None) if missing else (None, f"{hypertables} hypertables, {chunks} chunks")


def _policies(database):
    rows = query("SELECT count(*), count(*) FILTER (WHERE scheduled) FROM timescaledb_information.jobs WHERE job_id >= 1000", database)
    jobs, running = (int(value) for value in rows[0])
    return (f"{running} jobs are not held", None) if running else (None, f"{jobs} jobs, all held")


def _described(tables):
    return f"{sum(rows for rows, _ in tables.values())} rows in {len(tables)} tables"
