// What TimescaleDB does by itself: jobs, aggregates, the columnstore, retention; and what it stores.
import {
  BoolYesNo,
  BytesIEC,
  DurationSeconds,
  PercentUnit,
  Short,
} from "@grafana/grafana-foundation-sdk/units";
import type { Page, Row } from "./page";
import { lines, stat, table } from "./panel";
import { aggregatesBehind, columnstoreSaved, howMany } from "./queries";
import { neutral, redFrom, worseAbove, worseBelow } from "./thresholds";

export function timescaledb(): Page {
  return {
    name: "timescaledb",
    about:
      "For a database engineer: do the policies run, are aggregates fresh, does the columnstore pay, is retention kept, how does storage grow.",
    refresh: 30,
    range: "24h",
    variables: [{ name: "hypertable", metric: "timescaledb_hypertable_size_bytes" }],
    rows: [summary, jobs, aggregates, storage, columnstore],
  };
}

const ofTable = '{hypertable=~"$hypertable"}';
const perTable = (metric: string) => `max by (hypertable) (${metric}${ofTable})`;

const summary: Row = {
  title: "Is all as planned",
  panels: [
    stat({
      title: "Jobs whose last run failed",
      means: "Policies and jobs whose last run ended with an error.",
      worry: "Any that stays: nothing gets smaller, older or fresher until it works again.",
      unit: Short,
      steps: worseAbove(1, 3),
      needs: "community",
      queries: [
        {
          expr: `${howMany("max by (exported_job) (timescaledb_job_last_run_success) == bool 0")} or 0 * sum(timescaledb_job_scheduled)`,
        },
      ],
      width: 4,
    }),
    stat({
      title: "Jobs that are late",
      means: "Jobs that should have begun more than ten minutes ago and do not run.",
      worry: "Any: there are too few background workers, or the scheduler does not run.",
      unit: Short,
      steps: worseAbove(1, 3),
      needs: "community",
      queries: [{ expr: howMany("max by (exported_job) (timescaledb_job_lag_seconds) > bool 600") }],
      width: 4,
    }),
    stat({
      title: "Aggregates behind",
      means: "How far the stalest aggregate is behind what its refresh policy promises.",
      worry: "More than minutes: charts over days miss the newest hours.",
      unit: DurationSeconds,
      steps: worseAbove(600, 3600),
      needs: "community",
      queries: [{ expr: `max(${aggregatesBehind})` }],
      width: 4,
    }),
    stat({
      title: "Chunks due for columns",
      means: "Chunks that are older than the columnstore policy's age and still stored as rows.",
      worry: "It grows for a day: the policy fails, or rows come in late all the time.",
      unit: Short,
      steps: worseAbove(2, 10),
      needs: "community",
      queries: [{ expr: "sum(max by (hypertable) (timescaledb_columnstore_overdue_chunks))" }],
      width: 4,
    }),
    stat({
      title: "Retention overdue",
      means: "How long the oldest chunk should have been dropped already, where that is longest.",
      worry: "More than a day: personal or licensed data is kept longer than was promised.",
      unit: DurationSeconds,
      steps: worseAbove(86_400, 7 * 86_400),
      needs: "community",
      queries: [
        {
          expr: "max(clamp_min(timescaledb_retention_overdue_seconds, 0)) or 0 * max(timescaledb_retention_seconds)",
        },
      ],
      width: 4,
    }),
    stat({
      title: "Saved by the columnstore",
      means: "Share of bytes that the columnstore saves of all it holds; 0 where it holds nothing.",
      worry: "Below 50 % where much is held: segment-by or the chunk interval do not fit the data.",
      unit: PercentUnit,
      steps: neutral,
      needs: "community",
      queries: [{ expr: columnstoreSaved }],
      width: 4,
      more: "cost",
    }),
  ],
};

