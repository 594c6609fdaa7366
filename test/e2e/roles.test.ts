// Who may do what, by logging in and trying it; new passwords; and what someone changed by hand. Each test carries on
// with the stack the one before it left.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../infra/config";
import { engineVersion } from "../../infra/schema/handlers/handler";
import { owner, statedOwner } from "../../infra/schema/handlers/owner";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { type LoginRole, loginRoles, ownerRole } from "../../infra/schema/roleNames";
import type { StackResult } from "../../ops/engine/stack";
import { postgresql } from "../../ops/standins/postgresql";
import { startServer, type TestServer } from "./support/server";
import { TestStack } from "./support/stack";

let server: TestServer;
let stack: TestStack;
let passwords: Record<LoginRole, string>;
/** Every password the stack has ever given out. */
const seen: string[] = [];

beforeAll(async () => {
  server = await startServer();
  stack = new TestStack(server.admin);
  await up();
  passwords = await newPasswords();
  await withClient(server.superuser, async (client) => {
    await client.query(
      "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES ('2026-01-01', 1, 1, 1)",
    );
    await client.query("INSERT INTO factory_telemetry.machines (code, name) VALUES ('M1', 'Filler')");
  });
});
afterAll(async () => {
  stack?.remove();
  await server?.stop();
});

async function up(overrides: Parameters<TestStack["deploy"]>[1] = {}): Promise<StackResult> {
  const result = await stack.deploy("up", overrides);
  expect(result).toMatchObject({ result: "succeeded" });
  return result;
}

async function newPasswords(): Promise<Record<LoginRole, string>> {
  const found = await stack.passwords();
  seen.push(...Object.values(found));
  return found;
}

function loginAs(role: LoginRole, password = passwords[role]): ConnectionTarget {
  return { ...server.admin, user: loginRoles[role], password };
}

/** Runs statements in a transaction that is taken back; the last one's rows. */
function attempt(target: ConnectionTarget, sql: string): Promise<unknown[]> {
  return withClient(target, async (client) => {
    await client.query("BEGIN");
    const results: unknown = await client.query(sql);
    const last = Array.isArray(results) ? results.at(-1) : results;
    await client.query("ROLLBACK");
    return (last as { rows: unknown[] }).rows;
  });
}

const insufficientPrivilege = "42501";

const sample =
  "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES ('2026-01-02', 1, 1, 1)";
const machine = "INSERT INTO factory_telemetry.machines (code, name) VALUES ('M2', 'Capper')";

const allowed: readonly [LoginRole, string][] = [
  ["writer", sample],
  ["writer", `${sample} ON CONFLICT DO NOTHING`],
  ["writer", machine],
  ["writer", "UPDATE factory_telemetry.machines SET line = 'L1'"],
  ["writer", "SELECT FROM factory_telemetry.metric_hist"],
  [
    "writer",
    `INSERT INTO factory_telemetry.ingest_files (fingerprint, file_name) VALUES (repeat('0', 64), 'a.csv')`,
  ],
  ["reader", "SELECT FROM factory_telemetry.metric_hist"],
  ["reader", "SELECT FROM factory_telemetry.oee_calculations"],
  ["reader", "SELECT FROM factory_telemetry.machines"],
  ["reader", "SELECT FROM factory_telemetry.ingest_files"],
  ["monitor", "SELECT FROM pg_stat_database"],
  ["monitor", "SELECT pg_ls_waldir()"],
  ["migrator", `SET ROLE ${ownerRole}`],
  [
    "migrator",
    `SET ROLE ${ownerRole}; CREATE TABLE factory_telemetry.later (id int); DROP TABLE factory_telemetry.later`,
  ],
  ["migrator", `SET ROLE ${ownerRole}; CREATE SCHEMA later; DROP SCHEMA later`],
  ["migrator", `SET ROLE ${ownerRole}; SELECT file FROM ms5.migrations`],
];

