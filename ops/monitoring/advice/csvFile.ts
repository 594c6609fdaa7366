/** CSV by RFC 4180: a header, CRLF, and quotes where a value has a comma, a quote or a line end. */
import type { ExportColumn } from "./exportColumns";
import type { TextRow } from "./exportSeries";

const newline = "\r\n";

/** A null is nothing, an empty text is "". Times are ISO 8601 UTC with microseconds. */
export async function* csvFile(
  columns: readonly ExportColumn[],
  batches: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(columns.map(({ name }) => field(name)).join(",") + newline);
  for await (const rows of batches) {
    const lines = rows.map((row) => columns.map((column) => cell(row, column)).join(","));
    yield Buffer.from(lines.join(newline) + newline);
  }
}

function cell(row: TextRow, { name, type }: ExportColumn): string {
  const value = row[name] ?? null;
  if (value === null) return "";
  return type === "timestamp" ? isoMicros(BigInt(value)) : field(value);
}

function field(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** 2026-03-02T00:00:00.000001Z. @param micros since 1970 */
export function isoMicros(micros: bigint): string {
  const within = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - within) / 1_000n)).toISOString().slice(0, -".000Z".length);
  return `${seconds}.${within.toString().padStart(6, "0")}Z`;
}
