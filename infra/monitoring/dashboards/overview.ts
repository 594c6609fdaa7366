// The first look: is data safe, fresh, fast and affordable? Below it the eleven panels of requirements document 002.
import {
  BytesIEC,
  BytesPerSecondIEC,
  Days,
  DurationSeconds,
  OpsPerSecond,
  PercentUnit,
  RowsPerSecond,
  Seconds,
  Short,
} from "@grafana/grafana-foundation-sdk/units";
import { slow } from "../slo";
import type { Page, Row } from "./page";
import { lines, stat } from "./panel";
import {
  aggregatesBehind,
  budgetShare,
  howMany,
  membersMissing,
  newestBackupAge,
  perSecond,
  probeQuantile,
} from "./queries";
import type { DashboardSettings } from "./settings";
import { neutral, redFrom, worseAbove, worseBelow } from "./thresholds";

export function overview(settings: DashboardSettings): Page {
  return {
    name: "overview",
    about:
      "For whoever is on call: the first row answers whether data is safe, fresh, fast and affordable; the rest shows what the database does.",
    refresh: 10,
    range: "6h",
    variables: [],
    rows: [firstLook(settings), work, data, storage],
  };
}

const firstLook = ({ freshness: { metric_hist: stale = 300 } }: DashboardSettings): Row => ({
  title: "Safe · fresh · fast · affordable",
  panels: [
    stat({
      title: "Safe: members missing",
      means: "Members of the cluster that should run and do not.",
      worry: "One: the next fault may stop writes. All but one: nothing is left to fail over to.",
      unit: Short,
      steps: worseAbove(1, 2),
      queries: [{ expr: membersMissing }],
      width: 3,
      read: "runbooks/primary-lost.md",
      more: "replication",
    }),
    stat({
      title: "Safe: newest backup",
      means: "Age of the newest complete backup, in the repository where it is oldest.",
      worry: "Older than the schedule's longest gap: one was left out, and a restore takes longer each hour.",
      unit: DurationSeconds,
      steps: worseAbove(13 * 3600, 25 * 3600),
      needs: "backups",
      queries: [{ expr: newestBackupAge }],
      width: 3,
      read: "runbooks/backup-failed.md",
      more: "backups",
    }),
    stat({
      title: "Fresh: newest sample",
      means: "Age of the newest row of metric_hist.",
      worry:
        "Older than the freshness objective: machines, gateways or the way to the database have stopped.",
      unit: DurationSeconds,
      steps: worseAbove(stale / 2, stale),
      queries: [
        {
          expr: 'time() - max(timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="metric_hist"})',
        },
      ],
      width: 3,
      more: "slo",
    }),
    stat({
      title: "Fresh: aggregates behind",
      means: "How far the stalest aggregate is behind what its refresh policy promises.",
      worry:
        "More than minutes: a refresh fails or does not run, and charts over days miss the newest hours.",
      unit: DurationSeconds,
      steps: worseAbove(600, 3600),
      needs: "community",
      queries: [{ expr: `max(${aggregatesBehind})` }],
      width: 3,
      more: "timescaledb",
    }),
    stat({
      title: "Fast: a write, p95",
      means:
        "Within this time 95 of 100 small transactions are committed, through the pooler as a client sees it.",
      worry: "More than the objective of 200 ms: a disk, the network to the standby, or locks.",
      unit: Seconds,
      steps: worseAbove(slow / 2, slow),
      queries: [{ expr: probeQuantile(0.95, "write") }],
      width: 3,
      more: "slo",
    }),
    stat({
      title: "Fast: a read, p95",
      means: "Within this time 95 of 100 reads of the newest telemetry are answered, through the pooler.",
      worry: "More than the objective of 200 ms: screens of the factory floor feel slow.",
      unit: Seconds,
      steps: worseAbove(slow / 2, slow),
      queries: [{ expr: probeQuantile(0.95, "read") }],
      width: 3,
      more: "slo",
    }),
    stat({
      title: "Affordable: cost of budget",
      means: "What a month of this stack is estimated to cost, as a share of its budget.",
      worry: "Above 90 %: the next larger node or volume breaks the budget.",
      unit: PercentUnit,
      steps: worseAbove(0.9, 1),
      needs: "budget",
      queries: [{ expr: budgetShare }],
      width: 3,
      more: "cost",
    }),
    stat({
      title: "Affordable: days until full",
      means: "Days until the first volume is full if it goes on filling as it does.",
      worry: "Less than 14: make it larger by day. Less than 3: now. A full volume stops all writes.",
      unit: Days,
      steps: worseBelow(14, 3),
      queries: [{ expr: "min(ms5:volume:days_until_full)" }],
      width: 3,
      read: "runbooks/disk-filling.md",
      more: "timescaledb",
    }),
    stat({
      title: "Alerts that wake somebody",
      means: "Critical alerts that fire now.",
      worry: "Any. Alertmanager says which, and each has its runbook.",
      unit: Short,
      steps: redFrom(1),
      queries: [{ expr: 'count(ALERTS{alertstate="firing", severity="critical"}) or vector(0)' }],
      width: 12,
      height: 3,
      read: "runbooks/README.md",
    }),
    stat({
      title: "Not watched",
      means: "Targets that Prometheus cannot scrape. What they would tell is missing on all dashboards.",
      worry: "Any for more than a few minutes: alerts about it are blind.",
      unit: Short,
      steps: worseAbove(1, 3),
      queries: [{ expr: howMany("up == bool 0") }],
      width: 12,
      height: 3,
    }),
  ],
});

