/** A metric's definition: what it says, with its unit and where it comes from, and by what it is divided. */
interface Definition {
  readonly help: string;
  readonly labels: readonly string[];
}

const perHypertable = ["hypertable", "kind"] as const;
const perJob = ["job"] as const;

/**
 * All metrics that are read from the database. Names that end in `_total` are counters, all others gauges. Dashboards, rules and
 * alerts rely on the names. No label has a value for each chunk, machine or query: a scrape's size depends on the schema
 * alone.
 *
 * `hypertable` is a name without its schema (for `kind="aggregate"` the view's), `job` a name as `jobNames` makes it.
 */
export const metrics = {
  timescaledb_up: { help: "1 when the database answers, 0 when it does not", labels: [] },
  timescaledb_info: {
    help: "Always 1: versions, and the edition (community or apache)",
    labels: ["timescaledb", "postgres", "edition"],
  },
  timescaledb_connections: { help: "Client connections of the server by state", labels: ["state"] },
  timescaledb_connections_limit: {
    help: "Connections that clients without special rights can have: max_connections less the reserved ones",
    labels: [],
  },
  timescaledb_longest_transaction_seconds: {
    help: "Age of the oldest transaction of a client; 0 without any",
    labels: [],
  },
  timescaledb_blocked_sessions: { help: "Client sessions that wait for a lock", labels: [] },
  timescaledb_transaction_id_age: {
    help: "Transactions since the oldest one that is not frozen, in any database; at 2.1 billion nobody can write",
    labels: [],
  },
  timescaledb_multixact_age: {
    help: "Multixacts since the oldest one that is not frozen, in any database; at 2.1 billion nobody can write",
    labels: [],
  },
  timescaledb_transactions_total: {
    help: "Transactions of this database (pg_stat_database)",
    labels: ["outcome"],
  },
  timescaledb_blocks_total: {
    help: "Blocks that were asked for, by where they were found (pg_stat_database); disk may be the operating system's cache",
    labels: ["from"],
  },
  timescaledb_rows_total: {
    help: "Rows of this database (pg_stat_database); returned are read, fetched are read by an index",
    labels: ["operation"],
  },
  timescaledb_deadlocks_total: { help: "Deadlocks of this database (pg_stat_database)", labels: [] },
  timescaledb_temporary_bytes_total: {
    help: "Bytes that queries of this database wrote to temporary files (pg_stat_database)",
    labels: [],
  },
  timescaledb_io_bytes_total: {
    help: "Bytes of tables and indexes that all of the server's processes read and wrote (pg_stat_io)",
    labels: ["operation"],
  },
  timescaledb_wal_bytes_total: { help: "Bytes of write-ahead log that were made (pg_stat_wal)", labels: [] },
  timescaledb_login_expiry_timestamp_seconds: {
    help: "When the password of a login role ends, where it does (rolvaliduntil)",
    labels: ["role"],
  },

  timescaledb_hypertable_size_bytes: {
    help: "Bytes on disk with indexes, TOAST and columnstore (hypertable_size)",
    labels: perHypertable,
  },
  timescaledb_hypertable_rows: {
    help: "About how many rows, from the statistics of the last ANALYZE (approximate_row_count)",
    labels: perHypertable,
  },
  timescaledb_hypertable_chunks: {
    help: "Chunks by how they are stored",
    labels: [...perHypertable, "store"],
  },
  timescaledb_hypertable_oldest_chunk_start_timestamp_seconds: {
    help: "Where the oldest chunk begins",
    labels: perHypertable,
  },
  timescaledb_hypertable_newest_chunk_end_timestamp_seconds: {
    help: "Where the newest chunk ends",
    labels: perHypertable,
  },
  timescaledb_hypertable_chunk_interval_seconds: {
    help: "Length of the chunks that are made from now on",
    labels: perHypertable,
  },
  timescaledb_hypertable_newest_row_timestamp_seconds: {
    help: "Time of the newest row that is not of the future (monitoring.newest_rows)",
    labels: ["hypertable"],
  },
  timescaledb_retention_seconds: { help: "Age at which chunks are dropped", labels: perHypertable },
  timescaledb_retention_overdue_seconds: {
    help: "Age of the oldest chunk's end, less retention; 0 or less: nothing is overdue",
    labels: perHypertable,
  },
  timescaledb_job_info: {
    help: "Always 1: the job's procedure and hypertable",
    labels: ["job", "proc", "hypertable"],
  },
  timescaledb_job_scheduled: { help: "1 when the job runs by itself, 0 when it is paused", labels: perJob },
  timescaledb_job_runs_total: { help: "Runs of a job", labels: perJob },
  timescaledb_job_failures_total: { help: "Runs of a job that failed", labels: perJob },
  timescaledb_job_last_run_success: {
    help: "1 when the last run succeeded, 0 when it failed; absent before the first run and while one is under way",
    labels: perJob,
  },
  timescaledb_job_last_success_timestamp_seconds: { help: "When a run last succeeded", labels: perJob },
  timescaledb_job_last_duration_seconds: {
    help: "How long the last run took; absent while one is under way",
    labels: perJob,
  },
  timescaledb_job_schedule_interval_seconds: { help: "How often the job is to run", labels: perJob },
  timescaledb_job_lag_seconds: {
    help: "How long ago a run should have begun that has not; else 0",
    labels: perJob,
  },
  timescaledb_aggregate_staleness_seconds: {
    help: "Age of what a continuous aggregate does not hold yet (now less its watermark)",
    labels: ["aggregate"],
  },
  timescaledb_aggregate_schedule_seconds: {
    help: "How often a continuous aggregate is to be refreshed",
    labels: ["aggregate"],
  },
  timescaledb_aggregate_end_offset_seconds: {
    help: "Age from which on a continuous aggregate is to hold everything",
    labels: ["aggregate"],
  },
  timescaledb_database_size_bytes: { help: "Bytes of this database on disk", labels: [] },

  timescaledb_columnstore_before_bytes: {
    help: "Bytes as rows of the chunks that are columns, when they were turned into such",
    labels: perHypertable,
  },
  timescaledb_columnstore_after_bytes: {
    help: "Bytes as columns of the chunks that are columns, when they were turned into such",
    labels: perHypertable,
  },
  timescaledb_columnstore_after_seconds: {
    help: "Age at which chunks are turned into columns",
    labels: perHypertable,
  },
  timescaledb_columnstore_overdue_chunks: {
    help: "Chunks older than that which are still rows",
    labels: perHypertable,
  },

  timescaledb_exporter_collect_seconds: {
    help: "How long a collector took",
    labels: ["collector"],
  },
  timescaledb_exporter_collect_success: {
    help: "1 when a collector gave its metrics, 0 when it failed",
    labels: ["collector"],
  },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof metrics;

/** One value of a metric at one time, with exactly the metric's labels. */
export type Sample = {
  [Name in MetricName]: {
    readonly metric: Name;
    readonly labels: Readonly<Record<(typeof metrics)[Name]["labels"][number], string>>;
    readonly value: number;
  };
}[MetricName];

type LabelsOf<Name extends MetricName> = Extract<Sample, { metric: Name }>["labels"];

/**
 * A sample, in a list that can be empty: what the database does not know (NULL, and infinite times such as that of a job's
 * run under way) has none.
 */
export function sample<Name extends MetricName>(
  metric: Name,
  labels: LabelsOf<Name>,
  value: number | null | undefined,
): Sample[] {
  if (value === null || value === undefined || !Number.isFinite(value)) return [];
  return [{ metric, labels, value } as Sample];
}
