// What PgBouncer's role can find out about others, and what it cannot.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../infra/schema/postgres";
import { projectRoot } from "../../ops/paths";
import { startServer, type TestServer } from "./support/server";

const script = readFileSync(join(projectRoot, "infra/database/poolerAuth.sql"), "utf8");

let server: TestServer;

const asSuperuser = (sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> =>
  withClient(server.superuser, async (client) => (await client.query(sql, values)).rows);

const as = (role: string, sql: string, values: unknown[]): Promise<Record<string, unknown>[]> =>
  withClient(server.superuser, async (client) => {
    await client.query(`SET ROLE ${role}`);
    return (await client.query(sql, values)).rows;
  });

const lookUp = (name: string) => as("pooler", "SELECT usename, passwd FROM pooler.user_lookup($1)", [name]);

beforeAll(async () => {
  server = await startServer();
  await asSuperuser(script);
  await asSuperuser(`
    CREATE ROLE application LOGIN PASSWORD 'secret';
    CREATE ROLE "O'Brien" LOGIN PASSWORD 'secret' VALID UNTIL 'infinity';
    CREATE ROLE root_like SUPERUSER LOGIN PASSWORD 'secret';
    CREATE ROLE copies REPLICATION LOGIN PASSWORD 'secret';
    CREATE ROLE makes_roles CREATEROLE LOGIN PASSWORD 'secret';
    CREATE ROLE group_like PASSWORD 'secret';
    CREATE ROLE expired LOGIN PASSWORD 'secret' VALID UNTIL '2020-01-01';
    CREATE ROLE by_certificate LOGIN;
    SET password_encryption = 'md5';
    CREATE ROLE old_fashioned LOGIN PASSWORD 'secret';
  `);
});
afterAll(() => server?.stop());

describe("the pooler's lookup", () => {
  it.each(["application", "O'Brien"])("finds %s with the secret that PostgreSQL has", async (name) => {
    const stored = await asSuperuser("SELECT rolpassword FROM pg_authid WHERE rolname = $1", [name]);
    expect(stored[0]?.rolpassword).toMatch(/^SCRAM-SHA-256\$/);
    expect(await lookUp(name)).toEqual([{ usename: name, passwd: stored[0]?.rolpassword }]);
  });

  it.each([
    "postgres",
    "root_like",
    "copies",
    "makes_roles",
    "group_like",
    "expired",
    "by_certificate",
    "old_fashioned",
    "pooler",
    "nobody",
    "",
    "' OR true --",
  ])("does not find %j", async (name) => {
    expect(await lookUp(name)).toEqual([]);
  });

  it("is the pooler's alone", async () => {
    for (const role of ["application", "makes_roles"]) {
      await expect(as(role, "SELECT pooler.user_lookup($1)", ["application"])).rejects.toThrow(
        "permission denied for schema pooler",
      );
    }
    await asSuperuser("GRANT USAGE ON SCHEMA pooler TO application");
    await expect(as("application", "SELECT pooler.user_lookup($1)", ["application"])).rejects.toThrow(
      "permission denied for function user_lookup",
    );
  });

  it("is all that the pooler can do", async () => {
    for (const sql of [
      "SELECT rolpassword FROM pg_authid",
      "CREATE TABLE pooler.mine ()",
      "CREATE ROLE mine",
    ]) {
      await expect(as("pooler", sql, [])).rejects.toThrow(/permission denied/);
    }
    const attributes = await asSuperuser(
      "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolpassword FROM pg_authid WHERE rolname = 'pooler'",
    );
    expect(new Set(Object.values(attributes[0] ?? {}))).toEqual(new Set([false, null]));
  });

  it("goes by nobody's own pg_authid", async () => {
    const found = await withClient(server.superuser, async (client) => {
      await client.query("CREATE TEMP TABLE pg_authid (LIKE pg_catalog.pg_authid)");
      await client.query(
        "INSERT INTO pg_temp.pg_authid SELECT * FROM pg_catalog.pg_authid WHERE rolname = 'application'",
      );
      await client.query("UPDATE pg_temp.pg_authid SET rolname = 'ghost'");
      await client.query("GRANT ALL ON pg_temp.pg_authid TO PUBLIC");
      await client.query("SET search_path = pg_temp, pg_catalog");
      await client.query("SET ROLE pooler");
      return (await client.query("SELECT usename FROM pooler.user_lookup('ghost')")).rows;
    });
    expect(found).toEqual([]);
  });

  it("is the same after another run of the script, which gives back what was taken away or added", async () => {
    await asSuperuser(
      "ALTER ROLE pooler NOLOGIN SUPERUSER PASSWORD 'added'; REVOKE ALL ON SCHEMA pooler FROM pooler",
    );
    await asSuperuser(script);
    expect(await lookUp("application")).toHaveLength(1);
    const role = await asSuperuser(
      "SELECT rolcanlogin, rolsuper, rolpassword FROM pg_authid WHERE rolname = 'pooler'",
    );
    expect(role).toEqual([{ rolcanlogin: true, rolsuper: false, rolpassword: null }]);
  });
});
