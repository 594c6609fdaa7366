/**
 * What takes two sessions, or a session that dies: on a plain PostgreSQL server of the machine's packages (without
 * TimescaleDB, which the runner does not need). Skipped where none is installed; test/unit/migrationLock.test.ts
 * and migrationRunner.test.ts have the same sentences in simulation.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ExitCode } from "../../infra/errors";
import { dumpSchema } from "../../infra/schema/migrations/dump";
import type { Migration } from "../../infra/schema/migrations/files";
import { plan, undo, up, verify } from "../../infra/schema/migrations/runner";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { migrations, runOptions } from "../support/migrationFiles";
import { type PostgresServer, postgresBinaries, startPostgres } from "../support/postgresServer";

const schema = ["CREATE SCHEMA lab;", "DROP SCHEMA lab;"] as const;
const table = ["CREATE TABLE lab.t (a int);", "-- ms5: drops lab.t\nDROP TABLE lab.t;"] as const;
const files = migrations({ "0001-schema": schema, "0002-table": table });

describe.skipIf(postgresBinaries === undefined)("on a PostgreSQL server", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    await sql("DROP SCHEMA IF EXISTS ms5 CASCADE");
    await sql("DROP SCHEMA IF EXISTS lab CASCADE");
  });

  function on<T>(target: ConnectionTarget, work: (client: Client) => Promise<T>, name?: string): Promise<T> {
    return withClient(target, work, name);
  }
  async function sql(text: string): Promise<unknown[]> {
    return on(server.target, async (client) => (await client.query({ text, rowMode: "array" })).rows.flat());
  }
  const run = (which: readonly Migration[], options = runOptions(), name = "ms5 runner") =>
    on(server.target, (client) => up(client, which, options), name);
  const appliedFiles = () => sql("SELECT file FROM ms5.migrations WHERE state = 'applied' ORDER BY number");

  /** Resolves with the pid of the session that runs a statement like `pattern`. */
  async function untilRunning(pattern: string): Promise<unknown> {
    for (;;) {
      const [pid] = await sql(
        `SELECT pid FROM pg_stat_activity WHERE query LIKE '${pattern}' AND state = 'active' AND pid <> pg_backend_pid()`,
      );
      if (pid !== undefined) return pid;
      await sleep(20);
    }
  }
  const slow = migrations({
    "0001-schema": schema,
    "0002-table": ["CREATE TABLE lab.t (a int);\nSELECT pg_sleep(20);", table[1]],
  });
  const slowOutside = migrations({
    "0001-schema": schema,
    "0002-table": table,
    "0003-wait": ["-- ms5: no-transaction\nSELECT pg_sleep(20);", "SELECT 1;"],
  });

  it("waits for another runner, then gives up and names it; a killed runner leaves nothing behind", async () => {
    const first = run(slow, runOptions(), "ms5 first");
    const firstFails = expect(first).rejects.toMatchObject({
      message: expect.stringMatching(
        /the connection was lost while 0002-table\.sql ran: terminating connection[\s\S]*0001-schema\.sql before it stays applied/,
      ),
      exitCode: ExitCode.failed,
    });
    const pid = await untilRunning("SELECT pg_sleep%");
    await expect(run(slow)).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(
          `^waited 0.5 s for the migration lock; it is held by another runner, server process ${pid} \\(user postgres, application ms5 first, connected since 20`,
        ),
      ),
      fix: expect.stringContaining(`pg_terminate_backend(${pid})`),
      exitCode: ExitCode.failed,
    });
    await sql(`SELECT pg_terminate_backend(${pid})`);
    await firstFails;
    expect(await appliedFiles()).toEqual(["0001-schema.sql"]);
    expect(await sql("SELECT to_regclass('lab.t') IS NULL")).toEqual([true]);
    await run(files);
    expect(await on(server.target, (client) => verify(client, files))).toMatchObject({
      pending: [],
      problems: [],
    });
  });

  it("lets two runners at the same time apply each file once", async () => {
    const [one, other] = await Promise.all([
      run(files, runOptions({ lockTimeoutMs: 10_000 })),
      run(files, runOptions({ lockTimeoutMs: 10_000 })),
    ]);
    expect([one.length, other.length].sort()).toEqual([0, 2]);
    expect(await sql("SELECT count(*)::int FROM ms5.migration_log")).toEqual([2]);
  });

  it("sees a file run by someone else outside a transaction, and remembers it when that one dies", async () => {
    const first = run(slowOutside);
    const firstFails = expect(first).rejects.toThrow("the ledger keeps it as started and not finished");
    const pid = await untilRunning("SELECT pg_sleep%");
    const during = await on(server.target, (client) => plan(client, slowOutside));
    expect(during.problems).toMatchObject([
      { kind: "running", message: expect.stringContaining(`server process ${pid}`) },
    ]);

    await sql(`SELECT pg_terminate_backend(${pid})`);
    await firstFails;
    await expect(run(slowOutside)).rejects.toThrow(
      /0003-wait\.sql was started at 20.* by anna@build-1 .* did not finish/,
    );
    expect(await appliedFiles()).toEqual(["0001-schema.sql", "0002-table.sql"]);
  });

  it("names the header that is missing, and what a failed statement outside a transaction left behind", async () => {
    const duplicates = ["CREATE TABLE lab.t (a int); INSERT INTO lab.t VALUES (1), (1);", table[1]] as const;
    const index = (text: string) =>
      migrations({
        "0001-schema": schema,
        "0002-table": duplicates,
        "0003-index": [text, "-- ms5: no-transaction\nDROP INDEX CONCURRENTLY lab.t_a;"],
      });
    await expect(run(index("CREATE INDEX CONCURRENTLY t_a ON lab.t (a);"))).rejects.toMatchObject({
      fix: "give 0003-index.sql the header `-- ms5: no-transaction`, with this one statement in it",
    });
    const unique = index("-- ms5: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t_a ON lab.t (a);");
    await expect(run(unique)).rejects.toMatchObject({
      message: expect.stringContaining("0003-index.sql:2:1: could not create unique index"),
      fix: "drop what it left behind (DROP INDEX lab.t_a), correct the cause and run this again",
    });
    expect(await appliedFiles()).toEqual(["0001-schema.sql", "0002-table.sql"]);
    expect(await on(server.target, (client) => dumpSchema(client))).toContain("(a); -- INVALID");

    await sql("DROP INDEX lab.t_a");
    const plain = index("-- ms5: no-transaction\nCREATE INDEX CONCURRENTLY t_a ON lab.t (a);");
    await run(plain);
    await on(server.target, (client) => undo(client, plain, 1, runOptions()));
    expect(await on(server.target, (client) => verify(client, plain))).toMatchObject({ problems: [] });
  });

  it("ends a statement that takes too long, and does not wait long for a busy table", async () => {
    await expect(run(slow, runOptions({ statementTimeoutMs: 200 }))).rejects.toMatchObject({
      message: expect.stringContaining("0002-table.sql:2:1: canceling statement due to statement timeout"),
      fix: expect.stringContaining("more than 0.2 s"),
    });
    await run(files);
    await on(server.target, async (writer) => {
      await writer.query("BEGIN; INSERT INTO lab.t VALUES (1)");
      const alter = migrations({
        "0001-schema": schema,
        "0002-table": table,
        "0003-column": ["ALTER TABLE lab.t ADD b int;", "-- ms5: drops lab.t\nALTER TABLE lab.t DROP b;"],
      });
      const busy = {
        message: expect.stringContaining("lock timeout"),
        fix: expect.stringContaining("kept a lock for more than 0.5 s"),
      };
      await expect(run(alter)).rejects.toMatchObject(busy);
      await writer.query("ROLLBACK");
    });
  });

  it("does not drop a row that is committed while the undo waits for its writer", async () => {
    await run(files);
    await on(server.target, async (writer) => {
      await writer.query("BEGIN; INSERT INTO lab.t VALUES (1)");
      const undoing = on(server.target, (client) =>
        undo(client, files, 1, runOptions({ lockTimeoutMs: 20_000 })),
      );
      const refused = expect(undoing).rejects.toThrow("lab.t holds data");
      await untilRunning("LOCK TABLE%");
      await writer.query("COMMIT");
      await refused;
    });
    expect(await sql("SELECT a FROM lab.t")).toEqual([1]);
  });

  it("refuses a read-only replica, which can still be asked for the plan", async () => {
    await run(files);
    const replica = await server.startReplica();
    try {
      await expect(on(replica.target, (client) => up(client, files, runOptions()))).rejects.toMatchObject({
        message: "this server is a read-only replica: migrations run on the primary",
        exitCode: ExitCode.refused,
      });
      expect(await on(replica.target, (client) => verify(client, files))).toMatchObject({
        pending: [],
        problems: [],
      });
    } finally {
      await replica.stop();
    }
  });

  it("dumps a schema without TimescaleDB", async () => {
    await run(files);
    expect(await on(server.target, (client) => dumpSchema(client))).toMatchInlineSnapshot(`
      "-- -------------------- lab
      CREATE SCHEMA lab AUTHORIZATION postgres;

      CREATE TABLE lab.t (
        a integer
      );
      ALTER TABLE lab.t OWNER TO postgres;
      "
    `);
  });
});
