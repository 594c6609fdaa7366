import type { Client } from "../../infra/schema/postgres";

/**
 * Until when the retention policy of raw samples will drop them, in microseconds since 1970; undefined without a
 * policy, or without TimescaleDB.
 */
export async function retentionCutoff(client: Client): Promise<number | undefined> {
  const view = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('timescaledb_information.jobs') IS NOT NULL AS exists",
  );
  if (view.rows[0]?.exists !== true) return undefined;
  const { rows } = await client.query<{ cutoff: number }>(
    `SELECT (extract(epoch FROM now() - (config->>'drop_after')::interval) * 1000000)::float8 AS cutoff
     FROM timescaledb_information.jobs
     WHERE proc_name = 'policy_retention' AND hypertable_schema = 'factory_telemetry'
       AND hypertable_name = 'metric_hist' AND config ? 'drop_after'`,
  );
  return rows[0]?.cutoff;
}
