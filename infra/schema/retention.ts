import { jobsOfRelation } from "./jobs";
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
    `SELECT now() - (j.config->>'drop_after')::interval AS cutoff ${jobsOfRelation} AND j.config ? 'drop_after'`,
    ["policy_retention", relation],
  );
  return rows[0]?.cutoff;
}
