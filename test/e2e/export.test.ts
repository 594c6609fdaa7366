// Logical exports of one database, restored into empty ones, and rows copied back from a clone; by the commands, as an
// admin who is no superuser.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tableNames } from "../../infra/schema/catalogue";
import { dumpSchema } from "../../infra/schema/migrations/dump";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { copyOut } from "../../ops/export/copy";
import { exportDatabase } from "../../ops/export/export";
import { importDatabase } from "../../ops/export/import";
import { type Manifest, manifestName } from "../../ops/export/manifest";
import { copyBack } from "../../ops/restore/copyBack";
import { createOwner } from "../support/deployed";
import { embedded as embeddedDatabase, silent } from "../support/embedded";
import { startServer, type TestServer } from "./support/server";
import { TestStack } from "./support/stack";
import { until } from "./support/until";

/** Enough for a COPY of it to take seconds. */
const samples = 2_000_000;

const folder = mkdtempSync(join(tmpdir(), "ms5-export-"));
const full = join(folder, "full");
const stacks: TestStack[] = [];
let source: TestServer;
let other: TestServer;
let stack: TestStack;

beforeAll(async () => {
  source = await startServer();
  other = await startServer();
  stack = stackOn(source.admin);
  expect(await stack.deploy("up")).toMatchObject({ result: "succeeded" });
  await inDatabase(source.admin, ...rowsOfAFactory, ...thingsOfASchema);
});
afterAll(async () => {
  for (const made of stacks) made.remove();
  rmSync(folder, { recursive: true, force: true });
  await source?.stop();
  await other?.stop();
});

function stackOn(target: ConnectionTarget): TestStack {
  const made = new TestStack(target);
  stacks.push(made);
  return made;
}

/** What text can hold that a file's format might not: separators, quotes, ends of lines, nothing, and NULL. */
const awkward = `E'a,b;"c"\\n\\\\.\\nd\\te ü 🏭'`;

const rowsOfAFactory = [
  "SET ROLE ms5_owner",
  `INSERT INTO factory_telemetry.machines (code, name, line) VALUES ('m-1', ${awkward}, ''), ('m-2', 'NULL', NULL), ('m-3', '', 'x')`,
  "DELETE FROM factory_telemetry.machines WHERE code = 'm-3'",
  "INSERT INTO factory_telemetry.metrics (code, name) VALUES ('temperature', 'Temperature')",
  "INSERT INTO factory_telemetry.metric_aliases VALUES ('temp', 1)",
  "INSERT INTO factory_telemetry.shifts (code, starts, ends, weekdays) VALUES ('early', '06:00', '14:00', '{1,2,3}')",
  "INSERT INTO factory_telemetry.production_orders (order_no, product, ideal_cycle_s, quantity_planned) VALUES ('o', 'p', 0.1, 5)",
  `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
   SELECT '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 second', sin(i)::real, 1 + i % 2, 1
   FROM generate_series(0, ${samples - 1}) AS i`,
  `INSERT INTO factory_telemetry.energy_consumption (ts, energy_kwh, mean_power_kw, peak_power_kw, machine_id)
   SELECT '2026-01-01T00:00:00.123456Z'::timestamptz + i * interval '1 hour', i / 3.0, 1, 2, 1 FROM generate_series(0, 999) AS i`,
  `INSERT INTO factory_telemetry.production_context_history (ts, machine_id, shift_id, state, reason, details)
   VALUES ('2026-01-01', 1, 1, 'idle', ${awkward}, '{"a": [1, null]}')`,
];

