// Aggregates over data that a refresh policy alone would get wrong: old files, retention, and windows of OEE in which
// nothing was planned.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { qualified } from "../../infra/schema/catalogue";
import { check, create, delete as remove, type Stack } from "../../infra/schema/handlers";
import { readAggregate } from "../../infra/schema/plan";
import { withClient } from "../../infra/schema/postgres";
import { refreshStatements } from "../../infra/schema/refresh";
import { deploySchema } from "../../ops/bench/throwaway";
import { ingestFiles } from "../../ops/ingest";
import { aggregateIngested } from "../../ops/ingest/aggregate";
import { validate } from "../../ops/validate";
import { configFor, rawConfigFor } from "../support/deployed";
import { embedded } from "../support/embedded";

const database = embedded();
const folder = mkdtempSync(join(tmpdir(), "ms5-aggregates-"));
const said: string[] = [];
const log = { info: (line: string) => said.push(line), warn: (line: string) => said.push(line) };

beforeAll(() => deploySchema(database.target));
afterAll(() => rmSync(folder, { recursive: true }));

async function sql<Row extends object>(text: string): Promise<Row[]> {
  return withClient(database.target, async (client) => (await client.query<Row>(text)).rows);
}

const samplesIn = async (name: string) =>
  (await sql<{ n: number }>(`SELECT coalesce(sum(samples), 0)::int AS n FROM factory_telemetry.${name}`))[0]
    ?.n;

/** One sample a minute. */
function file(name: string, start: Date, minutes: number): string {
  const path = join(folder, name);
  const rows = Array.from({ length: minutes }, (_, i) => {
    return `${new Date(start.getTime() + i * 60_000).toISOString()},${i}\n`;
  });
  writeFileSync(path, `time,power\n${rows.join("")}`);
  return path;
}

const ingest = (files: string[]) =>
  ingestFiles({
    target: database.target,
    files,
    machine: "m",
    rejects: join(folder, "rejects"),
    allowed: { earliest: new Date(0), latest: new Date() },
    log,
  });

const daysAgo = (days: number) => new Date(Math.floor(Date.now() / 86_400_000 - days) * 86_400_000);

describe("metrics", () => {
  it("of old files get into every level, once", async () => {
    await ingest([file("old.csv", daysAgo(400), 600)]);
    // As a refresh policy leaves it: what comes later moves the watermark past what is old.
    await sql(
      `CALL refresh_continuous_aggregate('${qualified("metric_minute_aggregate")}', now() - INTERVAL '3 days', now())`,
    );
    await aggregateIngested(database.target, log);
    for (const level of ["minute", "hourly", "daily"])
      expect(await samplesIn(`metric_${level}_aggregate`), level).toBe(600);
    expect(said.filter((line) => line.startsWith("Refreshing"))).toHaveLength(1);
    await aggregateIngested(database.target, log);
    expect(said.filter((line) => line.startsWith("Refreshing"))).toHaveLength(1);
  });

  it("that retention has dropped stay in the aggregates, whatever is refreshed", async () => {
    await ingest([file("new.csv", daysAgo(2), 60)]);
    await aggregateIngested(database.target, log);
    await sql(`SELECT add_retention_policy('${qualified("metric_hist")}', INTERVAL '90 days')`);
    await sql(`SELECT drop_chunks('${qualified("metric_hist")}', now() - INTERVAL '90 days')`);
    expect(await sql(`SELECT FROM ${qualified("metric_hist")}`)).toHaveLength(60);
    await withClient(database.target, async (client) => {
      const names = ["metric_minute_aggregate", "metric_hourly_aggregate", "metric_daily_aggregate"] as const;
      for (const window of [undefined, { from: daysAgo(500), to: new Date() }]) {
        for (const statement of await refreshStatements(client, names, window)) await client.query(statement);
      }
    });
    for (const level of ["minute", "hourly", "daily"])
      expect(await samplesIn(`metric_${level}_aggregate`), level).toBe(660);
  });

  it("that differ are told with statements that put them right and lose nothing", async () => {
    const config = configFor(database.target);
    const finding = async () =>
      (await validate(database.target, config)).findings.find(({ check }) => check.includes("agree"))?.detail;
    expect(await finding()).toBeUndefined();
    await sql(`DELETE FROM ${qualified("metric_hist")} WHERE ts < now() - INTERVAL '1 day' AND value < 5`);
    const [, statements = ""] = /Refresh these hours: (.*)$/.exec((await finding()) ?? "") ?? [];
    expect(statements.split("; ")).toHaveLength(3);
    for (const statement of statements.split("; ")) await sql(statement);
    expect(await finding()).toBeUndefined();
    expect(await samplesIn("metric_hourly_aggregate")).toBe(655);
  });

  it("are not the writer's to refresh: he is told what the owner has to run", async () => {
    await ingest([file("writer.csv", daysAgo(60), 10)]);
    // The embedded database knows no logins but the superuser's, who may be anyone but a role that isn't there.
    await sql("ALTER ROLE ms5_owner RENAME TO ms5_owner_away");
    await aggregateIngested(database.target, log);
    await sql("ALTER ROLE ms5_owner_away RENAME TO ms5_owner");
    expect(said.at(-1)).toMatch(/Ask the owner of the schema to run: CALL refresh_continuous_aggregate/);
    await aggregateIngested(database.target, log);
    expect(await samplesIn("metric_daily_aggregate")).toBe(665);
  });
});

