import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { csvFile, isoMicros } from "../../../ops/monitoring/advice/csvFile";
import type { ExportColumn } from "../../../ops/monitoring/advice/exportColumns";
import type { TextRow } from "../../../ops/monitoring/advice/exportSeries";
import { parquetFile } from "../../../ops/monitoring/advice/parquetFile";

const columns: ExportColumn[] = [
  { name: "ts", type: "timestamp", nullable: false },
  { name: "value", type: "float", nullable: true },
  { name: "exact", type: "double", nullable: true },
  { name: "quality", type: "integer", nullable: true },
  { name: "count", type: "bigint", nullable: true },
  { name: "good", type: "boolean", nullable: true },
  { name: "note, if any", type: "text", nullable: true },
];

async function* inBatches(rows: readonly TextRow[], size: number): AsyncGenerator<readonly TextRow[]> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

const csv = async (rows: readonly TextRow[]) =>
  (await bytesOf(csvFile(columns, inBatches(rows, 2)))).toString();

async function parquet(rows: readonly TextRow[], size = 2) {
  const bytes = await bytesOf(parquetFile(columns, inBatches(rows, size)));
  const file = new Uint8Array(bytes).buffer;
  const exact = { timestampFromMicroseconds: (micros: bigint) => micros };
  return {
    metadata: parquetMetadata(file),
    rows: await parquetReadObjects({ file, parsers: exact as never }),
  };
}

const row = (...values: (string | null)[]): TextRow =>
  Object.fromEntries(columns.map(({ name }, index) => [name, values[index] ?? null]));
const full = row("1772409600000001", "0.14285715", "0.1", "-3", "9007199254740993", "true", 'a "b", c\r\nd');
const empty = row("1772409600000002");
const odd = row("-1", "NaN", "-Infinity", "0", "0", "false", "");

describe("CSV", () => {
  it("quotes what has to be, tells null from empty, and ends lines by CRLF", async () => {
    expect(await csv([full, empty, odd])).toBe(
      [
        'ts,value,exact,quality,count,good,"note, if any"',
        '2026-03-02T00:00:00.000001Z,0.14285715,0.1,-3,9007199254740993,true,"a ""b"", c\r\nd"',
        "2026-03-02T00:00:00.000002Z,,,,,,",
        '1969-12-31T23:59:59.999999Z,NaN,-Infinity,0,0,false,""',
        "",
      ].join("\r\n"),
    );
  });

  it("is read back by another program, whatever texts there are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "binary" }), { maxLength: 20 }), async (texts) => {
        const rows = texts.map((text) => row("0", "1", "1", "1", "1", "t", text));
        const read: string[][] = parse(await csv(rows), { from_line: 2, record_delimiter: "\r\n" });
        expect(read.map((cells) => cells[6])).toEqual(texts);
      }),
      { numRuns: 30 },
    );
  });

  it("writes any microsecond of the years that PostgreSQL and JavaScript share", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }), (micros) => {
        const text = isoMicros(micros);
        const seconds = BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1_000n;
        expect(seconds + BigInt(text.slice(20, 26))).toBe(micros);
      }),
    );
  });
});

describe("Parquet", () => {
  it("keeps each type, nulls, and times to the microsecond", async () => {
    const { rows } = await parquet([full, empty, odd]);
    expect(rows).toEqual([
      {
        ts: 1_772_409_600_000_001n,
        value: Math.fround(0.14285715),
        exact: 0.1,
        quality: -3,
        count: 9_007_199_254_740_993n,
        good: true,
        "note, if any": 'a "b", c\r\nd',
      },
      {
        ts: 1_772_409_600_000_002n,
        value: null,
        exact: null,
        quality: null,
        count: null,
        good: null,
        "note, if any": null,
      },
      {
        ts: -1n,
        value: Number.NaN,
        exact: Number.NEGATIVE_INFINITY,
        quality: 0,
        count: 0n,
        good: false,
        "note, if any": "",
      },
    ]);
  });

  it("is written in groups, so that memory does not grow with rows", async () => {
    const many = Array.from({ length: 110_000 }, (_, index) => {
      const value = index % 3 === 0 ? null : String(index / 4);
      return row(String(index), value);
    });
    const { metadata, rows } = await parquet(many, 10_000);
    expect(metadata.row_groups.map(({ num_rows }) => num_rows)).toEqual([50_000n, 50_000n, 10_000n]);
    expect(rows).toHaveLength(110_000);
    expect(rows[109_999]).toMatchObject({ ts: 109_999n, value: 27_499.75 });
    expect(rows[109_998]?.value).toBeNull();
  });
});
