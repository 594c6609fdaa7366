import { describe, expect, it } from "vitest";
import { collect } from "../../../ops/monitoring/exporter/collection";
import { collector } from "../../../ops/monitoring/exporter/collector";
import { endpoints } from "../../../ops/monitoring/exporter/collectors";
import { ages, logins } from "../../../ops/monitoring/exporter/collectors/ages";
import { aggregates } from "../../../ops/monitoring/exporter/collectors/aggregates";
import { chunks } from "../../../ops/monitoring/exporter/collectors/chunks";
import {
  columnstoreBytes,
  columnstorePolicies,
} from "../../../ops/monitoring/exporter/collectors/columnstore";
import { freshness } from "../../../ops/monitoring/exporter/collectors/freshness";
import { type JobRow, jobLag, jobs } from "../../../ops/monitoring/exporter/collectors/jobs";
import { retention } from "../../../ops/monitoring/exporter/collectors/retention";
import { sessions, stateLabel } from "../../../ops/monitoring/exporter/collectors/sessions";
import { databaseSize, rowCounts, sizes } from "../../../ops/monitoring/exporter/collectors/sizes";
import {
  databaseStatistics,
  inputOutput,
  writeAheadLog,
} from "../../../ops/monitoring/exporter/collectors/statistics";
import { FailureLog, reasonOf } from "../../../ops/monitoring/exporter/log";
import { type Sample, sample } from "../../../ops/monitoring/exporter/metrics";

/** `name{label="value"} number`, without the prefix all have. */
function lines(samples: readonly Sample[]): string[] {
  return samples.map(({ metric, labels, value }) => {
    const of = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `${metric.replace(/^timescaledb_/, "")}${of.length === 0 ? "" : `{${of.join(",")}}`} ${value}`;
  });
}

const table = { hypertable: "metric_hist", kind: "table" };
const ofTable = 'hypertable="metric_hist",kind="table"';

describe("sizes", () => {
  it("are told as they are", () => {
    expect(lines(sizes.samples([{ ...table, bytes: 4096 }]))).toEqual([
      `hypertable_size_bytes{${ofTable}} 4096`,
    ]);
    expect(lines(rowCounts.samples([{ ...table, rows: 12 }]))).toEqual([`hypertable_rows{${ofTable}} 12`]);
    expect(lines(databaseSize.samples([{ bytes: 5 }]))).toEqual(["database_size_bytes 5"]);
  });
});

describe("chunks", () => {
  const row = { ...table, as_rows: 3, as_columns: 0, interval_seconds: 86_400 };

  it("have a beginning and an end", () => {
    expect(lines(chunks.samples([{ ...row, oldest_start: 100, newest_end: 200 }]))).toEqual([
      `hypertable_chunks{${ofTable},store="rows"} 3`,
      `hypertable_chunks{${ofTable},store="columns"} 0`,
      `hypertable_oldest_chunk_start_timestamp_seconds{${ofTable}} 100`,
      `hypertable_newest_chunk_end_timestamp_seconds{${ofTable}} 200`,
      `hypertable_chunk_interval_seconds{${ofTable}} 86400`,
    ]);
  });

  it("have none where there are none, but are counted", () => {
    expect(lines(chunks.samples([{ ...row, as_rows: 0, oldest_start: null, newest_end: null }]))).toEqual([
      `hypertable_chunks{${ofTable},store="rows"} 0`,
      `hypertable_chunks{${ofTable},store="columns"} 0`,
      `hypertable_chunk_interval_seconds{${ofTable}} 86400`,
    ]);
  });
});