/** What a migration may make one day: each of these needs something of its own to come back. */
const thingsOfASchema = [
  "SET ROLE ms5_owner",
  "CREATE SCHEMA plant",
  "CREATE TYPE plant.colour AS ENUM ('red', 'green')",
  "CREATE SEQUENCE plant.ticket START 100",
  "CREATE FUNCTION plant.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO plant.noted VALUES (TG_TABLE_NAME); RETURN NEW; END $$",
  "CREATE TABLE plant.noted (what text)",
  `CREATE TABLE plant.b_tanks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent bigint REFERENCES plant.b_tanks,
     litres int NOT NULL, millilitres int GENERATED ALWAYS AS (litres * 1000) STORED, colour plant.colour DEFAULT 'red',
     ticket bigint DEFAULT nextval('plant.ticket'), raw bytea, at timestamp, took interval, "select" text)`,
  "CREATE TABLE plant.a_valves (tank bigint REFERENCES plant.b_tanks, ts timestamptz NOT NULL, open boolean)",
  "SELECT create_hypertable('plant.a_valves', by_range('ts', INTERVAL '1 day'), create_default_indexes => false)",
  "SELECT add_dimension('plant.a_valves', by_hash('tank', 2))",
  "CREATE TRIGGER note AFTER INSERT ON plant.a_valves FOR EACH ROW EXECUTE FUNCTION plant.note()",
  "CREATE TRIGGER note AFTER INSERT ON plant.b_tanks FOR EACH ROW EXECUTE FUNCTION plant.note()",
  "CREATE TRIGGER always AFTER INSERT ON plant.b_tanks FOR EACH ROW EXECUTE FUNCTION plant.note()",
  "CREATE TRIGGER never AFTER INSERT ON plant.b_tanks FOR EACH ROW EXECUTE FUNCTION plant.note()",
  "COMMENT ON TRIGGER always ON plant.b_tanks IS 'said of the trigger'",
  "CREATE INDEX litres ON plant.b_tanks (litres)",
  "COMMENT ON INDEX plant.litres IS 'said of the index'",
  "COMMENT ON CONSTRAINT b_tanks_pkey ON plant.b_tanks IS 'said of the constraint'",
  "ALTER TABLE plant.b_tanks ENABLE ALWAYS TRIGGER always, DISABLE TRIGGER never",
  "CREATE VIEW plant.z_full AS SELECT id, litres FROM plant.b_tanks WHERE litres > 5",
  "CREATE MATERIALIZED VIEW plant.a_sums AS SELECT sum(litres) AS litres FROM plant.z_full",
  `INSERT INTO plant.b_tanks (parent, litres, raw, at, took, "select")
   VALUES (NULL, 7, '\\x00ff', '2026-03-29 02:30:00.5', '1 mon 2 days 03:04:05', ${awkward}), (1, 8, NULL, 'infinity', '-1 us', '')`,
  "INSERT INTO plant.a_valves SELECT 1, '2026-01-01'::timestamptz + i * interval '6 hours', i % 2 = 0 FROM generate_series(0, 19) AS i",
  "REFRESH MATERIALIZED VIEW plant.a_sums",
];

async function inDatabase(target: ConnectionTarget, ...statements: string[]): Promise<unknown[][]> {
  return withClient(target, async (client) => {
    let rows: unknown[][] = [];
    for (const text of statements) ({ rows } = await client.query({ text, rowMode: "array" }));
    return rows;
  });
}

/** A database of its own with TimescaleDB and nothing else in it. */
async function emptyDatabase(server: TestServer, name: string): Promise<ConnectionTarget> {
  await inDatabase({ ...server.superuser, database: "postgres" }, `CREATE DATABASE ${name} OWNER ms5_admin`);
  await inDatabase({ ...server.superuser, database: name }, "CREATE EXTENSION timescaledb");
  return { ...server.admin, database: name };
}

/** Every table's rows in one line: how many, and a sum over each row's text, whatever their order. */
async function content(target: ConnectionTarget): Promise<unknown[][]> {
  const [tables] = await inDatabase(
    target,
    `SELECT coalesce(array_agg(format('%I.%I', schemaname, tablename) ORDER BY schemaname, tablename), '{}') FROM pg_tables
     WHERE schemaname IN ('factory_telemetry', 'audit', 'ms5', 'plant')`,
  );
  const found: unknown[][] = [];
  for (const table of (tables?.[0] ?? []) as string[]) {
    const [row] = await inDatabase(
      target,
      "SET TimeZone = 'UTC'",
      `SELECT count(*), sum(hashtextextended(t::text, 0)) FROM ${table} AS t`,
    );
    found.push([table, ...(row ?? [])]);
  }
  return found;
}

