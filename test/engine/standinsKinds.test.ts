// The postgresql stand-in's kinds by themselves, for what a whole engine run would only make slower.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { checkInputs, difference, type Kind } from "../../ops/standins/kind";
import { postgresql } from "../../ops/standins/postgresql";
import type { Bag } from "../../ops/standins/values";
import { embedded } from "../support/embedded";
import { type PostgresServer, postgresBinaries, startPostgres } from "../support/postgresServer";

const sql = (target: ConnectionTarget, text: string) => withClient(target, (client) => client.query(text));

function kindOf(target: ConnectionTarget, name: string): Kind {
  const { host, port, user: username, database } = target;
  const kinds = postgresql.configure({ host, port: String(port), username, database, sslmode: "disable" });
  const kind = kinds[`postgresql:index/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`];
  if (kind === undefined) throw new Error(`no ${name}`);
  return kind;
}

const checked = (kind: Kind, given: Bag): Bag => {
  const { inputs, failures } = checkInputs(kind, {}, given, { resourceName: "r", seed: new Uint8Array() });
  expect(failures).toEqual([]);
  return inputs;
};

describe("on the embedded TimescaleDB", () => {
  const database = embedded();

  beforeAll(() =>
    sql(
      database.target,
      `CREATE SCHEMA s; CREATE TABLE s.t (a int, b int); CREATE SEQUENCE s.q; CREATE ROLE r;
       CREATE FUNCTION s.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION s.f FROM PUBLIC`,
    ),
  );

  it.each([
    ["table", ["SELECT", "INSERT"], {}, "REVOKE INSERT ON s.t FROM r", ["SELECT"]],
    ["table", ["ALL"], { objects: ["t"] }, "REVOKE ALL ON s.t FROM r; GRANT DELETE ON s.t TO r", ["DELETE"]],
    ["sequence", ["USAGE"], {}, "GRANT SELECT ON s.q TO r", ["SELECT", "USAGE"]],
    ["function", ["EXECUTE"], { objects: ["f"] }, "REVOKE ALL ON FUNCTION s.f FROM r", []],
    ["schema", ["USAGE", "CREATE"], {}, "REVOKE USAGE ON SCHEMA s FROM r", ["CREATE"]],
  ] as const)(
    "a Grant on a %s of %j sees its drift, and its end",
    async (objectType, privileges, more, drift, live) => {
      const kind = kindOf(database.target, "Grant");
      const given = { role: "r", schema: "s", database: database.target.database, objectType };
      const inputs = checked(kind, { ...given, privileges: [...privileges], ...(more as Bag) });
      const { id, state } = await kind.create(inputs, "urn");
      expect(difference(kind, state, inputs, []).differences).toEqual([]);
      expect((await kind.read(id, state))?.state).toEqual(state);
      await sql(database.target, drift);
      const drifted = await kind.read(id, state);
      expect(drifted?.state.privileges).toEqual(live);
      const repaired = await kind.update(id, drifted?.state ?? {}, inputs);
      expect((await kind.read(id, repaired))?.state).toEqual(state);
      await kind.delete(id, repaired);
      expect((await kind.read(id, repaired))?.state.privileges).toEqual([]);
    },
  );

  it("a Grant on columns sees the ones that lost it, and leaves the table's own privileges alone", async () => {
    const kind = kindOf(database.target, "Grant");
    await sql(database.target, "GRANT SELECT ON s.t TO r");
    const inputs = checked(kind, {
      role: "r",
      schema: "s",
      database: database.target.database,
      objectType: "column",
      objects: ["t"],
      columns: ["a", "b"],
      privileges: ["UPDATE"],
    });
    const { id, state } = await kind.create(inputs, "urn");
    expect(id).toBe(`r_${database.target.database}_s_column_t_b_a`);
    expect((await kind.read(id, state))?.state).toEqual(state);
    await sql(database.target, "REVOKE UPDATE (a) ON s.t FROM r");
    expect((await kind.read(id, state))?.state.columns).toEqual(["b"]);
    await kind.delete(id, state);
    const { rows } = await sql(
      database.target,
      `SELECT has_column_privilege('r', 's.t', 'b', 'UPDATE') AS update, has_table_privilege('r', 's.t', 'SELECT') AS read`,
    );
    expect(rows).toEqual([{ update: false, read: true }]);
  });

  it("a Grant is gone with its role, schema or database", async () => {
    const kind = kindOf(database.target, "Grant");
    const state: Bag = { role: "r", schema: "s", database: database.target.database, objectType: "table" };
    for (const missing of [{ role: "nobody" }, { schema: "nowhere" }, { database: "none" }]) {
      expect(await kind.read("id", { ...state, privileges: [], ...missing })).toBeUndefined();
    }
    expect(await kind.read("id", { ...state, privileges: [], role: "public" })).toBeDefined();
  });

  it("a Grant refuses, before anything changes, what cannot work", () => {
    const kind = kindOf(database.target, "Grant");
    const given = { role: "r", database: "d", privileges: ["SELECT"] };
    const refusals: [Bag, string][] = [
      [{ objectType: "table" }, "schema: it is required for objectType table"],
      [
        { objectType: "schema", schema: "s", objects: ["t"] },
        "objects: there must be none for objectType schema",
      ],
      [{ objectType: "table", schema: "s", columns: ["a"] }, "columns: they need objectType column"],
      [{ objectType: "view", schema: "s" }, expect.stringContaining('objectType: "view" is not one of')],
    ];
    for (const [more, refusal] of refusals) {
      const { failures } = checkInputs(
        kind,
        {},
        { ...given, ...more },
        { resourceName: "r", seed: new Uint8Array() },
      );
      expect(failures.map(({ property, reason }) => `${property}: ${reason}`)).toEqual([refusal]);
    }
  });

  it("a Grant on named tables is drift where one was dropped, also when it is there again", async () => {
    const kind = kindOf(database.target, "Grant");
    const { database: name } = database.target;
    await sql(database.target, "CREATE TABLE s.dropped (a int)");
    const inputs = checked(kind, {
      role: "r",
      schema: "s",
      database: name,
      objectType: "table",
      privileges: ["SELECT"],
      objects: ["t", "dropped"],
    });
    const { id, state } = await kind.create(inputs, "urn");
    await sql(database.target, "DROP TABLE s.dropped");
    const gone = await kind.read(id, state);
    expect(gone?.state.privileges).toEqual([]);
    await sql(database.target, "CREATE TABLE s.dropped (a int)");
    const repaired = await kind.update(id, gone?.state ?? {}, inputs);
    expect((await kind.read(id, repaired))?.state).toEqual(state);
  });

  it("a GrantRole sees its option and its end", async () => {
    const kind = kindOf(database.target, "GrantRole");
    const inputs = checked(kind, { role: "r", grantRole: "pg_monitor" });
    const { id, state } = await kind.create(inputs, "urn");
    expect(id).toBe("r_pg_monitor_false");
    await sql(database.target, "GRANT pg_monitor TO r WITH ADMIN OPTION");
    const drifted = await kind.read(id, state);
    expect(difference(kind, drifted?.state ?? {}, inputs, []).differences).toEqual([
      { property: "withAdminOption", change: "delete", replaces: true },
    ]);
    await kind.delete(id, state);
    expect(await kind.read(id, state)).toBeUndefined();
  });

  it("a superuser sees when a Role has lost its password", async () => {
    const kind = kindOf(database.target, "Role");
    const inputs = checked(kind, { name: "login", login: true, password: "secret" });
    const { id, state } = await kind.create(inputs, "urn");
    expect((await kind.read(id, state))?.state.password === "secret").toBe(true);
    await sql(database.target, "ALTER ROLE login PASSWORD NULL");
    const drifted = await kind.read(id, state);
    expect(difference(kind, drifted?.state ?? {}, inputs, []).differences).toEqual([
      { property: "password", change: "add", replaces: false },
    ]);
  });

  it("a Role's write-only password changes with its version, and is never kept", async () => {
    const kind = kindOf(database.target, "Role");
    const given = { name: "quiet", login: true, passwordWo: "first", passwordWoVersion: "1" };
    const stored = async () =>
      (await sql(database.target, "SELECT rolpassword FROM pg_authid WHERE rolname = 'quiet'")).rows[0]
        .rolpassword;
    const { id, state } = await kind.create(checked(kind, given), "urn");
    const first = await stored();
    expect(JSON.stringify(state).includes("first")).toBe(false);
    expect(
      difference(kind, state, checked(kind, { ...given, passwordWo: "second" }), []).differences,
    ).toEqual([]);
    const next = checked(kind, { ...given, passwordWo: "second", passwordWoVersion: "2" });
    expect(difference(kind, state, next, []).differences).toHaveLength(1);
    await kind.update(id, state, next);
    expect((await stored()) !== first).toBe(true);
  });

  it("a Role is imported by its name", async () => {
    const found = await kindOf(database.target, "Role").read("pg_monitor", {});
    expect(found).toMatchObject({ id: "pg_monitor", state: { name: "pg_monitor", login: false } });
    expect(await kindOf(database.target, "Role").read("nobody", {})).toBeUndefined();
  });
});

