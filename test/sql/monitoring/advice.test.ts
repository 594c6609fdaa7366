// What advice reads of a real TimescaleDB: catalogues, policies, chunks, and what retention really deletes.
import { beforeAll, describe, expect, it } from "vitest";
import { type Client, withClient } from "../../../infra/schema/postgres";
import { fillFactory } from "../../../ops/bench/factory";
import { deploySchema } from "../../../ops/bench/throwaway";
import { chunkIntervalOutput, readChunkIntervals } from "../../../ops/monitoring/advice/chunkIntervals";
import { readChunks } from "../../../ops/monitoring/advice/chunks";
import { columnstoreAdviceOutput } from "../../../ops/monitoring/advice/columnstoreAdvice";
import { jobsOutput, readJobs } from "../../../ops/monitoring/advice/jobs";
import { readColumnstoreAdvice } from "../../../ops/monitoring/advice/readColumnstoreAdvice";
import { readStorageForecast } from "../../../ops/monitoring/advice/readStorageForecast";
import { findRelation, readRelations } from "../../../ops/monitoring/advice/relations";
import {
  columnstoreSimulationOutput,
  simulateColumnstore,
} from "../../../ops/monitoring/advice/simulateColumnstore";
import { retentionOutput, simulateRetention } from "../../../ops/monitoring/advice/simulateRetention";
import { storageForecastOutput } from "../../../ops/monitoring/advice/storageForecast";
import type { Queryable } from "../../../ops/queryable";
import { embedded } from "../../support/embedded";

const database = embedded();
const day = 86_400_000;
const days = 24;
/** The last midnight: the factory's time ends there. */
const at = new Date(Math.floor(Date.now() / day) * day);
const begin = new Date(at.getTime() - days * day);
const ago = (count: number) => new Date(at.getTime() - count * day);

const using = <T>(work: (client: Client) => Promise<T>) => withClient(database.target, work);

beforeAll(async () => {
  await deploySchema(database.target);
  await using(async (client) => {
    await client.query("SELECT set_chunk_time_interval('factory_telemetry.metric_hist', interval '1 day')");
    await client.query(
      "SELECT set_chunk_time_interval('factory_telemetry.oee_calculations', interval '7 days')",
    );
    await client.query(
      "SELECT set_chunk_time_interval('factory_telemetry.metric_minute_aggregate', interval '3 days')",
    );
    await fillFactory(client, { machines: 3, metrics: 2, intervalSeconds: 30, from: begin, days });
    await client.query(
      "CALL refresh_continuous_aggregate('factory_telemetry.metric_minute_aggregate', NULL, $1::timestamptz)",
      [ago(14)],
    );
    await client.query(
      "CALL refresh_continuous_aggregate('factory_telemetry.metric_hourly_aggregate', NULL, $1::timestamptz)",
      [ago(20)],
    );
    await client.query(
      "CALL add_columnstore_policy('factory_telemetry.metric_hist', after => interval '7 days')",
    );
    await client.query("SELECT add_retention_policy('factory_telemetry.metric_hist', interval '90 days')");
    await client.query(
      "SELECT add_continuous_aggregate_policy('factory_telemetry.metric_minute_aggregate', interval '3 days', interval '1 minute', interval '1 minute')",
    );
  });
});

