import { beforeAll, describe, expect, it } from "vitest";
import { aggregateNames, qualified } from "../../infra/schema/catalogue";
import { withClient } from "../../infra/schema/postgres";
import { measureRate } from "../../ops/advise/measureRate";
import { convertToColumnstore } from "../../ops/bench/columnstore";
import {
  type Factory,
  factoryEnd,
  fillFactory,
  firstDay,
  machineCode,
  metricCode,
  refreshAggregates,
} from "../../ops/bench/factory";
import { bind, loadQueries, type QueryText } from "../../ops/bench/queries";
import { deploySchema } from "../../ops/bench/throwaway";
import { embedded } from "../support/embedded";

const database = embedded();
const factory: Factory = { machines: 3, metrics: 2, intervalSeconds: 30, from: firstDay, days: 8 };
const day = 86_400_000;

/** A week of it: the first day stays outside, so that a query that forgets `from` is found out. */
const week = {
  from: new Date(firstDay.getTime() + day).toISOString(),
  to: factoryEnd(factory).toISOString(),
};
const values = { machine: machineCode(1), metric: metricCode(1), longer_than: "5 minutes", ...week };

type Row = Record<string, unknown>;

async function run(query: QueryText, parameters: Record<string, string> = values): Promise<Row[]> {
  return withClient(
    database.target,
    async (client) => (await client.query<Row>(bind(query, parameters))).rows,
  );
}

async function sql(text: string): Promise<Row[]> {
  return withClient(database.target, async (client) => (await client.query<Row>(text)).rows);
}

function named(name: string) {
  const query = loadQueries().find((candidate) => candidate.name === name);
  if (query === undefined) throw new Error(`no query ${name}`);
  return query;
}

/** Sums of floats depend on their order, in the last digits. */
function comparable(rows: Row[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [
        key,
        typeof value === "number" ? Number(value.toPrecision(9)) : value,
      ]),
    ),
  );
}

beforeAll(async () => {
  await deploySchema(database.target);
  await withClient(database.target, async (client) => {
    await fillFactory(client, factory);
    // All but the last two and a half days: what is not materialised yet must count as well.
    await refreshAggregates(
      client,
      aggregateNames.map(qualified),
      new Date(factoryEnd(factory).getTime() - 2.5 * day),
    );
  });
});

describe("the rate that a chunk interval is advised from", () => {
  const energy = () =>
    withClient(database.target, (client) => measureRate(client, "energy_consumption", ["machine_id"]));

  it("is that of the newest chunks, the same when they are columns", async () => {
    const asRows = await energy();
    // Every quarter of an hour of three machines, over eight days less the last quarter.
    expect(asRows).toMatchObject({ rows: 3 * 96 * 8, rate: { series: 3 } });
    expect(asRows.rate?.rowsPerDay).toBeCloseTo((3 * 96 * 8) / (8 - 1 / 96), 6);
    const [size] = await sql(
      "SELECT hypertable_size('factory_telemetry.energy_consumption')::float8 AS bytes",
    );
    const ofChunks = (asRows.rate?.bytesPerRow ?? 0) * asRows.rows;
    // The empty parent table is not a chunk.
    expect(ofChunks).toBeGreaterThan(0.8 * Number(size?.bytes));
    expect(ofChunks).toBeLessThanOrEqual(Number(size?.bytes));
    await withClient(database.target, (client) =>
      convertToColumnstore(client, "factory_telemetry.energy_consumption"),
    );
    expect(await energy()).toEqual(asRows);
  });

  it("is not known of a table without rows", async () => {
    const measured = await withClient(database.target, (client) =>
      measureRate(client, "production_kpis", ["machine_id"]),
    );
    expect(measured).toEqual({ rows: 0, days: 0, rate: undefined });
  });
});

describe("the aggregate form gives the rows of the raw form", () => {
  const pairs = loadQueries().flatMap(({ name, raw, aggregate }) =>
    aggregate === undefined ? [] : [{ name, raw, aggregate }],
  );

  it.each(pairs)("$name", async ({ raw, aggregate }) => {
    const expected = await run(raw);
    expect(expected.length).toBeGreaterThan(0);
    expect(comparable(await run(aggregate))).toEqual(comparable(expected));
  });
});

