// What the exporter says of a factory, as the role that may read no telemetry, against other ways to find it out.
import { beforeAll, describe, expect, it } from "vitest";
import { aggregateNames, tableNames } from "../../../infra/schema/catalogue";
import { type Client, withClient } from "../../../infra/schema/postgres";
import { loginRoles, ownerRole } from "../../../infra/schema/roleNames";
import { convertToColumnstore } from "../../../ops/bench/columnstore";
import { collect } from "../../../ops/monitoring/exporter/collection";
import { type EndpointName, endpointNames, endpoints } from "../../../ops/monitoring/exporter/collectors";
import { inputOutput } from "../../../ops/monitoring/exporter/collectors/statistics";
import { FailureLog } from "../../../ops/monitoring/exporter/log";
import { metrics } from "../../../ops/monitoring/exporter/metrics";
import { registryOf } from "../../../ops/monitoring/exporter/render";
import { embedded } from "../../support/embedded";
import { asMonitor, fillDatabase, refreshedUntil } from "./exporterDatabase";
import { parseMetrics } from "./metricsText";

const database = embedded();
const day = 86_400;
/** Of a chunk that waits for the columnstore far too long. */
const longAgo = "2025-01-15T12:00:00Z";

function sql<Row extends object>(text: string): Promise<Row[]> {
  return withClient(database.target, async (client) => (await client.query<Row>(text)).rows);
}

async function number(text: string): Promise<number> {
  const [row] = await sql<{ value: number }>(`SELECT (${text})::float8 AS value`);
  // NULL is no number.
  return row?.value ?? Number.NaN;
}

/** A scrape as the monitor role; what fails is thrown. */
async function scrape(...names: EndpointName[]): Promise<Map<string, number>> {
  const session = {
    run: <T>(_: number, work: (client: Client) => Promise<T>) => asMonitor(database.target, work),
  };
  const failures: string[] = [];
  const log = new FailureLog(({ message, error }) => failures.push(`${message}: ${error}`));
  const texts: string[] = [];
  for (const name of names) {
    const { samples } = await collect(session, endpoints[name], 60_000, log);
    texts.push(await registryOf(samples).metrics());
  }
  if (failures.length > 0) throw new Error(failures.join("\n"));
  return parseMetrics(texts.join("\n"));
}

const of = (hypertable: string, kind = "table") => `hypertable="${hypertable}",kind="${kind}"`;

beforeAll(async () => {
  await fillDatabase(database.target);
  await withClient(database.target, async (client) => {
    await client.query(`SET ROLE ${ownerRole}`);
    await convertToColumnstore(client, "factory_telemetry.energy_consumption");
    const insert = "INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES";
    await client.query(`${insert} ('${longAgo}', 1, 1, 1)`);
    // A machine whose clock is wrong.
    await client.query(`${insert} (now() + interval '3 hours', 1, 2, 2)`);
    await client.query("ANALYZE");
  });
  // No job runs by itself here, so what runs leave is written down: one that failed an hour ago and should have run again
  // ten minutes ago, one that is under way for the first time, and one that is paused.
  await sql(`
    INSERT INTO _timescaledb_internal.bgw_job_stat
      (job_id, last_start, last_finish, next_start, last_successful_finish, last_run_success, total_runs, total_duration,
       total_duration_failures, total_successes, total_failures, total_crashes, consecutive_failures, consecutive_crashes)
    SELECT job_id, now() - interval '1 hour', now() - interval '59 minutes 30 seconds', now() - interval '10 minutes',
           timestamptz '2026-01-02 03:04:05Z', false, 7, interval '0', interval '0', 5, 2, 0, 1, 0
      FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = 'metric_hist'
    UNION ALL
    SELECT job_id, now(), '-infinity', '-infinity', '-infinity', false, 1, interval '0', interval '0', 0, 0, 1, 0, 1
      FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' AND hypertable_name = 'metric_hist'`);
  await sql(`
    SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
     WHERE proc_name = 'policy_retention' AND hypertable_name = 'production_kpis'`);
  await sql(
    "CREATE ROLE ending LOGIN VALID UNTIL '2031-01-01 00:00:00Z'; CREATE ROLE endless LOGIN VALID UNTIL 'infinity'",
  );
});