describe("relations and chunks", () => {
  it("are tables and aggregates with what their policies say", async () => {
    const relations = await using(readRelations);
    expect(relations.map(({ name }) => name)).toEqual([
      "energy_consumption",
      "metric_hist",
      "oee_calculations",
      "production_context_history",
      "production_kpis",
      "metric_daily_aggregate",
      "metric_hourly_aggregate",
      "metric_minute_aggregate",
      "oee_hourly_aggregate",
    ]);
    const find = (name: string) => relations.find((relation) => relation.name === name);
    expect(find("metric_hist")).toMatchObject({
      kind: "table",
      timeColumn: "ts",
      chunkSeconds: 86_400,
      columnstoreAfterSeconds: 7 * 86_400,
      retentionSeconds: 90 * 86_400,
      refresh: null,
    });
    expect(find("metric_minute_aggregate")).toMatchObject({
      kind: "aggregate",
      timeColumn: "bucket",
      columnstoreAfterSeconds: null,
      refresh: { startSeconds: 3 * 86_400, endSeconds: 60, scheduleSeconds: 60 },
    });
  });

  it("an unknown name is refused with the known ones", async () => {
    await expect(using((client) => findRelation(client, "metric_hist; DROP TABLE x"))).rejects.toThrow(
      'there is no hypertable or continuous aggregate "metric_hist; DROP TABLE x"',
    );
  });

  it("chunks have the bytes that PostgreSQL says, as rows and as columns", async () => {
    await using(async (client) => {
      const relation = await findRelation(client, "metric_hist");
      const before = await readChunks(client, relation);
      expect(before).toHaveLength(days);
      const first = before[0];
      expect(first).toMatchObject({ from: begin.getTime() / 1_000, columns: false, rowBytes: first?.bytes });
      const { rows } = await client.query("SELECT pg_total_relation_size($1::regclass)::float8 AS bytes", [
        first?.name,
      ]);
      expect(rows[0].bytes).toBe(first?.bytes);
      await client.query("CALL convert_to_columnstore($1::regclass)", [first?.name]);
      const after = (await readChunks(client, relation))[0];
      expect(after).toMatchObject({ columns: true, rowBytes: first?.bytes });
      expect(after?.bytes).toBeLessThan((first?.bytes ?? 0) / 2);
    });
  });
});

