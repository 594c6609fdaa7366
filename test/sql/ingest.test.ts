import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../infra/schema/postgres";
import { type IngestOptions, type IngestResult, ingestFiles } from "../../ops/ingest";
import { embedded } from "../support/embedded";
import { realTelemetry } from "../support/realTelemetry";
import { createTables } from "./ingestSchema";

const database = embedded();
const folder = mkdtempSync(join(tmpdir(), "ms5-ingest-"));
const rejects = join(folder, "rejects");
let said: string[] = [];

beforeAll(async () => {
  await withClient(database.target, async (client) => {
    await createTables(client);
    await client.query(
      "SELECT create_hypertable('factory_telemetry.metric_hist', by_range('ts', INTERVAL '30 days'), create_default_indexes => false)",
    );
    await client.query(
      "ALTER TABLE factory_telemetry.metric_hist SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'machine_id, metric_id', timescaledb.orderby = 'ts')",
    );
  });
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  said = [];
  rmSync(rejects, { recursive: true, force: true });
  await query("TRUNCATE factory_telemetry.metric_hist");
  await query("TRUNCATE factory_telemetry.ingest_files");
  await query("DELETE FROM factory_telemetry.metrics");
  await query("DELETE FROM factory_telemetry.machines");
});

async function query<T extends object>(text: string, values: unknown[] = []): Promise<T[]> {
  return withClient(database.target, async (client) => (await client.query<T>(text, values)).rows);
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function ingest(files: string | string[], more: Partial<IngestOptions> = {}): Promise<IngestResult> {
  return ingestFiles({
    target: database.target,
    files: [files].flat(),
    machine: "m",
    rejects,
    allowed: { earliest: new Date("2000-01-01T00:00:00Z"), latest: new Date("2030-01-01T00:00:00Z") },
    log: { info: () => undefined, warn: (line) => said.push(line) },
    ...more,
  });
}

function counts({ rows, duplicates, rejected }: IngestResult) {
  return { rows, duplicates, rejected };
}

/** Every sample by the names it was stored under, as one text. */
async function stored(): Promise<string> {
  const rows = await query<{ line: string }>(
    `SELECT concat_ws(' ', machines.code, metrics.code, extract(epoch FROM ts), value) AS line
     FROM factory_telemetry.metric_hist
     LEFT JOIN factory_telemetry.machines USING (machine_id) LEFT JOIN factory_telemetry.metrics USING (metric_id)
     ORDER BY 1`,
  );
  return rows.map((row) => row.line).join("\n");
}

/** What `stored` gives, as a count and a digest: for files of many samples. */
async function digest() {
  const [row] = await query<{ samples: number; digest: string | null }>(
    `SELECT count(*)::int AS samples, md5(string_agg(
       concat_ws(' ', machines.code, metrics.code, extract(epoch FROM ts), value), ',' ORDER BY machines.code, metrics.code, ts)) AS digest
     FROM factory_telemetry.metric_hist
     LEFT JOIN factory_telemetry.machines USING (machine_id) LEFT JOIN factory_telemetry.metrics USING (metric_id)`,
  );
  if (row === undefined) throw new Error("a count has a row");
  return row;
}

/** Seconds since 2024-01-01 as the files below write them. */
const time = (second: number) => new Date(Date.UTC(2024, 0, 1) + second * 1000).toISOString();

/** Several batches, with a bad record now and then. */
const long = [
  "time;speed;torque",
  ...Array.from({ length: 12_000 }, (_, i) =>
    i % 1000 === 7 ? `${time(i)};bad;1` : `${time(i)};${i % 100};0.5`,
  ),
].join("\n");
const longCounts = { rows: 23_976, duplicates: 0, rejected: 12 };

describe("what is stored", () => {
  it("keeps the exact instant, value, machine and metric of a wide file", async () => {
    const path = file(
      "press/wide.csv",
      "datetime;Temperature [°C];Volume Flow RateRMS;anomaly\r\n" +
        "2024-07-01 12:00:00;1,5;32;0\r\n2024-07-01 12:00:01,250;-3,25;;1\r\n",
    );
    const result = await ingest(path, { timezone: "Europe/Berlin" });
    expect(counts(result)).toEqual({ rows: 5, duplicates: 0, rejected: 0 });
    expect(await stored()).toBe(
      [
        "m anomaly 1719828000.000000 0",
        "m anomaly 1719828001.250000 1",
        "m temperature 1719828000.000000 1.5",
        "m temperature 1719828001.250000 -3.25",
        "m volume_flow_raterms 1719828000.000000 32",
      ].join("\n"),
    );
    expect(await query("SELECT code, name, unit, kind FROM factory_telemetry.metrics ORDER BY code")).toEqual(
      [
        { code: "anomaly", name: "anomaly", unit: "", kind: "state" },
        { code: "temperature", name: "Temperature", unit: "°C", kind: "gauge" },
        { code: "volume_flow_raterms", name: "Volume Flow RateRMS", unit: "", kind: "gauge" },
      ],
    );
    // Read in this zone once, the machine keeps it for files to come.
    expect(await query("SELECT code, timezone FROM factory_telemetry.machines")).toEqual([
      { code: "m", timezone: "Europe/Berlin" },
    ]);
  });

  it("takes machines from a long file, in their own zones, and known metrics by alias", async () => {
    await query(
      "INSERT INTO factory_telemetry.machines (code, name, timezone) VALUES ('F1', 'Filler', 'Asia/Kolkata')",
    );
    await query(
      `WITH added AS (INSERT INTO factory_telemetry.metrics (code, name) VALUES ('speed', 'Speed') RETURNING metric_id)
       INSERT INTO factory_telemetry.metric_aliases SELECT 'drehzahl', metric_id FROM added`,
    );
    const result = await ingestFiles({
      target: database.target,
      files: [
        file(
          "long.csv",
          'time,machine,metric,value\n2024-01-01 05:30:00,Filler,Drehzahl,1\n"2024-01-01 00:00:00","Cap 2","speed","2"\n',
        ),
      ],
      rejects,
      allowed: { earliest: new Date(0), latest: new Date("2030-01-01T00:00:00Z") },
      log: { info: () => undefined, warn: () => undefined },
    });
    expect(counts(result)).toEqual({ rows: 2, duplicates: 0, rejected: 0 });
    expect(await stored()).toBe("Cap-2 speed 1704067200.000000 2\nF1 speed 1704067200.000000 1");
  });

  it("calls a machine after the folder and a lone value after the file", async () => {
    const path = file("oven 3/core_temperature.csv", "timestamp,value\n2024-01-01 00:00:00,73.96732207\n");
    await ingestFiles({
      target: database.target,
      files: [path],
      rejects,
      allowed: { earliest: new Date(0), latest: new Date("2030-01-01T00:00:00Z") },
      log: { info: () => undefined, warn: () => undefined },
    });
    expect(await stored()).toBe("oven-3 core_temperature 1704067200.000000 73.96732");
  });

  it("stores a packed file as the plain one", async () => {
    expect(counts(await ingest(file("packed.csv.gz", gzipSync(long))))).toEqual(longCounts);
    const packed = await digest();
    expect(counts(await ingest(file("plain.csv", long)))).toEqual({
      ...longCounts,
      rows: 0,
      duplicates: 23_976,
    });
    expect(await digest()).toEqual(packed);
  });
});

describe("bad records", () => {
  it("go to a reject file with line and reason, and stop nothing", async () => {
    const path = file(
      "some.csv",
      `time,a\n${time(0)},1\nnever,2\n${time(1)},"x,y"\n\n${time(2)},NaN\n1999-01-01 00:00:00,5\n${time(3)},4\n`,
    );
    const result = await ingest(path);
    expect(counts(result)).toEqual({ rows: 2, duplicates: 0, rejected: 4 });
    expect(readFileSync(result.perFile[0]?.rejectFile ?? "", "utf8")).toBe(
      [
        "line,reason,record",
        '3,never is not a time we read,"never,2"',
        `4,"a: x,y is not a number","${time(1)},""x,y"""`,
        `6,a: NaN is not a measured value,"${time(2)},NaN"`,
        '7,1999-01-01 00:00:00 is before 2000-01-01T00:00:00.000Z,"1999-01-01 00:00:00,5"',
        "",
      ].join("\n"),
    );
    expect(said).toEqual([expect.stringContaining("4 of 6 records rejected, see ")]);
  });

  it("are looked at again when what is allowed has changed", async () => {
    const path = file("old.csv", `time,a\n${time(0)},1\n1999-01-01 00:00:00,5\n`);
    await ingest(path);
    const again = await ingest(path, {
      allowed: { earliest: new Date(0), latest: new Date("2030-01-01T00:00:00Z") },
    });
    expect(counts(again)).toEqual({ rows: 1, duplicates: 1, rejected: 0 });
    expect(counts(await ingest(path))).toEqual({ rows: 0, duplicates: 2, rejected: 0 });
  });

  it("of two files of one name are kept apart", async () => {
    const paths = [
      file("x/0.csv", "time,a\n2024-01-01 00:00:00,1\nfirst,1\n"),
      file("y/0.csv", "time,a\n2024-01-01 00:00:00,1\nsecond,1\n"),
    ];
    await ingest(paths);
    const kept = (await readdir(rejects)).map((name) => readFileSync(join(rejects, name), "utf8"));
    expect(kept.map((text) => text.split("\n").length)).toEqual([3, 3]);
    expect(kept.join()).toContain("first,1");
    expect(kept.join()).toContain("second,1");
  });

  it("in any mixture with good ones: every record is added, a duplicate or rejected", async () => {
    const record = fc.oneof(
      { weight: 3, arbitrary: fc.nat(20).map((second) => `${time(second)};${second}`) },
      fc.constantFrom(
        `${time(1)};oops`,
        "today;1",
        `${time(1)}`,
        `${time(1)};1;2`,
        `${time(2)};`,
        '"',
        `${time(1)};1e99`,
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 40 }), async (records) => {
        await query("TRUNCATE factory_telemetry.metric_hist");
        await query("TRUNCATE factory_telemetry.ingest_files");
        const path = file("mixed.csv", [`time;a`, `${time(99)};1`, ...records].join("\n"));
        const result = await ingest(path);
        expect(result.rows + result.duplicates + result.rejected).toBe(records.length + 1);
        const [count] = await query<{ n: number }>(
          "SELECT count(*)::int AS n FROM factory_telemetry.metric_hist",
        );
        expect(count?.n).toBe(result.rows);
        const { rejectFile } = result.perFile[0] ?? {};
        const lines =
          rejectFile === undefined ? 0 : readFileSync(rejectFile, "utf8").trimEnd().split("\n").length - 1;
        expect(lines).toBe(result.rejected);
      }),
      { numRuns: 15 },
    );
  });
});

