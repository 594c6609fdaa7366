// The whole stack on a real server of the Apache edition, over verified TLS with a private CA, as an admin who is no
// superuser. Each test carries on with the stack the one before it left.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aggregateNames, qualified, tableNames } from "../../infra/schema/catalogue";
import { withClient } from "../../infra/schema/postgres";
import { ownerRole } from "../../infra/schema/roleNames";
import type { StackResult } from "../../ops/engine/stack";
import { projectRoot } from "../../ops/paths";
import { startServer, type TestServer } from "./support/server";
import { TestStack } from "./support/stack";

const migrationFiles = readdirSync(join(projectRoot, "sql/migrations"))
  .filter((name) => name.endsWith(".sql") && !name.endsWith(".undo.sql"))
  .sort();

let server: TestServer;
let stack: TestStack;
beforeAll(async () => {
  server = await startServer();
  stack = new TestStack(server.admin);
});
afterAll(async () => {
  stack?.remove();
  await server?.stop();
});

async function rows(sql: string): Promise<unknown[][]> {
  return withClient(server.superuser, async (client) => {
    const result = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    return result.rows;
  });
}

const ourRoles = () =>
  rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 'ms5\\_%' AND rolname <> 'ms5_admin'");
const ourSchemas = () =>
  rows("SELECT nspname FROM pg_namespace WHERE nspname IN ('ms5', 'factory_telemetry', 'audit')");

/** The owner may outlive the stack: it owns the telemetry. */
const loginRolesThere = async () => (await ourRoles()).filter(([name]) => name !== ownerRole);
const samples = () => rows("SELECT value FROM factory_telemetry.metric_hist");
const addSample = () =>
  rows(
    "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES (now(), 42, 1, 1)",
  );

function errors({ diagnostics }: StackResult): string {
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => message)
    .join("\n");
}

function names(result: StackResult, type: string): string[] {
  return result.changes.filter((change) => change.type === type).map((change) => change.name);
}

describe("a stack on a server", () => {
  it("is refused before anything changes when the edition is another one", async () => {
    const result = await stack.deploy("up", { MS5_DATABASE_EDITION: "community" });
    expect(result.result).toBe("failed");
    expect(errors(result)).toMatch(/database\.edition is "community", but the server has the apache edition/);
    expect(await ourRoles()).toEqual([]);
    expect(await ourSchemas()).toEqual([]);
  });

  it("is refused for a wrong password, without showing it", async () => {
    const result = await stack.command(["up", "dev", "--json"], {
      MS5_DATABASE_PASSWORD: "wrong-and-secret",
    });
    expect(result.code).not.toBe(0);
    expect(`${result.stdout}${result.stderr}`).toMatch(/password authentication failed for user .*ms5_admin/);
    expect(`${result.stdout}${result.stderr}`).not.toContain("wrong-and-secret");
  });

  it("previews the pending migrations by name, and changes nothing", async () => {
    const result = await stack.deploy("preview");
    expect(errors(result)).toBe("");
    expect(result.result).toBe("succeeded");
    const shown = JSON.stringify(result);
    for (const file of migrationFiles) expect(shown).toContain(file);
    expect(await ourRoles()).toEqual([]);
  });

  it("warns about what the Apache edition lacks, and makes everything else", async () => {
    const result = await stack.deploy("up");
    expect(errors(result)).toBe("");
    expect(result.result).toBe("succeeded");
    expect(result.diagnostics).toContainEqual(
      expect.objectContaining({
        severity: "warning",
        message: expect.stringMatching(/^database\.edition is apache: /),
      }),
    );
    expect(names(result, "ms5:schema:Hypertable").sort()).toEqual([...tableNames].sort());
    for (const kind of ["ColumnstorePolicy", "RetentionPolicy", "ContinuousAggregate", "RefreshPolicy"]) {
      expect(names(result, `ms5:schema:${kind}`)).toEqual([]);
    }
    expect(await rows("SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY 1")).toEqual(
      [...tableNames].sort().map((name) => [name]),
    );
    for (const name of aggregateNames) {
      expect(await rows(`SELECT to_regclass('${qualified(name)}')`)).toEqual([[null]]);
    }
    expect(await rows("SELECT file FROM ms5.migrations WHERE state = 'applied' ORDER BY number")).toEqual(
      migrationFiles.map((file) => [file]),
    );
    expect(new Set(Object.values(result.outputs.passwords ?? {}))).toEqual(new Set(["[secret]"]));
  });

  it("has nothing to do the second time", async () => {
    const result = await stack.deploy("up");
    expect(result).toMatchObject({
      result: "succeeded",
      resources: { created: 0, updated: 0, replaced: 0, deleted: 0 },
      changes: [],
    });
    expect(result.resources.unchanged).toBeGreaterThan(tableNames.length);
  });

  it("shows no drift where there is none", async () => {
    expect(await stack.deploy("refresh")).toMatchObject({ result: "succeeded", changes: [] });
  });

  it("drops telemetry when it is destroyed and the config says so", async () => {
    await addSample();
    const destroyed = await stack.deploy("destroy", { MS5_DESTROY_DROP_TELEMETRY: "true" });
    expect(errors(destroyed)).toBe("");
    expect(destroyed.result).toBe("succeeded");
    expect(await rows("SELECT to_regclass('factory_telemetry.metric_hist')")).toEqual([[null]]);
    expect(await loginRolesThere()).toEqual([]);
  });

  it("keeps telemetry otherwise", async () => {
    expect(await stack.deploy("up")).toMatchObject({ result: "succeeded" });
    await addSample();
    const destroyed = await stack.deploy("destroy");
    expect(errors(destroyed)).toBe("");
    expect(destroyed.result).toBe("succeeded");
    expect(await samples()).toEqual([[42]]);
    expect(await loginRolesThere()).toEqual([]);
  });

  it("takes over what an earlier stack has left", async () => {
    const again = await stack.deploy("up");
    expect(errors(again)).toBe("");
    expect(again.result).toBe("succeeded");
    expect(await samples()).toEqual([[42]]);
    expect(await rows("SELECT tableowner FROM pg_tables WHERE tablename = 'metric_hist'")).toEqual([
      [ownerRole],
    ]);
    expect(await stack.deploy("up")).toMatchObject({ result: "succeeded", changes: [] });
  });
});
