// What only real sessions show of the migration runner: another runner's lock, a busy table, a replica, timeouts, and
// a connection that ends half-way. Each has an error of its own, and the ledger stays true.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UserError } from "../../infra/errors";
import { readMigrations } from "../../infra/schema/migrations/files";
import { withMigrationLock } from "../../infra/schema/migrations/lock";
import { plan, type RunOptions, resolve, up, verify } from "../../infra/schema/migrations/runner";
import { type Client, withClient, withTransaction } from "../../infra/schema/postgres";
import { startServer, type TestServer } from "./support/server";
import { until } from "./support/until";

const options: RunOptions = {
  actor: { user: "tester", host: "here" },
  lockTimeoutMs: 500,
  statementTimeoutMs: 60_000,
};

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ms5-e2e-migrations-"));
  await asAdmin(async (client) => {
    await client.query("DROP SCHEMA IF EXISTS ms5 CASCADE; DROP SCHEMA IF EXISTS plant CASCADE");
  });
  file(
    "0001-plant",
    "CREATE SCHEMA plant; CREATE TABLE plant.machine (id int)",
    "DROP TABLE plant.machine; DROP SCHEMA plant",
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, forward: string, undo = "SELECT 1"): void {
  writeFileSync(join(folder, `${name}.sql`), forward);
  writeFileSync(join(folder, `${name}.undo.sql`), `-- ms5: drops plant.machine\n${undo}`);
}

function asAdmin<T>(work: (client: Client) => Promise<T>, applicationName?: string): Promise<T> {
  return withClient(server.admin, work, applicationName);
}

async function runUp(overrides: Partial<RunOptions> = {}): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const done = await asAdmin((client) => up(client, migrations, { ...options, ...overrides }));
  return done.map((finished) => finished.file);
}

/** The error of a run, which must fail; it holds no password. */
async function failure(run: Promise<unknown>): Promise<UserError> {
  const error = await run.then(
    () => {
      throw new Error("it did not fail");
    },
    (reason: unknown) => reason as UserError,
  );
  expect(error).toMatchObject({ name: "UserError" });
  expect(`${error.stack}${error.fix}`).not.toContain(server.admin.password);
  return error;
}

/** What is recorded, which must agree with the audit log. */
async function ledger(): Promise<Record<string, string>> {
  const migrations = await readMigrations(folder);
  const { problems } = await asAdmin((client) => verify(client, migrations));
  expect(problems.filter(({ kind }) => kind === "ledger")).toEqual([]);
  return asAdmin(async (client) => {
    const { rows } = await client.query<{ file: string; state: string }>(
      "SELECT file, state FROM ms5.migrations ORDER BY number",
    );
    return Object.fromEntries(rows.map((row) => [row.file, row.state]));
  });
}

async function exists(relation: string): Promise<boolean> {
  return asAdmin(async (client) => {
    const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [
      relation,
    ]);
    return rows[0]?.there === true;
  });
}

