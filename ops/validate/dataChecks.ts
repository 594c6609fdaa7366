import { metricAggregateNames, qualified } from "../../infra/schema/catalogue";
import { refreshStatements } from "../../infra/schema/refresh";
import { retentionCutoff } from "../../infra/schema/retention";
import type { Check } from "./check";

/**
 * Comparisons look at the last seven days of data that there are: a factory's whole history would take hours, and what
 * is older was compared when it was new.
 */
const window = "(SELECT max(ts) - INTERVAL '7 days' FROM factory_telemetry.metric_hist)";

/** Rows whose keys mean nothing; metric_hist has no foreign keys, so nothing else looks. */
const orphans: Check = {
  name: "no sample of an unknown machine or metric",
  severity: "ERROR",
  async run({ client }) {
    const { rows } = await client.query<{ machine_id: number; metric_id: number; samples: string }>(
      `SELECT h.machine_id, h.metric_id, count(*) AS samples
         FROM factory_telemetry.metric_hist h
         LEFT JOIN factory_telemetry.machines m USING (machine_id)
         LEFT JOIN factory_telemetry.metrics d USING (metric_id)
        WHERE h.ts >= ${window} AND (m.machine_id IS NULL OR d.metric_id IS NULL)
        GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 5`,
    );
    if (rows.length === 0) return undefined;
    return rows
      .map((row) => `${row.samples} samples of machine ${row.machine_id}, metric ${row.metric_id}`)
      .join("; ");
  },
};

const futureSamples: Check = {
  name: "no sample from the future",
  severity: "ERROR",
  async run({ client, config }) {
    const { rows } = await client.query<{ samples: string; newest: Date }>(
      `SELECT count(*) AS samples, max(ts) AS newest FROM factory_telemetry.metric_hist
        WHERE ts > now() + make_interval(secs => $1)`,
      [config.ingest.futureTolerance.seconds],
    );
    const row = rows[0];
    return Number(row?.samples) === 0
      ? undefined
      : `${row?.samples} samples, up to ${row?.newest.toISOString()}`;
  },
};

