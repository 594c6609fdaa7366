import { beforeAll, describe, expect, it } from "vitest";
import { aggregateNames, qualified, tableNames } from "../../infra/schema/catalogue";
import {
  check,
  create,
  diff,
  type Kind,
  read,
  delete as remove,
  type Stack,
  update,
} from "../../infra/schema/handlers";
import { migrationFiles } from "../../infra/schema/handlers/migrations";
import { statedOwner } from "../../infra/schema/handlers/owner";
import { readAggregate } from "../../infra/schema/plan";
import { withClient } from "../../infra/schema/postgres";
import { createOwner, rawConfigFor } from "../support/deployed";
import { embedded } from "../support/embedded";

const database = embedded();
let stack: Stack;

beforeAll(async () => {
  stack = { name: "local", rawConfig: rawConfigFor(database.target) };
  await createOwner(database.target);
});

async function sql<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  return withClient(database.target, async (client) => (await client.query<Row>(text, values)).rows);
}

/** Creates, then reads back: a resource that is not read back as stated would show drift for ever. */
async function createAndRead(kind: Kind, inputs: Record<string, unknown>) {
  const stated = { ...inputs, engineVersion: "1", __provider: "source" };
  const { id, outs } = await create(kind, stack, stated);
  const live = await read(kind, stack, id, outs);
  expect(live.id).toBe(id);
  expect(await diff(kind, { ...live.props, __provider: "source" }, stated)).toMatchObject({ changes: false });
  return { id, outs };
}

