import { describe, expect, it } from "vitest";
import { configSchema } from "../../../infra/config/schema";
import { adviseColumnstore, type ColumnstoreFacts } from "../../../ops/monitoring/advice/columnstoreAdvice";
import type { Relation } from "../../../ops/monitoring/advice/relations";
import { simulate } from "../../../ops/monitoring/advice/simulateColumnstore";

const day = 86_400;
const at = 20_000 * day;
const mb = 2 ** 20;

/** 30 complete chunks of a day, 100 MB each; those a week old are columns at 5 %. */
const chunks = Array.from({ length: 30 }, (_, index) => {
  const to = at - (29 - index) * day;
  const columns = at - to >= 7 * day;
  return {
    name: `chunk-${index}`,
    from: to - day,
    to,
    created: to - day,
    columns,
    rowBytes: 100 * mb,
    bytes: columns ? 5 * mb : 100 * mb,
    analysedRows: null,
  };
});

const good: ColumnstoreFacts = {
  name: "metric_hist",
  kind: "table",
  timeColumn: "ts",
  chunkSeconds: day,
  columnstoreAfterSeconds: 7 * day,
  retentionSeconds: 90 * day,
  refreshStartSeconds: null,
  settings: { segmentBy: ["machine_id", "metric_id"], orderBy: ["ts DESC"] },
  chunks,
  segments: { columns: ["machine_id", "metric_id"], rows: 1_000_000, segments: 100 },
  byKey: null,
  changedRows: 12,
};
const rows = (one: (typeof chunks)[number]) => ({ ...one, columns: false, bytes: one.rowBytes });
const advise = (change: Partial<ColumnstoreFacts>) => adviseColumnstore({ ...good, ...change }, at);
const prefix = "timescaledb.tables.metric_hist";