const metricAggregate: Check = {
  name: "hourly metrics agree with the samples",
  severity: "ERROR",
  async run({ client }) {
    // What retention has dropped, only the aggregate knows: there is nothing to compare it with.
    const cutoff = await retentionCutoff(client, qualified("metric_hist"));
    const { rows } = await client.query<{
      bucket: Date;
      machine_id: number;
      metric_id: number;
      first: Date;
      last: Date;
    }>(
      `WITH since AS (
         SELECT greatest(time_bucket('1 hour', ${window}), time_bucket('1 hour', $1::timestamptz) + INTERVAL '1 hour') AS since),
       raw AS (
         SELECT time_bucket('1 hour', ts) AS bucket, machine_id, metric_id, count(*) AS samples,
                sum(value::float8) AS total, min(value) AS lowest, max(value) AS highest
           FROM factory_telemetry.metric_hist
          WHERE ts >= (SELECT since FROM since) GROUP BY 1, 2, 3),
       hourly AS (
         SELECT * FROM factory_telemetry.metric_hourly_aggregate WHERE bucket >= (SELECT since FROM since))
       SELECT coalesce(raw.bucket, hourly.bucket) AS bucket, machine_id, metric_id,
              min(coalesce(raw.bucket, hourly.bucket)) OVER () AS first,
              max(coalesce(raw.bucket, hourly.bucket)) OVER () AS last
         FROM raw FULL JOIN hourly USING (machine_id, metric_id, bucket)
        WHERE raw.samples IS DISTINCT FROM hourly.samples
           OR raw.lowest IS DISTINCT FROM hourly.value_min OR raw.highest IS DISTINCT FROM hourly.value_max
           OR abs(raw.total - hourly.value_sum) > 1e-9 * greatest(abs(raw.total), abs(hourly.value_sum), 1)
        LIMIT 3`,
      [cutoff ?? null],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const where = rows.map(
      ({ bucket, machine_id, metric_id }) =>
        `${bucket.toISOString()} machine ${machine_id} metric ${metric_id}`,
    );
    const statements = await refreshStatements(client, metricAggregateNames, {
      from: row.first,
      to: new Date(row.last.getTime() + 3_600_000),
    });
    return `they differ at ${where.join("; ")}. Refresh these hours: ${statements.join("; ")}`;
  },
};

const oeeAggregate: Check = {
  name: "hourly OEE is availability x performance x quality of its windows",
  severity: "ERROR",
  async run({ client }) {
    const { rows } = await client.query<{ bucket: Date; machine_id: number }>(
      `WITH raw AS (
         SELECT time_bucket('1 hour', ts) AS bucket, machine_id, sum(planned_s::float8) AS planned,
                sum(run_s::float8) AS run, sum(ideal_cycle_s::float8 * total_count) FILTER (WHERE planned_s > 0) AS ideal,
                (sum(total_count) FILTER (WHERE planned_s > 0))::float8 AS total, (sum(good_count) FILTER (WHERE planned_s > 0))::float8 AS good
           FROM factory_telemetry.oee_calculations
          WHERE ts >= (SELECT time_bucket('1 hour', max(ts) - INTERVAL '7 days') FROM factory_telemetry.oee_calculations)
          GROUP BY 1, 2)
       SELECT raw.bucket, raw.machine_id
         FROM raw LEFT JOIN factory_telemetry.oee_hourly_aggregate h USING (bucket, machine_id)
        WHERE abs(h.oee - coalesce(raw.run / nullif(raw.planned, 0) * raw.ideal / nullif(raw.run, 0) * raw.good / nullif(raw.total, 0), 0)) > 1e-6
           OR (h.oee IS NULL) <> (raw.planned = 0)
           OR h.bucket IS NULL OR h.availability NOT BETWEEN 0 AND 1 OR h.quality NOT BETWEEN 0 AND 1
        LIMIT 3`,
    );
    if (rows.length === 0) return undefined;
    return `wrong at ${rows.map((row) => `${row.bucket.toISOString()} machine ${row.machine_id}`).join("; ")}`;
  },
};

const idealCycle: Check = {
  name: "no machine runs faster than its ideal cycle",
  severity: "WARNING",
  async run({ client }) {
    const { rows } = await client.query<{ code: string; hours: string; best: number }>(
      `SELECT code, count(*) AS hours, max(performance) AS best
         FROM factory_telemetry.oee_hourly_aggregate JOIN factory_telemetry.machines USING (machine_id)
        WHERE performance > 1.05
          AND bucket >= (SELECT max(ts) - INTERVAL '7 days' FROM factory_telemetry.oee_calculations)
        GROUP BY 1`,
    );
    if (rows.length === 0) return undefined;
    const machines = rows.map(
      (row) => `${row.code} in ${row.hours} hours (up to ${Math.round(row.best * 100)} %)`,
    );
    return `performance over 105 %: ${machines.join(", ")}. The product's ideal_cycle_s is too long`;
  },
};

const overdueChunks: Check = {
  name: "chunks old enough for the columnstore are in it",
  severity: "ERROR",
  async run({ client }) {
    // A day of grace beside the policy's own age: jobs run on a schedule.
    const { rows } = await client.query<{ hypertable_name: string; chunks: string }>(
      `SELECT c.hypertable_name, count(*) AS chunks
         FROM timescaledb_information.chunks c
         JOIN timescaledb_information.jobs j USING (hypertable_schema, hypertable_name)
        WHERE j.proc_name = 'policy_compression' AND NOT c.is_compressed
          AND c.range_end < now() - (j.config->>'compress_after')::interval - INTERVAL '1 day'
        GROUP BY 1`,
    );
    if (rows.length === 0) return undefined;
    return rows.map((row) => `${row.hypertable_name}: ${row.chunks} chunks are still rows`).join("; ");
  },
};

/** Checks of what telemetry says; the last three need what only TimescaleDB Community has. */
export const dataChecks = {
  anyEdition: [orphans, futureSamples],
  community: [metricAggregate, oeeAggregate, idealCycle, overdueChunks],
} as const;