const anyone: readonly LoginRole[] = ["migrator", "writer", "reader", "monitor"];
const besidesMigrator: readonly LoginRole[] = ["writer", "reader", "monitor"];
const refused: readonly [readonly LoginRole[], string][] = [
  [besidesMigrator, "UPDATE factory_telemetry.metric_hist SET value = 0"],
  [besidesMigrator, "DELETE FROM factory_telemetry.metric_hist"],
  [besidesMigrator, "TRUNCATE factory_telemetry.metric_hist"],
  [besidesMigrator, "SELECT drop_chunks('factory_telemetry.metric_hist', now())"],
  [besidesMigrator, "DROP TABLE factory_telemetry.metric_hist"],
  [besidesMigrator, "ALTER TABLE factory_telemetry.metric_hist ADD COLUMN x int"],
  [besidesMigrator, "DELETE FROM factory_telemetry.machines"],
  [["reader", "monitor"], sample],
  [["reader", "monitor"], machine],
  [["reader", "monitor"], "UPDATE factory_telemetry.machines SET line = 'L1'"],
  [["monitor"], "SELECT FROM factory_telemetry.metric_hist"],
  [["monitor"], "SELECT FROM factory_telemetry.machines"],
  [besidesMigrator, "CREATE TABLE factory_telemetry.mine (id int)"],
  [besidesMigrator, "CREATE SCHEMA mine"],
  [besidesMigrator, "SELECT FROM audit.changes"],
  [besidesMigrator, "DELETE FROM audit.changes"],
  [besidesMigrator, "SELECT FROM ms5.migrations"],
  [besidesMigrator, "DELETE FROM ms5.migration_log"],
  [besidesMigrator, `SET ROLE ${ownerRole}`],
  [anyone, "CREATE TABLE public.mine (id int)"],
  [anyone, "SET ROLE ms5_admin"],
  [anyone, "SET ROLE postgres"],
  [anyone, "CREATE ROLE mine"],
  [anyone, `ALTER ROLE ${loginRoles.writer} CREATEROLE`],
  [anyone, `GRANT ${ownerRole} TO ${loginRoles.reader}`],
  [anyone, "SELECT pg_read_file('/etc/passwd')"],
  [anyone, "COPY (SELECT 1) TO PROGRAM 'true'"],
  [["migrator"], `SET ROLE ${ownerRole}; CREATE ROLE mine`],
  [["migrator"], `SET ROLE ${ownerRole}; DELETE FROM audit.changes`],
  [["migrator"], `SET ROLE ${ownerRole}; TRUNCATE ms5.migration_log`],
];

describe("least privilege", () => {
  it.each(allowed)("%s may: %s", async (role, sql) => {
    await attempt(loginAs(role), sql);
  });

  it.each(refused.flatMap(([roles, sql]) => roles.map((role) => [role, sql] as const)))(
    "%s may not: %s",
    async (role, sql) => {
      await expect(attempt(loginAs(role), sql)).rejects.toMatchObject({ code: insufficientPrivilege });
    },
  );

  it("lets nobody make a database", async () => {
    for (const role of anyone) {
      // Not in a transaction, which CREATE DATABASE refuses before it looks who asks.
      const create = withClient(loginAs(role), (client) => client.query("CREATE DATABASE mine"));
      await expect(create).rejects.toMatchObject({ code: insufficientPrivilege });
    }
  });

  it("lets the monitor see what others are doing", async () => {
    await withClient(loginAs("writer"), async (writer) => {
      await writer.query("SELECT 1 /* by the writer */");
      const rows = await attempt(
        loginAs("monitor"),
        `SELECT query FROM pg_stat_activity WHERE usename = '${loginRoles.writer}'`,
      );
      expect(rows).toEqual([{ query: "SELECT 1 /* by the writer */" }]);
    });
  });

  it("lets nobody in as the owner", async () => {
    for (const password of ["", ownerRole, passwords.migrator]) {
      const login = attempt({ ...server.admin, user: ownerRole, password }, "SELECT 1");
      await expect(login).rejects.toThrow(/cannot connect to ms5_owner@/);
    }
  });

  it("records who changed reference data", async () => {
    await withClient(loginAs("writer"), (client) =>
      client.query("UPDATE factory_telemetry.machines SET line = 'L9' WHERE code = 'M1'"),
    );
    const rows = await attempt(
      server.superuser,
      "SELECT session_role, action, before->>'line' AS before, after->>'line' AS after FROM audit.changes ORDER BY change_id DESC LIMIT 1",
    );
    expect(rows).toEqual([{ session_role: loginRoles.writer, action: "UPDATE", before: null, after: "L9" }]);
  });
});