/** The exporter's label `job` is called `exported_job` in Prometheus, which has one of its own. */
const jobs: Row = {
  title: "Jobs",
  panels: [
    table({
      title: "Every job",
      means:
        "Each job: whether its last run worked, how long ago one last did, how long the last one took, how often it is due, and how late it is.",
      worry: "Red ones. 'docs/database.md' says how to run a job by hand and read its error.",
      unit: Short,
      steps: neutral,
      needs: "community",
      label: "exported_job",
      labelTitle: "Job",
      columns: [
        {
          title: "Last run worked",
          expr: "max by (exported_job) (timescaledb_job_last_run_success)",
          unit: BoolYesNo,
          steps: worseBelow(1, 1),
        },
        {
          title: "Worked last, ago",
          expr: "time() - max by (exported_job) (timescaledb_job_last_success_timestamp_seconds)",
          unit: DurationSeconds,
          steps: neutral,
        },
        {
          title: "Took",
          expr: "max by (exported_job) (timescaledb_job_last_duration_seconds)",
          unit: DurationSeconds,
          steps: neutral,
        },
        {
          title: "Due every",
          expr: "max by (exported_job) (timescaledb_job_schedule_interval_seconds)",
          unit: DurationSeconds,
          steps: neutral,
        },
        {
          title: "Late by",
          expr: "max by (exported_job) (timescaledb_job_lag_seconds)",
          unit: DurationSeconds,
          steps: worseAbove(600, 3600),
        },
        {
          title: "Runs",
          expr: "max by (exported_job) (timescaledb_job_runs_total)",
          unit: Short,
          steps: neutral,
        },
        {
          title: "Failed",
          expr: "max by (exported_job) (timescaledb_job_failures_total)",
          unit: Short,
          steps: neutral,
        },
      ],
      width: 24,
      height: 10,
      read: "database.md",
    }),
    lines({
      title: "Failed runs",
      means: "Runs of each job that failed, since the step before.",
      worry: "Again and again the same job.",
      unit: Short,
      steps: worseAbove(1),
      needs: "community",
      queries: [
        {
          expr: "max by (exported_job) (increase(timescaledb_job_failures_total[$__rate_interval]))",
          legend: "{{exported_job}}",
        },
      ],
      width: 8,
      height: 9,
    }),
    lines({
      title: "Duration of runs",
      means: "How long each job's last run took.",
      worry: "Near the time in which it is due again: it never catches up.",
      unit: DurationSeconds,
      steps: neutral,
      needs: "community",
      queries: [
        { expr: "max by (exported_job) (timescaledb_job_last_duration_seconds)", legend: "{{exported_job}}" },
      ],
      width: 8,
      height: 9,
    }),
    lines({
      title: "Aggregates: staleness",
      means:
        "Age of what each aggregate has materialised last. Newer rows are added when it is read (real time).",
      worry: "It grows in a straight line: its refresh fails or has stopped.",
      unit: DurationSeconds,
      steps: neutral,
      needs: "community",
      queries: [
        { expr: "max by (aggregate) (timescaledb_aggregate_staleness_seconds)", legend: "{{aggregate}}" },
      ],
      width: 8,
      height: 9,
    }),
  ],
};

const aggregates: Row = {
  title: "Fresh, and not too old",
  panels: [
    lines({
      title: "Newest row",
      means: "Age of each hypertable's newest row.",
      worry: "metric_hist: see freshness. Others get rows a few times a day only.",
      unit: DurationSeconds,
      steps: neutral,
      queries: [
        {
          expr: `time() - ${perTable("timescaledb_hypertable_newest_row_timestamp_seconds")}`,
          legend: "{{hypertable}}",
        },
      ],
      width: 8,
      more: "slo",
    }),
    lines({
      title: "Oldest data",
      means: "Age of where each hypertable's and aggregate's oldest chunk begins.",
      worry: "It grows where there is a retention policy: that fails.",
      unit: DurationSeconds,
      steps: neutral,
      queries: [
        {
          expr: `time() - ${perTable("timescaledb_hypertable_oldest_chunk_start_timestamp_seconds")}`,
          legend: "{{hypertable}}",
        },
      ],
      width: 8,
    }),
    lines({
      title: "Retention used",
      means: "Age of the oldest chunk's end as a share of the retention: near 1 chunks are dropped.",
      worry: "Above 1: chunks that should be gone are not.",
      unit: PercentUnit,
      steps: redFrom(1.1),
      needs: "community",
      queries: [
        {
          expr: `clamp_min(1 + ${perTable("timescaledb_retention_overdue_seconds")} / ${perTable("timescaledb_retention_seconds")}, 0)`,
          legend: "{{hypertable}}",
        },
      ],
      width: 8,
    }),
  ],
};

