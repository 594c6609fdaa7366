import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { grantSql, revokeSql } from "../../ops/standins/postgresql/grant";
import { checkPrivileges, officialOrder, samePrivileges } from "../../ops/standins/postgresql/privileges";
import { verifier } from "../../ops/standins/postgresql/scram";
import { serverOf } from "../../ops/standins/postgresql/server";

describe("password verifiers", () => {
  it("accept the client and give the server's signature of RFC 7677's example", () => {
    const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
    const text = verifier("pencil", salt);
    const [, stored = "", server = ""] = /^SCRAM-SHA-256\$4096:.*\$(.*):(.*)$/.exec(text) ?? [];
    const message =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const hmac = (key: string) => createHmac("sha256", Buffer.from(key, "base64")).update(message).digest();
    const proof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");
    const clientKey = proof.map((byte, i) => byte ^ (hmac(stored)[i] ?? 0));
    expect(createHash("sha256").update(clientKey).digest("base64")).toBe(stored);
    expect(hmac(server).toString("base64")).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });

  it("differ each time, pass hashes on, and refuse what would have to go in clear", () => {
    expect(verifier("x")).not.toBe(verifier("x"));
    for (const hash of [verifier("x"), `md5${"0".repeat(32)}`]) expect(verifier(hash)).toBe(hash);
    expect(() => verifier("Geheimnis ß")).toThrow("printable ASCII");
  });
});

describe("grants", () => {
  const table = {
    database: "db",
    schema: "plant",
    role: "reader",
    objectType: "table",
    privileges: ["SELECT", "INSERT"],
  };

  it.each([
    [
      "all tables",
      table,
      'GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA "plant" TO "reader"',
      'REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA "plant" FROM "reader"',
    ],
    [
      "some tables",
      { ...table, objects: ["a", 'b"; DROP'] },
      'GRANT SELECT, INSERT ON TABLE "plant"."a", "plant"."b""; DROP" TO "reader"',
      'REVOKE SELECT, INSERT ON TABLE "plant"."a", "plant"."b""; DROP" FROM "reader"',
    ],
    [
      "columns",
      { ...table, objectType: "column", objects: ["a"], columns: ["x", "y"], privileges: ["UPDATE"] },
      'GRANT UPDATE ("x", "y") ON TABLE "plant"."a" TO "reader"',
      'REVOKE UPDATE ("x", "y") ON TABLE "plant"."a" FROM "reader"',
    ],
    [
      "a schema, to everybody",
      { ...table, objectType: "schema", role: "public", privileges: ["USAGE"], withGrantOption: true },
      'GRANT USAGE ON SCHEMA "plant" TO PUBLIC WITH GRANT OPTION',
      'REVOKE ALL PRIVILEGES ON SCHEMA "plant" FROM PUBLIC',
    ],
    [
      "a database",
      { ...table, objectType: "database", privileges: ["CONNECT"] },
      'GRANT CONNECT ON DATABASE "db" TO "reader"',
      'REVOKE ALL PRIVILEGES ON DATABASE "db" FROM "reader"',
    ],
    [
      "a function with its arguments",
      { ...table, objectType: "function", objects: ["total(int, text)"], privileges: ["EXECUTE"] },
      'GRANT EXECUTE ON FUNCTION "plant"."total"(int, text) TO "reader"',
      'REVOKE EXECUTE ON FUNCTION "plant"."total"(int, text) FROM "reader"',
    ],
    [
      "a foreign server",
      { ...table, objectType: "foreign_server", objects: ["erp"], privileges: ["USAGE"] },
      'GRANT USAGE ON FOREIGN SERVER "erp" TO "reader"',
      'REVOKE ALL PRIVILEGES ON FOREIGN SERVER "erp" FROM "reader"',
    ],
  ])("on %s", (_, bag, grant, revoke) => {
    expect(grantSql(bag)).toBe(grant);
    expect(revokeSql(bag)).toBe(revoke);
  });

  it("know the privileges of each kind of object and version", () => {
    expect(() => checkPrivileges("schema", ["USAGE", "CREATE"], 17)).not.toThrow();
    expect(() => checkPrivileges("table", ["MAINTAIN"], 17)).not.toThrow();
    expect(() => checkPrivileges("table", ["MAINTAIN"], 16)).toThrow(
      "MAINTAIN is not a privilege on a table",
    );
    expect(() => checkPrivileges("schema", ["SELECT"], 17)).toThrow("known: ALL, CREATE, USAGE");
    expect(samePrivileges("schema", ["USAGE", "CREATE"], ["ALL"], 17)).toBe(true);
    expect(samePrivileges("schema", ["USAGE"], ["ALL"], 17)).toBe(false);
    expect(samePrivileges("table", ["SELECT", "INSERT"], ["INSERT", "SELECT"], 17)).toBe(true);
  });

  it("order the objects in an id by their checksums", () => {
    // CRC-32 of a, b, c: 3904355907, 1908338681, 112844655.
    expect(officialOrder(["a", "b", "c", "a"])).toEqual(["c", "b", "a"]);
  });
});

describe("the provider's configuration", () => {
  it("has the official defaults, from the environment where it says something", () => {
    expect(serverOf({}, {})).toEqual({
      target: {
        host: "localhost",
        port: 5432,
        database: "postgres",
        user: "postgres",
        tls: "require",
        singleSession: true,
      },
      roleName: "postgres",
      superuser: true,
    });
    expect(serverOf({}, { PGHOST: "db", PGPASSWORD: "p", PGSSLMODE: "disable" }).target).toMatchObject({
      host: "db",
      password: "p",
      tls: "disable",
    });
  });

  it("reads numbers and booleans that come as JSON text", () => {
    const server = serverOf(
      { port: "6432", superuser: "false", username: "admin@azure", databaseUsername: "admin" },
      { PGPORT: "1" },
    );
    expect(server).toMatchObject({
      target: { port: 6432, user: "admin@azure" },
      roleName: "admin",
      superuser: false,
    });
  });

  it.each([
    [{ sslmode: "verify-ca" }, "sslmode verify-ca"],
    [{ awsRdsIamAuth: "true" }, "provider setting awsRdsIamAuth"],
    [{ scheme: "gcppostgres" }, "scheme gcppostgres"],
  ])("refuses %j, which only the official plugin has", (config, what) => {
    expect(() => serverOf(config, {})).toThrow(`the postgresql stand-in does not support ${what}`);
  });
});
