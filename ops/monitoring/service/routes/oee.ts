// GET /oee: OEE of every machine, over a range and hour by hour.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { keepMs, type RouteGroup } from "../context";
import { readInstalled } from "../installed";
import { rangeParameters, resolveRange } from "../range";
import { accessProblems, bearer, instant, ratio } from "../schemas";

const parameters = z.strictObject(rangeParameters);
type Parameters = z.infer<typeof parameters>;

const nullable = ratio.nullable();
const body = z.object({
  machines: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        oee: nullable.describe("null where no production was planned"),
        availability: nullable,
        performance: nullable.describe("null where the machine never ran"),
        quality: nullable.describe("null where nothing was made"),
      }),
    )
    .describe("Best first"),
  series: z.array(
    z.object({ machine: z.string(), points: z.array(z.object({ at: instant, oee: nullable })) }),
  ),
});

/** Days; hourly points of fifty machines over a month are two megabytes. */
const limits = { defaultDays: 7, mostDays: 31 };

export const oee: RouteGroup =
  ({ telemetry, shared }) =>
  async (app) => {
    app.get(
      "/oee",
      {
        config: { access: "authenticated" },
        schema: {
          summary: "OEE of every machine, over the range and by the hour",
          description:
            "OEE = availability x performance x quality (ISO 22400-2), from sums over the range. Without `to` it ends with the newest hour there is, without `from` it begins seven days before the end. At most 31 days.",
          security: bearer,
          querystring: parameters,
          response: { ...accessProblems, 200: body },
        },
      },
      ({ query }) =>
        shared.get(`oee ${JSON.stringify(query)}`, keepMs, () =>
          telemetry.read((client) => readOee(client, query)),
        ),
    );
  };

/** Hours of all machines between `$1` and `$2`, with the same columns from either source. */
const hoursFrom = {
  aggregate: `
    SELECT bucket, machine_id, planned_s, run_s, ideal_s, total_count, good_count
      FROM factory_telemetry.oee_hourly_aggregate WHERE bucket >= $1 AND bucket < $2`,
  // As sql/aggregates/oee_hourly_aggregate.sql; pieces made while nothing was planned are left out there, too.
  windows: `
    SELECT date_trunc('hour', ts) AS bucket, machine_id, sum(planned_s::float8) AS planned_s, sum(run_s::float8) AS run_s,
           sum(ideal_cycle_s::float8 * total_count) FILTER (WHERE planned_s > 0) AS ideal_s,
           sum(total_count) FILTER (WHERE planned_s > 0) AS total_count,
           sum(good_count) FILTER (WHERE planned_s > 0) AS good_count
      FROM factory_telemetry.oee_calculations WHERE ts >= $1 AND ts < $2 GROUP BY 1, 2`,
};

/**
 * Columns of rows with sums. Planned but never ran, or ran and made nothing: OEE is 0, and what would divide by zero is
 * unknown.
 */
const ratios = `
  CASE WHEN planned_s > 0 THEN coalesce(run_s / planned_s * (ideal_s / nullif(run_s, 0))
    * (good_count::float8 / nullif(total_count, 0)), 0) END AS oee,
  run_s / nullif(planned_s, 0) AS availability, ideal_s / nullif(run_s, 0) AS performance,
  good_count::float8 / nullif(total_count, 0) AS quality`;

export async function readOee(client: Queryable, given: Parameters): Promise<z.infer<typeof body>> {
  const hours =
    (await readInstalled(client))?.edition === "community" ? hoursFrom.aggregate : hoursFrom.windows;
  const { rows: newest } = await client.query<{ end: Date | null }>(
    "SELECT date_trunc('hour', max(ts)) + INTERVAL '1 hour' AS end FROM factory_telemetry.oee_calculations",
  );
  const { from, to } = resolveRange(given, newest[0]?.end ?? new Date(), limits);
  const { rows: machines } = await client.query<z.infer<typeof body>["machines"][number]>(
    `WITH hours AS (${hours})
     SELECT m.code AS id, m.name, ${ratios}
       FROM (SELECT machine_id, sum(planned_s) AS planned_s, sum(run_s) AS run_s, sum(ideal_s) AS ideal_s,
                    sum(total_count)::float8 AS total_count, sum(good_count)::float8 AS good_count
               FROM hours GROUP BY machine_id) AS sums
       JOIN factory_telemetry.machines m USING (machine_id)
      ORDER BY oee DESC NULLS LAST, m.code`,
    [from, to],
  );
  const { rows: points } = await client.query<{ machine: string; at: Date; oee: number | null }>(
    `WITH hours AS (${hours})
     SELECT m.code AS machine, bucket AS at, ${ratios}
       FROM hours JOIN factory_telemetry.machines m USING (machine_id) ORDER BY m.code, bucket`,
    [from, to],
  );
  const series = new Map<string, { at: string; oee: number | null }[]>();
  for (const { machine, at, oee: value } of points) {
    const known = series.get(machine) ?? [];
    series.set(machine, known);
    known.push({ at: at.toISOString(), oee: value });
  }
  return { machines, series: [...series].map(([machine, found]) => ({ machine, points: found })) };
}