describe("schema resources, in the order a stack makes them", () => {
  it("Server: accepts the edition it finds and refuses the other before anything changes", async () => {
    await createAndRead("Server", { edition: "community" });
    const { failures } = await check("Server", stack, {}, { edition: "apache" });
    expect(failures?.[0]?.reason).toContain(
      'database.edition is "apache", but the server has the community edition',
    );
    await expect(create("Server", stack, { edition: "apache" })).rejects.toThrow("Nothing was changed");
  });

  it("Owner: is taken over when it is there, found when changed by hand, and put right", async () => {
    const inputs = statedOwner(database.target.user);
    await createAndRead("Owner", { ...inputs });
    await sql("ALTER ROLE ms5_owner NOLOGIN");
    await sql(`REVOKE CREATE ON DATABASE ${database.target.database} FROM ms5_owner`);
    const drifted = await read("Owner", stack, "ms5_owner", { ...inputs });
    expect(drifted.props).toMatchObject({ login: false, privileges: ["CONNECT"] });
    await update("Owner", stack, "ms5_owner", drifted.props ?? {}, { ...inputs });
    expect((await read("Owner", stack, "ms5_owner", { ...inputs })).props).toMatchObject(inputs);
  });

  it("Migrations: applies every file as the owner", async () => {
    await createAndRead("Migrations", { files: await migrationFiles() });
    const [owner] = await sql<{ tableowner: string }>(
      "SELECT tableowner FROM pg_tables WHERE schemaname = 'factory_telemetry' AND tablename = 'metric_hist'",
    );
    expect(owner?.tableowner).toBe("ms5_owner");
  });

  it("Migrations: an edited or removed file is refused at preview", async () => {
    const files = await migrationFiles();
    const { "0003-metric-hist.sql": _, ...rest } = files;
    const edited = { ...rest, "0002-reference-tables.sql": "0".repeat(64) };
    const { failures } = await check("Migrations", stack, { files }, { files: edited });
    expect(failures?.map((failure) => failure.reason.split(". ")[0])).toEqual([
      "0002-reference-tables.sql was edited after it was applied",
      "0003-metric-hist.sql is not in sql/migrations/ any more",
    ]);
  });

  it.each(tableNames)("Hypertable %s: reads back as stated", async (name) => {
    const segmentBy = name === "metric_hist" ? ["machine_id", "metric_id"] : ["machine_id"];
    await createAndRead("Hypertable", {
      table: qualified(name),
      timeColumn: "ts",
      chunkInterval: "1 day",
      columnstore: { segmentBy, orderBy: "ts DESC" },
    });
  });

  it("Hypertable: chunk interval and columnstore settings are changed in place", async () => {
    const olds = {
      table: qualified("production_kpis"),
      timeColumn: "ts",
      chunkInterval: "1 day",
      columnstore: null,
      engineVersion: "1",
    };
    const news = {
      ...olds,
      chunkInterval: "7 days",
      columnstore: { segmentBy: ["machine_id", "shift_id"], orderBy: "ts DESC, production_order_id" },
    };
    expect(await diff("Hypertable", olds, news)).toMatchObject({ changes: true, replaces: [] });
    await update("Hypertable", stack, "id", olds, news);
    expect((await read("Hypertable", stack, "id", olds)).props).toMatchObject(news);
    await update("Hypertable", stack, "id", news, olds);
    expect((await read("Hypertable", stack, "id", olds)).props).toMatchObject(olds);
  });

  it("Hypertable: another table is a replacement, and removing it keeps the rows", async () => {
    const olds = {
      table: qualified("metric_hist"),
      timeColumn: "ts",
      chunkInterval: "1 day",
      columnstore: null,
    };
    expect(await diff("Hypertable", olds, { ...olds, table: "x.y" })).toMatchObject({ replaces: ["table"] });
    await sql(
      "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES (now(), 1, 1, 1)",
    );
    await remove("Hypertable", stack, olds);
    expect(await sql("SELECT 1 FROM factory_telemetry.metric_hist")).toHaveLength(1);
  });

  it.each(aggregateNames)("ContinuousAggregate %s: reads back as stated", async (name) => {
    await createAndRead("ContinuousAggregate", {
      name: qualified(name),
      query: readAggregate(name),
      realtime: true,
      columnstore: true,
    });
  });

  it("ContinuousAggregate: is adopted when it is the same, and refused when its query is another", async () => {
    const inputs = {
      name: qualified("oee_hourly_aggregate"),
      query: readAggregate("oee_hourly_aggregate"),
      realtime: false,
      columnstore: true,
    };
    await create("ContinuousAggregate", stack, inputs);
    expect((await read("ContinuousAggregate", stack, "id", inputs)).props).toMatchObject({ realtime: false });
    await expect(
      create("ContinuousAggregate", stack, { ...inputs, query: `${inputs.query} ` }),
    ).rejects.toThrow("would erase the history it keeps");
  });

  const relation = qualified("metric_minute_aggregate");
  const policies: [Kind, Record<string, unknown>, Record<string, unknown>][] = [
    [
      "RefreshPolicy",
      { relation, startOffset: "3 days", endOffset: "1 minute", schedule: "1 minute" },
      { startOffset: "2 days" },
    ],
    [
      "ColumnstorePolicy",
      { relation, after: "7 days", schedule: "12 hours" },
      { after: "8 days", schedule: "6 hours" },
    ],
    ["RetentionPolicy", { relation, dropAfter: "365 days", schedule: "1 day" }, { dropAfter: "400 days" }],
    [
      "ColumnstorePolicy",
      { relation: qualified("metric_hist"), after: "7 days", schedule: "12 hours" },
      { after: "90 minutes" },
    ],
    [
      "RetentionPolicy",
      { relation: qualified("metric_hist"), dropAfter: "90 days", schedule: "1 day" },
      { schedule: "2 days" },
    ],
    ["ReorderPolicy", { relation: qualified("oee_calculations"), index: "oee_calculations_pkey" }, {}],
  ];

  it.each(policies)(
    "%s: is made, changed, found when changed by hand, put right and removed",
    async (kind, inputs, change) => {
      const { id } = await createAndRead(kind, inputs);
      const changed = { ...inputs, ...change };
      await update(kind, stack, id, inputs, changed);
      expect((await read(kind, stack, id, inputs)).props).toMatchObject(changed);

      // By hand: the job is paused.
      const [job] = await sql<{ job_id: number; proc_name: string }>(
        "SELECT job_id, proc_name FROM timescaledb_information.jobs ORDER BY job_id DESC LIMIT 1",
      );
      await sql("SELECT alter_job($1, scheduled => false)", [job?.job_id]);
      const drifted = await read(kind, stack, id, changed);
      expect(Object.values(drifted.props ?? {})).toContain("paused");
      expect(await diff(kind, drifted.props ?? {}, changed)).toMatchObject({ changes: true });
      await update(kind, stack, id, drifted.props ?? {}, changed);
      const [resumed] = await sql<{ scheduled: boolean }>(
        "SELECT scheduled FROM timescaledb_information.jobs WHERE proc_name = $1 ORDER BY job_id DESC LIMIT 1",
        [job?.proc_name],
      );
      expect(resumed?.scheduled).toBe(true);

      await remove(kind, stack, changed);
      expect((await read(kind, stack, id, changed)).id).toBe("");
      await create(kind, stack, inputs);
    },
  );

  it("removing an aggregate or the migrations keeps telemetry unless the config lets it go", async () => {
    const aggregate = { name: qualified("oee_hourly_aggregate") };
    await remove("ContinuousAggregate", stack, aggregate);
    await remove("Migrations", stack, {});
    expect(await sql("SELECT 1 FROM factory_telemetry.metric_hist")).toHaveLength(1);
    expect(await sql("SELECT 1 FROM factory_telemetry.oee_hourly_aggregate")).toHaveLength(0);

    const dropping = {
      ...stack,
      rawConfig: rawConfigFor(database.target, { destroy: { dropTelemetry: true } }),
    };
    await remove("ContinuousAggregate", dropping, aggregate);
    await expect(sql("SELECT 1 FROM factory_telemetry.oee_hourly_aggregate")).rejects.toThrow(
      "does not exist",
    );
    await remove("Migrations", dropping, {});
    expect(await sql("SELECT 1 FROM pg_namespace WHERE nspname IN ('factory_telemetry', 'audit')")).toEqual(
      [],
    );
    expect((await read("Migrations", stack, "migrations", { files: {} })).id).toBe("");

    const owner = { ...statedOwner(database.target.user) };
    await remove("Owner", dropping, owner);
    expect((await read("Owner", dropping, "ms5_owner", owner)).id).toBe("ms5_owner");
  });
});