const storage: Row = {
  title: "Storage",
  panels: [
    lines({
      title: "Size",
      means: "Bytes of each hypertable and aggregate, with its indexes.",
      worry: "See days until full on the dashboard of replication.",
      unit: BytesIEC,
      steps: neutral,
      stacked: true,
      queries: [{ expr: perTable("timescaledb_hypertable_size_bytes"), legend: "{{hypertable}}" }],
      width: 8,
      height: 9,
      more: "replication",
    }),
    lines({
      title: "Growth in a day",
      means:
        "Bytes a day by which each grows, by its course over six hours. Moving chunks to columns makes it shrink.",
      worry: "Far more than the advice was made for (`npm run ops -- advise`).",
      unit: BytesIEC,
      steps: neutral,
      queries: [
        {
          expr: `clamp_min(max by (hypertable) (deriv(timescaledb_hypertable_size_bytes${ofTable}[6h])), 0) * 86400`,
          legend: "{{hypertable}}",
        },
      ],
      width: 8,
      height: 9,
      read: "runbooks/disk-filling.md",
    }),
    lines({
      title: "Rows",
      means: "Rows of each hypertable and aggregate, as PostgreSQL's statistics estimate them.",
      worry: "Nothing by itself: it explains size and duration.",
      unit: Short,
      steps: neutral,
      queries: [{ expr: perTable("timescaledb_hypertable_rows"), legend: "{{hypertable}}" }],
      width: 8,
      height: 9,
    }),
  ],
};

const columnstore: Row = {
  title: "Chunks and the columnstore",
  panels: [
    lines({
      title: "Chunks",
      means: "Chunks of each in rows and in columns.",
      worry: "Thousands of one: planning gets slow. In rows for ever: the policy fails.",
      unit: Short,
      steps: neutral,
      queries: [
        {
          expr: `max by (hypertable, store) (timescaledb_hypertable_chunks${ofTable})`,
          legend: "{{hypertable}} in {{store}}",
        },
      ],
      width: 8,
      height: 9,
    }),
    lines({
      title: "Data in a chunk",
      means:
        "Bytes of each one's chunks on average: they should fit into a quarter of the memory, indexes too.",
      worry:
        "Megabytes: the interval is too short, columns don't pay. Gigabytes above a quarter of the memory: too long.",
      unit: BytesIEC,
      steps: neutral,
      queries: [
        {
          expr: `${perTable("timescaledb_hypertable_size_bytes")} / (sum by (hypertable) (max by (hypertable, store) (timescaledb_hypertable_chunks${ofTable})) > 0)`,
          legend: "{{hypertable}}",
        },
      ],
      width: 8,
      height: 9,
    }),
    table({
      title: "What columns save",
      means: "Bytes of the chunks in the columnstore, before and after, and chunks that are due.",
      worry: "Less than half saved where much is held.",
      unit: BytesIEC,
      steps: neutral,
      needs: "community",
      label: "hypertable",
      labelTitle: "Hypertable",
      columns: [
        {
          title: "As rows",
          expr: perTable("timescaledb_columnstore_before_bytes"),
          unit: BytesIEC,
          steps: neutral,
        },
        {
          title: "As columns",
          expr: perTable("timescaledb_columnstore_after_bytes"),
          unit: BytesIEC,
          steps: neutral,
        },
        {
          title: "From age",
          expr: perTable("timescaledb_columnstore_after_seconds"),
          unit: DurationSeconds,
          steps: neutral,
        },
        {
          title: "Chunks due",
          expr: perTable("timescaledb_columnstore_overdue_chunks"),
          unit: Short,
          steps: worseAbove(2, 10),
        },
      ],
      width: 8,
    }),
  ],
};
