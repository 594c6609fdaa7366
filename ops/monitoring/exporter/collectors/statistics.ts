import { collector } from "../collector";
import { sample } from "../metrics";

interface StatisticsRow {
  readonly committed: number;
  readonly rolled_back: number;
  readonly from_cache: number;
  readonly from_disk: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly returned: number;
  readonly fetched: number;
  readonly deadlocks: number;
  readonly temporary_bytes: number;
}

export const databaseStatistics = collector<StatisticsRow>({
  name: "database_statistics",
  sql: `
    SELECT xact_commit::float8 AS committed, xact_rollback::float8 AS rolled_back,
           blks_hit::float8 AS from_cache, blks_read::float8 AS from_disk,
           tup_inserted::float8 AS inserted, tup_updated::float8 AS updated, tup_deleted::float8 AS deleted,
           tup_returned::float8 AS returned, tup_fetched::float8 AS fetched,
           deadlocks::float8 AS deadlocks, temp_bytes::float8 AS temporary_bytes
      FROM pg_stat_database WHERE datname = current_database()`,
  samples: (rows) =>
    rows.flatMap((row) => [
      ...sample("timescaledb_transactions_total", { outcome: "committed" }, row.committed),
      ...sample("timescaledb_transactions_total", { outcome: "rolled_back" }, row.rolled_back),
      ...sample("timescaledb_blocks_total", { from: "cache" }, row.from_cache),
      ...sample("timescaledb_blocks_total", { from: "disk" }, row.from_disk),
      ...(["inserted", "updated", "deleted", "returned", "fetched"] as const).flatMap((operation) =>
        sample("timescaledb_rows_total", { operation }, row[operation]),
      ),
      ...sample("timescaledb_deadlocks_total", {}, row.deadlocks),
      ...sample("timescaledb_temporary_bytes_total", {}, row.temporary_bytes),
    ]),
});

interface InputOutputRow {
  readonly read: number;
  readonly written: number;
  readonly extended: number;
}

export const inputOutput = collector<InputOutputRow>({
  name: "io",
  // PostgreSQL 16 and 17 count operations of op_bytes each, 18 counts bytes, in other columns: as JSON a column may be
  // missing. 18 counts the log here too, which has its own metric.
  sql: `
    WITH io AS (SELECT to_jsonb(s) AS j FROM pg_stat_io s WHERE s.object <> 'wal')
    SELECT ${(["read", "write", "extend"] as const)
      .map(
        (operation) => `
           coalesce(sum(coalesce((j->>'${operation}_bytes')::float8, (j->>'${operation}s')::float8 * (j->>'op_bytes')::float8)), 0)
             AS ${{ read: "read", write: "written", extend: "extended" }[operation]}`,
      )
      .join(",")}
      FROM io`,
  samples: (rows) =>
    rows.flatMap((row) =>
      (["read", "written", "extended"] as const).flatMap((operation) =>
        sample("timescaledb_io_bytes_total", { operation }, row[operation]),
      ),
    ),
});

export const writeAheadLog = collector<{ readonly bytes: number }>({
  name: "wal",
  sql: "SELECT wal_bytes::float8 AS bytes FROM pg_stat_wal",
  samples: (rows) => rows.flatMap(({ bytes }) => sample("timescaledb_wal_bytes_total", {}, bytes)),
});