describe("what someone changed by hand", () => {
  it("shows as drift, and the next up puts it right", async () => {
    await withClient(server.superuser, async (client) => {
      await client.query(`REVOKE INSERT ON factory_telemetry.metric_hist FROM ${loginRoles.writer}`);
      await client.query(`ALTER ROLE ${loginRoles.reader} CREATEDB`);
      await client.query(`REVOKE pg_monitor FROM ${loginRoles.monitor} GRANTED BY ms5_admin`);
    });
    await expect(attempt(loginAs("writer"), sample)).rejects.toMatchObject({ code: insufficientPrivilege });

    const refreshed = await stack.deploy("refresh");
    const drift = Object.fromEntries(refreshed.changes.map(({ name, diff }) => [name, diff]));
    expect(drift).toEqual({
      "writer-adds-telemetry": [{ property: "privileges", before: ["INSERT", "SELECT"], after: ["SELECT"] }],
      [loginRoles.reader]: [{ property: "createDatabase", before: false, after: true }],
      [loginRoles.monitor]: [{ property: "roles", before: ["pg_monitor"], after: [] }],
    });

    await up();
    await attempt(loginAs("writer"), sample);
    expect(
      await attempt(
        server.superuser,
        `SELECT rolcreatedb FROM pg_roles WHERE rolname = '${loginRoles.reader}'`,
      ),
    ).toEqual([{ rolcreatedb: false }]);
    expect(
      await attempt(
        server.superuser,
        `SELECT pg_has_role('${loginRoles.monitor}', 'pg_monitor', 'USAGE') AS monitors`,
      ),
    ).toEqual([{ monitors: true }]);
    expect(await up()).toMatchObject({ changes: [] });
  });
});

describe("an admin who may create schemas and not let others", () => {
  it("is told what to ask for, and nothing is made", async () => {
    await withClient(server.superuser, async (client) => {
      await client.query("CREATE DATABASE others");
      await client.query("GRANT CREATE ON DATABASE others TO ms5_admin");
    });
    const made = withClient({ ...server.admin, database: "others" }, (client) =>
      owner.apply(
        { client, config: loadConfig("local", {}) },
        { ...statedOwner("ms5_admin"), role: "other_owner", engineVersion },
      ),
    );
    await expect(made).rejects.toMatchObject({
      message: 'ms5_admin may not give CREATE on database "others" to other_owner',
      fix: expect.stringContaining('GRANT CREATE ON DATABASE "others" TO "ms5_admin" WITH GRANT OPTION'),
    });
    expect(await attempt(server.superuser, "SELECT FROM pg_roles WHERE rolname = 'other_owner'")).toEqual([]);
  });
});

describe("a role that was made by a run that was killed before it was recorded", () => {
  it("is taken over, by an admin who is no superuser", async () => {
    const { host, port, user, password = "", database, caFile = "" } = server.admin;
    const connection = {
      ...{ host, port: String(port), username: user, password },
      ...{ sslmode: "verify-full", sslrootcert: caFile, superuser: "false" },
    };
    const kind = postgresql.configure({ ...connection, database })["postgresql:index/role:Role"];
    if (kind === undefined) throw new Error("no Role");
    const inputs = { name: "left_behind", login: true, inherit: true, password: "first-password", roles: [] };
    await kind.create(inputs, "urn:of:it");
    await kind.create({ ...inputs, password: "second-password" }, "urn:of:it");
    await attempt({ ...server.admin, user: "left_behind", password: "second-password" }, "SELECT 1");
    await expect(kind.create(inputs, "urn:of:another")).rejects.toThrow("already exists");
    // The same stack for another database of the server: the role is the first one's.
    const other = postgresql.configure({ ...connection, database: "postgres" })["postgresql:index/role:Role"];
    await expect(other?.create(inputs, "urn:of:it")).rejects.toThrow("already exists");
    await kind.delete("left_behind", inputs);
  });
});

describe("passwords", () => {
  it("are new after passwordVersion was raised, and the old ones are refused", async () => {
    const old = passwords;
    await up({ MS5_ROLES_PASSWORD_VERSION: "2" });
    passwords = await newPasswords();
    for (const role of anyone) {
      await expect(attempt(loginAs(role, old[role]), "SELECT 1")).rejects.toThrow(
        /password authentication failed/,
      );
      await attempt(loginAs(role), "SELECT 1");
    }
    // What else a role had, it still has.
    await attempt(loginAs("migrator"), `SET ROLE ${ownerRole}`);
    await attempt(loginAs("monitor"), "SELECT pg_ls_waldir()");
  });

  it("are long, different, and in no log and no state", () => {
    expect(new Set(seen).size).toBe(8);
    const log = server.log();
    const state = stack.state();
    // That the log would show them: it has the statements that set them.
    expect(log).toMatch(/statement: ALTER ROLE "ms5_writer"/);
    for (const password of [...seen, server.admin.password ?? ""]) {
      expect(password.length).toBeGreaterThanOrEqual(32);
      expect(log).not.toContain(password);
      expect(state).not.toContain(password);
    }
  });
});
