// Ingest by COPY, as the writer's role, into the schema that a stack has made on a real server.
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { loginRoles } from "../../infra/schema/roleNames";
import { type IngestOptions, type IngestResult, ingestFiles } from "../../ops/ingest";
import { startServer, type TestServer } from "./support/server";
import { TestStack } from "./support/stack";
import { until } from "./support/until";

/** Half a minute of COPY on two cores, and 2 GB of disk. */
const longRecords = 10_000_000;

describe("ingest by COPY", () => {
  const folder = mkdtempSync(join(tmpdir(), "ms5-ingest-copy-"));
  let server: TestServer;
  let stack: TestStack;
  let target: ConnectionTarget;

  beforeAll(async () => {
    server = await startServer();
    stack = new TestStack(server.admin);
    expect(await stack.deploy("up")).toMatchObject({ result: "succeeded" });
    target = { ...server.admin, user: loginRoles.writer, password: (await stack.passwords()).writer };
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    stack?.remove();
    await server?.stop();
  });
  beforeEach(() =>
    withClient(server.superuser, (client) =>
      client.query("TRUNCATE factory_telemetry.metric_hist, factory_telemetry.ingest_files"),
    ),
  );

  const ingest = (files: string[], more: Partial<IngestOptions> = {}) =>
    ingestFiles({
      target,
      files,
      machine: "m",
      rejects: join(folder, "rejects"),
      allowed: { earliest: new Date(0), latest: new Date("2030-01-01T00:00:00Z") },
      log: { info: () => undefined, warn: () => undefined },
      ...more,
    });

  /** Two samples a second from `start` on, over several batches; every thousandth record is bad. */
  function file(name: string, start: number, records: number): string {
    const path = join(folder, name);
    const rows = Array.from({ length: records }, (_, i) => {
      const time = new Date(Date.UTC(2024, 0, 1) + (start + i) * 1000).toISOString();
      return `${time};${(start + i) % 1000 === 7 ? "bad" : (start + i) / 4};-0,5\n`.replace(",", ".");
    });
    writeFileSync(path, `time;a;b\n${rows.join("")}`);
    return path;
  }

  async function digest(): Promise<unknown> {
    const { rows } = await withClient(target, (client) =>
      client.query(
        `SELECT count(*)::int AS samples, sum(value::float8) AS total,
           md5(string_agg(concat_ws(' ', metric_id, extract(epoch FROM ts), value), ',' ORDER BY metric_id, ts)) AS digest
         FROM factory_telemetry.metric_hist`,
      ),
    );
    return rows[0];
  }

  it("adds a file once, exactly", async () => {
    const path = file("once.csv", 0, 30_000);
    expect(await ingest([path])).toMatchObject({ rows: 59_940, duplicates: 0, rejected: 30 });
    const total = Array.from({ length: 30_000 }, (_, i) => (i % 1000 === 7 ? 0 : i / 4 - 0.5)).reduce(
      (a, b) => a + b,
    );
    expect(await digest()).toMatchObject({ samples: 59_940, total });
    expect(await ingest([path])).toMatchObject({ rows: 0, duplicates: 59_940, rejected: 30 });
  });

  it("passes over what overlaps, in the middle of a batch and in whole ones, and goes on with what is new", async () => {
    await ingest([file("part.csv", 15_000, 40_000)]);
    expect(await ingest([file("whole.csv", 0, 160_000)])).toMatchObject({
      rows: 319_680 - 79_920,
      duplicates: 79_920,
      rejected: 160,
    });
    const overlapping = await digest();
    await withClient(server.superuser, (client) =>
      client.query("TRUNCATE factory_telemetry.metric_hist, factory_telemetry.ingest_files"),
    );
    await ingest([join(folder, "whole.csv")]);
    expect(await digest()).toEqual(overlapping);
  });

  it("carries on behind an interruption, with the same content", async () => {
    const path = file("stop.csv", 0, 60_000);
    await ingest([path]);
    const expected = await digest();
    await withClient(server.superuser, (client) =>
      client.query("TRUNCATE factory_telemetry.metric_hist, factory_telemetry.ingest_files"),
    );
    const stopping = new AbortController();
    const stopped = ingest([path], { signal: stopping.signal, onProgress: () => stopping.abort() });
    await expect(stopped).rejects.toMatchObject({ exitCode: 130 });
    expect(await digest()).not.toEqual(expected);
    await ingest([path]);
    expect(await digest()).toEqual(expected);
  });

  it("shares one file, and the names it adds, between several ingests at the same time", async () => {
    await withClient(server.superuser, (client) => client.query("DELETE FROM factory_telemetry.metrics"));
    const path = file("shared.csv", 0, 40_000);
    const results = await Promise.all([ingest([path]), ingest([path]), ingest([path])]);
    expect(results.map((result) => result.rows + result.duplicates)).toEqual([79_920, 79_920, 79_920]);
    expect(results.reduce((sum, result) => sum + result.rows, 0)).toBe(79_920);
    expect(await digest()).toMatchObject({ samples: 79_920 });
    const { rowCount } = await withClient(target, (client) =>
      client.query("SELECT FROM factory_telemetry.metrics"),
    );
    expect(rowCount).toBe(2);
  });

  it("carries on after kill -9, and keeps its memory under 200 MB for ten million records", async () => {
    const args = (path: string) => ["ingest", path, "--stack", "dev", "--machine", "m", "--json"];
    const writer = { MS5_DATABASE_USER: target.user, MS5_DATABASE_PASSWORD: target.password ?? "" };
    const run = async (path: string) => {
      const done = await stack.command(args(path), writer);
      expect(done).toMatchObject({ code: 0, stderr: "" });
      return { result: JSON.parse(done.stdout) as IngestResult, peakMemoryMb: done.peakMemoryMb };
    };
    const samples = async () => {
      const { rows } = await withClient(server.superuser, (client) =>
        client.query<{ count: number }>("SELECT count(*)::int FROM factory_telemetry.metric_hist"),
      );
      return rows[0]?.count ?? 0;
    };
    const path = await longFile("long.csv", longRecords);

    const kill = new AbortController();
    const killed = stack.command(args(path), writer, kill.signal);
    await until("the ingest has committed something", async () => (await samples()) > 0);
    kill.abort();
    expect((await killed).code).toBeNull();
    const before = await samples();
    expect(before).toBeLessThan(longRecords);

    const { result, peakMemoryMb } = await run(path);
    expect(result).toMatchObject({ rows: longRecords - before, duplicates: before, rejected: 0 });
    expect(await samples()).toBe(longRecords);
    expect((await run(path)).result).toMatchObject({ rows: 0, duplicates: longRecords });

    const idle = await run(await longFile("short.csv", 10));
    const own = peakMemoryMb - idle.peakMemoryMb;
    process.stderr.write(
      `${result.rows} records: ${result.rowsPerSecond} samples/s, ${result.seconds.toFixed(0)} s, ${own.toFixed(0)} MB more than for ten records\n`,
    );
    expect(own).toBeLessThan(200);
  }, 600_000);

  /** Ten samples a second of one metric. */
  async function longFile(name: string, records: number): Promise<string> {
    const path = join(folder, name);
    const start = Date.UTC(2025, 0, 1);
    function* chunks() {
      yield "time,pressure_bar\n";
      for (let i = 0; i < records; ) {
        let text = "";
        for (const end = Math.min(i + 10_000, records); i < end; i += 1) {
          text += `${new Date(start + i * 100).toISOString()},${(i % 4096) / 8}\n`;
        }
        yield text;
      }
    }
    await pipeline(Readable.from(chunks()), createWriteStream(path));
    return path;
  }
});
