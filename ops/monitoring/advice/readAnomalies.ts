import { z } from "zod";
import type { Queryable } from "../../queryable";
import { type Anomalies, findAnomalies, type Point } from "./anomalies";

export const anomaliesInput = z.strictObject({
  machineId: z.number().int(),
  metricId: z.number().int(),
  from: z.date(),
  to: z.date(),
  threshold: z.number().positive().optional(),
});
export type AnomaliesInput = z.infer<typeof anomaliesInput>;

/** Points in the time that is asked for, and as many before it. */
const points = 1_000;
/** Raw readings beyond that would only be averaged away. */
const leastBucketSeconds = 1;

/**
 * Reads the time that is asked for and as much before it, as means of up to 1,000 buckets each: what was before is taken
 * as normal. Needs SELECT on metric_hist.
 */
export async function readAnomalies(client: Queryable, input: AnomaliesInput): Promise<Anomalies> {
  const { machineId, metricId, from, to, threshold } = input;
  const span = (to.getTime() - from.getTime()) / 1_000;
  const bucket = Math.max(leastBucketSeconds, Math.ceil(span / points));
  const { rows } = await client.query<Point>(
    `SELECT time_bucket(make_interval(secs => $5), ts) AS at, avg(value)::float8 AS value
       FROM factory_telemetry.metric_hist
      WHERE machine_id = $1 AND metric_id = $2
        AND ts >= $3::timestamptz - ($4::timestamptz - $3::timestamptz) AND ts < $4::timestamptz
      GROUP BY 1 ORDER BY 1`,
    [machineId, metricId, from, to, bucket],
  );
  const reference = rows.filter(({ at }) => at < from).length;
  return findAnomalies(rows, { reference, ...(threshold === undefined ? {} : { threshold }) });
}