const rowsIn = async (target: ConnectionTarget, table: string): Promise<number> =>
  Number((await inDatabase(target, `SELECT count(*) FROM ${table}`))[0]?.[0]);

const schemaOf = (target: ConnectionTarget): Promise<string> =>
  withClient(target, (client) => dumpSchema(client));

function manifestOf(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, manifestName), "utf8"));
}

/** `export dev …`, which has to succeed. */
async function exported(out: string, ...more: string[]): Promise<Manifest> {
  const { code, stdout, stderr } = await stack.command(["export", "dev", "--out", out, "--json", ...more]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ folder: out });
  return manifestOf(out);
}

const imported = (target: ConnectionTarget, from: string, ...more: string[]) =>
  stackOn(target).command(["import", "dev", from, "--yes", ...more]);

describe("an export", () => {
  it("holds every table, as it was at one moment, in files that its manifest vouches for", async () => {
    const manifest = await exported(full);
    expect(manifest).toMatchObject({
      kind: "full",
      stack: "dev",
      server: { license: "apache" },
      notExported: { continuousAggregates: [], views: [] },
    });
    expect(manifest.snapshot.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    const rows = Object.fromEntries(manifest.tables.map(({ table, rows }) => [table, rows]));
    expect(rows).toMatchObject({
      "factory_telemetry.metric_hist": samples,
      "factory_telemetry.machines": 2,
      "plant.a_valves": 20,
      "plant.noted": 24,
    });
    expect(Object.keys(rows)).toEqual(
      expect.arrayContaining([
        ...tableNames.map((name) => `factory_telemetry.${name}`),
        "audit.changes",
        "ms5.migration_log",
      ]),
    );
    expect(readdirSync(full).sort()).toEqual(
      [manifestName, "schema.sql", ...manifest.tables.map(({ file }) => file)].sort(),
    );
  });

  it("takes as much memory for two million rows as for none", async () => {
    const none = await stack.command(["export", "dev", "--out", join(folder, "none"), "--kind", "schema"]);
    const many = await stack.command(["export", "dev", "--out", join(folder, "many"), "--kind", "data"]);
    expect([none.code, many.code]).toEqual([0, 0]);
    expect(many.peakMemoryMb - none.peakMemoryMb).toBeLessThan(80);
  });

  it("is refused into a folder that holds something", async () => {
    const { code, stderr } = await stack.command(["export", "dev", "--out", full]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/is not empty/) });
  });

  it("refuses what it would not bring back", async () => {
    await inDatabase(
      source.admin,
      "SET ROLE ms5_owner",
      "CREATE TABLE plant.parts (at date) PARTITION BY RANGE (at)",
    );
    const { code, stderr } = await stack.command(["export", "dev", "--out", join(folder, "parts")]);
    await inDatabase(source.admin, "DROP TABLE plant.parts");
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/partitioned table plant\.parts/),
    });
    expect(existsSync(join(folder, "parts"))).toBe(false);
  });

  it("leaves no manifest when it is killed, and is then no export", async () => {
    const out = join(folder, "killed");
    const kill = new AbortController();
    const ending = stack.command(["export", "dev", "--out", out], {}, kill.signal);
    const partial = join(out, "factory_telemetry.metric_hist.csv.zst.partial");
    await until("the largest table is being written", async () => existsSync(partial));
    kill.abort();
    expect((await ending).code).toBeNull();
    expect(readdirSync(out)).toContain("factory_telemetry.metric_hist.csv.zst.partial");
    expect(existsSync(join(out, manifestName))).toBe(false);

    const { code, stderr } = await imported(other.admin, out);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/was interrupted/) });
    expect((await stack.command(["export", "dev", "--out", out])).code).toBe(2);
  });

  it("fails instead of waiting when its file cannot be written to the end", async () => {
    const work = withClient(source.admin, (client) =>
      copyOut(client, "COPY (SELECT generate_series(1, 20000000)) TO STDOUT", async (rows) => {
        for await (const _ of rows) throw new Error("disk full");
      }).finally(() => client.query("ROLLBACK").catch(() => undefined)),
    );
    await expect(work).rejects.toThrow("disk full");
  });
});