describe("the scrape", () => {
  it("tells every metric there is", async () => {
    const names = new Set(
      [...(await scrape(...endpointNames)).keys()].map((series) => series.replace(/\{.*/, "")),
    );
    // The server's own two do not come from a collector.
    const expected = Object.keys(metrics).filter(
      (name) => !["timescaledb_up", "timescaledb_info"].includes(name),
    );
    expect([...names].sort()).toEqual(expected.sort());
  });

  it("has as many series with more machines, chunks and samples", async () => {
    const before = [...(await scrape(...endpointNames)).keys()];
    await sql(`INSERT INTO factory_telemetry.machines (code, name)
               SELECT 'later-' || n, 'Later ' || n FROM generate_series(1, 20) n`);
    await sql(`INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
               SELECT timestamptz '2024-01-01Z' + n * interval '30 days', 1, 4 + n, 1 FROM generate_series(0, 9) n`);
    const after = [...(await scrape(...endpointNames)).keys()];
    await sql(`SELECT drop_chunks('factory_telemetry.metric_hist', timestamptz '2024-12-01Z')`);
    expect(after.sort()).toEqual(before.sort());
    // Of five tables, four aggregates and their jobs; a factory of any size has no more.
    expect(before.length).toBeLessThan(400);
  });
});

describe("hypertables", () => {
  it("have the size that their chunks come to", async () => {
    const told = await scrape("hypertables");
    for (const table of tableNames.filter((name) => name !== "energy_consumption")) {
      const bytes = await number(`
        SELECT pg_total_relation_size('factory_telemetry.${table}') + coalesce(sum(pg_total_relation_size(inhrelid)), 0)
          FROM pg_inherits WHERE inhparent = 'factory_telemetry.${table}'::regclass`);
      expect(told.get(`timescaledb_hypertable_size_bytes{${of(table)}}`), table).toBe(bytes);
    }
    for (const name of aggregateNames)
      expect(told.get(`timescaledb_hypertable_size_bytes{${of(name, "aggregate")}}`)).toBeGreaterThan(0);
    expect(told.get("timescaledb_database_size_bytes")).toBe(
      await number("SELECT pg_database_size(current_database())"),
    );
  });

  it("have about the rows they have", async () => {
    const told = await scrape("hypertables");
    for (const [table, kind] of [
      ["metric_hist", "table"],
      ["oee_calculations", "table"],
      ["metric_hourly_aggregate", "aggregate"],
    ] as const) {
      const counted = await number(
        kind === "table"
          ? `SELECT count(*) FROM factory_telemetry.${table}`
          : `SELECT count(*) FROM factory_telemetry.${table} WHERE bucket < '${refreshedUntil.toISOString()}'`,
      );
      const rows = told.get(`timescaledb_hypertable_rows{${of(table, kind)}}`) ?? 0;
      expect(counted).toBeGreaterThan(0);
      expect(Math.abs(rows / counted - 1), table).toBeLessThan(0.02);
    }
    expect(told.get(`timescaledb_hypertable_rows{${of("production_kpis")}}`)).toBe(0);
  });

  it("have chunks as rows and as columns, with a beginning and an end", async () => {
    const told = await scrape("hypertables");
    const metric = (name: string, labels: string) => told.get(`timescaledb_hypertable_${name}{${labels}}`);
    for (const table of tableNames) {
      const chunks = await number(`SELECT count(*) FROM show_chunks('factory_telemetry.${table}')`);
      const asColumns = table === "energy_consumption" ? chunks : 0;
      expect(metric("chunks", `${of(table)},store="columns"`), table).toBe(asColumns);
      expect(metric("chunks", `${of(table)},store="rows"`), table).toBe(chunks - asColumns);
    }
    expect(metric("chunk_interval_seconds", of("metric_hist"))).toBe(30 * day);
    const oldest = metric("oldest_chunk_start_timestamp_seconds", of("metric_hist")) ?? 0;
    expect(oldest).toBeLessThanOrEqual(Date.parse(longAgo) / 1_000);
    expect(oldest).toBeGreaterThan(Date.parse(longAgo) / 1_000 - 30 * day);
    const newest = metric("newest_chunk_end_timestamp_seconds", of("metric_hist")) ?? 0;
    expect(newest).toBeGreaterThan(Date.now() / 1_000);
    expect(newest).toBeLessThanOrEqual(Date.now() / 1_000 + 31 * day);
    expect(metric("oldest_chunk_start_timestamp_seconds", of("production_kpis"))).toBeUndefined();
  });

  it("have a newest row, which is none of the future", async () => {
    const told = await scrape("hypertables");
    for (const table of tableNames) {
      const newest = await number(`
        SELECT extract(epoch FROM max(ts)) FROM factory_telemetry.${table} WHERE ts <= now()`);
      expect(
        told.get(`timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="${table}"}`),
        table,
      ).toBe(Number.isNaN(newest) ? undefined : newest);
    }
  });

  it("have a newest row of just now, found without asking each series", async () => {
    const at = await sql<{ at: number }>(`
      INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
      VALUES (date_trunc('second', now()), 1, 999, 999) RETURNING extract(epoch FROM ts)::float8 AS at`);
    const told = await scrape("hypertables");
    await sql("DELETE FROM factory_telemetry.metric_hist WHERE machine_id = 999");
    expect(told.get('timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="metric_hist"}')).toBe(
      at[0]?.at,
    );
  });

  it("have a retention, and what is overdue", async () => {
    const told = await scrape("hypertables");
    const retention = 18_250 * day;
    expect(told.get(`timescaledb_retention_seconds{${of("metric_hist")}}`)).toBe(retention);
    const end = await number(`
      SELECT extract(epoch FROM min(range_end)) FROM timescaledb_information.chunks WHERE hypertable_name = 'metric_hist'`);
    const overdue = told.get(`timescaledb_retention_overdue_seconds{${of("metric_hist")}}`) ?? 0;
    expect(Math.abs(overdue - (Date.now() / 1_000 - end - retention))).toBeLessThan(60);
    expect(told.get(`timescaledb_retention_seconds{${of("production_kpis")}}`)).toBe(retention);
    expect(told.has(`timescaledb_retention_overdue_seconds{${of("production_kpis")}}`)).toBe(false);
  });
});

describe("jobs", () => {
  const metric = (told: Map<string, number>, name: string, job: string) =>
    told.get(`timescaledb_job_${name}{job="${job}"}`);

  it("tell of a failure and of a run that did not begin", async () => {
    const told = await scrape("hypertables");
    const job = "retention:metric_hist";
    expect(
      told.get(`timescaledb_job_info{hypertable="metric_hist",job="${job}",proc="policy_retention"}`),
    ).toBe(1);
    expect(metric(told, "runs_total", job)).toBe(7);
    expect(metric(told, "failures_total", job)).toBe(2);
    expect(metric(told, "last_run_success", job)).toBe(0);
    expect(metric(told, "last_success_timestamp_seconds", job)).toBe(
      Date.parse("2026-01-02T03:04:05Z") / 1_000,
    );
    expect(metric(told, "last_duration_seconds", job)).toBe(30);
    expect(metric(told, "schedule_interval_seconds", job)).toBe(day);
    expect(metric(told, "scheduled", job)).toBe(1);
    const lag = metric(told, "lag_seconds", job) ?? 0;
    expect(lag).toBeGreaterThan(599);
    expect(lag).toBeLessThan(900);
  });

  it("do not lag while they run for the first time, and tell nothing of a result", async () => {
    const told = await scrape("hypertables");
    const job = "columnstore:metric_hist";
    expect(metric(told, "runs_total", job)).toBe(1);
    expect(metric(told, "lag_seconds", job)).toBe(0);
    for (const name of ["last_run_success", "last_success_timestamp_seconds", "last_duration_seconds"])
      expect(metric(told, name, job), name).toBeUndefined();
  });

  it("are there when they never ran, or are paused", async () => {
    const told = await scrape("hypertables");
    expect(metric(told, "runs_total", "refresh:metric_daily_aggregate")).toBe(0);
    expect(metric(told, "failures_total", "refresh:metric_daily_aggregate")).toBe(0);
    expect(metric(told, "scheduled", "retention:production_kpis")).toBe(0);
    const jobs = await number("SELECT count(*) FROM timescaledb_information.jobs");
    expect([...told.keys()].filter((series) => series.startsWith("timescaledb_job_info"))).toHaveLength(jobs);
  });
});

describe("aggregates", () => {
  it("are as stale as what was refreshed last", async () => {
    const told = await scrape("hypertables");
    for (const name of aggregateNames) {
      const staleness = told.get(`timescaledb_aggregate_staleness_seconds{aggregate="${name}"}`) ?? 0;
      expect(Math.abs(staleness - (Date.now() - refreshedUntil.getTime()) / 1_000), name).toBeLessThan(60);
    }
    expect(told.get('timescaledb_aggregate_schedule_seconds{aggregate="metric_hourly_aggregate"}')).toBe(600);
    expect(told.get('timescaledb_aggregate_end_offset_seconds{aggregate="metric_hourly_aggregate"}')).toBe(
      3_600,
    );
  });
});

describe("the columnstore", () => {
  it("has bytes before and after", async () => {
    const told = await scrape("compression");
    const [expected] = await sql<{ before: number; after: number }>(`
      SELECT sum(before_compression_total_bytes)::float8 AS before, sum(after_compression_total_bytes)::float8 AS after
        FROM chunk_columnstore_stats('factory_telemetry.energy_consumption')`);
    expect(expected?.before).toBeGreaterThan(0);
    expect(told.get(`timescaledb_columnstore_before_bytes{${of("energy_consumption")}}`)).toBe(
      expected?.before,
    );
    expect(told.get(`timescaledb_columnstore_after_bytes{${of("energy_consumption")}}`)).toBe(
      expected?.after,
    );
    expect(told.get(`timescaledb_columnstore_before_bytes{${of("metric_hist")}}`)).toBe(0);
    expect(
      told.get(`timescaledb_columnstore_before_bytes{${of("metric_minute_aggregate", "aggregate")}}`),
    ).toBe(0);
  });

  it("has chunks that are overdue", async () => {
    const told = await scrape("compression");
    expect(told.get(`timescaledb_columnstore_after_seconds{${of("metric_hist")}}`)).toBe(7 * day);
    expect(told.get(`timescaledb_columnstore_overdue_chunks{${of("metric_hist")}}`)).toBe(1);
    expect(told.get(`timescaledb_columnstore_overdue_chunks{${of("energy_consumption")}}`)).toBe(0);
    expect(
      told.get(`timescaledb_columnstore_after_seconds{${of("metric_minute_aggregate", "aggregate")}}`),
    ).toBe(7 * day);
  });
});

describe("the server", () => {
  it("tells ages, limits and passwords that end", async () => {
    const told = await scrape("performance");
    expect(told.get("timescaledb_connections_limit")).toBe(
      await number(
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int",
      ),
    );
    expect(told.get('timescaledb_login_expiry_timestamp_seconds{role="ending"}')).toBe(
      Date.parse("2031-01-01T00:00:00Z") / 1_000,
    );
    expect(told.has('timescaledb_login_expiry_timestamp_seconds{role="endless"}')).toBe(false);
    const age = told.get("timescaledb_transaction_id_age") ?? 0;
    expect(age).toBeGreaterThan(0);
    expect(age).toBeLessThan(1_000_000);
  });

  it.each([
    ["17", "8192 AS op_bytes", 3 * 8192],
    ["18", "24576::numeric AS read_bytes, 0::numeric AS write_bytes, NULL::numeric AS extend_bytes", 24_576],
  ])("counts bytes as PostgreSQL %s shows them", async (_, columns, bytes) => {
    const told = await withClient(database.target, async (client) => {
      // A session's own relations are found before the catalogue's.
      await client.query(`
        CREATE TEMP VIEW pg_stat_io AS
          SELECT object, 3::bigint AS reads, 0::bigint AS writes, NULL::bigint AS extends, ${columns}
            FROM (VALUES ('relation'), ('wal')) AS o (object)`);
      return inputOutput.samples((await client.query(inputOutput.sql)).rows);
    });
    expect(told.map(({ labels, value }) => [labels, value])).toEqual([
      [{ operation: "read" }, bytes],
      [{ operation: "written" }, 0],
      [{ operation: "extended" }, 0],
    ]);
  });
});

describe("the monitor role", () => {
  const refused = (statement: string, role: string = loginRoles.monitor) =>
    withClient(database.target, async (client) => {
      await client.query(`SET ROLE ${role}`);
      return client.query(statement);
    }).then(
      () => "was allowed",
      (error: { code: string }) => error.code,
    );

  it.each([
    "SELECT FROM factory_telemetry.metric_hist",
    "SELECT FROM factory_telemetry.metric_hourly_aggregate",
    "SELECT FROM factory_telemetry.machines",
    "INSERT INTO monitoring.heartbeat VALUES ('x', now())",
    "DELETE FROM monitoring.heartbeat",
  ])("may not %s", async (statement) => {
    expect(await refused(statement)).toBe("42501");
  });

  it("may not read the chunks of tables and aggregates", async () => {
    const chunks = await sql<{ chunk: string }>(`
      SELECT format('%I.%I', chunk_schema, chunk_name) AS chunk FROM timescaledb_information.chunks`);
    expect(chunks.length).toBeGreaterThan(5);
    for (const { chunk } of chunks) expect(await refused(`SELECT FROM ${chunk}`), chunk).toBe("42501");
  });

  it("beats, and reads like a client", async () => {
    const [first, second, beats, samples] = await asMonitor(database.target, async (client) => {
      const value = async (text: string) => (await client.query<{ value: unknown }>(text)).rows[0]?.value;
      return [
        await value("SELECT monitoring.beat('test') AS value"),
        await value("SELECT monitoring.beat('test') AS value"),
        await value("SELECT count(*)::int AS value FROM monitoring.heartbeat WHERE name = 'test'"),
        await value("SELECT monitoring.recent_count() AS value"),
      ];
    });
    expect(Number(second)).toBeGreaterThanOrEqual(Number(first));
    expect([beats, samples]).toEqual([1, 100]);
  });

  it.each(["beat('x')", "recent_count()", "newest_rows()", "aggregates()"])(
    "is the only one that may call %s",
    async (call) => {
      await sql(
        "DROP ROLE IF EXISTS stranger; CREATE ROLE stranger; GRANT USAGE ON SCHEMA monitoring TO stranger",
      );
      expect(await refused(`SELECT * FROM monitoring.${call}`, "stranger")).toBe("42501");
      await sql("REVOKE USAGE ON SCHEMA monitoring FROM stranger; DROP ROLE stranger");
    },
  );
});

it("a collector that fails leaves the others alone", async () => {
  await sql("ALTER FUNCTION monitoring.newest_rows RENAME TO gone");
  const session = {
    run: <T>(_: number, work: (client: Client) => Promise<T>) => asMonitor(database.target, work),
  };
  const failures: string[] = [];
  const log = new FailureLog(({ message }) => failures.push(message));
  const { samples } = await collect(session, endpoints.hypertables, 60_000, log);
  await sql("ALTER FUNCTION monitoring.gone RENAME TO newest_rows");
  const told = parseMetrics(await registryOf(samples).metrics());
  expect(failures).toEqual(["collector freshness fails"]);
  for (const { name } of endpoints.hypertables) {
    const success = told.get(`timescaledb_exporter_collect_success{collector="${name}"}`);
    expect(success, name).toBe(name === "freshness" ? 0 : 1);
  }
  expect(told.get(`timescaledb_hypertable_chunks{${of("metric_hist")},store="rows"}`)).toBeGreaterThan(0);
});
