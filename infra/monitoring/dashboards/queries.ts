// Pieces of queries that several panels need. Healthy is a number, 0 where possible: nothing at all is what a panel shows when
// nobody tells.

/** A counter's change in a second, over a window of at least four scrapes. Of two tellers, as when one follows another: either. */
export function perSecond(counter: string, by?: string): string {
  return `max${by === undefined ? "" : ` by (${by})`} (rate(${counter}[$__rate_interval]))`;
}

/** Seconds within which this share of probes was done, through the pooler as a client is. */
export function probeQuantile(share: number, path: "read" | "write"): string {
  return `histogram_quantile(${share}, sum by (le) (rate(timescaledb_probe_seconds_bucket{path="${path}"}[$__rate_interval])))`;
}

/** Adds label `cluster`, blue or green, which is in a pod's name. */
function withCluster(series: string): string {
  return `label_replace(${series}, "cluster", "$1", "pod", "(.*)-[0-9]+")`;
}

/** Members that are expected and do not run. */
export const membersMissing = `sum(
  max by (cluster) (${withCluster("ms5_cluster_members")})
  - on (cluster) sum by (cluster) (${withCluster("ms5_member_running")})
)`;

/** Of the worst repository. */
export const newestBackupAge =
  'max(time() - max by (repository) (ms5_backup_last_completed_timestamp_seconds{type="any"}))';

/**
 * How much older an aggregate is than its policy makes it at worst: a bucket is whole, then `end_offset` passes, then up to a
 * schedule. A bucket is no longer than `end_offset` (infra/config/rules.ts). 0 while it is as planned.
 */
export const aggregatesBehind = `clamp_min(
  max by (aggregate) (timescaledb_aggregate_staleness_seconds)
  - max by (aggregate) (2 * timescaledb_aggregate_end_offset_seconds + timescaledb_aggregate_schedule_seconds),
  0)`;

/** Share of bytes the columnstore has saved of what it holds; 0 where it holds nothing yet. */
export const columnstoreSaved = `(
  1 - sum(timescaledb_columnstore_after_bytes) / (sum(timescaledb_columnstore_before_bytes) > 0)
) or 0 * sum(timescaledb_columnstore_before_bytes)`;

/** Share of the budget that a month costs. */
export const budgetShare = "max(ms5_monthly_cost_estimate_dollars) / max(ms5_monthly_budget_dollars)";

/**
 * How many series are as the comparison says; 0 where none is, and nothing where nobody tells.
 *
 * @param comparison with `bool`, so that it is 0 or 1: `up == bool 0`
 */
export function howMany(comparison: string): string {
  return `sum(${comparison})`;
}