describe("an import", () => {
  it("wants to be confirmed", async () => {
    const { code, stderr } = await stackOn(other.admin).command(["import", "dev", full]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/add --yes/) });
  });

  it("refuses a file that is changed, cut off or missing, by its name, and writes nothing", async () => {
    const damaged = join(folder, "damaged");
    await cp(full, damaged, { recursive: true });
    const machines = join(damaged, "factory_telemetry.machines.csv.zst");
    const bytes = readFileSync(machines);
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
    writeFileSync(machines, bytes);
    truncateSync(join(damaged, "factory_telemetry.metrics.csv.zst"), 10);
    rmSync(join(damaged, "factory_telemetry.shifts.csv.zst"));
    const { code, stderr } = await imported(other.admin, damaged);
    expect(code).toBe(2);
    expect(stderr).toMatch(/machines\.csv\.zst has another SHA256/);
    expect(stderr).toMatch(/metrics\.csv\.zst has 10 bytes instead of/);
    expect(stderr).toMatch(/shifts\.csv\.zst is missing/);
    expect(await content(other.admin)).toEqual([]);
  });

  it("leaves nothing when it is cut off", async () => {
    const work = importDatabase(other.admin, { folder: full, lockTimeoutMs: 10_000, log: silent });
    const ended = expect(work).rejects.toThrow(/the import failed, and nothing of it is left/);
    await until("the largest table is being loaded", async () => {
      const rows = await inDatabase(
        other.superuser,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ms5 import' AND query LIKE 'COPY %metric_hist%'",
      );
      return rows.length > 0;
    });
    await ended;
    expect(await content(other.admin)).toEqual([]);
  });

  it("brings everything back in an empty server, where up then finds nothing to migrate", async () => {
    const { code, stdout, stderr } = await imported(other.admin, full, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const manifest = manifestOf(full);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "made", tables: manifest.tables.length });
    expect(await content(other.admin)).toEqual(await content(source.admin));

    const second = stackOn(other.admin);
    const before = await content(other.admin);
    expect(await second.deploy("up")).toMatchObject({ result: "succeeded" });
    expect(await content(other.admin)).toEqual(before);
    expect((await second.command(["migrate", "verify", "--stack", "dev"])).code).toBe(0);
    expect(await schemaOf(other.admin)).toBe(await schemaOf(source.admin));
    expect(await second.deploy("up")).toMatchObject({ result: "succeeded", changes: [] });
  });

  it("goes on with identities, sequences and triggers where the source was", async () => {
    expect(
      await inDatabase(
        other.admin,
        "INSERT INTO factory_telemetry.machines (code, name) VALUES ('m-4', 'new') RETURNING machine_id",
      ),
    ).toEqual([[4]]);
    expect(await inDatabase(other.admin, "SELECT max(change_id), count(*) FROM audit.changes")).toEqual(
      await inDatabase(source.admin, "SELECT max(change_id) + 1, count(*) + 1 FROM audit.changes"),
    );
    expect(
      await inDatabase(other.admin, "INSERT INTO plant.b_tanks (litres) VALUES (1) RETURNING id, ticket"),
    ).toEqual([["3", "102"]]);
    expect(await inDatabase(other.admin, "SELECT litres FROM plant.a_sums")).toEqual([["15"]]);
    expect(
      await inDatabase(
        other.admin,
        `SELECT description FROM pg_description WHERE description LIKE 'said of%' AND objoid >= 16384 ORDER BY 1`,
      ),
    ).toEqual([["said of the constraint"], ["said of the index"], ["said of the trigger"]]);
  });

  it("is refused into a database with rows, which it names", async () => {
    const { code, stderr } = await imported(other.admin, full);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/not empty: .*factory_telemetry\.metric_hist.* hold rows/),
    });
  });

  it("takes the schema first and the data later", async () => {
    const target = await emptyDatabase(source, "in_steps");
    const data = join(folder, "many");
    expect(await imported(target, data)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/holds no schema/),
    });
    expect((await imported(target, join(folder, "none"))).code).toBe(0);
    expect(await schemaOf(target)).toBe(await schemaOf(source.admin));
    expect(await rowsIn(target, "ms5.migrations")).toBe(await rowsIn(source.admin, "ms5.migrations"));
    expect(await rowsIn(target, "factory_telemetry.machines")).toBe(0);
    const { code, stdout } = await imported(target, data, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "there" });
    expect(await content(target)).toEqual(await content(source.admin));
  });

  it("restores a time of one hypertable, with the tables it refers to", async () => {
    const manifest = await exported(
      join(folder, "range"),
      ...["--kind", "hypertable", "--table", "factory_telemetry.energy_consumption"],
      ...["--from", "2026-01-02T00:00:00.123456Z", "--to", "2026-01-03T01:00:00.123456+01:00"],
    );
    expect(manifest.range).toEqual({
      table: "factory_telemetry.energy_consumption",
      from: "2026-01-02T00:00:00.123456Z",
      to: "2026-01-03T00:00:00.123456Z",
    });
    const target = await emptyDatabase(source, "in_part");
    expect((await imported(target, join(folder, "range"))).code).toBe(0);
    const energy =
      "SELECT count(*), min(ts), max(ts), sum(energy_kwh) FROM factory_telemetry.energy_consumption";
    const found = await inDatabase(target, energy);
    expect(found[0]?.[0]).toBe("24");
    expect(found).toEqual(
      await inDatabase(
        source.admin,
        `${energy} WHERE ts >= '2026-01-02T00:00:00.123456Z' AND ts < '2026-01-03T00:00:00.123456Z'`,
      ),
    );
    expect(await rowsIn(target, "factory_telemetry.machines")).toBe(2);
    expect(await rowsIn(target, "factory_telemetry.metric_hist")).toBe(0);
  });
});

