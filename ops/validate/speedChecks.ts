import { performance } from "node:perf_hooks";
import type { Client } from "../../infra/schema/postgres";
import type { Check } from "./check";

/** Goals of the requirements: 1,000 rows/s written, 100 ms for what a dashboard asks. */
const minimumRowsPerSecond = 1_000;
const maximumQueryMs = 100;
const probeRows = 1_000;

/** Writes 1,000 samples in one batch and takes them back: nothing of them is ever committed. */
const writing: Check = {
  name: `writes at least ${minimumRowsPerSecond} rows/s`,
  severity: "WARNING",
  async run({ client }) {
    await client.query("BEGIN");
    try {
      const started = performance.now();
      await client.query(
        `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
         SELECT now() + n * INTERVAL '1 microsecond', n, -1, -1 FROM generate_series(1, $1::int) AS n`,
        [probeRows],
      );
      const rate = (probeRows / (performance.now() - started)) * 1_000;
      return rate >= minimumRowsPerSecond ? undefined : `${Math.round(rate)} rows/s`;
    } finally {
      await client.query("ROLLBACK");
    }
  },
};

const recent: Check = {
  name: `newest 100 samples of a series in ${maximumQueryMs} ms`,
  severity: "WARNING",
  run: ({ client }) =>
    tooSlow(
      client,
      `SELECT ts, value FROM factory_telemetry.metric_hist
        WHERE (machine_id, metric_id) = (SELECT machine_id, metric_id FROM factory_telemetry.metric_hist LIMIT 1)
        ORDER BY ts DESC LIMIT 100`,
    ),
};

const hourly: Check = {
  name: `a day of hourly means in ${maximumQueryMs} ms`,
  severity: "WARNING",
  run: ({ client }) =>
    tooSlow(
      client,
      `SELECT bucket, machine_id, metric_id, value_avg FROM factory_telemetry.metric_hourly_aggregate
        WHERE bucket >= (SELECT max(ts) - INTERVAL '1 day' FROM factory_telemetry.metric_hist)`,
    ),
};

/** The second of two runs counts: the first one plans and warms the cache. */
async function tooSlow(client: Client, query: string): Promise<string | undefined> {
  await client.query(query);
  const started = performance.now();
  await client.query(query);
  const milliseconds = performance.now() - started;
  return milliseconds <= maximumQueryMs ? undefined : `${Math.round(milliseconds)} ms`;
}

export const speedChecks = { anyEdition: [writing, recent], community: [hourly] } as const;