describe("an aggregate", () => {
  const stack = (): Stack => ({ name: "local", rawConfig: rawConfigFor(database.target) });
  const inputs = {
    name: "factory_telemetry.later_aggregate",
    query: readAggregate("metric_minute_aggregate"),
    realtime: false,
    columnstore: false,
  };

  it("made over telemetry that is there already holds all of it", async () => {
    await create("ContinuousAggregate", stack(), inputs);
    expect(await sql("SELECT FROM factory_telemetry.later_aggregate")).toHaveLength(
      (await sql(`SELECT FROM ${qualified("metric_hist")}`)).length,
    );
  });

  it("that was not filled yet when its maker died is filled by the next up", async () => {
    await sql("DROP MATERIALIZED VIEW factory_telemetry.later_aggregate");
    await sql(
      `SET ROLE ms5_owner; CREATE MATERIALIZED VIEW factory_telemetry.later_aggregate WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS ${inputs.query} WITH NO DATA`,
    );
    await expect(create("ContinuousAggregate", stack(), inputs)).rejects.toThrow("exists with another query");
    const { createHash } = await import("node:crypto");
    const hash = createHash("sha256").update(inputs.query).digest("hex").slice(0, 16);
    await sql(`COMMENT ON VIEW factory_telemetry.later_aggregate IS 'ms5 query ${hash} (not filled yet)'`);
    await create("ContinuousAggregate", stack(), inputs);
    expect((await sql("SELECT FROM factory_telemetry.later_aggregate")).length).toBeGreaterThan(0);
  });

  it("is not made anew for another query, and the preview says so", async () => {
    const changed = { ...inputs, query: `${inputs.query} HAVING true` };
    const { failures } = await check("ContinuousAggregate", stack(), inputs, changed);
    expect(failures?.[0]).toMatchObject({ property: "query" });
    expect(failures?.[0]?.reason).toContain("would erase the history");
    expect((await check("ContinuousAggregate", stack(), inputs, inputs)).failures).toEqual([]);
  });

  it("never takes others along when it is dropped", async () => {
    const dropping = {
      name: "local",
      rawConfig: rawConfigFor(database.target, { destroy: { dropTelemetry: true } }),
    };
    await expect(
      remove("ContinuousAggregate", dropping, { name: qualified("metric_minute_aggregate") }),
    ).rejects.toThrow("other objects depend on it");
    expect(await samplesIn("metric_daily_aggregate")).toBeGreaterThan(0);
  });
});

describe("OEE", () => {
  it("leaves out pieces made while nothing was planned", async () => {
    await sql(`INSERT INTO factory_telemetry.machines (code, name) VALUES ('oee', 'oee')`);
    await sql(`INSERT INTO factory_telemetry.oee_calculations
        (ts, machine_id, planned_s, run_s, ideal_cycle_s, total_count, good_count)
      SELECT ts::timestamptz, machine_id, planned, run, 10, pieces, good FROM factory_telemetry.machines,
        (VALUES ('2026-01-07T10:00Z', 1800, 1500, 140, 133), ('2026-01-07T10:30Z', 0, 0, 60, 60),
                ('2026-01-07T11:00Z', 0, 0, 30, 30)) AS w (ts, planned, run, pieces, good)
       WHERE code = 'oee'`);
    const rows = await sql<Record<string, number | null>>(
      "SELECT availability, performance, quality, oee FROM factory_telemetry.oee_hourly_aggregate ORDER BY bucket",
    );
    expect(rows[0]?.availability).toBeCloseTo(1500 / 1800, 9);
    expect(rows[0]?.performance).toBeCloseTo(1400 / 1500, 9);
    expect(rows[0]?.quality).toBeCloseTo(133 / 140, 9);
    expect(rows[0]?.oee).toBeCloseTo((1500 / 1800) * (1400 / 1500) * (133 / 140), 9);
    expect(rows[1]).toMatchObject({ availability: null, oee: null });
  });
});
