import type { Client } from "../../infra/schema/postgres";
import type { Line } from "./types";

/** Ids in the database by the place in the line's lists. */
export interface Ids {
  readonly machines: number[];
  readonly metrics: number[];
  readonly shifts: number[];
  readonly orders: number[];
}

/**
 * Adds what is missing of a line's reference data.
 *
 * What is there is left out by WHERE NOT EXISTS instead of ON CONFLICT: a refused insert uses up an id, and there are
 * 32,767 of them.
 */
export async function addReferenceData(client: Client, line: Line): Promise<Ids> {
  return {
    machines: await ensure(client, line.machines, (machine) => machine.code, {
      table: "machines",
      id: "machine_id",
      key: "code",
      columns: "code text, name text, line text, timezone text",
    }),
    metrics: await ensure(client, line.metrics, (metric) => metric.code, {
      table: "metrics",
      id: "metric_id",
      key: "code",
      columns: "code text, name text, unit text, kind text",
    }),
    shifts: await ensure(client, line.shifts, (shift) => shift.code, {
      table: "shifts",
      id: "shift_id",
      key: "code",
      columns: "code text, starts time, ends time, weekdays smallint[]",
    }),
    orders: await ensureOrders(client, line),
  };
}

interface Reference {
  readonly table: string;
  readonly id: string;
  readonly key: string;
  /** Columns with their types, as `jsonb_to_recordset` wants them. */
  readonly columns: string;
}

async function ensure<Row>(
  client: Client,
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  { table, id, key, columns }: Reference,
): Promise<number[]> {
  const names = columns
    .split(", ")
    .map((column) => column.split(" ")[0])
    .join(", ");
  await client.query(
    `INSERT INTO factory_telemetry.${table} (${names})
     SELECT ${names} FROM jsonb_to_recordset($1) AS r (${columns})
      WHERE NOT EXISTS (SELECT 1 FROM factory_telemetry.${table} t WHERE t.${key} = r.${key})`,
    [JSON.stringify(rows)],
  );
  const found = await client.query<{ key: string; id: number }>(
    `SELECT ${key} AS key, ${id} AS id FROM factory_telemetry.${table} WHERE ${key} = ANY ($1)`,
    [rows.map(keyOf)],
  );
  const ids = new Map(found.rows.map((row) => [row.key, row.id]));
  return rows.map((row) => ids.get(keyOf(row)) ?? Number.NaN);
}

async function ensureOrders(client: Client, line: Line): Promise<number[]> {
  const orders = line.orders.map((order) => ({
    order_no: order.orderNo,
    product: order.product,
    ideal_cycle_s: order.idealCycleS,
    quantity_planned: order.quantityPlanned,
    started_at: order.startedAt,
    finished_at: order.finishedAt,
  }));
  const ids = await ensure(client, orders, (order) => order.order_no, {
    table: "production_orders",
    id: "production_order_id",
    key: "order_no",
    columns:
      "order_no text, product text, ideal_cycle_s real, quantity_planned integer, started_at timestamptz, finished_at timestamptz",
  });
  // An order that ran on when it was added may have come to its end since.
  await client.query(
    `UPDATE factory_telemetry.production_orders o SET finished_at = r.finished_at
       FROM jsonb_to_recordset($1) AS r (order_no text, finished_at timestamptz)
      WHERE o.order_no = r.order_no AND o.finished_at IS NULL AND r.finished_at IS NOT NULL`,
    [JSON.stringify(orders)],
  );
  return ids;
}
