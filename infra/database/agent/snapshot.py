"""Rows and sums of every table at one exact place in the log, for comparing a restored copy with.

On a replica: replay stops for the moment it takes to open a snapshot, so that what the snapshot sees is exactly what a
recovery up to that place has. The counting itself holds nothing up, neither here nor on the primary.
"""

from sql import SqlError, literal, query

# Milliseconds that replay may take until it has stopped.
STOP_WITHIN = 5_000
# Replay that has to remove what the snapshot still sees cancels it (max_standby_streaming_delay).
ATTEMPTS = 3
# Seconds for counting everything.
LONGEST = 6 * 3600

# The same text of a row everywhere: only what is stored counts.
SETTINGS = "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex';"

# Tables that hold rows of ours: also the chunks of hypertables, not what the extensions keep for themselves.
TABLES = """
SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM ONLY %I.%I t',
              format('%I.%I', n.nspname, c.relname), n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1 \\gexec
"""


class NoReplica(SqlError):
    """Only a replica can stop at a place in the log."""


def count_tables(database):
    """{table: [rows, sum]} as they are now. Raises SqlError."""
    return _tables(query(f"{SETTINGS}\n{TABLES}", database, timeout=LONGEST))


def take_snapshot(settings, tell):
    """{lsn, at, tables}: what a recovery that ends right before `lsn` must have. at: ISO time of the newest commit in it.

    Raises SqlError when this is no replica, or when the log keeps taking away what is being read.
    """
    if query("SELECT pg_is_in_recovery()")[0][0] != "t":
        raise NoReplica("this member is no replica: only a replica can stop at a place in the log")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            rows = query(_script(), settings.database, timeout=LONGEST)
            (lsn, at), tables = rows[0], _tables(rows[1:])
            tell(f"counted {len(tables)} tables at {lsn}")
            return {"lsn": lsn, "at": at, "tables": tables}
        except SqlError as error:
            if attempt == ATTEMPTS:
                raise
            tell(f"counting again: {error}")
        finally:
            # Whatever happened to the session: a replica that does not replay is no replica.
            query("SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery()")
    raise SqlError("unreachable")


def _script():
    stopped = f"""
DO $$
BEGIN
  PERFORM pg_wal_replay_pause();
  FOR i IN 1..{STOP_WITHIN // 5} LOOP
    EXIT WHEN pg_get_wal_replay_pause_state() = 'paused';
    PERFORM pg_sleep(0.005);
  END LOOP;
  IF pg_get_wal_replay_pause_state() <> 'paused' THEN
    RAISE EXCEPTION 'replay did not stop';
  END IF;
END $$;"""
    return f"""{SETTINGS}
{stopped}
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_last_wal_replay_lsn(),
       coalesce(to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', {literal('YYYY-MM-DD"T"HH24:MI:SS.US"Z"')}), '');
DO $$ BEGIN PERFORM pg_wal_replay_resume(); END $$;
{TABLES}
COMMIT;
"""


def _tables(rows):
    return {name: [int(count), total] for name, count, total in rows}


def differences(expected, found):
    """What a copy lacks, has too much, or has otherwise; one sentence each."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing ({expected[name][0]} rows)"
        elif name not in expected:
            yield f"{name} is there ({found[name][0]} rows) and should not be"
        elif list(expected[name]) != list(found[name]):
            rows = (expected[name][0], found[name][0])
            yield f"{name} has {rows[1]} rows instead of {rows[0]}" if rows[0] != rows[1] else f"{name} has other rows"
