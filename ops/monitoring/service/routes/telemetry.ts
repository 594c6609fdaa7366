// GET /telemetry: one series, in as many points as a chart can show.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { keepMs, type RouteGroup } from "../context";
import { type Range, resolveRange } from "../range";
import { chooseResolution } from "../resolution";
import { accessProblems, bearer, instant, notFound, seconds } from "../schemas";
import {
  findSeries,
  type LevelName,
  newestSample,
  readLevels,
  type Series,
  seriesParameters,
} from "../series";

const parameters = z.strictObject({
  ...seriesParameters,
  points: z.coerce.number().int().min(2).max(2_000).default(500),
});
type Parameters = z.infer<typeof parameters>;

const body = z.object({
  machine: z.string(),
  metric: z.string(),
  unit: z.string(),
  bucketSeconds: seconds,
  points: z
    .array(
      z.object({
        at: instant.describe("Start of the bucket"),
        avg: z.number(),
        min: z.number(),
        max: z.number(),
      }),
    )
    .describe("Oldest first; a bucket without samples has no point"),
});

/** Days */
const limits = { defaultDays: 1, mostDays: 400 };

export const telemetry: RouteGroup =
  ({ telemetry: database, shared }) =>
  async (app) => {
    app.get(
      "/telemetry",
      {
        config: { access: "authenticated" },
        schema: {
          summary: "One series, as averages with their smallest and largest values",
          description:
            "Without `to` it ends with the newest sample, without `from` it begins a day before the end. At most 400 days.",
          security: bearer,
          querystring: parameters,
          response: { ...accessProblems, 404: notFound, 200: body },
        },
      },
      ({ query }) =>
        shared.get(`telemetry ${JSON.stringify(query)}`, keepMs, () =>
          database.read((client) => readTelemetry(client, query)),
        ),
    );
  };

export async function readTelemetry(client: Queryable, given: Parameters): Promise<z.infer<typeof body>> {
  const series = await findSeries(client, given);
  const levels = await readLevels(client);
  const range = resolveRange(given, await newestSample(client, series, levels), limits);
  const { level, bucketSeconds } = chooseResolution(range, given.points, levels);
  const points = await readPoints(client, series, level, bucketSeconds, range);
  return {
    machine: given.machine,
    metric: given.metric,
    unit: series.unit,
    bucketSeconds,
    points: points.map(({ at, ...values }) => ({ at: at.toISOString(), ...values })),
  };
}

interface Point {
  readonly at: Date;
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

async function readPoints(
  client: Queryable,
  series: Series,
  level: LevelName,
  bucketSeconds: number,
  range: Range,
): Promise<Point[]> {
  // Averages from sums and counts: a mean of means would weigh a thin minute like a full one.
  const [time, values] =
    level === "metric_hist"
      ? ["ts", "avg(value::float8) AS avg, min(value)::float8 AS min, max(value)::float8 AS max"]
      : [
          "bucket",
          "sum(value_sum) / sum(samples)::float8 AS avg, min(value_min)::float8 AS min, max(value_max)::float8 AS max",
        ];
  const { rows } = await client.query<Point>(
    `SELECT time_bucket(make_interval(secs => $3), ${time}) AS at, ${values}
       FROM factory_telemetry.${level}
      WHERE machine_id = $1 AND metric_id = $2 AND ${time} >= $4 AND ${time} < $5
      GROUP BY 1 ORDER BY 1`,
    [series.machineId, series.metricId, bucketSeconds, range.from, range.to],
  );
  return rows;
}