describe("retention", () => {
  /** Runs drop_chunks for real and takes it back. */
  async function dropped(client: Client, relation: string, cutoff: string) {
    await client.query("BEGIN");
    const count = async () => Number((await client.query(`SELECT count(*) FROM ${relation}`)).rows[0].count);
    const before = await count();
    const { rows } = await client.query(
      "SELECT drop_chunks($1::regclass, older_than => $2::timestamptz) AS chunk",
      [relation, cutoff],
    );
    const gone = before - (await count());
    await client.query("ROLLBACK");
    return { chunks: rows.map(({ chunk }) => String(chunk)), rows: gone };
  }

  it.each([
    ["at a border of chunks", 10 * 86_400],
    ["just before the border", 10 * 86_400 - 1],
    ["just after the border", 10 * 86_400 + 1],
    ["within a chunk", 10.5 * 86_400],
    ["all", 3_600],
    ["none", 50 * 86_400],
  ])("deletes what drop_chunks does: %s", async (_, keepSeconds) => {
    // An age of an hour deletes all but today's.
    await using(async (client) => {
      const simulated = await simulateRetention(client, {
        hypertable: "metric_hist",
        keepSeconds: Math.round(keepSeconds),
        at,
      });
      expect(retentionOutput.parse(simulated)).toEqual(simulated);
      const { chunks, rows } = await dropped(client, "factory_telemetry.metric_hist", simulated.cutoff);
      expect(simulated.chunks).toBe(chunks.length);
      // One series is silent now and then, so chunks differ a little.
      expect(Math.abs((simulated.rows ?? 0) - rows)).toBeLessThanOrEqual(0.02 * rows);
      if (chunks.length > 0) {
        const relation = await findRelation(client, "metric_hist");
        const listed = (await readChunks(client, relation)).filter(({ name }) => chunks.includes(name));
        expect(listed).toHaveLength(chunks.length);
        expect(simulated.bytes).toBe(listed.reduce((total, { bytes }) => total + bytes, 0));
      }
    });
  });

  it("says which aggregates keep and lose what", async () => {
    const { dependents, warnings, from, to } = await using((client) =>
      simulateRetention(client, { hypertable: "metric_hist", keepSeconds: 10 * 86_400, at }),
    );
    expect([from, to]).toEqual([begin.toISOString(), ago(10).toISOString()]);
    const [minute, hour, daily] = dependents;
    expect(minute).toMatchObject({
      name: "metric_minute_aggregate",
      source: "metric_hist",
      realtime: true,
      holds: { from: begin.toISOString(), to: ago(14).toISOString() },
      loses: { from: ago(14).toISOString(), to: ago(10).toISOString() },
      refreshErases: false,
    });
    // Made from the minutes, so it only misses what those do.
    expect(hour).toMatchObject({
      name: "metric_hourly_aggregate",
      source: "metric_minute_aggregate",
      loses: { from: ago(14).toISOString(), to: ago(10).toISOString() },
    });
    expect(daily).toMatchObject({ name: "metric_daily_aggregate", loses: { to: ago(10).toISOString() } });
    expect(warnings).toContain(
      `metric_minute_aggregate would lose ${ago(14).toISOString()} to ${ago(10).toISOString()}: refresh it first`,
    );
  });

  it("an aggregate that lost nothing in the simulation has lost nothing in truth, and the other way round", async () => {
    await using(async (client) => {
      const minutes = async (from: Date, to: Date) =>
        Number(
          (
            await client.query(
              "SELECT count(*) FROM factory_telemetry.metric_minute_aggregate WHERE bucket >= $1 AND bucket < $2",
              [from, to],
            )
          ).rows[0].count,
        );
      const held = await minutes(begin, ago(14));
      expect(await minutes(ago(14), ago(10))).toBeGreaterThan(0);
      await client.query("BEGIN");
      await client.query(
        "SELECT drop_chunks('factory_telemetry.metric_hist', older_than => $1::timestamptz)",
        [ago(10)],
      );
      expect(await minutes(begin, ago(14))).toBe(held);
      expect(await minutes(ago(14), ago(10))).toBe(0);
      await client.query("ROLLBACK");
    });
  });

  it("warns of a refresh that would erase, and of chunks that never become columns", async () => {
    const { dependents, warnings } = await using((client) =>
      simulateRetention(client, { hypertable: "metric_hist", keepSeconds: 2 * 86_400, at }),
    );
    expect(dependents[0]).toMatchObject({ refreshErases: true });
    expect(warnings).toEqual(
      expect.arrayContaining([
        "the refresh of metric_minute_aggregate would erase its history: shorten startOffset below 2 days first",
        "chunks would be deleted before they become columns (after 7 days): the config refuses that",
      ]),
    );
  });

  it("works for an aggregate by its own name", async () => {
    await using(async (client) => {
      const simulated = await simulateRetention(client, {
        hypertable: "metric_minute_aggregate",
        keepSeconds: 86_400,
        at,
      });
      const { chunks } = await dropped(client, "factory_telemetry.metric_minute_aggregate", simulated.cutoff);
      expect(simulated.chunks).toBe(chunks.length);
      expect(simulated.chunks).toBeGreaterThan(0);
      expect(simulated.warnings).toContain(
        "the refresh of metric_minute_aggregate looks back longer than 1 day: it would bring back what is deleted",
      );
    });
  });
});

