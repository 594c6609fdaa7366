"""The record of restore drills: audit.backup_drills, which can be added to and not changed."""

import json

from sql import SqlError, literal, query

FIELDS = ("label", "target", "restore_seconds", "loss_seconds", "bytes", "tables", "rows", "passed", "detail")


def record_drill(settings, drill):
    """Adds a row on the primary; returns its number. Raises SqlError for a field too few, and on a replica."""
    missing = [field for field in FIELDS if field not in drill]
    if missing:
        raise SqlError(f"a drill has no {', '.join(missing)}")
    values = json.dumps({field: drill[field] for field in FIELDS})
    columns = ", ".join(f'"{field}"' for field in FIELDS)
    rows = query(
        f"INSERT INTO audit.backup_drills ({columns}) SELECT {columns} "
        f"FROM jsonb_populate_record(NULL::audit.backup_drills, {literal(values)}) RETURNING drill_id",
        settings.database,
    )
    return int(rows[0][0])


def mark():
    """Writes something into the log of the primary, and returns where: how long it takes to the archive is what may be lost."""
    return query("SELECT pg_create_restore_point('drill')")[0][0]


def drill_metrics(settings):
    """Of the last drill, and when the last good one was. Nothing before the first."""
    try:
        rows = query(
            "SELECT extract(epoch FROM at), passed::int, restore_seconds, loss_seconds, bytes, "
            "(SELECT extract(epoch FROM max(at)) FROM audit.backup_drills WHERE passed) "
            "FROM audit.backup_drills ORDER BY drill_id DESC LIMIT 1",
            settings.database,
        )
    except SqlError:
        # Before the migration that makes the table.
        return
    if not rows:
        return
    names = ("timestamp_seconds", "passed", "restore_seconds", "loss_seconds", "bytes", "last_passed_timestamp_seconds")
    for name, value in zip(names, rows[0]):
        if value != "":
            yield f"ms5_backup_drill_{name}", {}, value
