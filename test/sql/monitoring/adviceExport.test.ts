// A series as a file: exactly what is stored, in little memory, and nothing left behind when nobody reads to the end.
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { parse } from "csv-parse/sync";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../infra/schema/postgres";
import { deploySchema } from "../../../ops/bench/throwaway";
import { countExportRows, type ExportInput, exportSeries } from "../../../ops/monitoring/advice/exportSeries";
import { readAnomalies } from "../../../ops/monitoring/advice/readAnomalies";
import { embedded } from "../../support/embedded";
import { fakeSeries } from "./adviceFakeSeries";

const database = embedded();
const series = {
  machineId: 1,
  metricId: 2,
  from: new Date("2026-03-02T00:00:00Z"),
  to: new Date("2026-03-03T00:00:00Z"),
};
/** More than two batches, each a microsecond off the second. */
const rows = 25_000;

beforeAll(async () => {
  await deploySchema(database.target);
  await withClient(database.target, async (client) => {
    await client.query(
      `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
       SELECT timestamptz '2026-03-02T00:00:00Z' + n * interval '3 seconds 1 microsecond', (n % 1000) / 7.0, m, 2
         FROM generate_series(0, $1::int - 1) AS n, generate_series(1, 2) AS m`,
      [rows],
    );
    // One before and one at the end, which is not included.
    await client.query(
      "INSERT INTO factory_telemetry.metric_hist VALUES ('2026-03-01T23:59:59Z', 1, 1, 2), ('2026-03-03T00:00:00Z', 1, 1, 2)",
    );
  });
});

async function bytesOf(stream: Readable): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

/** Whoever leaves a loop over a stream destroys it; that it has ended comes later. */
const closed = (stream: Readable) => new Promise<void>((resolve) => void stream.once("close", resolve));

const file = (format: ExportInput["format"], change: Partial<ExportInput> = {}) =>
  withClient(database.target, (client) => bytesOf(exportSeries(client, { ...series, format, ...change })));

interface Stored {
  readonly micros: string;
  readonly value: number;
}

const stored = () =>
  withClient(
    database.target,
    async (client) =>
      (
        await client.query<Stored>(
          `SELECT (extract(epoch FROM ts) * 1000000)::bigint::text AS micros, value
             FROM factory_telemetry.metric_hist WHERE machine_id = 1 AND metric_id = 2 AND ts >= $1 AND ts < $2 ORDER BY ts`,
          [series.from, series.to],
        )
      ).rows,
  );