describe("the embedded database, of the Community edition", () => {
  const embedded = embeddedDatabase();
  const out = join(folder, "embedded");

  it("hands out rows of the columnstore, and leaves out what up makes of them", async () => {
    await createOwner(embedded.target);
    await inDatabase(
      embedded.target,
      "SET ROLE ms5_owner",
      "CREATE SCHEMA line",
      "CREATE TABLE line.speeds (ts timestamptz NOT NULL, machine int, speed real)",
      "SELECT create_hypertable('line.speeds', by_range('ts', INTERVAL '1 day'), create_default_indexes => false)",
      "ALTER TABLE line.speeds SET (timescaledb.enable_columnstore = true, timescaledb.segmentby = 'machine')",
      "INSERT INTO line.speeds SELECT '2026-01-01'::timestamptz + i * interval '1 minute', i % 3, i FROM generate_series(0, 4999) AS i",
      `CREATE MATERIALIZED VIEW line.hourly WITH (timescaledb.continuous) AS
       SELECT time_bucket('1 hour', ts) AS hour, max(speed) AS speed FROM line.speeds GROUP BY 1 WITH NO DATA`,
      "CREATE VIEW line.above AS SELECT * FROM line.hourly",
      "CREATE VIEW line.beside AS SELECT time_bucket('1 day', ts) AS day, count(*) FROM line.speeds GROUP BY 1",
      "SELECT compress_chunk(chunk) FROM show_chunks('line.speeds') AS chunk LIMIT 1",
    );
    await exportDatabase(embedded.target, {
      stack: "local",
      folder: out,
      kind: "full",
      lockTimeoutMs: 10_000,
      log: silent,
    });
    expect(manifestOf(out)).toMatchObject({
      server: { license: "timescale" },
      notExported: { continuousAggregates: ["line.hourly"], views: ["line.above"] },
    });

    const target = await emptyDatabase(source, "from_embedded");
    expect((await imported(target, out)).code).toBe(0);
    const sums = "SELECT count(*), sum(speed), sum(machine), max(ts) FROM line.speeds";
    expect(await inDatabase(target, sums)).toEqual(await inDatabase(embedded.target, sums));
    expect(await rowsIn(target, "line.beside")).toBe(4);
  });

  it("takes no import", async () => {
    const work = importDatabase(embedded.target, { folder: out, lockTimeoutMs: 10_000, log: silent });
    await expect(work).rejects.toThrow(/the embedded database takes no import/);
  });
});

