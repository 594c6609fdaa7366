/**
 * The runner on the embedded TimescaleDB. What needs a second session (a held lock, a killed runner, a replica) is
 * in migrationServer.test.ts; read-only mode is simulated here and real there.
 */
import type { Client } from "pg";
import { beforeEach, describe, expect, it } from "vitest";
import { ExitCode } from "../../infra/errors";
import type { Migration } from "../../infra/schema/migrations/files";
import { type FileProgress, plan, resolve, undo, up, verify } from "../../infra/schema/migrations/runner";
import { withClient } from "../../infra/schema/postgres";
import { embedded } from "../support/embedded";
import { migrations, runOptions } from "../support/migrationFiles";

const database = embedded();

const schema = ["CREATE SCHEMA lab;", "DROP SCHEMA lab;"] as const;
const table = ["CREATE TABLE lab.t (a int);", "-- ms5: drops lab.t\nDROP TABLE lab.t;"] as const;
const index = ["CREATE INDEX t_a ON lab.t (a);", "DROP INDEX lab.t_a;"] as const;
const three = migrations({ "0001-schema": schema, "0002-table": table, "0003-index": index });
const two = three.slice(0, 2);

beforeEach(async () => {
  await inDatabase(async (client) => {
    await client.query("DROP SCHEMA IF EXISTS ms5 CASCADE");
    await client.query("DROP SCHEMA IF EXISTS lab CASCADE");
  });
});

function inDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(database.target, work);
}

const run = (files: readonly Migration[]) => inDatabase((client) => up(client, files, runOptions()));

async function rows(text: string): Promise<unknown[]> {
  return inDatabase(async (client) => (await client.query({ text, rowMode: "array" })).rows);
}

const appliedFiles = async () => (await rows("SELECT file FROM ms5.migrations ORDER BY number")).flat();
/** The audit, without times. */
const log = () => rows("SELECT direction, result, file FROM ms5.migration_log ORDER BY id");
const exists = async (name: string) => (await rows(`SELECT to_regclass('${name}') IS NOT NULL`)).flat()[0];

