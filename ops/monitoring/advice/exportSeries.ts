/** One series as a file that is streamed: as much memory for five million rows as for one batch. */
import { Readable } from "node:stream";
import { z } from "zod";
import { UserError } from "../../../infra/errors";
import type { Queryable } from "../../queryable";
import { csvFile } from "./csvFile";
import { type ExportColumn, readExportColumns, selected } from "./exportColumns";
import { parquetFile } from "./parquetFile";

export const exportFormats = ["csv", "parquet"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export const exportInput = z.strictObject({
  machineId: z.number().int(),
  metricId: z.number().int(),
  from: z.date(),
  /** Not included. */
  to: z.date(),
  format: z.enum(exportFormats),
});
export type ExportInput = z.infer<typeof exportInput>;

export const contentTypes: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  parquet: "application/vnd.apache.parquet",
};

/** Values as text by the column's name; null where there is none. */
export type TextRow = Readonly<Record<string, string | null>>;

export const mostExportRows = 5_000_000;
/** Rows that are fetched at a time: what is young when it is garbage costs no memory. */
const batchRows = 2_000;

/**
 * Refuses what is too much before the first byte is sent.
 *
 * @returns the number of rows
 * @throws UserError when there are more than {@link mostExportRows}
 */
export async function countExportRows(client: Queryable, input: ExportInput): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM (SELECT FROM ${series} LIMIT $5) AS row`,
    [...parameters(input), mostExportRows + 1],
  );
  const count = rows[0]?.count ?? 0;
  if (count > mostExportRows)
    throw new UserError(`more than ${mostExportRows.toLocaleString("en-US")} rows are asked for`, {
      fix: "ask for a shorter time, or use `npm run ops -- export` for whole tables",
    });
  return count;
}

/**
 * The file, as it is read. Rows come through a cursor in a read-only transaction, so `client` is taken until the stream ends,
 * fails or is destroyed; then the transaction is over and the client is the caller's again (`"close"` is emitted after that).
 * Nobody reading means nothing is fetched: the server's idle_in_transaction_session_timeout limits how long.
 */
export function exportSeries(client: Queryable, input: ExportInput): Readable {
  return Readable.from(fileOf(client, input), { objectMode: false });
}

async function* fileOf(client: Queryable, input: ExportInput): AsyncGenerator<Uint8Array> {
  const columns = await readExportColumns(client);
  const rows = batches(client, input, columns);
  yield* input.format === "csv" ? csvFile(columns, rows) : parquetFile(columns, rows);
}

const series =
  "factory_telemetry.metric_hist WHERE machine_id = $1 AND metric_id = $2 AND ts >= $3 AND ts < $4";

function parameters({ machineId, metricId, from, to }: ExportInput): unknown[] {
  return [machineId, metricId, from, to];
}

async function* batches(
  client: Queryable,
  input: ExportInput,
  columns: readonly ExportColumn[],
): AsyncGenerator<TextRow[]> {
  await client.query("BEGIN READ ONLY");
  try {
    await client.query(
      `DECLARE export NO SCROLL CURSOR FOR SELECT ${columns.map(selected).join(", ")} FROM ${series} ORDER BY ts`,
      parameters(input),
    );
    for (;;) {
      const { rows } = await client.query<TextRow>(`FETCH ${batchRows} FROM export`);
      if (rows.length === 0) return;
      yield rows;
      if (rows.length < batchRows) return;
    }
  } finally {
    // Also when whoever read has gone: the cursor ends with its transaction. Where the connection is gone, so is the cursor.
    await client.query("ROLLBACK").catch(() => undefined);
  }
}