describe("bad files", () => {
  it("stop the command before any file is written", async () => {
    const good = file("good.csv", `time,a\n${time(0)},1\n`);
    for (const bad of [
      file("bad/none.csv", ""),
      file("bad/latin.csv", Buffer.from(`time,a °C\n${time(0)},1\n`, "latin1")),
      file("bad/header.csv", `${time(0)},1\n${time(1)},2\n`),
      file("bad/cut.csv.gz", gzipSync(long).subarray(0, 999)),
    ])
      await expect(ingest([good, bad])).rejects.toMatchObject({ name: "UserError", exitCode: 2 });
    expect(await stored()).toBe("");
    expect(await query("SELECT * FROM factory_telemetry.ingest_files")).toEqual([]);
    expect(await query("SELECT * FROM factory_telemetry.metrics")).toEqual([]);
  });

  it("are refused for columns that mean the same metric, machines that contradict, and impossible options", async () => {
    const path = file("two.csv", `time,Motor Current,motor_current\n${time(0)},1,2\n`);
    await expect(ingest(path)).rejects.toThrow(
      'two columns that mean metric motor_current: "Motor Current" and',
    );
    const several = file("several.csv", `time,machine,a\n${time(0)},x,1\n${time(0)},y,2\n`);
    await expect(ingest(several)).rejects.toThrow("holds several machines (x, y), not only m");
    const good = file("good.csv", `time,a\n${time(0)},1\n`);
    await expect(ingest(good, { machine: "m/1" })).rejects.toThrow('"m/1" cannot be a machine\'s code');
    await expect(ingest(good, { timezone: "Moon" })).rejects.toThrow('unknown time zone "Moon"');
    expect(await stored()).toBe("");
  });
});