describe("copying back", () => {
  const lost = { from: "2026-01-05T00:00:00Z", to: "2026-01-06T00:00:00Z" };
  const hist = "factory_telemetry.metric_hist";
  const told: string[] = [];
  const copy = (table: string, range: { from?: string; to?: string } = {}) =>
    copyBack(source.admin, other.admin, { table, ...range }, (line) => told.push(line));

  it("brings back a time of a hypertable, and nothing when it is done again", async () => {
    await inDatabase(
      other.admin,
      `DELETE FROM ${hist} WHERE ts >= '2026-01-05T12:00:00Z' AND ts < '2026-01-06T12:00:00Z'`,
    );
    const day = 86_400;
    expect(await copy(hist, lost)).toEqual({ read: day, inserted: day / 2, alreadyThere: day / 2 });
    expect(await rowsIn(other.admin, hist)).toBe(samples - day / 2);
    expect(await copy(hist, lost)).toEqual({ read: day, inserted: 0, alreadyThere: day });
    expect(told.join("\n")).toMatch(/86,400 rows read/);
  });

  it("keeps identities, computes generated columns and lets triggers see the rows", async () => {
    await inDatabase(other.admin, "DELETE FROM plant.a_valves", "DELETE FROM plant.b_tanks");
    const noted = await rowsIn(other.admin, "plant.noted");
    expect(await copy("plant.b_tanks")).toEqual({ read: 2, inserted: 2, alreadyThere: 0 });
    expect(await inDatabase(other.admin, "TABLE plant.b_tanks")).toEqual(
      await inDatabase(source.admin, "TABLE plant.b_tanks"),
    );
    expect(await rowsIn(other.admin, "plant.noted")).toBe(noted + 4);
  });

  it("does not double the rows of a table without a key, and keeps those that are equal", async () => {
    await inDatabase(
      source.admin,
      "INSERT INTO plant.a_valves SELECT * FROM plant.a_valves ORDER BY ts LIMIT 2",
      "INSERT INTO plant.a_valves VALUES (NULL, '2026-01-01', NULL)",
    );
    const range = { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" };
    expect(await copy("plant.a_valves", range)).toEqual({ read: 7, inserted: 7, alreadyThere: 0 });
    expect(await copy("plant.a_valves", range)).toEqual({ read: 7, inserted: 0, alreadyThere: 7 });
    await inDatabase(other.admin, "DELETE FROM plant.a_valves WHERE open");
    expect(await copy("plant.a_valves", range)).toEqual({ read: 7, inserted: 3, alreadyThere: 4 });
    expect(await rowsIn(other.admin, "plant.a_valves")).toBe(7);
  });

  it("refuses other columns, a range where there is no time, and tables that are not there", async () => {
    await inDatabase(other.admin, "ALTER TABLE plant.b_tanks ALTER at TYPE timestamptz, ADD extra text");
    await expect(copy("plant.b_tanks")).rejects.toThrow(
      /at \(timestamp without time zone and timestamp with time zone\), extra \(missing and text\)/,
    );
    await expect(copy("factory_telemetry.machines", lost)).rejects.toThrow(/is no hypertable/);
    await expect(copy("plant.c")).rejects.toThrow(/there is no table plant\.c/);
  });

  it("adds nothing when a row is refused", async () => {
    await inDatabase(
      other.admin,
      "DELETE FROM factory_telemetry.energy_consumption",
      "DELETE FROM factory_telemetry.production_context_history",
      "DELETE FROM factory_telemetry.machines WHERE code = 'm-1'",
    );
    await expect(copy("factory_telemetry.energy_consumption")).rejects.toThrow(
      /nothing was copied: .*violates foreign key constraint/,
    );
    expect(await rowsIn(other.admin, "factory_telemetry.energy_consumption")).toBe(0);
  });
});
