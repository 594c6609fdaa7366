"""Whether a restore would be possible, seen from the primary. Prints findings as JSON: `ops backup check` runs it there."""

import json
import os
import time

import archiving
from backrest import BackrestError, info, run
from backups import KINDS
from disk import free
from findings import finding
from restore import memory_limit
from settings import VOLUMES, Settings
from sql import SqlError, query

# Days after which the last good drill is too old for anybody's schedule.
OLD_DRILL = 31
DAY = 86_400


def main(settings):
    return [
        *repository(settings),
        *disk(settings),
        finding("memory", "INFO", None, f"{memory_limit() >> 20} MiB"),
        connections(),
        permissions(settings),
        extension(settings),
        archive(settings),
        drill(settings),
    ]


def repository(settings):
    try:
        found = info()
    except BackrestError as error:
        return [finding("repository answers", "CRITICAL", str(error))]
    broken = [f"repository {key}: {problem}" for key, problem in found.problems.items() if problem]
    findings = [finding("repository answers", "CRITICAL", "; ".join(broken), f"{len(found.problems)} of them")]
    if broken:
        return findings
    try:
        # Ends a segment, and waits until every repository has it.
        run("check", "--archive-timeout=60", timeout=180)
        findings.append(finding("repository takes the log", "CRITICAL", None))
    except BackrestError as error:
        findings.append(finding("repository takes the log", "CRITICAL", str(error)))
    for repo in found.problems:
        newest = found.last(KINDS, repo)
        age = newest and (time.time() - newest["timestamp"]["stop"]) / DAY
        if newest is None:
            findings.append(finding(f"newest backup in repository {repo}", "CRITICAL", "there is none"))
        else:
            old = f"{age:.1f} days old" if age * DAY > settings.backups["maxAgeSeconds"] else None
            findings.append(finding(f"newest backup in repository {repo}", "ERROR", old, newest["label"]))
    return findings


def disk(settings):
    for name, path in VOLUMES.items():
        left, guard = free(path), settings.guard[name]
        short = f"{left >> 20} MiB free, less than the {guard >> 20} MiB that are kept for recovery" if left < guard else None
        yield finding(f"disk: {name} volume", "CRITICAL", short, f"{left >> 20} MiB free")


def connections():
    rows = query("SELECT count(*), current_setting('max_connections') FROM pg_stat_activity WHERE backend_type = 'client backend'")
    used, most = (int(value) for value in rows[0])
    full = f"{used} of {most} are taken" if used > most * 0.9 else None
    return finding("connections", "WARNING", full, f"{used} of {most}")


def permissions(settings):
    rows = query(
        f"SELECT has_function_privilege('{settings.admin}', 'pg_create_restore_point(text)', 'EXECUTE'), "
        "has_function_privilege(current_user, 'pg_backup_start(text, boolean)', 'EXECUTE')",
        settings.database,
    )
    missing = [name for name, has in zip(("restore points", "backups"), rows[0]) if has != "t"]
    return finding("permissions", "ERROR", f"nobody may make {', '.join(missing)}" if missing else None)


def extension(settings):
    rows = query("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'", settings.database)
    return finding("extension version", "CRITICAL", None if rows else "TimescaleDB is not installed", rows and rows[0][0])


def archive(settings):
    segments, size = archiving.waiting()
    long = size > settings.backups["queueMaxBytes"] / 2
    text = f"{segments} segments ({size >> 20} MiB) wait"
    return finding("archive", "ERROR", text if long else None, text)


def drill(settings):
    try:
        rows = query(
            "SELECT passed, extract(epoch FROM at), coalesce(detail, '') FROM audit.backup_drills ORDER BY drill_id DESC LIMIT 1",
            settings.database,
        )
    except SqlError as error:
        return finding("last drill", "WARNING", str(error))
    if not rows:
        return finding("last drill", "WARNING", "there was none: a backup nobody has restored is a hope")
    passed, at, detail = rows[0][0], float(rows[0][1]), rows[0][2] if len(rows[0]) > 2 else ""
    if passed != "t":
        return finding("last drill", "ERROR", f"it failed: {detail}")
    days = (time.time() - at) / DAY
    return finding("last drill", "WARNING", f"{days:.0f} days ago" if days > OLD_DRILL else None, f"passed {days:.1f} days ago")


if __name__ == "__main__":
    os.environ.setdefault("POD_NAME", "")
    print(json.dumps(main(Settings())))