describe("columnstore advice", () => {
  it("is none where all is well, or nothing is there", () => {
    expect(advise({})).toEqual([]);
    expect(advise({ chunks: [], settings: null })).toEqual([]);
  });

  it.each<[string, Partial<ColumnstoreFacts>, object]>([
    [
      "columnstore off",
      { settings: null },
      {
        severity: "warning",
        key: `${prefix}.columnstore`,
        value: true,
        reason: "the columnstore is off: 815 MB stay rows",
      },
    ],
    [
      "no policy",
      { columnstoreAfterSeconds: null },
      { severity: "warning", key: `${prefix}.columnstoreAfter`, value: "1 day" },
    ],
    [
      "late chunks",
      { chunks: chunks.map((one, index) => (index < 2 ? rows(one) : one)) },
      {
        severity: "warning",
        key: null,
        reason:
          "2 chunks of 200 MB are older than the policy (7 days) and still rows: look at the columnstore job's last runs",
      },
    ],
    [
      "time behind others",
      { settings: { segmentBy: ["machine_id"], orderBy: ["metric_id", "ts DESC"] } },
      { severity: "info", key: `${prefix}.orderBy`, value: "ts DESC, metric_id" },
    ],
    [
      "segments too fine: longer chunks",
      { segments: { columns: ["machine_id", "metric_id"], rows: 1_000_000, segments: 20_000 } },
      {
        severity: "warning",
        key: `${prefix}.chunkInterval`,
        value: "20 days",
        reason:
          "a segment (machine_id, metric_id) has 50 rows a chunk (1,000,000 rows in 20,000 segments): fewer than 100 are wasteful",
      },
    ],
    [
      "segments far too fine: fewer columns",
      { segments: { columns: ["machine_id", "order_no"], rows: 1_000_000, segments: 500_000 } },
      { severity: "warning", key: `${prefix}.segmentBy`, value: ["machine_id"] },
    ],
    [
      "batches that are not full",
      { segments: { columns: ["machine_id"], rows: 1_000_000, segments: 2_000 } },
      { severity: "info", key: `${prefix}.chunkInterval`, value: "2 days" },
    ],
    [
      "segments too coarse",
      {
        settings: { segmentBy: ["machine_id"], orderBy: ["ts DESC"] },
        byKey: { columns: ["machine_id", "metric_id"], rows: 1_000_000, segments: 100 },
      },
      { severity: "info", key: `${prefix}.segmentBy`, value: ["machine_id", "metric_id"] },
    ],
    [
      "small chunks",
      { chunks: chunks.map((one) => ({ ...one, rowBytes: mb, bytes: one.columns ? 0.6 * mb : mb })) },
      {
        severity: "info",
        key: `${prefix}.chunkInterval`,
        value: "22 days",
        reason: expect.stringContaining("60.0 %"),
      },
    ],
    [
      "a policy later than changes",
      {
        columnstoreAfterSeconds: 20 * day,
        changedRows: 0,
        chunks: chunks.map((one, index) => (index < 10 ? one : rows(one))),
      },
      {
        severity: "info",
        key: `${prefix}.columnstoreAfter`,
        value: "1 day",
        reason: expect.stringContaining("1.8 GB less"),
      },
    ],
  ])("%s", (_, change, expected) => {
    expect(advise(change)).toEqual([expect.objectContaining(expected)]);
  });

  it("does not want earlier columns where rows are changed, or nobody knows", () => {
    const late = {
      columnstoreAfterSeconds: 20 * day,
      chunks: chunks.map((one, index) => (index < 10 ? one : rows(one))),
    };
    expect(advise({ ...late, changedRows: 1 })).toEqual([]);
    expect(advise({ ...late, changedRows: null })).toEqual([]);
  });

  it("does not coarsen or refine what would then be wasteful", () => {
    const finer = { columns: ["machine_id", "metric_id"], rows: 1_000_000, segments: 2_000 };
    expect(advise({ settings: { segmentBy: ["machine_id"], orderBy: ["ts DESC"] }, byKey: finer })).toEqual(
      [],
    );
  });

  it("keeps an aggregate's columns out of the reach of its refresh, and knows its keys", () => {
    const aggregate = { name: "metric_minute_aggregate", kind: "aggregate", timeColumn: "bucket" } as const;
    expect(advise({ ...aggregate, columnstoreAfterSeconds: null, refreshStartSeconds: 3 * day })).toEqual([
      expect.objectContaining({
        key: "timescaledb.aggregates.metric_minute_aggregate.columnstoreAfter",
        value: "3 days",
      }),
    ]);
    expect(advise({ ...aggregate, settings: null })[0]).toMatchObject({
      key: "timescaledb.aggregates.metric_minute_aggregate.columnstoreAfter",
    });
  });

  it("names keys and values that the config takes", () => {
    const changes: Partial<ColumnstoreFacts>[] = [
      { settings: null },
      { columnstoreAfterSeconds: null },
      { settings: { segmentBy: ["machine_id"], orderBy: ["metric_id", "ts DESC"] } },
      { segments: { columns: ["machine_id", "metric_id"], rows: 1_000_000, segments: 20_000 } },
      { segments: { columns: ["machine_id", "order_no"], rows: 1_000_000, segments: 500_000 } },
      { kind: "aggregate", name: "metric_hourly_aggregate", columnstoreAfterSeconds: null },
    ];
    for (const change of changes)
      for (const { key, value } of advise(change)) {
        const nested = (key ?? "")
          .split(".")
          .reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
        expect(configSchema.safeParse(nested).error?.issues).toBeUndefined();
      }
  });
});

describe("columnstore simulation", () => {
  const relation = {
    name: "metric_hist",
    columnstoreAfterSeconds: 7 * day,
    retentionSeconds: 90 * day,
    refresh: null,
  } as Relation;

  it("saves by the table's own ratio", () => {
    expect(simulate(relation, chunks, 3 * day, at)).toEqual({
      hypertable: "metric_hist",
      afterSeconds: 3 * day,
      chunks: 4,
      rowBytes: 400 * mb,
      columnBytes: 20 * mb,
      savedBytes: 380 * mb,
      ratio: 0.05,
      measuredChunks: 23,
      warnings: [],
    });
  });

  it("claims nothing without columns to go by", () => {
    expect(simulate(relation, chunks.map(rows), 3 * day, at)).toMatchObject({
      chunks: 27,
      columnBytes: null,
      savedBytes: null,
      warnings: ["no chunk of this hypertable is columns yet: what they would take isn't known"],
    });
  });

  it("warns of ages that make no sense", () => {
    const warned = (change: Partial<Relation>, after: number) =>
      simulate({ ...relation, ...change }, chunks, after * day, at).warnings.join();
    expect(warned({}, 90)).toContain("deleted after 90 days, before they would become columns");
    expect(warned({}, 10)).toContain("they would stay columns");
    expect(warned({ refresh: { startSeconds: 5 * day, endSeconds: 0, scheduleSeconds: 60 } }, 3)).toContain(
      "refreshes would keep writing to columns",
    );
  });
});