const work: Row = {
  title: "What clients do, and how it feels",
  panels: [
    lines({
      title: "Transaction rate",
      means: "Transactions a second that were committed or rolled back, in the whole database.",
      worry:
        "Rolled back ones grow with the committed: an application fails. A spike at a failover is only another server's counter.",
      unit: OpsPerSecond,
      steps: neutral,
      queries: [{ expr: perSecond("timescaledb_transactions_total", "outcome"), legend: "{{outcome}}" }],
      width: 8,
      more: "pooler",
    }),
    lines({
      title: "Active connections",
      means: "Sessions at the server by what they do, and how many there may be.",
      worry:
        "Active ones stay near the number of cores or above: work waits. 'idle in transaction' keeps vacuum from its work.",
      unit: Short,
      steps: neutral,
      queries: [
        { expr: "max by (state) (timescaledb_connections)", legend: "{{state}}" },
        { expr: "max(timescaledb_connections_limit)", legend: "limit" },
      ],
      width: 8,
      more: "pooler",
    }),
    lines({
      title: "Query latency",
      means:
        "Duration of the probes' reads and writes through the pooler: half of them, and 95 of 100, are faster.",
      worry:
        "The p95 of reads above 200 ms is the objective's limit. Only p95 grows: waits; both grow: load.",
      unit: Seconds,
      steps: redFrom(slow),
      queries: (["write", "read"] as const).flatMap((path) =>
        [0.5, 0.95].map((share) => ({
          expr: probeQuantile(share, path),
          legend: `${path} p${share * 100}`,
        })),
      ),
      width: 8,
      more: "slo",
    }),
    lines({
      title: "Data modification rate",
      means:
        "Rows a second that were inserted, updated and deleted. Moving chunks to the columnstore counts, too.",
      worry: "Inserted ones fall to nothing: machines or gateways have stopped, or writes fail.",
      unit: RowsPerSecond,
      steps: neutral,
      queries: [
        {
          expr: perSecond('timescaledb_rows_total{operation=~"inserted|updated|deleted"}', "operation"),
          legend: "{{operation}}",
        },
      ],
      width: 8,
    }),
    lines({
      title: "Data operations",
      means:
        "Rows a second that queries walked over (returned) and that they needed of them (fetched, by an index).",
      worry:
        "Many returned for few fetched, for long: something reads whole chunks where an index or an aggregate would do.",
      unit: RowsPerSecond,
      steps: neutral,
      queries: [
        {
          expr: perSecond('timescaledb_rows_total{operation=~"returned|fetched"}', "operation"),
          legend: "{{operation}}",
        },
      ],
      width: 8,
    }),
    lines({
      title: "Deadlocks",
      means:
        "Deadlocks that PostgreSQL broke by ending one of the transactions, and sessions that wait for a lock now.",
      worry:
        "More than one now and then: two programs take the same locks in another order. Waiting ones that stay: a forgotten transaction.",
      unit: Short,
      steps: worseAbove(1, 5),
      queries: [
        { expr: "max(increase(timescaledb_deadlocks_total[$__rate_interval]))", legend: "deadlocks" },
        { expr: "max(timescaledb_blocked_sessions)", legend: "waiting for a lock" },
      ],
      width: 8,
    }),
  ],
};