describe("doing it again", () => {
  it("adds nothing for the same file, even under another name", async () => {
    const path = file("once.csv", long);
    expect(counts(await ingest(path))).toEqual(longCounts);
    const before = await digest();
    expect(counts(await ingest([path, path]))).toEqual({ rows: 0, duplicates: 2 * 23_976, rejected: 24 });
    expect(counts(await ingest(file("renamed.csv", long)))).toEqual({
      ...longCounts,
      rows: 0,
      duplicates: 23_976,
    });
    expect(await digest()).toEqual(before);
  });

  it("reads the same bytes again for another machine or time zone, or a metric called after another file", async () => {
    const path = file("zone.csv", "time,value\n2024-01-01 12:00:00,1\n");
    expect((await ingest(path)).rows).toBe(1);
    expect((await ingest(path, { machine: "other" })).rows).toBe(1);
    expect((await ingest(path, { timezone: "+01:00" })).rows).toBe(1);
    expect((await ingest(file("zone2.csv", "time,value\n2024-01-01 12:00:00,1\n"))).rows).toBe(1);
  });

  it("counts what overlaps other files or repeats inside one, and keeps the first value", async () => {
    await ingest(file("a.csv", `time,a\n${time(0)},1\n${time(1)},2\n`));
    const result = await ingest(file("b.csv", `time,a\n${time(1)},9\n${time(2)},3\n${time(2)},4\n`));
    expect(counts(result)).toEqual({ rows: 1, duplicates: 2, rejected: 0 });
    expect(await stored()).toBe(
      ["m a 1704067200.000000 1", "m a 1704067201.000000 2", "m a 1704067202.000000 3"].join("\n"),
    );
  });

  it("finds duplicates in chunks that were moved to the columnstore", async () => {
    const half = long.split("\n").slice(0, 6_001).join("\n");
    await ingest(file("half.csv", half));
    for (const { chunk } of await query<{ chunk: string }>(
      "SELECT show_chunks('factory_telemetry.metric_hist')::text AS chunk",
    ))
      await query(`CALL convert_to_columnstore('${chunk}')`);
    const result = await ingest(file("whole.csv", long));
    expect(result.rows + result.duplicates).toBe(23_976);
    expect(result.duplicates).toBe(11_988);
    const [distinct] = await query<{ n: number; keys: number }>(
      "SELECT count(*)::int AS n, count(DISTINCT (machine_id, metric_id, ts))::int AS keys FROM factory_telemetry.metric_hist",
    );
    expect(distinct).toEqual({ n: 23_976, keys: 23_976 });
  });

  it("shares one file between two ingests at the same time", async () => {
    const path = file("shared.csv", long);
    const both = await Promise.all([ingest(path), ingest(path)]);
    expect(both.map((result) => result.rows + result.duplicates)).toEqual([23_976, 23_976]);
    expect((both[0]?.rows ?? 0) + (both[1]?.rows ?? 0)).toBe(23_976);
    expect(
      readFileSync(both[0]?.perFile[0]?.rejectFile ?? "", "utf8")
        .trimEnd()
        .split("\n"),
    ).toHaveLength(13);
  });

  it("lets two ingests add the same new metrics at the same time", async () => {
    const names = ["time", ...Array.from({ length: 20 }, (_, i) => `new ${i}`)].join(",");
    const row = (second: number) => [time(second), ...Array(20).fill("1")].join(",");
    const results = await Promise.all([
      ingest(file("n1.csv", `${names}\n${row(1)}\n`)),
      ingest(file("n2.csv", `${names}\n${row(2)}\n`)),
    ]);
    expect(results.map((result) => result.rows)).toEqual([20, 20]);
    expect(await query("SELECT code FROM factory_telemetry.metrics")).toHaveLength(20);
  });
});

