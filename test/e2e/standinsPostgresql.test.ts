// The postgresql stand-in on the real engine: against the embedded TimescaleDB, which is always there, and against
// a PostgreSQL server, where the machine has one, for what one session cannot show (logins, several databases).
import { createServer, connect as dial, type Server } from "node:net";
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { StandInStack } from "../engine/support/standInStack";
import { embedded } from "../support/embedded";
import { type PostgresServer, postgresBinaries, startPostgres } from "../support/postgresServer";

const password = "correct horse battery staple";

/** Sends one or more statements as the server's superuser. */
async function sql(target: ConnectionTarget, text: string): Promise<Record<string, unknown>[]> {
  return withClient(target, async (client) => {
    const results: unknown = await client.query(text);
    const last = Array.isArray(results) ? results.at(-1) : results;
    return last.rows;
  });
}

/** Passes connections on to the target and remembers what clients said. */
async function overheard(target: ConnectionTarget) {
  let said = "";
  const proxy: Server = createServer((client) => {
    const server = dial(target.port, target.host);
    client.on("data", (data) => {
      said += data.toString("latin1");
    });
    for (const side of [client, server]) side.on("error", () => undefined);
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return {
    port: address.port,
    said: () => said,
    close: () => new Promise<void>((resolve) => proxy.close(() => resolve())),
  };
}

interface Wanted {
  readonly privileges: string[];
  readonly connectionLimit: number;
  readonly password: string;
  readonly group: string | undefined;
  readonly grantOption: boolean;
}
const wanted: Wanted = {
  privileges: ["SELECT"],
  connectionLimit: 5,
  password,
  group: undefined,
  grantOption: false,
};

/** What a platform does with roles: an owner, a group, a login, and what the login may see now and later. */
function program(target: ConnectionTarget, port: number, want: Wanted = wanted) {
  return async () => {
    const provider = new postgresql.Provider("server", {
      host: target.host,
      port,
      username: target.user,
      database: target.database,
      sslmode: "disable",
      superuser: false,
    });
    const options = { provider };
    const owner = new postgresql.Role("owner", { name: "owner" }, options);
    const group = new postgresql.Role("group", want.group === undefined ? {} : { name: want.group }, options);
    const reader = new postgresql.Role(
      "reader",
      {
        name: "reader",
        login: true,
        password: pulumi.secret(want.password),
        connectionLimit: want.connectionLimit,
        roles: [group.name],
        searchPaths: ["plant", "public"],
        statementTimeout: 60_000,
      },
      options,
    );
    const schema = new postgresql.Schema(
      "plant",
      { name: "plant", owner: owner.name, dropCascade: true },
      options,
    );
    const where = { database: target.database, schema: schema.name, role: reader.name };
    const usage = new postgresql.Grant(
      "usage",
      { ...where, objectType: "schema", privileges: ["USAGE"] },
      options,
    );
    new postgresql.Grant(
      "tables",
      {
        ...where,
        objectType: "table",
        privileges: want.privileges,
        withGrantOption: want.grantOption,
      },
      { ...options, dependsOn: usage },
    );
    new postgresql.DefaultPrivileges(
      "later",
      { ...where, owner: owner.name, objectType: "table", privileges: ["SELECT"] },
      options,
    );
    return { group: group.name };
  };
}

describe("on the embedded TimescaleDB", () => {
  const database = embedded();
  let stack: StandInStack;
  let wire: Awaited<ReturnType<typeof overheard>>;

  beforeAll(async () => {
    stack = await StandInStack.start(["postgresql"]);
    wire = await overheard(database.target);
  });
  afterAll(async () => {
    await stack?.stop();
    await wire?.close();
  });

  const wants = (changes: Partial<Wanted> = {}) =>
    program(database.target, wire.port, { ...wanted, ...changes });
  const privileges = async (table: string) => {
    const [row] = await sql(
      database.target,
      `SELECT has_table_privilege('reader', 'plant.${table}', 'SELECT') AS read,
              has_table_privilege('reader', 'plant.${table}', 'INSERT') AS write`,
    );
    return row;
  };

  it("creates what was previewed, and nothing the second time", async () => {
    await sql(database.target, "CREATE SCHEMA plant; CREATE TABLE plant.early (v int)");
    const preview = await stack.run("preview", wants());
    expect(wire.said()).toBe("");
    const created = await stack.run("up", wants());
    expect(created.changes).toEqual({ create: 9 });
    expect(created.changes).toEqual(preview.changes);
    expect(created.outputs.group).toMatch(/^group-[0-9a-f]{7}$/);
    expect(await privileges("early")).toEqual({ read: true, write: false });
    await sql(database.target, "SET ROLE owner; CREATE TABLE plant.late (v int); RESET ROLE");
    expect(await privileges("late")).toEqual({ read: true, write: false });
    const [role] = await sql(
      database.target,
      "SELECT rolconnlimit, rolcanlogin, rolconfig FROM pg_roles WHERE rolname = 'reader'",
    );
    expect(role).toEqual({
      rolconnlimit: 5,
      rolcanlogin: true,
      rolconfig: ["search_path=plant, public", "statement_timeout=60000"],
    });

    expect((await stack.run("refresh", wants())).summary).toEqual([]);
    expect((await stack.run("up", wants())).summary).toEqual([]);
  });

  it("keeps the password out of the wire, the server and the state", async () => {
    const [role] = await sql(database.target, "SELECT rolpassword FROM pg_authid WHERE rolname = 'reader'");
    expect(String(role?.rolpassword).startsWith("SCRAM-SHA-256$4096:")).toBe(true);
    expect(wire.said().includes("SCRAM-SHA-256")).toBe(true);
    expect(wire.said().includes(password)).toBe(false);
    expect(stack.state().includes(password)).toBe(false);
  });

  it("updates in place what can be, a rename among it, and replaces what cannot", async () => {
    const changed = await stack.run(
      "up",
      wants({ privileges: ["SELECT", "INSERT"], connectionLimit: 7, password: "another one" }),
    );
    expect(changed.summary).toEqual(["update reader: connectionLimit,password", "update tables: privileges"]);
    expect(await privileges("early")).toEqual({ read: true, write: true });
    expect(wire.said().includes("another one")).toBe(false);

    const renamed = await stack.run("up", wants({ group: "viewers", grantOption: true }));
    expect(renamed.summary).toContain("update group: name");
    expect(renamed.summary).toContain("update reader: connectionLimit,password,roles");
    // The official plugin has a Grant deleted first: to the server, the old and the new one are the same.
    expect(renamed.steps.filter(({ name }) => name === "tables").map(({ op }) => op)).toEqual([
      "delete-replaced",
      "replace",
      "create-replacement",
    ]);
    const [rights] = await sql(
      database.target,
      `SELECT pg_has_role('reader', 'viewers', 'MEMBER') AS member,
              has_table_privilege('reader', 'plant.early', 'SELECT WITH GRANT OPTION') AS grantable`,
    );
    expect(rights).toEqual({ member: true, grantable: true });
  });

  it("shows what was changed or removed by hand and puts it right", async () => {
    const now = wants({ group: "viewers", grantOption: true });
    await sql(
      database.target,
      `REVOKE ALL ON plant.early FROM reader; ALTER ROLE reader CONNECTION LIMIT 50 CREATEDB;
       ALTER SCHEMA plant OWNER TO postgres; DROP ROLE viewers;
       ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA plant REVOKE ALL ON TABLES FROM reader`,
    );
    const drift = await stack.run("refresh", now);
    expect(drift.steps.map(({ op, name }) => `${op} ${name}`).sort()).toEqual([
      "delete group",
      "delete later",
      "update plant",
      "update reader",
      "update tables",
    ]);
    const repair = await stack.run("up", now);
    expect(repair.summary).toEqual([
      "create group: ",
      "create later: ",
      "update plant: owner",
      "update reader: connectionLimit,createDatabase,roles",
      "update tables: privileges",
    ]);
    expect(await privileges("early")).toEqual({ read: true, write: false });
  });

  it("carries on with a role that an interrupted run left, and takes no one else's", async () => {
    const now = wants({ group: "viewers", grantOption: true });
    const dependents = ["reader", "usage", "tables", "later"];
    await stack.forget(dependents);
    expect((await stack.run("up", now)).changes).toMatchObject({ create: 4 });
    await stack.forget(dependents);
    await sql(database.target, "COMMENT ON ROLE reader IS 'somebody else''s'");
    await expect(stack.run("up", now)).rejects.toThrow(/role "reader" already exists/);
    await sql(database.target, "DROP OWNED BY reader; DROP ROLE reader");
  });

  it("destroys all of it", async () => {
    await stack.run("destroy");
    const left = await sql(
      database.target,
      `SELECT rolname AS name FROM pg_roles WHERE rolname !~ '^(pg_|postgres)'
       UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'plant'`,
    );
    expect(left).toEqual([]);
  });

  it("says where it could not connect, and not with what password", async () => {
    const nowhere = async () => {
      const provider = new postgresql.Provider("nowhere", {
        host: "127.0.0.1",
        port: 1,
        username: "postgres",
        password: "hunter2",
        sslmode: "disable",
      });
      new postgresql.Role("nobody", {}, { provider });
    };
    const failure = await stack.run("up", nowhere).catch((error: Error) => error.message);
    expect(failure).toContain("cannot connect to postgres@127.0.0.1:1/postgres: ");
    expect(String(failure).includes("hunter2")).toBe(false);
  });
});

describe.skipIf(postgresBinaries === undefined)("on a PostgreSQL server", () => {
  let server: PostgresServer;
  let stack: StandInStack;

  beforeAll(async () => {
    [server, stack] = await Promise.all([startPostgres(), StandInStack.start(["postgresql"])]);
    // As in a managed service: an administrator who may make roles and databases and is no superuser; and
    // everyone but the superuser has to prove who they are.
    await sql(server.target, "CREATE ROLE admin LOGIN CREATEROLE CREATEDB PASSWORD 'admin''s own'");
    const [file] = await sql(server.target, "SHOW hba_file");
    await sql(
      server.target,
      `COPY (VALUES ('host all postgres 127.0.0.1/32 trust'), ('host all all 127.0.0.1/32 scram-sha-256'))
         TO '${file?.hba_file}'; SELECT pg_reload_conf()`,
    );
  });
  afterAll(async () => {
    await stack?.stop();
    await server?.stop();
  });

  const login = async (user: string, secret: string, database: string, query: string) => {
    const client = new Client({ ...server.target, user, password: secret, database });
    try {
      await client.connect();
      return (await client.query(query)).rows;
    } finally {
      await client.end();
    }
  };

  /** Two databases by two providers, as a blue and a green one would be, owned by a role of their own. */
  const databases =
    ({ privileges = ["USAGE"] } = {}) =>
    async () => {
      const base = {
        host: server.target.host,
        port: server.target.port,
        username: "admin",
        password: pulumi.secret("admin's own"),
        sslmode: "disable",
        superuser: false,
      };
      const provider = new postgresql.Provider("admin", base);
      const owner = new postgresql.Role("owner", { name: "owner" }, { provider });
      const app = new postgresql.Role(
        "app",
        { name: "app", login: true, password: pulumi.secret(password) },
        { provider },
      );
      for (const color of ["blue", "green"]) {
        const database = new postgresql.Database(color, { name: color, owner: owner.name }, { provider });
        const inside = new postgresql.Provider(color, { ...base, database: database.name });
        const schema = new postgresql.Schema(
          color,
          { name: `${color}_data`, owner: owner.name },
          { provider: inside },
        );
        new postgresql.Grant(
          color,
          {
            database: database.name,
            schema: schema.name,
            role: app.name,
            objectType: "schema",
            privileges,
          },
          { provider: inside },
        );
      }
      const member = { role: app.name, grantRole: "pg_read_all_data" };
      new postgresql.GrantRole("reads", member, { provider });
    };

  it("creates databases and lets the new role in by its password", async () => {
    await sql(server.target, "GRANT pg_read_all_data TO admin WITH ADMIN OPTION");
    const created = await stack.run("up", databases());
    expect(created.changes).toEqual({ create: 13 });
    for (const color of ["blue", "green"]) {
      const schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%_data'";
      expect(await login("app", password, color, schemas)).toEqual([{ nspname: `${color}_data` }]);
      await expect(login("app", password, color, `CREATE TABLE ${color}_data.t (v int)`)).rejects.toThrow(
        /permission denied/,
      );
    }
    await expect(login("app", "wrong", "blue", "SELECT 1")).rejects.toThrow(/authentication failed/);
    const lent = await sql(
      server.target,
      "SELECT pg_get_userbyid(roleid) AS role FROM pg_auth_members WHERE pg_get_userbyid(member) = 'admin'",
    );
    expect(lent).toEqual([{ role: "pg_read_all_data" }]);
  });

  it("updates a grant on objects that the administrator doesn't own", async () => {
    await stack.run("up", databases({ privileges: ["USAGE", "CREATE"] }));
    expect(await login("app", password, "green", "CREATE TABLE green_data.t (v int)")).toEqual([]);
    await login("app", password, "green", "DROP TABLE green_data.t");
  });

  it("destroys databases and roles", async () => {
    await stack.run("destroy");
    const left = await sql(
      server.target,
      `SELECT datname AS name FROM pg_database WHERE datname IN ('blue', 'green')
       UNION ALL SELECT rolname FROM pg_roles WHERE rolname IN ('owner', 'app')`,
    );
    expect(left).toEqual([]);
  });
});