describe("freshness, retention, columnstore", () => {
  it("tell no newest row of an empty table", () => {
    const rows = [
      { hypertable: "metric_hist", newest: 1_000 },
      { hypertable: "production_kpis", newest: null },
    ];
    expect(lines(freshness.samples(rows))).toEqual([
      'hypertable_newest_row_timestamp_seconds{hypertable="metric_hist"} 1000',
    ]);
  });

  it("tell retention also where there is nothing to drop", () => {
    expect(lines(retention.samples([{ ...table, retention: 90, overdue: -5 }]))).toEqual([
      `retention_seconds{${ofTable}} 90`,
      `retention_overdue_seconds{${ofTable}} -5`,
    ]);
    expect(lines(retention.samples([{ ...table, retention: 90, overdue: null }]))).toEqual([
      `retention_seconds{${ofTable}} 90`,
    ]);
  });

  it("tell bytes and overdue chunks", () => {
    expect(lines(columnstoreBytes.samples([{ ...table, before: 100, after: 7 }]))).toEqual([
      `columnstore_before_bytes{${ofTable}} 100`,
      `columnstore_after_bytes{${ofTable}} 7`,
    ]);
    expect(lines(columnstorePolicies.samples([{ ...table, after: 60, overdue: 2 }]))).toEqual([
      `columnstore_after_seconds{${ofTable}} 60`,
      `columnstore_overdue_chunks{${ofTable}} 2`,
    ]);
  });
});

describe("aggregates", () => {
  it("have no staleness while nothing is materialised, and no schedule without a policy", () => {
    const rows = [
      { aggregate: "a", staleness: 61.5, schedule: 600, end_offset: 3600 },
      { aggregate: "b", staleness: Number.POSITIVE_INFINITY, schedule: 600, end_offset: null },
      { aggregate: "c", staleness: 5, schedule: null, end_offset: null },
    ];
    expect(lines(aggregates.samples(rows))).toEqual([
      'aggregate_staleness_seconds{aggregate="a"} 61.5',
      'aggregate_schedule_seconds{aggregate="a"} 600',
      'aggregate_end_offset_seconds{aggregate="a"} 3600',
      'aggregate_schedule_seconds{aggregate="b"} 600',
      'aggregate_staleness_seconds{aggregate="c"} 5',
    ]);
  });
});

describe("jobs", () => {
  const job: JobRow = {
    job_id: 1000,
    proc_name: "policy_compression",
    hypertable: "metric_hist",
    scheduled: true,
    running: false,
    runs: 12,
    failures: 2,
    last_status: "Success",
    last_success: 5_000,
    last_duration: 1.5,
    schedule_interval: 43_200,
    next_start: 10_000,
    now: 9_000,
  };

  it("tell what came of their runs", () => {
    expect(lines(jobs.samples([job]))).toEqual([
      'job_info{job="columnstore:metric_hist",proc="policy_compression",hypertable="metric_hist"} 1',
      'job_scheduled{job="columnstore:metric_hist"} 1',
      'job_runs_total{job="columnstore:metric_hist"} 12',
      'job_failures_total{job="columnstore:metric_hist"} 2',
      'job_last_run_success{job="columnstore:metric_hist"} 1',
      'job_last_success_timestamp_seconds{job="columnstore:metric_hist"} 5000',
      'job_last_duration_seconds{job="columnstore:metric_hist"} 1.5',
      'job_schedule_interval_seconds{job="columnstore:metric_hist"} 43200',
      'job_lag_seconds{job="columnstore:metric_hist"} 0',
    ]);
  });

  it("tell less before the first success", () => {
    const told = lines(
      jobs.samples([
        { ...job, scheduled: false, last_status: "Failed", last_success: Number.NEGATIVE_INFINITY },
        { ...job, job_id: 1, hypertable: null, proc_name: "policy_telemetry", last_status: null },
      ]),
    );
    expect(told).toContain('job_scheduled{job="columnstore:metric_hist"} 0');
    expect(told).toContain('job_last_run_success{job="columnstore:metric_hist"} 0');
    expect(told.join()).not.toContain('job_last_success_timestamp_seconds{job="columnstore:metric_hist"}');
    expect(told).toContain('job_info{job="telemetry:1",proc="policy_telemetry",hypertable=""} 1');
    expect(told.join()).not.toContain('job_last_run_success{job="telemetry:1"}');
  });

  it("of TimescaleDB's own do not fail in anybody's eyes", () => {
    const own = { ...job, job_id: 3, hypertable: null, last_status: "Failed" };
    const told = lines(jobs.samples([own, { ...own, job_id: 1_000 }]));
    expect(told.filter((line) => line.startsWith("job_last_run_success"))).toEqual([
      'job_last_run_success{job="columnstore:1000"} 0',
    ]);
    expect(told).toContain('job_failures_total{job="columnstore:3"} 2');
  });

  it.each([
    ["should have begun", { next_start: 8_000 }, 1_000],
    ["begins later", { next_start: 9_001 }, 0],
    ["runs", { next_start: 8_000, running: true }, 0],
    ["has just begun", { next_start: Number.NEGATIVE_INFINITY }, 0],
    ["is paused", { next_start: null }, 0],
  ])("lag when a run %s", (_, changes, lag) => {
    expect(jobLag({ ...job, ...changes })).toBe(lag);
  });
});