describe("interruption", () => {
  it("keeps what is committed, and carries on to exactly the same content", async () => {
    const path = file("stop.csv", long);
    const whole = await ingest(path);
    const expected = await digest();
    const expectedRejects = readFileSync(whole.perFile[0]?.rejectFile ?? "", "utf8");
    for (const batches of [1, 2]) {
      await query("TRUNCATE factory_telemetry.metric_hist");
      await query("TRUNCATE factory_telemetry.ingest_files");
      rmSync(rejects, { recursive: true });
      const stopping = new AbortController();
      let written = 0;
      const stopped = ingest(path, {
        signal: stopping.signal,
        onProgress: () => {
          written += 1;
          if (written === batches) stopping.abort();
        },
      });
      await expect(stopped).rejects.toMatchObject({
        exitCode: 130,
        fix: expect.stringContaining("carries on"),
      });
      const committed = (await digest()).samples;
      expect(committed).toBeGreaterThan(0);
      expect(committed).toBeLessThan(23_976);
      const rest = await ingest(path);
      expect(counts(rest)).toEqual({ rows: 23_976 - committed, duplicates: committed, rejected: 12 });
      expect(await digest()).toEqual(expected);
      expect(readFileSync(rest.perFile[0]?.rejectFile ?? "", "utf8")).toBe(expectedRejects);
    }
  });

  it("survives kill -9 in the middle of a batch", async () => {
    const path = file("kill.csv", long);
    await ingest(path);
    const expected = await digest();
    await query("TRUNCATE factory_telemetry.metric_hist");
    await query("TRUNCATE factory_telemetry.ingest_files");
    rmSync(rejects, { recursive: true });
    const child = spawn(
      process.execPath,
      [
        "--require",
        createRequire(__filename).resolve("tsx/cjs"),
        join(__dirname, "ingestChild.ts"),
        JSON.stringify(database.target),
        rejects,
        path,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const result = await ingest(path);
    expect(result.duplicates).toBeGreaterThan(0);
    expect(counts(result)).toEqual({
      rows: 23_976 - result.duplicates,
      duplicates: result.duplicates,
      rejected: 12,
    });
    expect(await digest()).toEqual(expected);
    expect(
      readFileSync(result.perFile[0]?.rejectFile ?? "", "utf8")
        .trimEnd()
        .split("\n"),
    ).toHaveLength(13);
  });

  it("warns of samples that the retention policy will drop", async () => {
    await query("SELECT add_retention_policy('factory_telemetry.metric_hist', INTERVAL '90 days')");
    const today = new Date(Date.now() - 86_400_000).toISOString();
    await ingest(file("old.csv", `time,a\n2001-01-01 00:00:00,1\n${today},2\n`), {
      allowed: { earliest: new Date(0), latest: new Date() },
    });
    await query("SELECT remove_retention_policy('factory_telemetry.metric_hist')");
    expect(said).toEqual([expect.stringContaining("1 samples are older than the table's retention")]);
  });
});

const data = realTelemetry ?? "";

describe.runIf(realTelemetry !== undefined)("real telemetry", () => {
  it("is read whole: nine SKAB files and one NAB file", async () => {
    const files = (await readdir(data, { recursive: true }))
      .filter((name) => name.endsWith(".csv"))
      .sort()
      .map((name) => join(data, name));
    const first = await ingestFiles({
      target: database.target,
      files,
      rejects,
      allowed: { earliest: new Date("2000-01-01T00:00:00Z"), latest: new Date() },
      log: { info: () => undefined, warn: (line) => said.push(line) },
    });
    const samples = files
      .map((path) => readFileSync(path, "utf8").trim().split("\n"))
      .reduce((sum, lines) => sum + (lines.length - 1) * ((lines[0] ?? "").split(/[;,]/).length - 1), 0);
    expect(first.rejected).toBe(0);
    expect(first.rows + first.duplicates).toBe(samples);
    expect(said).toEqual([]);
  });
});
