/**
 * The factory of DESIGN's calibration (machines that report two-decimal values every few seconds), made inside the
 * database: millions of rows then need not go through the embedded database's one socket. Nothing is random: every
 * value is a hash of where it stands, so the same factory gives the same bytes.
 */
import type { Client } from "../../infra/schema/postgres";

export interface Factory {
  readonly machines: number;
  readonly metrics: number;
  /** Between two samples of a series; a divisor of 60. */
  readonly intervalSeconds: number;
  /** At 00:00 UTC. */
  readonly from: Date;
  readonly days: number;
}

/** Monday of a week without a change of the clock. */
export const firstDay = new Date("2026-03-02T00:00:00Z");

/** The factory whose telemetry over `days` comes to about `rows` samples: fewer samples a minute, not fewer machines. */
export function factoryOf(rows: number, days: number): Factory {
  const machines = 10;
  const metrics = 5;
  const wanted = (days * 86_400 * machines * metrics) / rows;
  const intervalSeconds =
    [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60].find((seconds) => seconds >= wanted * 0.99) ?? 60;
  return { machines, metrics, intervalSeconds, from: firstDay, days };
}

export function machineCode(number: number): string {
  return `machine-${String(number).padStart(2, "0")}`;
}

export function metricCode(number: number): string {
  return `metric_${String(number).padStart(2, "0")}`;
}

/** The end of the factory's time, not included. */
export function factoryEnd({ from, days }: Factory): Date {
  return new Date(from.getTime() + days * 86_400_000);
}

/** A whole number of 0..n-1 that looks random and isn't. */
function hashOf(key: string, n: number): string {
  return `(abs(hashint8(${key})) % ${n})`;
}

/**
 * SELECT of (ts, value, machine_id, metric_id). A sensor swings by the hour of the day and hums around that by a few
 * hundredths to tenths. The first series falls silent for ten minutes now and then.
 */
export function samplesQuery({ machines, metrics, intervalSeconds, from, days }: Factory): string {
  const key = "(extract(epoch FROM t)::bigint * 4096 + m * 64 + x)";
  const samples = Math.floor((days * 86_400) / intervalSeconds);
  return `
    SELECT t AS ts,
           round((20 * x + m + 5 * sin(extract(epoch FROM t)::double precision / 13751 + m)
             + (${hashOf(key, 1024)} + ${hashOf(`${key} + 1`, 1024)} - 1023) / 4096.0)::numeric, 2)::double precision AS value,
           m::smallint AS machine_id, x::smallint AS metric_id
      FROM generate_series(0, ${samples - 1}) AS n
     CROSS JOIN LATERAL (SELECT timestamptz '${from.toISOString()}' + n * interval '${intervalSeconds} seconds' AS t) AS at
     CROSS JOIN generate_series(1, ${machines}) AS m
     CROSS JOIN generate_series(1, ${metrics}) AS x
     WHERE NOT (m = 1 AND x = 1 AND ${hashOf("extract(epoch FROM t)::bigint / 600", 60)} = 0)`;
}

/** Fills the deployed, empty schema. Returns the number of samples. */
export async function fillFactory(client: Client, factory: Factory): Promise<number> {
  await client.query(referenceData(factory));
  await client.query(slowTables(factory));
  const { rowCount } = await client.query(
    `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) ${samplesQuery(factory)}`,
  );
  return rowCount ?? 0;
}

function referenceData({ machines, metrics }: Factory): string {
  return `
    INSERT INTO factory_telemetry.machines (code, name, timezone)
      SELECT 'machine-' || lpad(n::text, 2, '0'), 'Machine ' || n, 'Europe/Berlin' FROM generate_series(1, ${machines}) AS n;
    INSERT INTO factory_telemetry.metrics (code, name)
      SELECT 'metric_' || lpad(n::text, 2, '0'), 'Metric ' || n FROM generate_series(1, ${metrics}) AS n;
    INSERT INTO factory_telemetry.shifts (code, starts, ends, weekdays) VALUES
      ('early', '06:00', '14:00', '{1,2,3,4,5,6}'), ('late', '14:00', '22:00', '{1,2,3,4,5,6}'),
      ('night', '22:00', '06:00', '{1,2,3,4,5}');
    INSERT INTO factory_telemetry.production_orders (order_no, product, ideal_cycle_s, quantity_planned)
      VALUES ('4711', 'bottle 0.5 l', 2, 1000000);`;
}