describe("export", () => {
  it("as CSV has what is stored, to the microsecond and the last digit", async () => {
    const text = (await file("csv")).toString();
    expect(
      text.startsWith(
        "ts,value\r\n2026-03-02T00:00:00.000000Z,0\r\n2026-03-02T00:00:03.000001Z,0.14285715\r\n",
      ),
    ).toBe(true);
    const records: { ts: string; value: string }[] = parse(text, { columns: true, record_delimiter: "\r\n" });
    const expected = await stored();
    expect(records).toHaveLength(rows);
    expect(records.map(({ value }) => Number(value))).toEqual(expected.map(({ value }) => value));
    const micros = ({ ts }: { ts: string }) =>
      String(BigInt(Date.parse(`${ts.slice(0, 19)}Z`)) * 1_000n + BigInt(ts.slice(20, 26)));
    expect(records.map(micros)).toEqual(expected.map((row) => row.micros));
  });

  it("as Parquet has the same", async () => {
    const bytes = await file("parquet");
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const metadata = parquetMetadata(buffer);
    expect(metadata.num_rows).toBe(BigInt(rows));
    expect(metadata.schema.slice(1)).toMatchObject([
      {
        name: "ts",
        type: "INT64",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
      },
      { name: "value", type: "FLOAT", repetition_type: "REQUIRED" },
    ]);
    const exact = { timestampFromMicroseconds: (micros: bigint) => micros };
    const records = await parquetReadObjects({ file: buffer, parsers: exact as never });
    const expected = await stored();
    expect(records.map(({ ts }) => String(ts))).toEqual(expected.map(({ micros }) => micros));
    expect(records.map(({ value }) => value)).toEqual(expected.map(({ value }) => Math.fround(value)));
  });

  it.each(["csv", "parquet"] as const)("of a time without rows is a %s file without rows", async (format) => {
    const empty = await file(format, { machineId: 99 });
    if (format === "csv") expect(empty.toString()).toBe("ts,value\r\n");
    else expect(parquetMetadata(new Uint8Array(empty).buffer).num_rows).toBe(0n);
  });

  it("counts before it begins", async () => {
    await withClient(database.target, async (client) => {
      expect(await countExportRows(client, { ...series, format: "csv" })).toBe(rows);
    });
  });

  it("gives the connection back, without a transaction, when the reader goes away", async () => {
    await withClient(database.target, async (client) => {
      const stream = exportSeries(client, { ...series, format: "csv" });
      for await (const part of stream) if ((part as Uint8Array).length > 100) break;
      await closed(stream);
      const { rows: cursors } = await client.query("SELECT name FROM pg_cursors");
      expect(cursors).toEqual([]);
      // In a read-only transaction this would be refused.
      await client.query("CREATE TEMP TABLE mine (id int)");
    });
  });

  it("fails as a stream when the query does, and leaves no transaction", async () => {
    await withClient(database.target, async (client) => {
      const broken = { ...series, format: "csv" as const, machineId: 40_000_000_000 };
      await expect(bytesOf(exportSeries(client, broken))).rejects.toThrow("out of range");
      await client.query("CREATE TEMP TABLE mine (id int)");
    });
  });

  it("fetches no more than is read, and ends its transaction when the reader goes", async () => {
    const { client, asked } = fakeSeries(5_000_000);
    const stream = exportSeries(client, { ...series, format: "csv" });
    let read = 0;
    for await (const _ of stream) {
      read += 1;
      if (read === 4) break;
    }
    await closed(stream);
    expect(asked.filter((word) => word === "FETCH").length).toBeLessThan(8);
    expect(asked.at(-1)).toBe("ROLLBACK");
  });

  it.each(["csv", "parquet"])("of five million rows takes less than 150 MB as %s", async (format) => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      // What Node.js 20, which the service runs on, has by itself; later ones let more garbage lie on large machines.
      "--max-semi-space-size=16",
      "--require",
      createRequire(__filename).resolve("tsx/cjs"),
      join(__dirname, "adviceExportChild.ts"),
      format,
      "5000000",
    ]);
    const { bytes, megabytes } = JSON.parse(stdout) as { bytes: number; megabytes: number };
    expect(bytes).toBeGreaterThan(4_000_000);
    expect(megabytes).toBeLessThan(150);
  });
});

describe("anomalies of a stored series", () => {
  it("are found in the time that is asked for, by the time before it", async () => {
    await withClient(database.target, async (client) => {
      await client.query(
        `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
         SELECT timestamptz '2026-04-01T00:00:00Z' + n * interval '1 second',
                20 + (abs(hashint4(n::int)) % 100) / 100.0 + CASE WHEN n BETWEEN 1200 AND 1399 THEN 1 ELSE 0 END, 7, 1
           FROM generate_series(0, 1799) AS n`,
      );
      const asked = {
        machineId: 7,
        metricId: 1,
        from: new Date("2026-04-01T00:15:00Z"),
        to: new Date("2026-04-01T00:30:00Z"),
      };
      const { points, unavailable } = await readAnomalies(client, asked);
      expect(unavailable).toBeNull();
      const [first, last] = [points[0]?.at ?? "", points.at(-1)?.at ?? ""];
      // 1,200 s and 1,400 s after midnight, half a window more or less.
      expect(Math.abs(Date.parse(first) - Date.parse("2026-04-01T00:20:00Z"))).toBeLessThan(31_000);
      expect(Math.abs(Date.parse(last) - Date.parse("2026-04-01T00:23:20Z"))).toBeLessThan(31_000);
      expect(points[50]?.expected).toBeCloseTo(20.5, 1);
      const nothing = await readAnomalies(client, { ...asked, machineId: 8 });
      expect(nothing).toMatchObject({ points: [], unavailable: expect.stringContaining("too few") });
    });
  });
});