describe("columnstore", () => {
  it("is simulated by the table's own ratio, which comes true", async () => {
    await using(async (client) => {
      const simulated = await simulateColumnstore(client, {
        hypertable: "metric_hist",
        afterSeconds: 20 * 86_400,
        at,
      });
      expect(columnstoreSimulationOutput.parse(simulated)).toEqual(simulated);
      // The first chunk is columns since the test above.
      expect(simulated).toMatchObject({ chunks: 3, measuredChunks: 1 });
      const relation = await findRelation(client, "metric_hist");
      const early = (await readChunks(client, relation)).slice(1, 4);
      for (const { name } of early) await client.query("CALL convert_to_columnstore($1::regclass)", [name]);
      const columns = (await readChunks(client, relation)).slice(1, 4);
      const really = columns.reduce((total, { bytes }) => total + bytes, 0);
      expect(Math.abs(really - (simulated.columnBytes ?? 0))).toBeLessThan(0.15 * really);
    });
  });

  it("advice counts segments, sees late chunks and small ones, and names keys of the config", async () => {
    const answer = await using((client) => readColumnstoreAdvice(client, at));
    expect(columnstoreAdviceOutput.parse(answer)).toEqual(answer);
    const metric = answer.hypertables.find(({ name }) => name === "metric_hist");
    // A sample every 30 s of one machine's metric.
    expect(metric?.rowsPerSegment).toBeGreaterThan(2_800);
    expect(metric?.rowsPerSegment).toBeLessThanOrEqual(2_880);
    expect(metric?.advice).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          severity: "warning",
          key: null,
          reason: expect.stringContaining("older than the policy (7 days) and still rows"),
        }),
        expect.objectContaining({ severity: "info", key: "timescaledb.tables.metric_hist.chunkInterval" }),
      ]),
    );
    const oee = answer.hypertables.find(({ name }) => name === "oee_calculations");
    expect(oee?.advice).toContainEqual(
      expect.objectContaining({ key: "timescaledb.tables.oee_calculations.columnstoreAfter" }),
    );
  });

  it("finds a segment_by that is too fine, and one that lacks a column of the key", async () => {
    await using(async (client) => {
      await client.query(
        "ALTER TABLE factory_telemetry.metric_hist SET (timescaledb.segmentby = 'machine_id', timescaledb.orderby = 'metric_id')",
      );
      const coarse = await readColumnstoreAdvice(client, at);
      expect(coarse.hypertables.find(({ name }) => name === "metric_hist")?.advice).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            key: "timescaledb.tables.metric_hist.segmentBy",
            value: ["machine_id", "metric_id"],
          }),
          expect.objectContaining({
            key: "timescaledb.tables.metric_hist.orderBy",
            value: "ts DESC, metric_id",
          }),
        ]),
      );
      await client.query(
        "ALTER TABLE factory_telemetry.metric_hist SET (timescaledb.segmentby = 'machine_id, metric_id, value', timescaledb.orderby = 'ts DESC')",
      );
      const fine = (await readColumnstoreAdvice(client, at)).hypertables.find(
        ({ name }) => name === "metric_hist",
      );
      expect(fine?.rowsPerSegment).toBeLessThan(100);
      expect(fine?.advice).toContainEqual(
        expect.objectContaining({
          severity: "warning",
          reason: expect.stringContaining("fewer than 100 are wasteful"),
        }),
      );
      await client.query(
        "ALTER TABLE factory_telemetry.metric_hist SET (timescaledb.segmentby = 'machine_id, metric_id', timescaledb.orderby = 'ts DESC')",
      );
    });
  });

  it("says what the Apache edition lacks instead of failing", async () => {
    await using(async (client) => {
      const apache: Queryable = {
        query: async (text, values = []) =>
          text.includes("timescaledb.license")
            ? client.query("SELECT 'apache' AS license")
            : client.query(text, [...values]),
      };
      const lacks = expect.stringContaining("Apache edition");
      expect(await readColumnstoreAdvice(apache, at)).toEqual({ unavailable: lacks, hypertables: [] });
      const input = { hypertable: "metric_hist", afterSeconds: 86_400, at };
      expect(await simulateColumnstore(apache, input)).toMatchObject({ unavailable: lacks, chunks: 0 });
      const retention = { hypertable: "metric_hist", keepSeconds: 10 * 86_400, at };
      expect(await simulateRetention(apache, retention)).toMatchObject({
        chunks: 14,
        warnings: expect.arrayContaining([lacks]),
      });
    });
  });
});

describe("storage", () => {
  it("is forecast from the catalogue, and adds up to the database's size", async () => {
    await using(async (client) => {
      // What the policy's job would have done by now.
      const due = (await readChunks(client, await findRelation(client, "metric_hist"))).filter(
        ({ columns, to }) => !columns && to <= ago(7).getTime() / 1_000,
      );
      for (const { name } of due) await client.query("CALL convert_to_columnstore($1::regclass)", [name]);
      const { rows } = await client.query("SELECT pg_database_size(current_database())::float8 AS bytes");
      const answer = await readStorageForecast(client, { volumeBytes: rows[0].bytes * 1.05 }, at);
      expect(storageForecastOutput.parse(answer)).toEqual(answer);
      const now = answer.history.at(-1);
      expect(now?.at).toBe(at.toISOString());
      expect(Math.abs((now?.bytes ?? 0) - rows[0].bytes)).toBeLessThan(0.03 * rows[0].bytes);
      expect(answer.forecast).toHaveLength(90);
      expect(answer.fullAt).not.toBeNull();
      expect(answer.error.backtestDays).toBe(8);
      // An aggregate's refresh stopped half-way, which a forecast could not know.
      expect(answer.error.mape).toBeLessThan(0.12);
      const metric = answer.perHypertable.find(({ name }) => name === "metric_hist");
      // 3 machines x 2 metrics every 30 s: 17,280 rows.
      expect(metric?.bytesPerDay).toBeGreaterThan(17_280 * 50);
      expect(metric?.bytesPerDay).toBeLessThan(17_280 * 130);
      expect(metric).toMatchObject({ rowDays: 7, keptDays: 90 });
    });
  });
});