/** Ends the session that runs a query like this one, as an administrator or a failover would. */
async function terminate(query: string): Promise<void> {
  await until(`a session runs ${query}`, () =>
    withClient(server.superuser, async (client) => {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE query LIKE $1 AND state = 'active' AND pid <> pg_backend_pid()`,
        [`${query}%`],
      );
      return rowCount === 1;
    }),
  );
}

describe("another runner", () => {
  it("is waited for, and named when it does not end", async () => {
    await asAdmin(
      (other) =>
        withMigrationLock(other, 0, async () => {
          const error = await failure(runUp());
          expect(error.message).toMatch(
            /^waited 0\.5 s for the migration lock; it is held by another runner, server process \d+ \(user ms5_admin, application the other one, connected since /,
          );
          expect(error.fix).toMatch(/pg_terminate_backend\(\d+\)/);
        }),
      "the other one",
    );
    expect(await exists("ms5.migrations")).toBe(false);
    expect(await runUp()).toEqual(["0001-plant.sql"]);
  });

  it("at the same time applies nothing twice", async () => {
    file("0002-slow", "SELECT pg_sleep(0.3); CREATE TABLE plant.slow (id int)");
    const runs = await Promise.all([1, 2, 3].map(() => runUp({ lockTimeoutMs: 20_000 })));
    expect(runs.flat().sort()).toEqual(["0001-plant.sql", "0002-slow.sql"]);
    expect(await ledger()).toEqual({ "0001-plant.sql": "applied", "0002-slow.sql": "applied" });
  });

  it("that was killed blocks nobody", async () => {
    const killed = asAdmin((other) =>
      withMigrationLock(other, 0, async () => other.query("SELECT pg_sleep(60) /* holds the lock */")),
    ).catch((error: Error) => error.message);
    await terminate("SELECT pg_sleep(60) /* holds the lock */");
    expect(await killed).toMatch(/terminating connection/);
    expect(await runUp()).toEqual(["0001-plant.sql"]);
  });
});

describe("a file that fails on a real server", () => {
  it("gives up waiting for a table that a writer holds, and says who is in the way", async () => {
    await runUp();
    file("0002-column", "ALTER TABLE plant.machine ADD COLUMN name text");
    await asAdmin((writer) =>
      withTransaction(writer, async () => {
        await writer.query("INSERT INTO plant.machine VALUES (1)");
        const error = await failure(runUp());
        expect(error.message).toMatch(
          /^0002-column\.sql:1:1: canceling statement due to lock timeout \(SQLSTATE 55P03\)/,
        );
        expect(error.fix).toMatch(/another session kept a lock for more than 0\.5 s/);
      }),
    );
    expect(await ledger()).toEqual({ "0001-plant.sql": "applied" });
    expect(await runUp()).toEqual(["0002-column.sql"]);
  });

  it("is stopped by the statement timeout, and rolled back whole", async () => {
    file("0002-long", "CREATE TABLE plant.long (id int);\nSELECT pg_sleep(60)");
    const error = await failure(runUp({ statementTimeoutMs: 300 }));
    expect(error.message).toMatch(
      /^0002-long\.sql:2:1: canceling statement due to statement timeout \(SQLSTATE 57014\)/,
    );
    expect(error.message).toMatch(/0001-plant\.sql before it stays applied/);
    expect(error.fix).toMatch(/took more than 0\.3 s/);
    expect(await ledger()).toEqual({ "0001-plant.sql": "applied" });
    expect(await exists("plant.long")).toBe(false);
  });

  it("whose connection is lost in a transaction is rolled back, and runs again", async () => {
    file("0002-lost", "CREATE TABLE plant.lost (id int);\nSELECT pg_sleep(1) /* lost */");
    const run = failure(runUp());
    await terminate("SELECT pg_sleep(1) /* lost */");
    const error = await run;
    expect(error.message).toMatch(/^the connection was lost while 0002-lost\.sql ran: /);
    expect(error.message).toMatch(/The server rolls 0002-lost\.sql back/);
    expect(await ledger()).toEqual({ "0001-plant.sql": "applied" });
    expect(await exists("plant.lost")).toBe(false);
    expect(await runUp()).toEqual(["0002-lost.sql"]);
  });

  it("whose connection is lost outside a transaction stays in doubt until a person decides", async () => {
    await runUp();
    file("0002-index", "-- ms5: no-transaction\nCREATE INDEX CONCURRENTLY machine_id ON plant.machine (id)");
    // An older transaction on the table: CONCURRENTLY waits for its end.
    await asAdmin((writer) =>
      withTransaction(writer, async () => {
        await writer.query("INSERT INTO plant.machine VALUES (1)");
        const run = failure(runUp({ lockTimeoutMs: 60_000 }));
        await terminate("CREATE INDEX CONCURRENTLY machine_id");
        expect((await run).message).toMatch(/the ledger keeps it as started and not finished/);
      }),
    );
    expect(await ledger()).toEqual({ "0001-plant.sql": "applied", "0002-index.sql": "applying" });
    const refused = await failure(runUp());
    expect(refused.message).toMatch(
      /^0002-index\.sql was started at .* by tester@here outside a transaction and did not finish/,
    );
    expect(refused.fix).toMatch(/migrate resolve 2 applied\|not-applied/);

    await asAdmin(async (client) => {
      await client.query("DROP INDEX plant.machine_id");
      await resolve(client, 2, "not-applied", options);
    });
    expect(await runUp()).toEqual(["0002-index.sql"]);
    expect(await ledger()).toEqual({ "0001-plant.sql": "applied", "0002-index.sql": "applied" });
  });
});

describe("a read-only replica", () => {
  it("shows the plan, and refuses to run it", async () => {
    await runUp();
    file("0002-later", "CREATE TABLE plant.later (id int)");
    const migrations = await readMigrations(folder);
    const standby = await server.standby();
    try {
      await withClient(standby.admin, async (client) => {
        const { applied, pending } = await plan(client, migrations);
        expect(applied.map((row) => row.file)).toEqual(["0001-plant.sql"]);
        expect(pending.map((migration) => migration.forward.file)).toEqual(["0002-later.sql"]);
        const error = await failure(up(client, migrations, options));
        expect(error).toMatchObject({
          message: "this server is a read-only replica: migrations run on the primary",
          exitCode: 2,
        });
      });
    } finally {
      await standby.stop();
    }
    expect(await ledger()).toEqual({ "0001-plant.sql": "applied" });
  });
});
