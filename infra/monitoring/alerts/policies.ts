// Alerts on TimescaleDB's jobs and what they are for, over the TimescaleDB exporter's /metrics/hypertables and /compression.
// The Apache edition has none of it.
import { type AggregateName, aggregateNames, aggregates, type TableName } from "../../schema/catalogue";
import { parseInterval } from "../../units";
import type { RuleSettings } from "../ruleSettings";
import type { AlertGroup } from "../rulesFile";
import { rule } from "./rule";

const runbook = "docs/runbooks/policy-failing.md";

/** The exporter's label `job`: Prometheus keeps that name for its own. */
const job = "{{ $labels.exported_job }}";

const scheduled = "timescaledb_job_scheduled == 1";

/** Only `schedules` count: what the config says of hypertables. */
export function policyAlerts({ schedules }: Pick<RuleSettings, "schedules">): AlertGroup {
  return {
    name: "policies",
    rules: [
      rule(
        "PolicyJobFailing",
        "warning",
        // It is tried again within minutes; who fails for an hour fails each time.
        "1h",
        // While a run is under way there is no last one: a look at that moment is no success.
        `last_over_time(timescaledb_job_last_run_success[10m]) == 0\n  and ${scheduled}`,
        {
          summary: `The job ${job} fails`,
          description:
            "Users notice nothing at first. What it should have done is left: aggregates get old, disks fill, rows are kept for too long.",
          runbook_url: `${runbook}#failing`,
        },
      ),
      rule(
        "PolicyJobLate",
        "warning",
        "5m",
        // At least a quarter of an hour: after a restart, and in the morning, others run first. An hour is late for any.
        `timescaledb_job_lag_seconds > clamp(timescaledb_job_schedule_interval_seconds, 900, 3600)\n  and ${scheduled}`,
        {
          summary: `The job ${job} should have begun {{ $value | humanizeDuration }} ago`,
          description:
            "Users notice nothing at first. When all jobs are late, none runs: there are no workers for them.",
          runbook_url: `${runbook}#late`,
        },
      ),
      rule(
        "AggregateStale",
        "warning",
        // When machines send again after a pause, all since counts as missing until the next run.
        "2h",
        aggregateNames.map(isStale).join("\n  or "),
        {
          summary: "{{ $labels.aggregate }} is not brought up to date",
          description:
            "Rows of the last {{ $value | humanizeDuration }} are not in it. What it shows is right all the same, because it reads those rows from the table; dashboards get slower with each hour.",
          runbook_url: `${runbook}#aggregate`,
        },
      ),
      rule(
        "ColumnstoreOverdue",
        "warning",
        "1h",
        // Between two runs of the job chunks become due; never none for two of its schedules is more. A day before the exporter
        // was there says nothing.
        `min_over_time((max by (hypertable) (timescaledb_columnstore_overdue_chunks))[${2 * schedules.columnstore}s:10m]) > 0
  and max by (hypertable) (last_over_time(timescaledb_columnstore_overdue_chunks[1h] offset ${2 * schedules.columnstore}s)) >= 0`,
        {
          summary:
            "{{ $value }} chunks of {{ $labels.hypertable }} should have been in the columnstore for long",
          description: "Reports over weeks are slower, and the disk fills ten times as fast as planned.",
          runbook_url: `${runbook}#columnstore`,
        },
      ),
      rule(
        "RetentionOverdue",
        "warning",
        "1h",
        // Between two runs of the job a chunk becomes due; one was left out.
        `timescaledb_retention_overdue_seconds > ${2 * schedules.retention}`,
        {
          summary:
            "{{ $labels.hypertable }} has rows that should have been deleted {{ $value | humanizeDuration }} ago",
          description: "Users notice nothing. The disk fills, and data is kept for longer than was promised.",
          runbook_url: `${runbook}#retention`,
        },
      ),
    ],
  };
}

/**
 * Rows are older than they may be, and not materialised yet. The age of the aggregate alone says nothing: where no machine sends,
 * at the weekend for example, there is nothing to materialise. Of what may be missing: the policy's end offset, the bucket that
 * is not over, and three runs.
 */
function isStale(aggregate: AggregateName): string {
  const table = tableOf(aggregate);
  const bucket = parseInterval(aggregates[aggregate].bucket)?.seconds ?? 0;
  const of = `{aggregate="${aggregate}"}`;
  return `(timescaledb_aggregate_staleness_seconds${of}
    - on () group_left () clamp_min(time() - max(timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="${table}"}), 0)
    > timescaledb_aggregate_end_offset_seconds${of} + ${bucket} + 3 * timescaledb_aggregate_schedule_seconds${of})`;
}

/** The hypertable at the end of what it is made from. */
function tableOf(aggregate: AggregateName): TableName {
  const { source } = aggregates[aggregate];
  return isAggregate(source) ? tableOf(source) : source;
}

function isAggregate(name: TableName | AggregateName): name is AggregateName {
  return name in aggregates;
}
