// One series by the names that clients know it by, and where it is kept.
import { z } from "zod";
import { knownInterval } from "../../../infra/config/knownInterval";
import { aggregates, metricAggregateNames } from "../../../infra/schema/catalogue";
import type { Queryable } from "../../queryable";
import { readInstalled } from "./installed";
import { Problem } from "./problem";
import { rangeParameters } from "./range";
import { configSeconds, jobOfRelation, telemetrySchema, withRelations } from "./relations";
import type { Level } from "./resolution";

/** Of every endpoint that is about one series. */
export const seriesParameters = {
  // What the database takes as their codes.
  machine: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/)
    .describe("`id` of a machine"),
  metric: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_]{0,62}$/)
    .describe("`id` of a metric"),
  ...rangeParameters,
};

export interface Series {
  readonly machineId: number;
  readonly metricId: number;
  readonly unit: string;
}

/** @throws Problem 404 */
export async function findSeries(
  client: Queryable,
  { machine, metric }: { readonly machine: string; readonly metric: string },
): Promise<Series> {
  const { rows } = await client.query<{
    machine_id: number | null;
    metric_id: number | null;
    unit: string | null;
  }>(
    `SELECT (SELECT machine_id FROM factory_telemetry.machines WHERE code = $1) AS machine_id,
            (SELECT metric_id FROM factory_telemetry.metrics WHERE code = $2) AS metric_id,
            (SELECT unit FROM factory_telemetry.metrics WHERE code = $2) AS unit`,
    [machine, metric],
  );
  const { machine_id: machineId = null, metric_id: metricId = null, unit = null } = rows[0] ?? {};
  if (machineId === null)
    throw new Problem(404, 'parameter "machine": there is no such machine; see /machines');
  if (metricId === null) throw new Problem(404, 'parameter "metric": there is no such metric; see /machines');
  return { machineId, metricId, unit: unit ?? "" };
}

export type LevelName = "metric_hist" | (typeof metricAggregateNames)[number];

/** From the samples to the coarsest aggregate. */
export async function readLevels(client: Queryable): Promise<Level<LevelName>[]> {
  const installed = await readInstalled(client);
  const samples: Level<LevelName> = { name: "metric_hist", bucketSeconds: 0, keptSince: undefined };
  if (installed?.edition !== "community") return [samples];
  const { rows } = await client.query<{ name: string; seconds: number | null }>(
    `${withRelations}
     SELECT r.name, (SELECT ${configSeconds("drop_after")} FROM timescaledb_information.jobs j
                      WHERE j.proc_name = 'policy_retention' AND ${jobOfRelation} LIMIT 1) AS seconds
       FROM relations r`,
    [telemetrySchema],
  );
  const kept = new Map(rows.map((row) => [row.name, row.seconds]));
  const keptSince = (name: string) => {
    const age = kept.get(name) ?? null;
    return age === null ? undefined : new Date(Date.now() - age * 1_000);
  };
  return [
    { ...samples, keptSince: keptSince("metric_hist") },
    ...metricAggregateNames
      // One that the config or an administrator has left out.
      .filter((name) => kept.has(name))
      .map((name) => ({
        name,
        bucketSeconds: knownInterval(aggregates[name].bucket).seconds,
        keptSince: keptSince(name),
      })),
  ];
}

/** When the series ends; now for one without samples. */
export async function newestSample(
  client: Queryable,
  series: Series,
  levels: readonly Level<LevelName>[],
): Promise<Date> {
  // Of the coarsest level when the samples are gone.
  for (const { name, bucketSeconds } of [levels[0], levels.at(-1)].flatMap((level) => level ?? [])) {
    const column = bucketSeconds === 0 ? "ts" : "bucket";
    const { rows } = await client.query<{ newest: Date | null }>(
      `SELECT max(${column}) + make_interval(secs => $3) AS newest
         FROM factory_telemetry.${name} WHERE machine_id = $1 AND metric_id = $2`,
      // The end of a range is not part of it.
      [series.machineId, series.metricId, Math.max(bucketSeconds, 0.001)],
    );
    const newest = rows[0]?.newest ?? undefined;
    if (newest !== undefined) return newest;
  }
  return new Date();
}