describe("each query answers its question", () => {
  it("recent-100: the newest hundred of one series, newest first", async () => {
    const rows = await run(named("recent-100").raw);
    const [expected] = await sql(
      `SELECT max(ts) AS newest FROM factory_telemetry.metric_hist WHERE machine_id = 1 AND metric_id = 1`,
    );
    expect(rows).toHaveLength(100);
    expect(rows[0]?.ts).toEqual(expected?.newest);
    expect(rows.map((row) => row.ts)).toEqual(
      rows.map((row) => row.ts).sort((a, b) => Number(b) - Number(a)),
    );
  });

  it("last-value-per-series: as DISTINCT ON says", async () => {
    const expected = await sql(`
      SELECT DISTINCT ON (m.code, x.code) m.code AS machine, x.code AS metric, ts, value
        FROM factory_telemetry.metric_hist JOIN factory_telemetry.machines m USING (machine_id)
        JOIN factory_telemetry.metrics x USING (metric_id) ORDER BY m.code, x.code, ts DESC`);
    expect(expected).toHaveLength(6);
    expect(await run(named("last-value-per-series").raw)).toEqual(expected);
  });

  it("one-series-24h-hourly: an hour's numbers are those of its samples", async () => {
    const [hour] = await run(named("one-series-24h-hourly").raw);
    const [expected] = await sql(`
      SELECT count(*) AS samples, avg(value::float8) AS avg, min(value) AS min, max(value) AS max
        FROM factory_telemetry.metric_hist
       WHERE machine_id = 1 AND metric_id = 1 AND ts >= '${week.from}' AND ts < timestamptz '${week.from}' + interval '1 hour'`);
    expect(hour).toEqual({
      hour: new Date(week.from),
      samples: expected?.samples,
      value_avg: expect.closeTo(Number(expected?.avg), 9),
      value_min: expected?.min,
      value_max: expected?.max,
    });
  });

  it("oee-by-shift: a night shift belongs to the day it starts on, and Sundays have none", async () => {
    const rows = await run(named("oee-by-shift").raw);
    const ofOne = rows
      .filter((row) => row.machine === machineCode(1))
      .map((row) => `${row.shift_day} ${row.shift}`);
    // Berlin is an hour ahead: the week begins at 01:00 local time, in the night shift of Monday.
    expect(ofOne.slice(0, 4)).toEqual([
      "2026-03-02 night",
      "2026-03-03 early",
      "2026-03-03 late",
      "2026-03-03 night",
    ]);
    expect(ofOne.some((text) => text.startsWith("2026-03-08"))).toBe(false);
  });

  it("worst-hours: worst first, and no hour of little planned time", async () => {
    const rows = await run(named("worst-hours").raw);
    expect(rows).toHaveLength(20);
    const oee = rows.map((row) => Number(Number(row.oee).toFixed(9)));
    expect(oee).toEqual([...oee].sort((a, b) => a - b));
    const short = await sql(`
      SELECT time_bucket('1 hour', ts) AS hour, m.code AS machine
        FROM factory_telemetry.oee_calculations JOIN factory_telemetry.machines m USING (machine_id)
       GROUP BY 1, 2 HAVING sum(planned_s) < 1800`);
    const places = (found: Row[]) => found.map((row) => `${Number(row.hour)} ${row.machine}`);
    expect(short.length).toBeGreaterThan(0);
    expect(places(rows).filter((place) => places(short).includes(place))).toEqual([]);
  });

  it("gaps-in-data: silences at both ends and in between", async () => {
    await sql(`
      INSERT INTO factory_telemetry.machines (code, name) VALUES ('quiet', 'Quiet');
      INSERT INTO factory_telemetry.metric_hist
        SELECT timestamptz '2026-05-01 10:20Z' + n * interval '1 minute', n,
               (SELECT machine_id FROM factory_telemetry.machines WHERE code = 'quiet'), 1
          FROM generate_series(0, 30) AS n WHERE n NOT BETWEEN 10 AND 16 AND n NOT BETWEEN 20 AND 22`);
    const hour = { ...values, machine: "quiet", from: "2026-05-01T10:00:00Z", to: "2026-05-01T11:00:00Z" };
    const expected = [
      { starts: new Date("2026-05-01T10:00:00Z"), ends: new Date("2026-05-01T10:20:00Z"), minutes: 20 },
      { starts: new Date("2026-05-01T10:30:00Z"), ends: new Date("2026-05-01T10:37:00Z"), minutes: 7 },
      { starts: new Date("2026-05-01T10:51:00Z"), ends: new Date("2026-05-01T11:00:00Z"), minutes: 9 },
    ];
    const { raw, aggregate } = named("gaps-in-data");
    expect(await run(raw, hour)).toEqual(expected);
    expect(aggregate && (await run(aggregate, hour))).toEqual(expected);
  });

  describe("of states that are written by hand", () => {
    beforeAll(async () => {
      await sql(`
        INSERT INTO factory_telemetry.machines (code, name) VALUES ('by-hand', 'By hand');
        INSERT INTO factory_telemetry.production_context_history (ts, machine_id, state, reason)
          SELECT ts::timestamptz, (SELECT machine_id FROM factory_telemetry.machines WHERE code = 'by-hand'), state, reason
            FROM (VALUES ('2026-06-01 05:00Z', 'running', NULL), ('2026-06-01 07:30Z', 'breakdown', 'jam'),
                         ('2026-06-01 08:30Z', 'running', NULL), ('2026-06-01 09:00Z', 'breakdown', NULL)) AS c (ts, state, reason)`);
    });
    // From inside the jam to before the second breakdown's end.
    const period = {
      ...values,
      machine: "by-hand",
      from: "2026-06-01T08:00:00Z",
      to: "2026-06-01T10:00:00Z",
    };

    it("machine-state-timeline: starts with the state the period began in, and leaves no gap", async () => {
      const at = (time: string) => new Date(`2026-06-01T${time}:00Z`);
      expect(await run(named("machine-state-timeline").raw, period)).toEqual([
        { starts: at("08:00"), ends: at("08:30"), state: "breakdown", reason: "jam" },
        { starts: at("08:30"), ends: at("09:00"), state: "running", reason: null },
        { starts: at("09:00"), ends: at("10:00"), state: "breakdown", reason: null },
      ]);
    });

    it("downtime-pareto: counts only the time inside the period, most first", async () => {
      // The factory's machines stay in their last state for ever; this period is about one machine.
      await sql(
        "UPDATE factory_telemetry.production_context_history SET state = 'running', reason = NULL WHERE ts < '2026-05-01'",
      );
      expect(await run(named("downtime-pareto").raw, period)).toEqual([
        {
          reason: "unknown",
          breakdowns: "1",
          seconds: 3600,
          share: expect.closeTo(2 / 3, 9),
          cumulative_share: expect.closeTo(2 / 3, 9),
        },
        {
          reason: "jam",
          breakdowns: "1",
          seconds: 1800,
          share: expect.closeTo(1 / 3, 9),
          cumulative_share: 1,
        },
      ]);
    });
  });
});