describe("up", () => {
  it("applies what is pending, in order, and records who, where, when, how long and what", async () => {
    const seen: FileProgress[] = [];
    const done = await inDatabase((client) =>
      up(client, two, runOptions({ onFile: (progress) => seen.push(progress) })),
    );
    expect(done.map(({ file }) => file)).toEqual(["0001-schema.sql", "0002-table.sql"]);
    expect(seen.map(({ event, file }) => `${event} ${file}`)).toEqual([
      "started 0001-schema.sql",
      "finished 0001-schema.sql",
      "started 0002-table.sql",
      "finished 0002-table.sql",
    ]);
    expect(await exists("lab.t")).toBe(true);

    const [entry] = await inDatabase(
      async (client) => (await client.query("SELECT * FROM ms5.migration_log WHERE number = 2")).rows,
    );
    expect(entry).toMatchObject({
      direction: "up",
      result: "applied",
      file: "0002-table.sql",
      sha256: two[1]?.forward.sha256,
      database_user: "postgres",
      actor: "anna",
      host: "build-1",
      detail: null,
    });
    expect(Date.now() - entry.at.getTime()).toBeLessThan(60_000);
    expect(entry.duration_ms).toBeGreaterThanOrEqual(0);

    const { applied, pending, problems } = await inDatabase((client) => plan(client, three));
    expect(applied.map(({ file, actor }) => [file, actor])).toEqual([
      ["0001-schema.sql", "anna@build-1"],
      ["0002-table.sql", "anna@build-1"],
    ]);
    expect(pending.map(({ forward }) => forward.file)).toEqual(["0003-index.sql"]);
    expect(problems).toEqual([]);
  });

  it("does nothing the second time", async () => {
    await run(two);
    expect(await run(two)).toEqual([]);
    expect(await log()).toHaveLength(2);
  });

  it("is planned without touching the database", async () => {
    const { applied, pending } = await inDatabase((client) => plan(client, two));
    expect([applied.length, pending.length]).toEqual([0, 2]);
    expect((await inDatabase((client) => verify(client, two))).problems).toEqual([]);
    expect(await exists("ms5.migrations")).toBe(false);
  });

  it("rolls a file back that fails half-way, keeps those before it, and carries on when it is corrected", async () => {
    const broken = migrations({
      "0001-schema": schema,
      "0002-table": ["CREATE TABLE lab.t (a int);\nCREATE TABLE lab.t (a int);", table[1]],
      "0003-index": index,
    });
    await expect(run(broken)).rejects.toMatchObject({
      message: [
        '0002-table.sql:2:1: relation "t" already exists (SQLSTATE 42P07)',
        "  2 | CREATE TABLE lab.t (a int);",
        "    | ^",
        "0002-table.sql was rolled back. 0001-schema.sql before it stays applied.",
      ].join("\n"),
      fix: "correct 0002-table.sql and run this again",
      exitCode: ExitCode.failed,
    });
    expect(await exists("lab.t")).toBe(false);
    expect(await appliedFiles()).toEqual(["0001-schema.sql"]);
    expect(await log()).toEqual([
      ["up", "applied", "0001-schema.sql"],
      ["up", "failed", "0002-table.sql"],
    ]);
    expect((await rows("SELECT detail FROM ms5.migration_log WHERE result = 'failed'")).flat()).toEqual([
      'relation "t" already exists',
    ]);

    await run(three);
    expect(await appliedFiles()).toHaveLength(3);
    expect((await inDatabase((client) => verify(client, three))).problems).toEqual([]);
  });

  it("points into the line where PostgreSQL knows the place", async () => {
    const broken = migrations({
      "0001-schema": ["CREATE SCHEMA lab;\n\nSELECT 1,\n  'ä😀', oops;", schema[1]],
    });
    await expect(run(broken)).rejects.toThrow('0001-schema.sql:4:9: column "oops" does not exist');
  });

  it("rolls back what fails only at the commit", async () => {
    const deferred = migrations({
      "0001-schema": [
        `CREATE SCHEMA lab; CREATE TABLE lab.a (id int PRIMARY KEY);
         CREATE TABLE lab.b (id int REFERENCES lab.a DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO lab.b VALUES (1);`,
        schema[1],
      ],
    });
    await expect(run(deferred)).rejects.toThrow("0001-schema.sql: at its end: insert or update on table");
    expect(await appliedFiles()).toEqual([]);
    expect(await log()).toEqual([["up", "failed", "0001-schema.sql"]]);
    expect(await exists("lab.a")).toBe(false);
  });

  it("refuses an edited file by name; taking it back and applying it again is the way out", async () => {
    await run(two);
    const edited = migrations({
      "0001-schema": schema,
      "0002-table": ["CREATE TABLE lab.t (b int);", table[1]],
    });
    await expect(run(edited)).rejects.toThrow(
      /0002-table\.sql was edited after it was applied \(applied 20.*anna/,
    );
    expect(await log()).toHaveLength(2);

    await inDatabase((client) => undo(client, edited, 1, runOptions()));
    await run(edited);
    expect((await rows("SELECT b FROM lab.t")).length).toBe(0);
  });

  it("refuses when an applied file is missing, and when a new one is below the newest", async () => {
    await run(three);
    await expect(run(three.slice(1))).rejects.toThrow("0001-schema.sql is applied");
    await inDatabase((client) => undo(client, three, "all", runOptions()));
    await run(migrations({ "0001-schema": schema, "0003-table": table }));
    await expect(
      run(migrations({ "0001-schema": schema, "0002-new": ["SELECT 1;", "SELECT 1;"], "0003-table": table })),
    ).rejects.toThrow("0002-new.sql is new, but its number is below 0003-table.sql");
    expect(await appliedFiles()).toEqual(["0001-schema.sql", "0003-table.sql"]);
  });

  it("refuses a read-only session (simulated: default_transaction_read_only)", async () => {
    await inDatabase(async (client) => {
      await client.query("SET default_transaction_read_only = on");
      await expect(up(client, two, runOptions())).rejects.toMatchObject({
        message: "this session is read-only (default_transaction_read_only is on)",
        exitCode: ExitCode.refused,
      });
      await expect(undo(client, two, 1, runOptions())).rejects.toThrow("read-only");
    });
    expect(await exists("ms5.migrations")).toBe(false);
  });

  it("is not kept out by a lock that an earlier client of the shared session left (simulated)", async () => {
    await inDatabase(async (client) => {
      await client.query("SELECT pg_advisory_lock(7173941, 1)");
      await up(client, two, runOptions());
    });
    expect((await rows("SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory'")).flat()).toEqual([
      0,
    ]);
  });

  it("keeps role and settings as they were, whatever a file sets, and after an error", async () => {
    await inDatabase(async (client) => {
      await client.query("DROP ROLE IF EXISTS lab_owner");
      await client.query("CREATE ROLE lab_owner");
      await client.query("SET search_path = pg_catalog");
      const files = migrations({
        "0001-schema": [
          "CREATE SCHEMA lab AUTHORIZATION lab_owner; SET LOCAL ROLE lab_owner; SET LOCAL search_path = lab; CREATE TABLE t (a int);",
          "SELECT 1;",
        ],
        "0002-bad": ["SET LOCAL ROLE lab_owner; SELECT 1/0;", "SELECT 1;"],
      });
      await expect(up(client, files, runOptions())).rejects.toThrow("division by zero");
      const { rows } = await client.query(`
        SELECT current_user, current_setting('search_path') AS path, current_setting('lock_timeout') AS lock,
               (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks,
               now() = statement_timestamp() AS outside, tableowner FROM pg_tables WHERE tablename = 't'`);
      expect(rows).toEqual([
        {
          current_user: "postgres",
          path: "pg_catalog",
          lock: "0",
          locks: 0,
          outside: true,
          tableowner: "lab_owner",
        },
      ]);
      expect((await client.query("SELECT result FROM ms5.migration_log ORDER BY id")).rows).toEqual([
        { result: "applied" },
        { result: "failed" },
      ]);
      await client.query("DROP SCHEMA lab CASCADE");
      await client.query("DROP ROLE lab_owner");
    });
  });
});

describe("outside a transaction", () => {
  const concurrently = (statement: string) =>
    migrations({
      "0001-schema": schema,
      "0002-table": ["CREATE TABLE lab.t (a int); INSERT INTO lab.t VALUES (1), (1);", table[1]],
      "0003-index": [
        `-- ms5: no-transaction\n${statement}`,
        "-- ms5: no-transaction\nDROP INDEX CONCURRENTLY lab.t_a;",
      ],
    });
  const good = concurrently("CREATE INDEX CONCURRENTLY t_a ON lab.t (a);");

  it("runs a statement that cannot be in one, framed by `started` and `applied`", async () => {
    await inDatabase(async (client) => {
      await up(client, good, runOptions());
      const timeouts =
        "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement";
      expect((await client.query(timeouts)).rows).toEqual([{ lock: "0", statement: "0" }]);
    });
    expect(await exists("lab.t_a")).toBe(true);
    expect((await log()).slice(2)).toEqual([
      ["up", "started", "0003-index.sql"],
      ["up", "applied", "0003-index.sql"],
    ]);
    expect((await inDatabase((client) => verify(client, good))).problems).toEqual([]);
    await inDatabase((client) => undo(client, good, 1, runOptions()));
    expect(await exists("lab.t_a")).toBe(false);
    expect((await log()).slice(4)).toEqual([
      ["undo", "started", "0003-index.undo.sql"],
      ["undo", "undone", "0003-index.undo.sql"],
    ]);
  });

  it("does not take a failed one for applied", async () => {
    const bad = concurrently("CREATE UNIQUE INDEX CONCURRENTLY t_a ON lab.t (a);");
    await expect(run(bad)).rejects.toMatchObject({
      message: expect.stringContaining("0003-index.sql:2:1: could not create unique index"),
      fix: "look whether part of its work remains and take that back, correct 0003-index.sql and run this again",
    });
    expect(await appliedFiles()).toEqual(["0001-schema.sql", "0002-table.sql"]);
    expect((await log()).slice(2)).toEqual([
      ["up", "started", "0003-index.sql"],
      ["up", "failed", "0003-index.sql"],
    ]);
    await run(good);
    expect(await exists("lab.t_a")).toBe(true);
  });

  it("keeps a file applied whose undo failed", async () => {
    await run(good);
    await rows("DROP INDEX lab.t_a");
    await expect(inDatabase((client) => undo(client, good, 1, runOptions()))).rejects.toThrow(
      'index "t_a" does not exist',
    );
    expect(await appliedFiles()).toContain("0003-index.sql");
    expect((await inDatabase((client) => verify(client, good))).problems).toEqual([]);
  });

  it.each([
    ["applied", "applying", ["0001-schema.sql", "0002-table.sql", "0003-index.sql"]],
    ["not-applied", "applying", ["0001-schema.sql", "0002-table.sql"]],
    ["applied", "undoing", ["0001-schema.sql", "0002-table.sql", "0003-index.sql"]],
    ["not-applied", "undoing", ["0001-schema.sql", "0002-table.sql"]],
  ] as const)(
    "stops at a file that was cut off until a person says `%s` (simulated, %s)",
    async (outcome, state, left) => {
      await run(good);
      await rows(`UPDATE ms5.migrations SET state = '${state}' WHERE number = 3`);
      for (const attempt of [run(good), inDatabase((client) => undo(client, good, 1, runOptions()))])
        await expect(attempt).rejects.toThrow(/0003-index\.sql was started at 20.* did not finish/);

      await inDatabase((client) => resolve(client, 3, outcome, runOptions()));
      expect(await appliedFiles()).toEqual(left);
      expect((await inDatabase((client) => verify(client, good))).problems).toEqual([]);
      expect((await log()).at(-1)).toEqual([
        "resolve",
        outcome === "applied" ? "applied" : "undone",
        "0003-index.sql",
      ]);
      await expect(inDatabase((client) => resolve(client, 3, outcome, runOptions()))).rejects.toThrow(
        "migration 3 is not in doubt",
      );
    },
  );
});

describe("undo", () => {
  const back = (count: number | "all", files: readonly Migration[] = three, dropData = false) =>
    inDatabase((client) => undo(client, files, count, runOptions({ dropData })));

  it("takes the newest back first, is in the log, and leaves a database that can go up again", async () => {
    await run(three);
    expect((await back(2)).map(({ file }) => file)).toEqual(["0003-index.undo.sql", "0002-table.undo.sql"]);
    expect(await appliedFiles()).toEqual(["0001-schema.sql"]);
    expect((await back("all")).map(({ file }) => file)).toEqual(["0001-schema.undo.sql"]);
    expect(await back("all")).toEqual([]);
    expect((await log()).slice(3)).toEqual([
      ["undo", "undone", "0003-index.undo.sql"],
      ["undo", "undone", "0002-table.undo.sql"],
      ["undo", "undone", "0001-schema.undo.sql"],
    ]);
    await run(three);
    expect((await inDatabase((client) => verify(client, three))).problems).toEqual([]);
  });

  it("refuses more than there is, and a file that is missing", async () => {
    await run(three);
    await expect(back(4)).rejects.toThrow("cannot undo 4 migrations: 3 are applied");
    await expect(back(1, two)).rejects.toThrow("0003-index.sql is applied");
    expect(await appliedFiles()).toHaveLength(3);
  });

  it("refuses to drop rows before anything is undone; with dropData it does and says so in the log", async () => {
    await run(three);
    await rows("INSERT INTO lab.t VALUES (1)");
    await expect(back("all")).rejects.toMatchObject({
      message: "undoing would drop rows: lab.t holds data",
      fix: "back the data up, then add --drop-data if it may go",
      exitCode: ExitCode.refused,
    });
    expect(await appliedFiles()).toHaveLength(3);
    expect(await exists("lab.t_a")).toBe(true);

    await back("all", three, true);
    expect(
      (await rows("SELECT detail FROM ms5.migration_log WHERE file = '0002-table.undo.sql'")).flat(),
    ).toEqual(["dropped the rows of lab.t"]);
  });

  it.each([
    ["a table", "DROP TABLE lab.t;"],
    ["a column", "ALTER TABLE lab.t DROP COLUMN a;"],
    ["a table it cascades to", "DROP SCHEMA lab CASCADE;"],
  ])("rolls an undo back that drops %s without naming it", async (_, sql) => {
    const files = migrations({ "0001-schema": schema, "0002-table": [table[0], sql] });
    await run(files);
    await rows("INSERT INTO lab.t VALUES (1)");
    await expect(back(1, files, true)).rejects.toMatchObject({
      message: expect.stringContaining(
        "0002-table.undo.sql drops lab.t, or columns of it, without saying so in its header",
      ),
      fix: expect.stringContaining("`-- ms5: drops lab.t`"),
    });
    expect((await rows("SELECT a FROM lab.t")).flat()).toEqual([1]);
    expect(await appliedFiles()).toHaveLength(2);
    expect((await log()).at(-1)).toEqual(["undo", "failed", "0002-table.undo.sql"]);
  });

  it("keeps what is undone when a later file fails", async () => {
    const files = migrations({
      "0001-schema": [schema[0], "DROP SCHEMA lab; SELECT 1/0;"],
      "0002-table": table,
    });
    await run(files);
    await expect(back("all", files)).rejects.toThrow(
      /0001-schema\.undo\.sql:1:18: division by zero[\s\S]*0002-table\.undo\.sql before it stays undone/,
    );
    expect(await appliedFiles()).toEqual(["0001-schema.sql"]);
    expect((await inDatabase((client) => verify(client, files))).problems).toEqual([]);
  });

  it("looks into continuous aggregates too: they keep what retention has taken from the table", async () => {
    const files = migrations({
      "0001-schema": schema,
      "0002-table": [
        "CREATE TABLE lab.t (time timestamptz NOT NULL, v real) WITH (tsdb.hypertable, tsdb.partition_column = 'time');",
        "-- ms5: drops lab.t\nDROP MATERIALIZED VIEW lab.daily; DROP MATERIALIZED VIEW lab.hourly; DROP TABLE lab.t;",
      ],
    });
    await run(files);
    const aggregate = (name: string, source: string, width: string, column: string) =>
      rows(`CREATE MATERIALIZED VIEW lab.${name} WITH (timescaledb.continuous) AS
            SELECT time_bucket('${width}', ${column}) AS bucket, max(${source === "t" ? "v" : "top"}) AS top FROM lab.${source} GROUP BY 1 WITH NO DATA`);
    await aggregate("hourly", "t", "1 hour", "time");
    await aggregate("daily", "hourly", "1 day", "bucket");
    await rows("INSERT INTO lab.t VALUES ('2026-01-01', 1)");
    await rows("CALL refresh_continuous_aggregate('lab.hourly', NULL, NULL)");
    await rows("CALL refresh_continuous_aggregate('lab.daily', NULL, NULL)");
    await rows("SELECT drop_chunks('lab.t', TIMESTAMPTZ '2026-02-01')");
    expect((await rows("SELECT * FROM lab.t")).length).toBe(0);
    await expect(back(1, files)).rejects.toThrow("undoing would drop rows: lab.daily, lab.hourly hold data");
    await back("all", files, true);
    expect(await exists("lab.daily")).toBe(false);
  });
});

describe("the ledger", () => {
  it.each([
    "UPDATE ms5.migration_log SET actor = 'eve'",
    "DELETE FROM ms5.migration_log",
    "TRUNCATE ms5.migration_log",
  ])("refuses %s", async (statement) => {
    await run(two);
    await expect(rows(statement)).rejects.toThrow("ms5.migration_log is append-only");
    expect(await log()).toHaveLength(2);
  });

  it.each([
    [
      "DELETE FROM ms5.migrations WHERE number = 2",
      "0002-table.sql was applied by the log and never undone, but is not in ms5.migrations",
    ],
    [
      "UPDATE ms5.migrations SET sha256 = 'abc' WHERE number = 2",
      "0002-table.sql is recorded with another sha256 in ms5.migrations (abc)",
    ],
    [
      "INSERT INTO ms5.migrations (number, file, sha256, state, actor) VALUES (9, '0009-x.sql', 'abc', 'applied', 'eve')",
      "0009-x.sql is in ms5.migrations as applied, but the log does not know it",
    ],
    [
      "ALTER TABLE ms5.migration_log DISABLE TRIGGER append_only",
      "the trigger that keeps ms5.migration_log append-only is missing or disabled",
    ],
  ])("is verified against its log: %s", async (statement, sentence) => {
    await run(two);
    expect((await inDatabase((client) => verify(client, two))).problems).toEqual([]);
    await rows(statement);
    const { problems } = await inDatabase((client) => verify(client, two));
    expect(problems.map(({ message }) => message).join("\n")).toContain(sentence);
  });

  it("says who may read it", async () => {
    await run(two);
    await inDatabase(async (client) => {
      await client.query("CREATE ROLE lab_nobody");
      await client.query("SET ROLE lab_nobody");
      await expect(plan(client, two)).rejects.toMatchObject({
        message: expect.stringContaining("this login may not read the migration ledger"),
      });
      await client.query("RESET ROLE");
      await client.query("DROP ROLE lab_nobody");
    });
  });
});
