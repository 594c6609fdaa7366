// The whole program on the real engine and a TimescaleDB Community. Each test carries on with the stack the one before it
// left.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dumpSchema } from "../../infra/schema/migrations/dump";
import { withClient } from "../../infra/schema/postgres";
import type { StackResult } from "../../ops/engine/stack";
import { CommandStack } from "../support/commandStack";
import { embedded } from "../support/embedded";
import { EngineStack } from "../support/engineStack";

const database = embedded();
let stack: EngineStack;

beforeAll(() => {
  stack = new EngineStack("local", { MS5_DATABASE_PORT: String(database.target.port) });
});
afterAll(() => stack?.remove());

async function sql<Row extends object>(text: string): Promise<Row[]> {
  return withClient(database.target, async (client) => (await client.query<Row>(text)).rows);
}

const addSample = () =>
  sql(
    "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES (now(), 42, 1, 1)",
  );
const samples = () => sql("SELECT value FROM factory_telemetry.metric_hist");

function diffs(result: StackResult) {
  return Object.fromEntries(result.changes.map(({ op, name, diff }) => [`${op} ${name}`, diff]));
}

const schemaDump = () => withClient(database.target, dumpSchema);

describe("stack local", () => {
  it("makes everything", async () => {
    const result = await stack.deploy("up");
    expect(result).toMatchObject({ result: "succeeded", resources: { updated: 0, replaced: 0, deleted: 0 } });
    expect(result.resources.created).toBeGreaterThan(40);
  });

  it("previews a policy's change as before and after, and changes nothing else", async () => {
    const result = await stack.deploy("preview", {
      MS5_TIMESCALEDB_TABLES_METRIC_HIST_RETENTION: "120 days",
    });
    expect(diffs(result)).toEqual({
      "update metric_hist-retention": [{ property: "dropAfter", before: "18250 days", after: "120 days" }],
    });
  });

  it("shows what was changed by hand as drift, and the next up puts it right", async () => {
    await sql(`
      SELECT remove_retention_policy('factory_telemetry.metric_hist');
      SELECT add_retention_policy('factory_telemetry.metric_hist', INTERVAL '10 days');
      SELECT set_chunk_time_interval('factory_telemetry.energy_consumption', INTERVAL '1 hour');
      SELECT remove_continuous_aggregate_policy('factory_telemetry.oee_hourly_aggregate')`);
    const drift = await stack.deploy("refresh");
    expect(diffs(drift)).toMatchObject({
      "update metric_hist-retention": [{ property: "dropAfter", before: "18250 days", after: "10 days" }],
      "update energy_consumption": [{ property: "chunkInterval", after: "1 hour" }],
      "delete oee_hourly_aggregate-refresh": [],
    });
    const up = await stack.deploy("up");
    expect(up).toMatchObject({ result: "succeeded", resources: { created: 1, updated: 2 } });
    expect(
      await sql(`SELECT proc_name, config->>'drop_after' AS after FROM timescaledb_information.jobs
                  WHERE hypertable_name = 'metric_hist' AND proc_name = 'policy_retention'`),
    ).toEqual([{ proc_name: "policy_retention", after: "18250 days" }]);
  });

  it("refuses the other edition before anything changes", async () => {
    const result = await stack.deploy("up", { MS5_DATABASE_EDITION: "apache" });
    expect(result).toMatchObject({ result: "failed", resources: { updated: 0, deleted: 0 } });
    expect(result.diagnostics).toContainEqual(
      expect.objectContaining({
        severity: "error",
        message: expect.stringContaining("the server has the community edition"),
      }),
    );
  });

  it("comes back to the same schema after everything was undone", async () => {
    const before = await schemaDump();
    expect(before).toContain("metric_hourly_aggregate");
    // By the command, which tells the engine what it has taken away.
    const commands = new CommandStack(
      "local",
      { MS5_DATABASE_PORT: String(database.target.port) },
      stack.folder,
    );
    expect(await commands.command(["migrate", "undo", "all", "--drop-data"])).toMatchObject({ code: 0 });
    expect(await schemaDump()).not.toContain("metric_hist");
    expect(await stack.deploy("up")).toMatchObject({ result: "succeeded" });
    expect(await schemaDump()).toBe(before);
    // Grants on what was undone are missed too.
    expect(
      await sql(
        "SELECT has_table_privilege('ms5_writer', 'factory_telemetry.ingest_files', 'INSERT') AS may",
      ),
    ).toEqual([{ may: true }]);
  });

  it("is destroyed without its telemetry, which the next stack takes over", async () => {
    await addSample();
    expect(await stack.deploy("destroy")).toMatchObject({ result: "succeeded" });
    expect(await samples()).toEqual([{ value: 42 }]);
    expect(await sql("SELECT proc_name FROM timescaledb_information.jobs WHERE job_id >= 1000")).toEqual([]);
    expect(await stack.deploy("up")).toMatchObject({ result: "succeeded" });
    expect(await samples()).toEqual([{ value: 42 }]);
  });

  it("is destroyed with it when the config says so", async () => {
    expect(await stack.deploy("destroy", { MS5_DESTROY_DROP_TELEMETRY: "true" })).toMatchObject({
      result: "succeeded",
    });
    expect(await sql("SELECT to_regclass('factory_telemetry.metric_hist') AS t")).toEqual([{ t: null }]);
  });
});
