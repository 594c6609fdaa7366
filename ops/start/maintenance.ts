import { aggregateNames, qualified, tableNames, telemetrySchema } from "../../infra/schema/catalogue";
import type { Client } from "../../infra/schema/postgres";
import { refreshStatements } from "../../infra/schema/refresh";

/**
 * The embedded database has no background workers, so what policies do by themselves on a server is done here.
 * A refresh covers all the history there is: files of years ago lie outside every policy's window.
 */
export async function refreshAggregates(client: Client): Promise<void> {
  for (const statement of await refreshStatements(client, aggregateNames)) await client.query(statement);
  await client.query("UPDATE factory_telemetry.ingest_files SET aggregated = true WHERE NOT aggregated");
}

/** Runs every columnstore policy's job once: chunks that are old enough become columns. */
export async function runColumnstoreJobs(client: Client): Promise<void> {
  const { rows } = await client.query<{ job_id: number }>(
    "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' ORDER BY job_id",
  );
  for (const { job_id } of rows) await client.query(`CALL run_job(${job_id})`);
}

/** Row estimates of the status page and the planner come from it; the embedded database has no autovacuum. */
export async function analyze(client: Client): Promise<void> {
  const { rows } = await client.query<{ relation: string }>(
    `SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS relation
       FROM timescaledb_information.continuous_aggregates WHERE view_schema = $1 ORDER BY 1`,
    [telemetrySchema],
  );
  const relations = [...tableNames.map(qualified), ...rows.map(({ relation }) => relation)];
  await client.query(`ANALYZE ${relations.join(", ")}`);
}

export interface Compression {
  /** Bytes, with indexes and TOAST, of the hypertables' chunks that are columns now: as rows, and as columns. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

export async function compression(client: Client): Promise<Compression> {
  const { rows } = await client.query<{ before: number; after: number }>(
    `SELECT coalesce(sum(before_compression_total_bytes), 0)::float8 AS before,
            coalesce(sum(after_compression_total_bytes), 0)::float8 AS after
       FROM unnest($1::regclass[]) AS relation, LATERAL hypertable_columnstore_stats(relation)`,
    [tableNames.map(qualified)],
  );
  return { beforeBytes: rows[0]?.before ?? 0, afterBytes: rows[0]?.after ?? 0 };
}

export interface AggregateRows {
  readonly metricHourlyRows: number;
  readonly oeeHourlyRows: number;
}

export async function aggregateRows(client: Client): Promise<AggregateRows> {
  const { rows } = await client.query<{ metric: number; oee: number }>(
    `SELECT (SELECT count(*) FROM factory_telemetry.metric_hourly_aggregate)::float8 AS metric,
            (SELECT count(*) FROM factory_telemetry.oee_hourly_aggregate)::float8 AS oee`,
  );
  return { metricHourlyRows: rows[0]?.metric ?? 0, oeeHourlyRows: rows[0]?.oee ?? 0 };
}
