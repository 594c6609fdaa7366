import { collector } from "../collector";
import { sample } from "../metrics";
import { joinJobs, relations } from "./relations";

interface AggregateRow {
  readonly aggregate: string;
  /** Infinite while nothing is materialised. */
  readonly staleness: number;
  /** null without a refresh policy. */
  readonly schedule: number | null;
  /** null also where the policy has no end. */
  readonly end_offset: number | null;
}

export const aggregates = collector<AggregateRow>({
  name: "aggregates",
  communityOnly: true,
  // An aggregate may have several refresh policies: the one that reaches nearest to now decides how stale it gets.
  sql: `WITH ${relations}, refreshes AS (
      SELECT DISTINCT ON (r.hypertable) r.hypertable, extract(epoch FROM j.schedule_interval)::float8 AS schedule,
             extract(epoch FROM (j.config->>'end_offset')::interval)::float8 AS end_offset
        FROM relations r ${joinJobs} AND j.proc_name = 'policy_refresh_continuous_aggregate'
       ORDER BY r.hypertable, (j.config->>'end_offset')::interval NULLS FIRST, j.job_id)
    SELECT a.aggregate, extract(epoch FROM clock_timestamp())::float8 - extract(epoch FROM a.materialised_until)::float8 AS staleness,
           f.schedule, f.end_offset
      FROM monitoring.aggregates() a LEFT JOIN refreshes f ON f.hypertable = a.aggregate`,
  samples: (rows) =>
    rows.flatMap(({ aggregate, staleness, schedule, end_offset }) => [
      ...sample("timescaledb_aggregate_staleness_seconds", { aggregate }, staleness),
      ...sample("timescaledb_aggregate_schedule_seconds", { aggregate }, schedule),
      ...sample("timescaledb_aggregate_end_offset_seconds", { aggregate }, end_offset),
    ]),
});