describe("sessions", () => {
  it.each([
    ["active", "active"],
    ["idle", "idle"],
    ["idle in transaction", "idle in transaction"],
    ["idle in transaction (aborted)", "idle in transaction"],
    ["fastpath function call", "other"],
    [null, "other"],
  ])("%s counts as %s", (state, label) => {
    expect(stateLabel(state)).toBe(label);
  });

  it("are added up, with every state told", () => {
    const row = { blocked: 0, oldest_seconds: null, connections_limit: 97 };
    const told = lines(
      sessions.samples([
        { ...row, state: "active", sessions: 4, blocked: 2, oldest_seconds: 1.5 },
        { ...row, state: "idle in transaction", sessions: 1, oldest_seconds: 60 },
        { ...row, state: "idle in transaction (aborted)", sessions: 2, oldest_seconds: 9, blocked: 1 },
      ]),
    );
    expect(told).toEqual([
      'connections{state="active"} 4',
      'connections{state="idle"} 0',
      'connections{state="idle in transaction"} 3',
      'connections{state="other"} 0',
      "connections_limit 97",
      "blocked_sessions 3",
      "longest_transaction_seconds 60",
    ]);
  });

  it("are none where the server shows none", () => {
    const none = { state: null, sessions: 0, blocked: 0, oldest_seconds: null, connections_limit: 100 };
    expect(lines(sessions.samples([none]))).toContain("longest_transaction_seconds 0");
  });
});

describe("the server's statistics", () => {
  it("are counters as they stand", () => {
    const row = {
      committed: 1,
      rolled_back: 2,
      from_cache: 3,
      from_disk: 4,
      inserted: 5,
      updated: 6,
      deleted: 7,
      returned: 8,
      fetched: 9,
      deadlocks: 10,
      temporary_bytes: 11,
    };
    expect(lines(databaseStatistics.samples([row]))).toEqual([
      'transactions_total{outcome="committed"} 1',
      'transactions_total{outcome="rolled_back"} 2',
      'blocks_total{from="cache"} 3',
      'blocks_total{from="disk"} 4',
      'rows_total{operation="inserted"} 5',
      'rows_total{operation="updated"} 6',
      'rows_total{operation="deleted"} 7',
      'rows_total{operation="returned"} 8',
      'rows_total{operation="fetched"} 9',
      "deadlocks_total 10",
      "temporary_bytes_total 11",
    ]);
    expect(lines(inputOutput.samples([{ read: 1, written: 2, extended: 3 }]))).toEqual([
      'io_bytes_total{operation="read"} 1',
      'io_bytes_total{operation="written"} 2',
      'io_bytes_total{operation="extended"} 3',
    ]);
    expect(lines(writeAheadLog.samples([{ bytes: 9 }]))).toEqual(["wal_bytes_total 9"]);
  });

  it("include ages, and passwords that end", () => {
    expect(lines(ages.samples([{ transaction_ids: 700, multixacts: 2 }]))).toEqual([
      "transaction_id_age 700",
      "multixact_age 2",
    ]);
    const roles = [
      { role: "ms5_reader", expiry: 1_900_000_000 },
      { role: "ms5_writer", expiry: Number.POSITIVE_INFINITY },
    ];
    expect(lines(logins.samples(roles))).toEqual([
      'login_expiry_timestamp_seconds{role="ms5_reader"} 1900000000',
    ]);
  });
});

