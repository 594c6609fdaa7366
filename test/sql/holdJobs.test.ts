// What keeps TimescaleDB's jobs from running in a restored copy, on the edition that has some: the statements themselves.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../infra/schema/postgres";
import { projectRoot } from "../../ops/paths";
import { embedded } from "../support/embedded";

const database = embedded();
const hold = readFileSync(join(projectRoot, "infra/database/agent/hold.sql"), "utf8");

async function sql<Row extends object>(text: string): Promise<Row[]> {
  return withClient(database.target, async (client) => {
    const result = await client.query<Row>(text);
    // Several statements give several results; the last one is what is asked for.
    return (Array.isArray(result) ? (result.at(-1)?.rows as Row[]) : result.rows) ?? [];
  });
}

const scheduled = () =>
  sql<{ job: number; scheduled: boolean }>(
    "SELECT job_id AS job, scheduled FROM timescaledb_information.jobs WHERE job_id >= 1000 ORDER BY 1",
  );

beforeAll(async () => {
  await sql("CREATE TABLE readings (ts timestamptz NOT NULL, value real)");
  await sql("SELECT create_hypertable('readings', 'ts')");
  await sql("INSERT INTO readings VALUES (now() - interval '2 years', 1), (now(), 2)");
  await sql("SELECT add_retention_policy('readings', interval '1 year')");
  // Somebody had stopped this one before.
  await sql("CREATE PROCEDURE nothing(job_id int, config jsonb) LANGUAGE plpgsql AS $$ BEGIN NULL; END $$");
  await sql("SELECT alter_job(add_job('nothing', '1 hour'), scheduled => false)");
});

describe("the jobs of a restored copy", () => {
  it("would delete what was restored, for being old", async () => {
    const [retention] = await scheduled();
    expect(retention?.scheduled).toBe(true);
  });

  it("are all held, and those that were running are remembered", async () => {
    const before = await scheduled();
    const held = await sql<{ count: string }>(hold);
    expect(Number(held[0]?.count)).toBe(1);
    expect((await scheduled()).map(({ scheduled: runs }) => runs)).toEqual([false, false]);
    expect(await sql("SELECT job_id AS job FROM ms5_restore.held_jobs")).toEqual([{ job: before[0]?.job }]);
    expect(await sql("SELECT count(*)::int AS rows FROM readings")).toEqual([{ rows: 2 }]);
  });

  it("stay held, and remembered, when it is done again", async () => {
    await sql(hold);
    expect((await scheduled()).map(({ scheduled: runs }) => runs)).toEqual([false, false]);
    expect(await sql("SELECT count(*)::int AS jobs FROM ms5_restore.held_jobs")).toEqual([{ jobs: 1 }]);
  });
});