describe("chunk interval", () => {
  it("is advised by the rule of `ops advise`", async () => {
    const answer = await using((client) => readChunkIntervals(client, { memoryBytes: 2 ** 30 }));
    expect(chunkIntervalOutput.parse(answer)).toEqual(answer);
    const metric = answer.hypertables.find(({ name }) => name === "metric_hist");
    expect(metric).toMatchObject({
      chunkIntervalSeconds: 86_400,
      key: "timescaledb.tables.metric_hist.chunkInterval",
      value: "90 days",
    });
    expect(metric?.rowsPerDay).toBeGreaterThan(17_000);
    expect(answer.hypertables.find(({ name }) => name === "production_kpis")).toMatchObject({ value: null });
  });
});

describe("jobs", () => {
  it("have names for people, and their runs", async () => {
    await using(async (client) => {
      const { rows } = await client.query(
        "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = 'metric_hist'",
      );
      const id = rows[0].job_id;
      // The embedded database has no workers that would write this.
      for (const [hours, seconds, succeeded] of [
        [1, 5, false],
        [2, 5, false],
        [3, 4, true],
        [4, 4, true],
        [5, 4, true],
      ] as const)
        await client.query(
          `INSERT INTO _timescaledb_internal.bgw_job_stat_history (job_id, pid, execution_start, execution_finish, succeeded, data)
           VALUES ($1, 1, $2::timestamptz - make_interval(hours => $3), $2::timestamptz - make_interval(hours => $3, secs => -$4::float8), $5,
                   CASE WHEN $5 THEN '{}' ELSE '{"error_data": {"message": "no space"}}' END::jsonb)`,
          [id, at, hours, seconds, succeeded],
        );
      await client.query(
        `INSERT INTO _timescaledb_internal.bgw_job_stat
           (job_id, last_start, last_finish, next_start, last_successful_finish, last_run_success, total_runs, total_duration,
            total_duration_failures, total_successes, total_failures, total_crashes, consecutive_failures, consecutive_crashes)
         VALUES ($1, $2::timestamptz - interval '1 hour', $2::timestamptz - interval '1 hour' + interval '5 seconds',
                 $2::timestamptz + interval '1 hour', $2::timestamptz - interval '3 hours', false, 5, interval '12 s', interval '10 s', 3, 2, 0, 2, 0)`,
        [id, at],
      );
      const answer = await readJobs(client);
      expect(jobsOutput.parse(answer)).toEqual(answer);
      expect(answer.jobs.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          "columnstore:metric_hist",
          "retention:metric_hist",
          "refresh:metric_minute_aggregate",
        ]),
      );
      expect(answer).toMatchObject({ failing: 1, paused: 0 });
      const hour = 3_600_000;
      expect(answer.jobs.find((job) => job.id === id)).toMatchObject({
        name: "retention:metric_hist",
        lastStatus: "failed",
        lastRun: new Date(at.getTime() - hour).toISOString(),
        lastDurationSeconds: 5,
        failingSince: new Date(at.getTime() - 2 * hour).toISOString(),
        lastError: "no space",
        durationSeconds: 4,
        durationTrend: null,
        nextStart: new Date(at.getTime() + hour).toISOString(),
        runs: 5,
        failures: 2,
      });
      const never = answer.jobs.find(({ name }) => name === "columnstore:metric_hist");
      expect(never).toMatchObject({ lastRun: null, lastStatus: null, lastError: null, runs: 0 });
    });
  });
});