describe.skipIf(postgresBinaries === undefined)("on a PostgreSQL server", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  it("a Database is renamed, given away and limited in place", async () => {
    await sql(server.target, "CREATE ROLE founder; CREATE ROLE heir");
    const kind = kindOf(server.target, "Database");
    const inputs = checked(kind, { name: "before", owner: "founder", lcCollate: "C", lcCtype: "C" });
    const { id, state } = await kind.create(inputs, "urn");
    expect(state).toMatchObject({
      owner: "founder",
      encoding: "UTF8",
      template: "template0",
      isTemplate: false,
    });
    expect(difference(kind, state, inputs, []).differences).toEqual([]);
    const next = checked(kind, {
      name: "after",
      owner: "heir",
      connectionLimit: 3,
      alterObjectOwnership: true,
    });
    const updated = await kind.update(id, state, next);
    expect(updated).toMatchObject({ name: "after", owner: "heir", connectionLimit: 3, lcCollate: "C" });
    expect((await kind.read(id, updated))?.id).toBe("after");
    await kind.delete(id, updated);
    expect(await kind.read(id, updated)).toBeUndefined();
  });

  it("an Extension is created at a version, updated, moved and dropped", async () => {
    await sql(server.target, "CREATE SCHEMA tools");
    const kind = kindOf(server.target, "Extension");
    const { id, state } = await kind.create(checked(kind, { name: "citext", version: "1.5" }), "urn");
    expect(id).toBe("postgres.citext");
    expect(state).toMatchObject({ version: "1.5", schema: "public", database: "postgres" });
    const next = checked(kind, { name: "citext", version: "1.6", schema: "tools" });
    const updated = await kind.update(id, state, next);
    expect(updated).toMatchObject({ version: "1.6", schema: "tools" });
    await kind.delete(id, updated);
    expect(await kind.read(id, updated)).toBeUndefined();
  });
});
