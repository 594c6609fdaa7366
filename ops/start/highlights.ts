import type { Client } from "../../infra/schema/postgres";

/** What a newcomer wants to see of the telemetry: how good each machine was, and what was measured. */
export interface Highlights {
  /** Of the last seven days that have OEE windows, one a machine, best first. */
  readonly oee: readonly MachineOee[];
  /** One a machine, most samples first. */
  readonly machines: readonly MachineTelemetry[];
}

/** Ratios from 0 to 1; null where nothing was planned, run or made. */
export interface MachineOee {
  readonly machine: string;
  readonly oee: number | null;
  readonly availability: number | null;
  readonly performance: number | null;
  readonly quality: number | null;
}

export interface MachineTelemetry {
  readonly machine: string;
  readonly metrics: number;
  readonly samples: number;
  readonly first: Date;
  readonly last: Date;
}

const oeeByMachine = `
  SELECT code AS machine, availability, performance, quality,
         CASE WHEN planned_s > 0 THEN coalesce(availability * performance * quality, 0) END AS oee
    FROM (SELECT machine_id, sum(planned_s) AS planned_s,
                 sum(run_s) / nullif(sum(planned_s), 0) AS availability,
                 sum(ideal_s) / nullif(sum(run_s), 0) AS performance,
                 sum(good_count)::float8 / nullif(sum(total_count), 0) AS quality
            FROM factory_telemetry.oee_hourly_aggregate
           WHERE bucket >= (SELECT max(ts) - INTERVAL '7 days' FROM factory_telemetry.oee_calculations)
           GROUP BY machine_id) AS week
    JOIN factory_telemetry.machines USING (machine_id)
   ORDER BY oee DESC NULLS LAST, machine`;

const telemetryByMachine = `
  SELECT code AS machine, count(DISTINCT metric_id)::int AS metrics, sum(samples)::float8 AS samples,
         min(bucket) AS first, max(bucket) AS last
    FROM factory_telemetry.metric_hourly_aggregate
    JOIN factory_telemetry.machines USING (machine_id)
   GROUP BY code ORDER BY samples DESC, code`;

export async function readHighlights(client: Client): Promise<Highlights> {
  const oee = await client.query<MachineOee>(oeeByMachine);
  const machines = await client.query<MachineTelemetry>(telemetryByMachine);
  return { oee: oee.rows, machines: machines.rows };
}