describe("collect", () => {
  const of = (name: string, communityOnly = false) =>
    collector<{ bytes: number }>({
      name,
      communityOnly,
      sql: name,
      samples: (rows) => rows.flatMap(({ bytes }) => sample("timescaledb_wal_bytes_total", {}, bytes)),
    });

  /** A session whose queries are answered by `answer`; the first asks what the server is. */
  function session(license: string, answer: (sql: string) => object[]) {
    return {
      run: async (_: number, work: (client: never) => Promise<unknown>) =>
        work({
          query: async (sql: string) => ({
            rows: sql.includes("server_version")
              ? [{ postgres: "17.5", timescaledb: "2.23.0", license }]
              : answer(sql),
          }),
        } as never),
    } as Parameters<typeof collect>[0];
  }

  const outcomes = (samples: readonly Sample[]) =>
    lines(samples).filter((line) => line.startsWith("exporter_collect_success"));

  it("leaves the others alone when one fails, and says so once", async () => {
    const events: object[] = [];
    const failures = new FailureLog((event) => events.push(event));
    let broken = true;
    const one = session("timescale", (sql) => {
      if (sql === "b" && broken) throw new Error("no such view");
      return [{ bytes: 1 }];
    });
    const collectors = [of("a"), of("b"), of("c")];
    const { server, samples } = await collect(one, collectors, 1_000, failures);
    await collect(one, collectors, 1_000, failures);
    broken = false;
    await collect(one, collectors, 1_000, failures);
    expect(server).toEqual({ postgres: "17.5", timescaledb: "2.23.0", edition: "community" });
    expect(outcomes(samples)).toEqual([
      'exporter_collect_success{collector="a"} 1',
      'exporter_collect_success{collector="b"} 0',
      'exporter_collect_success{collector="c"} 1',
    ]);
    expect(events).toEqual([
      { level: "warn", message: "collector b fails", error: "no such view" },
      { level: "info", message: "collector b works again" },
    ]);
  });

  it("does not ask the Apache edition what it does not have", async () => {
    const asked: string[] = [];
    const apache = session("apache", (sql) => {
      asked.push(sql);
      return [];
    });
    const { samples } = await collect(
      apache,
      [of("a", true), of("b")],
      1_000,
      new FailureLog(() => undefined),
    );
    expect(asked).toEqual(["b"]);
    expect(outcomes(samples)).toEqual(['exporter_collect_success{collector="b"} 1']);
  });

  it("says that every collector failed when the database is away", async () => {
    const events: object[] = [];
    const away = { run: () => Promise.reject(new Error("connection refused")) };
    const collected = await collect(
      away,
      [of("a"), of("b", true)],
      1_000,
      new FailureLog((event) => events.push(event)),
    );
    expect(collected.server).toBeUndefined();
    expect(outcomes(collected.samples)).toEqual([
      'exporter_collect_success{collector="a"} 0',
      'exporter_collect_success{collector="b"} 0',
    ]);
    expect(events).toEqual([{ level: "warn", message: "the database fails", error: "connection refused" }]);
  });

  it("keeps what it had when the database goes away in the middle", async () => {
    const half = {
      run: async (_: number, work: (client: never) => Promise<unknown>) => {
        await Promise.race([
          work({
            query: (sql: string) =>
              sql === "b"
                ? new Promise(() => undefined)
                : Promise.resolve({ rows: [{ postgres: "17", license: "timescale", bytes: 1 }] }),
          } as never),
          new Promise((_resolve, reject) => setTimeout(() => reject(new Error("no answer")), 20)),
        ]);
      },
    } as Parameters<typeof collect>[0];
    const { samples } = await collect(half, [of("a"), of("b"), of("c")], 20, new FailureLog(() => undefined));
    expect(outcomes(samples)).toEqual([
      'exporter_collect_success{collector="a"} 1',
      'exporter_collect_success{collector="b"} 0',
      'exporter_collect_success{collector="c"} 0',
    ]);
  });
});

it("collectors have names of their own", () => {
  const names = Object.values(endpoints).flatMap((collectors) => collectors.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});

describe("reasonOf", () => {
  it("finds something to say", () => {
    expect(reasonOf(new Error("text"))).toBe("text");
    expect(reasonOf(Object.assign(new Error(""), { code: "ECONNREFUSED" }))).toBe("ECONNREFUSED");
    expect(reasonOf(new AggregateError([new Error("a"), new Error("b")]))).toBe("a; b");
    expect(reasonOf("words")).toBe("words");
  });
});
