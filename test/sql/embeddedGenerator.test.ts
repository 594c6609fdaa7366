import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { type Client, withClient } from "../../infra/schema/postgres";
import { toArrays } from "../../ops/ingest/binary";
import { projectRoot } from "../../ops/paths";
import { generateLine } from "../../ops/telemetry/generator";
import { embedded } from "../support/embedded";

const database = embedded();
const migrations = join(projectRoot, "sql/migrations");

/** From Friday noon into the weekend, on two lines. */
const line = generateLine({
  seed: 7,
  start: new Date("2026-11-13T12:00:00Z"),
  end: new Date("2026-11-14T12:00:00Z"),
  intervalSeconds: 60,
  machines: 6,
});

/** Ids of an empty database count from 1, in the order of insertion. */
function id(place: number | null): number | null {
  return place === null ? null : place + 1;
}

function insert(client: Client, table: string, rows: readonly object[]) {
  const columns = Object.keys(rows[0] ?? {}).join(", ");
  return client.query(
    `INSERT INTO factory_telemetry.${table} (${columns})
     SELECT ${columns} FROM jsonb_populate_recordset(NULL::factory_telemetry.${table}, $1)`,
    [JSON.stringify(rows)],
  );
}

beforeAll(async () => {
  await withClient(database.target, async (client) => {
    for (const file of readdirSync(migrations).sort()) {
      if (file.endsWith(".sql") && !file.endsWith(".undo.sql")) {
        await client.query(readFileSync(join(migrations, file), "utf8"));
      }
    }
    await insert(client, "machines", line.machines);
    await insert(client, "metrics", line.metrics);
    await insert(client, "shifts", line.shifts);
    await insert(
      client,
      "production_orders",
      line.orders.map((order) => ({
        order_no: order.orderNo,
        product: order.product,
        ideal_cycle_s: order.idealCycleS,
        quantity_planned: order.quantityPlanned,
        started_at: order.startedAt,
        finished_at: order.finishedAt,
      })),
    );
  });
});

it("gives samples that the table takes as they are", async () => {
  const ids = {
    machineIds: line.machines.map((_, place) => place + 1),
    metricIds: line.metrics.map((_, place) => place + 1),
  };
  await withClient(database.target, async (client) => {
    for (const samples of line.samples()) {
      await client.query(
        `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
         SELECT * FROM unnest($1::timestamptz[], $2::real[], $3::smallint[], $4::smallint[])`,
        toArrays({ samples, ...ids }),
      );
    }
    const { rows } = await client.query(
      "SELECT count(*)::int, min(ts), max(ts) FROM factory_telemetry.metric_hist",
    );
    expect(rows).toEqual([
      {
        count: line.sampleCount,
        min: new Date("2026-11-13T12:00:00Z"),
        max: new Date("2026-11-14T11:59:00Z"),
      },
    ]);
  });
});

it("gives rows that keep every rule of the other tables", async () => {
  const context = (row: { ts: Date; machine: number; shift: number | null; order: number | null }) => ({
    ts: row.ts,
    machine_id: id(row.machine),
    shift_id: id(row.shift),
    production_order_id: id(row.order),
  });
  const oee = [...line.oee()].map((row) => ({
    ...context(row),
    planned_s: row.plannedS,
    run_s: row.runS,
    ideal_cycle_s: row.idealCycleS,
    total_count: row.totalCount,
    good_count: row.goodCount,
  }));
  const energy = [...line.energy()].map((row) => ({
    ts: row.ts,
    machine_id: id(row.machine),
    meter_kwh: row.meterKwh,
    energy_kwh: row.energyKwh,
    mean_power_kw: row.meanPowerKw,
    peak_power_kw: row.peakPowerKw,
  }));
  const kpis = [...line.kpis()].map((row) => ({
    ...context(row),
    total_count: row.totalCount,
    good_count: row.goodCount,
    downtime_s: row.downtimeS,
    changeover_s: row.changeoverS,
    mean_cycle_s: row.meanCycleS,
  }));
  const history = [...line.context()].map((row) => ({
    ...context(row),
    state: row.state,
    reason: row.reason,
    operator_ref: row.operatorRef,
    details: row.details,
  }));
  await withClient(database.target, async (client) => {
    for (const [table, rows] of Object.entries({
      oee_calculations: oee,
      energy_consumption: energy,
      production_kpis: kpis,
      production_context_history: history,
    })) {
      expect((await insert(client, table, rows)).rowCount, table).toBe(rows.length);
      expect(rows.length).toBeGreaterThan(50);
    }

    const query = readFileSync(join(projectRoot, "sql/aggregates/oee_hourly_aggregate.sql"), "utf8");
    const { rows } = await client.query<{
      availability: number;
      performance: number;
      quality: number;
      oee: number;
    }>(`SELECT * FROM (${query}) hourly WHERE machine_id = 3 ORDER BY bucket`);
    // From noon to the end of the night shift at 05:00 UTC.
    expect(rows.length).toBe(17);
    for (const { availability, performance, quality, oee: product } of rows.filter((row) => row.oee > 0)) {
      expect(availability).toBeLessThanOrEqual(1);
      expect(performance).toBeLessThanOrEqual(1.001);
      expect(quality).toBeLessThanOrEqual(1);
      expect(product).toBeCloseTo(availability * performance * quality, 9);
    }
  });
});