const blocks = perSecond("timescaledb_blocks_total", "from");
const blocksInMemory = perSecond('timescaledb_blocks_total{from="cache"}', "from");

/** 1 while nothing is asked for: nothing was missing. */
const cacheHits = `sum(${blocksInMemory}) / (sum(${blocks}) > 0) or 1 + 0 * sum(${blocks})`;

const data: Row = {
  title: "Memory and disk",
  panels: [
    lines({
      title: "Cache hit ratio",
      means: "Share of the blocks asked for that were in PostgreSQL's own memory.",
      worry:
        "Below 90 % for long: what is asked for often does not fit. After a failover it is low, and recovers.",
      unit: PercentUnit,
      steps: worseBelow(0.9, 0.8),
      queries: [
        {
          expr: cacheHits,
          legend: "in memory",
        },
      ],
      width: 12,
      max: 1,
    }),
    lines({
      title: "I/O performance",
      means:
        "Bytes a second that PostgreSQL reads, writes and adds to its files, and those of its log (WAL).",
      worry: "Near what the volume can do (docs/database.md): latency grows next.",
      unit: BytesPerSecondIEC,
      steps: neutral,
      queries: [
        { expr: perSecond("timescaledb_io_bytes_total", "operation"), legend: "{{operation}}" },
        { expr: perSecond("timescaledb_wal_bytes_total"), legend: "log" },
      ],
      width: 12,
      read: "database.md",
    }),
  ],
};

const storage: Row = {
  title: "What is stored",
  panels: [
    lines({
      title: "Hypertable chunks",
      means: "Chunks of each hypertable and aggregate, in rows or in columns.",
      worry:
        "Thousands of one: planning gets slow, its interval is too short. Rows never become columns: the policy fails.",
      unit: Short,
      steps: neutral,
      queries: [
        {
          expr: "max by (hypertable, store) (timescaledb_hypertable_chunks)",
          legend: "{{hypertable}} in {{store}}",
        },
      ],
      width: 8,
      height: 9,
      more: "timescaledb",
    }),
    lines({
      title: "Compression",
      means:
        "Share of bytes that the columnstore saves of what it holds: 0.9 is a tenth of the size. 0 where it holds nothing.",
      worry:
        "Below 0.5 where much is held: the segment-by columns or the chunk interval do not fit the data.",
      unit: PercentUnit,
      steps: neutral,
      queries: [
        {
          expr: `(
  1 - max by (hypertable) (timescaledb_columnstore_after_bytes) / (max by (hypertable) (timescaledb_columnstore_before_bytes) > 0)
) or 0 * max by (hypertable) (timescaledb_hypertable_size_bytes)`,
          legend: "{{hypertable}}",
        },
      ],
      width: 8,
      height: 9,
      max: 1,
      more: "timescaledb",
    }),
    lines({
      title: "Database size",
      means: "Bytes of each hypertable and aggregate with its indexes, and of the whole database.",
      worry: "The days until a volume is full, above, say when.",
      unit: BytesIEC,
      steps: neutral,
      queries: [
        { expr: "max(timescaledb_database_size_bytes)", legend: "whole database" },
        { expr: "max by (hypertable) (timescaledb_hypertable_size_bytes)", legend: "{{hypertable}}" },
      ],
      width: 8,
      height: 9,
      read: "runbooks/disk-filling.md",
      more: "cost",
    }),
  ],
};