/** OEE windows of five minutes (with breaks, stops and days off), energy a quarter of an hour, states a half. */
function slowTables({ from, days }: Factory): string {
  const times = (minutes: number) => `
    generate_series(timestamptz '${from.toISOString()}', timestamptz '${from.toISOString()}' + interval '${days} days'
      - interval '1 second', interval '${minutes} minutes') AS t
    CROSS JOIN factory_telemetry.machines AS m`;
  const key = "extract(epoch FROM t)::bigint + m.machine_id * 7919";
  return `
    INSERT INTO factory_telemetry.oee_calculations
      (ts, machine_id, shift_id, production_order_id, planned_s, run_s, ideal_cycle_s, total_count, good_count)
    SELECT t, m.machine_id, s.shift_id, 1, planned, run, 2, total, total - total * ${hashOf(`${key} + 3`, 5)} / 100
      FROM ${times(5)}
      CROSS JOIN LATERAL (SELECT t AT TIME ZONE m.timezone AS ts) AS local
      LEFT JOIN factory_telemetry.shifts AS s
        ON CASE WHEN s.starts < s.ends THEN local.ts::time >= s.starts AND local.ts::time < s.ends
                ELSE local.ts::time >= s.starts OR local.ts::time < s.ends END
       AND extract(isodow FROM local.ts - CASE WHEN s.ends < s.starts THEN s.ends::interval ELSE interval '0' END)::smallint
           = ANY (s.weekdays)
      CROSS JOIN LATERAL (SELECT CASE WHEN s.shift_id IS NULL OR ${hashOf(key, 24)} = 0 THEN 0 ELSE 300 END AS planned) AS p
      CROSS JOIN LATERAL (SELECT CASE WHEN ${hashOf(`${key} / 3600`, 9)} = 0 THEN 0
                                      ELSE planned * (100 - ${hashOf(`${key} + 1`, 30)}) / 100 END AS run) AS r
      CROSS JOIN LATERAL (SELECT run * (50 - ${hashOf(`${key} + 2`, 12)}) / 100 AS total) AS c;
    INSERT INTO factory_telemetry.energy_consumption (ts, machine_id, energy_kwh, mean_power_kw, peak_power_kw)
    SELECT t, m.machine_id, kw / 4.0, kw, kw * 1.4
      FROM ${times(15)} CROSS JOIN LATERAL (SELECT 5 + ${hashOf(key, 100)} / 10.0 AS kw) AS power;
    INSERT INTO factory_telemetry.production_context_history (ts, machine_id, production_order_id, state, reason)
    SELECT t + ${hashOf(key, 900)} * interval '1 second', m.machine_id, 1, state,
           CASE WHEN state = 'breakdown' THEN (ARRAY['jam', 'sensor', 'drive', 'no air', NULL])[1 + ${hashOf(`${key} + 2`, 5)}] END
      FROM ${times(30)}
      CROSS JOIN LATERAL (SELECT (ARRAY['running', 'running', 'running', 'idle', 'setup', 'breakdown'])
                                   [1 + ${hashOf(`${key} + 1`, 6)}] AS state) AS s;`;
}

/** Brings every continuous aggregate up to `until`. */
export async function refreshAggregates(
  client: Client,
  names: readonly string[],
  until: Date,
): Promise<void> {
  // One by one: a refresh cannot run in a transaction, and each builds on the one before.
  for (const name of names) {
    await client.query(
      `CALL refresh_continuous_aggregate('${name}', NULL, '${until.toISOString()}'::timestamptz)`,
    );
  }
}
