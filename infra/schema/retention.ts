import type { Client } from "./postgres";

/**
 * Until when the retention policy of a hypertable or continuous aggregate may have dropped its rows; undefined without
 * a policy, or without TimescaleDB.
 *
 * @param relation schema-qualified, e.g. `factory_telemetry.metric_hist`
 */
export async function retentionCutoff(client: Client, relation: string): Promise<Date | undefined> {
  const view = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('timescaledb_information.jobs') IS NOT NULL AS exists",
  );
  if (view.rows[0]?.exists !== true) return undefined;
  const { rows } = await client.query<{ cutoff: Date }>(
    `SELECT now() - (j.config->>'drop_after')::interval AS cutoff
       FROM timescaledb_information.jobs j
       LEFT JOIN timescaledb_information.continuous_aggregates a
         ON a.materialization_hypertable_schema = j.hypertable_schema
        AND a.materialization_hypertable_name = j.hypertable_name
      WHERE j.proc_name = 'policy_retention' AND j.config ? 'drop_after'
        AND $1 IN (format('%s.%s', j.hypertable_schema, j.hypertable_name), format('%s.%s', a.view_schema, a.view_name))`,
    [relation],
  );
  return rows[0]?.cutoff;
}
