import { describe, expect, it } from "vitest";
import { loadConfig } from "../../infra/config";
import { planSchema, readAggregate } from "../../infra/schema/plan";

const plan = (env: Record<string, string>) =>
  planSchema(loadConfig("prod", { "ms5-timescale:platform": "none" }, env));

describe("what the config comes to in the database", () => {
  it("is every table with its policies, and the aggregates in the order they build on each other", () => {
    const { tables, aggregates } = plan({});
    expect([...aggregates.keys()]).toEqual([
      "metric_minute_aggregate",
      "metric_hourly_aggregate",
      "metric_daily_aggregate",
      "oee_hourly_aggregate",
    ]);
    expect(tables.get("metric_hist")).toEqual({
      hypertable: {
        table: "factory_telemetry.metric_hist",
        timeColumn: "ts",
        chunkInterval: "1 day",
        columnstore: { segmentBy: ["machine_id", "metric_id"], orderBy: "ts DESC" },
      },
      columnstorePolicy: { relation: "factory_telemetry.metric_hist", after: "7 days", schedule: "12 hours" },
      retentionPolicy: { relation: "factory_telemetry.metric_hist", dropAfter: "90 days", schedule: "1 day" },
      reorderPolicy: undefined,
    });
  });

  it("has no policy that was turned off, and a reorder policy where one is wanted", () => {
    const { tables } = plan({
      MS5_TIMESCALEDB_TABLES_METRIC_HIST_RETENTION: "keep",
      MS5_TIMESCALEDB_TABLES_METRIC_HIST_COLUMNSTORE: "false",
      MS5_TIMESCALEDB_TABLES_OEE_CALCULATIONS_REORDER_INDEX: "oee_calculations_pkey",
    });
    expect(tables.get("metric_hist")).toMatchObject({
      hypertable: { columnstore: null },
      columnstorePolicy: undefined,
      retentionPolicy: undefined,
    });
    expect(tables.get("oee_calculations")?.reorderPolicy).toEqual({
      relation: "factory_telemetry.oee_calculations",
      index: "oee_calculations_pkey",
    });
  });

  it("is hypertables alone with the Apache edition", () => {
    const { tables, aggregates } = plan({ MS5_DATABASE_EDITION: "apache" });
    expect(aggregates.size).toBe(0);
    for (const { hypertable, ...policies } of tables.values()) {
      expect(hypertable.columnstore).toBeNull();
      expect(Object.values(policies)).toEqual([undefined, undefined, undefined]);
    }
  });

  it("takes an aggregate's query without its comments: a better one must not replace the aggregate", () => {
    expect(readAggregate("oee_hourly_aggregate")).toMatch(/^SELECT/);
    expect(readAggregate("oee_hourly_aggregate")).not.toContain("--");
  });
});
