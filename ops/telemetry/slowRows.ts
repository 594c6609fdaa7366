import type { Client } from "../../infra/schema/postgres";
import type { Ids } from "./referenceData";
import type { Line } from "./types";

/** Rows a statement: 2,000 are some 400 kB of JSON. */
const rowsPerStatement = 2_000;

/** Adds the line's rows of the four slower tables; rows that are there already stay as they are. */
export async function addSlowRows(client: Client, line: Line, ids: Ids): Promise<void> {
  const machine = (place: number) => ids.machines[place];
  const context = (row: { ts: Date; machine: number; shift: number | null; order: number | null }) => ({
    ts: row.ts,
    machine_id: machine(row.machine),
    shift_id: row.shift === null ? null : ids.shifts[row.shift],
    production_order_id: row.order === null ? null : ids.orders[row.order],
  });
  const contextColumns =
    "ts timestamptz, machine_id smallint, shift_id smallint, production_order_id integer";

  await add(
    client,
    "oee_calculations",
    `${contextColumns}, planned_s real, run_s real, ideal_cycle_s real, total_count integer, good_count integer`,
    map(line.oee(), (row) => ({
      ...context(row),
      planned_s: row.plannedS,
      run_s: row.runS,
      ideal_cycle_s: row.idealCycleS,
      total_count: row.totalCount,
      good_count: row.goodCount,
    })),
  );
  await add(
    client,
    "energy_consumption",
    "ts timestamptz, machine_id smallint, meter_kwh double precision, energy_kwh real, mean_power_kw real, peak_power_kw real",
    map(line.energy(), (row) => ({
      ts: row.ts,
      machine_id: machine(row.machine),
      meter_kwh: row.meterKwh,
      energy_kwh: row.energyKwh,
      mean_power_kw: row.meanPowerKw,
      peak_power_kw: row.peakPowerKw,
    })),
  );
  await add(
    client,
    "production_kpis",
    `${contextColumns}, total_count integer, good_count integer, downtime_s real, changeover_s real, mean_cycle_s real`,
    map(line.kpis(), (row) => ({
      ...context(row),
      total_count: row.totalCount,
      good_count: row.goodCount,
      downtime_s: row.downtimeS,
      changeover_s: row.changeoverS,
      mean_cycle_s: row.meanCycleS,
    })),
  );
  await add(
    client,
    "production_context_history",
    `${contextColumns}, state text, reason text, operator_ref text, details jsonb`,
    map(line.context(), (row) => ({
      ...context(row),
      state: row.state,
      reason: row.reason,
      operator_ref: row.operatorRef,
      details: row.details,
    })),
  );
}

function* map<A, B>(rows: Iterable<A>, convert: (row: A) => B): Iterable<B> {
  for (const row of rows) yield convert(row);
}

async function add(client: Client, table: string, columns: string, rows: Iterable<object>): Promise<void> {
  const names = columns
    .split(", ")
    .map((column) => column.split(" ")[0])
    .join(", ");
  const insert = async (chunk: object[]) => {
    await client.query(
      `INSERT INTO factory_telemetry.${table} (${names})
       SELECT ${names} FROM jsonb_to_recordset($1) AS r (${columns}) ON CONFLICT DO NOTHING`,
      [JSON.stringify(chunk)],
    );
  };
  let chunk: object[] = [];
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length === rowsPerStatement) {
      await insert(chunk);
      chunk = [];
    }
  }
  if (chunk.length > 0) await insert(chunk);
}
