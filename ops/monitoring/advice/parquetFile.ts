/** Apache Parquet, a row group at a time. */
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import type { ExportColumn, ExportType } from "./exportColumns";
import type { TextRow } from "./exportSeries";

/** Rows a group: what readers skip by, and what is in memory while it is written. */
const groupRows = 50_000;

/** Times are UTC microseconds, as the database has them. */
const elements: Readonly<Record<ExportType, Partial<SchemaElement>>> = {
  timestamp: {
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
  },
  float: { type: "FLOAT" },
  double: { type: "DOUBLE" },
  integer: { type: "INT32" },
  bigint: { type: "INT64" },
  boolean: { type: "BOOLEAN" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
};

export async function* parquetFile(
  columns: readonly ExportColumn[],
  batches: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: schemaOf(columns), createdBy: "ms5-timescale" });
  for await (const group of groups(columns, batches)) {
    await writer.write({ columnData: columnData(columns, group), rowGroupSize: group.rows });
    yield taken(bytes);
  }
  await writer.finish();
  yield taken(bytes);
}

/** What has been written since the last time; `offset`, by which the file's footer finds things, goes on. */
function taken(bytes: ByteWriter): Uint8Array {
  const written = bytes.getBytes().slice();
  bytes.index = 0;
  return written;
}

/** Some rows, column by column. */
interface Group {
  readonly rows: number;
  readonly values: readonly Values[];
}

/** Numbers that are always there stand outside the heap, where nobody has to look through them again and again. */
type Values = unknown[] | BigInt64Array | Float64Array | Float32Array | Int32Array;

async function* groups(
  columns: readonly ExportColumn[],
  batches: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<Group> {
  let values = columns.map(emptyValues);
  let filled = 0;
  const group = (): Group => ({ rows: filled, values: values.map((one) => one.slice(0, filled)) });
  for await (const rows of batches) {
    for (const row of rows) {
      for (const [at, column] of columns.entries()) {
        const into = values[at];
        if (into !== undefined) (into as unknown[])[filled] = parsed(row, column);
      }
      filled += 1;
      if (filled < groupRows) continue;
      yield group();
      values = columns.map(emptyValues);
      filled = 0;
    }
  }
  if (filled > 0) yield group();
}

function emptyValues({ type, nullable }: ExportColumn): Values {
  if (nullable) return [];
  if (type === "timestamp" || type === "bigint") return new BigInt64Array(groupRows);
  if (type === "float") return new Float32Array(groupRows);
  if (type === "double") return new Float64Array(groupRows);
  return type === "integer" ? new Int32Array(groupRows) : [];
}

function parsed(row: TextRow, { name, type }: ExportColumn): unknown {
  const text = row[name] ?? null;
  return text === null ? null : read[type](text);
}

function schemaOf(columns: readonly ExportColumn[]): SchemaElement[] {
  return [
    { name: "root", num_children: columns.length },
    ...columns.map(({ name, type, nullable }) => ({
      ...elements[type],
      name,
      repetition_type: nullable ? ("OPTIONAL" as const) : ("REQUIRED" as const),
    })),
  ];
}

function columnData(columns: readonly ExportColumn[], { values }: Group): ColumnSource[] {
  return columns.map(({ name, type, nullable }, at) => ({
    name,
    nullable,
    data: values[at] ?? [],
    // Times differ by much the same from row to row.
    ...(type === "timestamp" ? { encoding: "DELTA_BINARY_PACKED" as const } : {}),
  }));
}

const read: Readonly<Record<ExportType, (text: string) => unknown>> = {
  timestamp: BigInt,
  float: number,
  double: number,
  integer: number,
  bigint: BigInt,
  boolean: (text) => text === "true" || text === "t",
  text: (text) => text,
};

/** PostgreSQL writes NaN and Infinity as JavaScript reads them. */
function number(text: string): number {
  return Number(text);
}
