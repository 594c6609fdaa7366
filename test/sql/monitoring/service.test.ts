// The monitoring service on a real TimescaleDB (Community, embedded) with the schema and a week of telemetry.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aggregateNames, qualified, tableNames } from "../../../infra/schema/catalogue";
import { withClient } from "../../../infra/schema/postgres";
import {
  type Factory,
  factoryEnd,
  fillFactory,
  firstDay,
  machineCode,
  metricCode,
  refreshAggregates,
} from "../../../ops/bench/factory";
import { deploySchema } from "../../../ops/bench/throwaway";
import { readChunkIntervals } from "../../../ops/monitoring/advice/chunkIntervals";
import { readColumnstoreAdvice } from "../../../ops/monitoring/advice/readColumnstoreAdvice";
import { readStorageForecast } from "../../../ops/monitoring/advice/readStorageForecast";
import { simulateColumnstore } from "../../../ops/monitoring/advice/simulateColumnstore";
import { simulateRetention } from "../../../ops/monitoring/advice/simulateRetention";
import type { Role } from "../../../ops/monitoring/service/auth";
import { readServerMemory } from "../../../ops/monitoring/service/routes/advice";
import { readChunks } from "../../../ops/monitoring/service/routes/chunks";
import { readCompression } from "../../../ops/monitoring/service/routes/compression";
import { readConfiguration } from "../../../ops/monitoring/service/routes/configuration";
import { readDatabaseFacts } from "../../../ops/monitoring/service/routes/databaseHealth";
import { readHealthChecks } from "../../../ops/monitoring/service/routes/health";
import { readHypertables } from "../../../ops/monitoring/service/routes/hypertables";
import { readAllJobs } from "../../../ops/monitoring/service/routes/jobs";
import { readMachines } from "../../../ops/monitoring/service/routes/machines";
import { readOee } from "../../../ops/monitoring/service/routes/oee";
import { readStatus } from "../../../ops/monitoring/service/routes/status";
import { readTelemetry } from "../../../ops/monitoring/service/routes/telemetry";
import { readTimescaleFacts } from "../../../ops/monitoring/service/routes/timescaleHealth";
import type { Queryable } from "../../../ops/queryable";
import { embedded } from "../../support/embedded";
import { api, onLoopback, problemOf, startTestService, type TestService } from "./serviceSupport";

const database = embedded();
const factory: Factory = { machines: 3, metrics: 2, intervalSeconds: 60, from: firstDay, days: 8 };
let folder = "";
let running: TestService;

const singleSession = () => onLoopback(database.target.port, { singleSession: true });

beforeAll(async () => {
  await deploySchema(database.target);
  await withClient(database.target, async (client) => {
    await fillFactory(client, factory);
    await refreshAggregates(client, aggregateNames.map(qualified), factoryEnd(factory));
    await client.query("ANALYZE factory_telemetry.metric_hist");
    await client.query(`SELECT add_retention_policy('${qualified("metric_hist")}', INTERVAL '10 years')`);
    await client.query(
      `CALL add_columnstore_policy('${qualified("oee_calculations")}', after => INTERVAL '7 days')`,
    );
    await client.query(
      `SELECT add_continuous_aggregate_policy('${qualified("metric_minute_aggregate")}', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '30 minutes')`,
    );
    const { rows } = await client.query<{ chunk: string }>(
      `SELECT min(c::text) AS chunk FROM show_chunks('${qualified("oee_calculations")}') c`,
    );
    await client.query(`CALL convert_to_columnstore('${rows[0]?.chunk}')`);
    await client.query("CREATE ROLE ms5_monitor; GRANT pg_monitor TO ms5_monitor; CREATE ROLE ms5_reader");
    await client.query(
      "GRANT USAGE ON SCHEMA factory_telemetry TO ms5_monitor, ms5_reader; GRANT SELECT ON ALL TABLES IN SCHEMA factory_telemetry TO ms5_reader",
    );
  });
  folder = await mkdtemp(join(tmpdir(), "ms5-page-"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>MS5</title>");
  await writeFile(join(folder, "app.js"), "export {};");
  await writeFile(join(folder, ".secret"), "x");
  running = await startTestService(singleSession(), { pageFolder: folder });
});
afterAll(async () => {
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});

const machine = machineCode(1);
const metric = metricCode(1);
const series = `machine=${machine}&metric=${metric}`;

async function read<T = Record<string, unknown>>(path: string, role: Role = "ms5.admin"): Promise<T> {
  const response = await running.get(`${api}${path}`, role);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

describe("what an endpoint says", () => {
  it("of health", async () => {
    expect(await read("/health")).toMatchObject({
      status: "healthy",
      checks: [
        { name: "database", status: "healthy" },
        { name: "timescaledb", status: "healthy" },
        { name: "jobs", status: "healthy" },
      ],
      version: "0.0.0-test",
    });
  });

  it("of the database's health", async () => {
    const body = await read<{ status: string; checks: { name: string }[] }>("/health/database");
    expect(body.status).toBe("healthy");
    expect(body.checks.map(({ name }) => name)).toEqual([
      "connects",
      "version",
      "replication",
      "connections",
      "long transactions",
      "transaction ids",
      "size",
    ]);
  });

  it("of TimescaleDB's health", async () => {
    const body = await read<{ status: string; checks: { name: string }[] }>("/health/timescaledb");
    expect(body.status).toBe("healthy");
    expect(body.checks).toHaveLength(6);
  });

  it("of TimescaleDB", async () => {
    expect(await read("/status/timescaledb", "ms5.reader")).toMatchObject({
      installed: true,
      edition: "community",
      license: "timescale",
      hypertables: tableNames.length,
      aggregates: aggregateNames.length,
      jobs: { failing: 0 },
      columnstore: { savedRatio: expect.any(Number) },
    });
  });

  it("of hypertables", async () => {
    const { hypertables } = await read<{ hypertables: Record<string, unknown>[] }>("/metrics/hypertables");
    expect(hypertables.map(({ name }) => name)).toEqual([
      ...[...tableNames].sort(),
      ...[...aggregateNames].sort(),
    ]);
    expect(hypertables.find(({ name }) => name === "metric_hist")).toMatchObject({
      kind: "table",
      chunks: 2,
      columnChunks: 0,
      rows: expect.closeTo(3 * 2 * 8 * 1_440, -4),
      chunkIntervalSeconds: 30 * 86_400,
      newestRow: "2026-03-09T23:59:00.000Z",
    });
    expect(hypertables.find(({ name }) => name === "oee_calculations")).toMatchObject({
      chunks: 2,
      columnChunks: 1,
    });
    expect(hypertables.find(({ name }) => name === "production_kpis")).toMatchObject({
      chunks: 0,
      oldest: null,
      rows: 0,
    });
  });

  it("of hypertables' newest rows, only where it may ask", async () => {
    const newest = (...grants: string[]) =>
      withClient(database.target, async (client) => {
        for (const grant of grants) await client.query(grant);
        await client.query("SET ROLE ms5_monitor");
        const found = await readHypertables(queryable(client));
        return found.find(({ name }) => name === "metric_hist")?.newestRow;
      });
    expect(await newest()).toBeNull();
    expect(await newest("GRANT USAGE ON SCHEMA monitoring TO ms5_monitor")).toBeNull();
    expect(await newest("GRANT EXECUTE ON FUNCTION monitoring.newest_rows TO ms5_monitor")).toBe(
      "2026-03-09T23:59:00.000Z",
    );
  });

  it("of compression", async () => {
    const { hypertables, totals } = await read<{
      hypertables: { name: string }[];
      totals: { beforeBytes: number; afterBytes: number };
    }>("/metrics/compression");
    const oee = hypertables.find(({ name }) => name === "oee_calculations");
    expect(oee).toMatchObject({
      enabled: true,
      afterSeconds: 7 * 86_400,
      savedRatio: expect.any(Number),
      overdueChunks: 1,
    });
    expect(hypertables.find(({ name }) => name === "metric_hist")).toMatchObject({
      afterSeconds: null,
      savedRatio: null,
      overdueChunks: 0,
    });
    expect(totals.beforeBytes).toBeGreaterThan(totals.afterBytes);
  });

  it("of chunks: every one once, newest first, page by page", async () => {
    const seen: { name: string; from: string; store: string; beforeBytes?: number }[] = [];
    let after = "";
    for (let pages = 0; pages < 100; pages++) {
      const page = await read<{ chunks: typeof seen; next: string | null }>(
        `/metrics/chunks?limit=3${after === "" ? "" : `&after=${after}`}`,
      );
      expect(page.chunks.length).toBeLessThanOrEqual(3);
      seen.push(...page.chunks);
      if (page.next === null) break;
      after = page.next;
    }
    const all = await read<{ chunks: typeof seen; next: null }>("/metrics/chunks?limit=1000");
    expect(all.next).toBeNull();
    expect(all.chunks.length).toBeGreaterThan(6);
    expect(seen).toEqual(all.chunks);
    expect(new Set(seen.map(({ name }) => name)).size).toBe(seen.length);
    expect(seen.map(({ from }) => from)).toEqual(
      seen
        .map(({ from }) => from)
        .sort()
        .reverse(),
    );
    const { chunks } = await read<{ chunks: typeof seen }>("/metrics/chunks?hypertable=oee_calculations");
    expect(chunks.map(({ store }) => store)).toEqual(["rows", "columns"]);
    expect(chunks[1]?.beforeBytes).toBeGreaterThan(0);
  });

  it("of the configuration", async () => {
    const body = await read<{ hypertables: { name: string }[]; settings: object }>("/configuration");
    expect(body.hypertables.find(({ name }) => name === "metric_hist")).toEqual({
      name: "metric_hist",
      kind: "table",
      chunkIntervalSeconds: 30 * 86_400,
      columnstoreAfterSeconds: null,
      segmentBy: ["machine_id", "metric_id"],
      orderBy: ["ts DESC"],
      retentionSeconds: expect.closeTo(10 * 365.25 * 86_400, -5),
      refresh: null,
    });
    expect(body.hypertables.find(({ name }) => name === "metric_minute_aggregate")).toMatchObject({
      refresh: { startOffsetSeconds: 3 * 86_400, endOffsetSeconds: 3_600, scheduleSeconds: 1_800 },
    });
    expect(body).toMatchObject({
      pools: { monitor: { most: 1 } },
      settings: { "timescaledb.license": "timescale" },
    });
    expect(Object.keys(body.settings)).not.toContain("data_directory");
  });

  it("of jobs", async () => {
    const { jobs } = await read<{ jobs: { name: string }[] }>("/jobs");
    expect(jobs.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "retention:metric_hist",
        "columnstore:oee_calculations",
        "refresh:metric_minute_aggregate",
      ]),
    );
    expect(jobs.find(({ name }) => name === "retention:metric_hist")).toMatchObject({
      scheduled: true,
      runs: 0,
      lastRun: null,
    });
  });

  it("of jobs that fail, of which TimescaleDB's own are none", async () => {
    const failed = (...ids: number[]) =>
      withClient(database.target, async (client) => {
        for (const id of ids) {
          // The embedded database has no workers that would write this.
          await client.query(
            `INSERT INTO _timescaledb_internal.bgw_job_stat
               (job_id, last_start, last_finish, next_start, last_successful_finish, last_run_success, total_runs, total_duration,
                total_duration_failures, total_successes, total_failures, total_crashes, consecutive_failures, consecutive_crashes)
             VALUES ($1, now(), now(), now(), '-infinity', false, 1, '1 s', '1 s', 0, 1, 0, 1, 0)`,
            [id],
          );
        }
        const facts = await readTimescaleFacts(queryable(client), true);
        const { jobs } = await readStatus(queryable(client));
        return { failing: facts.failing, count: jobs.failing, all: await readAllJobs(queryable(client)) };
      });
    const health = () => withClient(database.target, (client) => readHealthChecks(queryable(client)));
    try {
      const own = await failed(3);
      expect(own).toMatchObject({ failing: [], count: 0, all: { failing: 0 } });
      expect(own.all.jobs.find(({ id }) => id === 3)).toMatchObject({ lastStatus: "failed", failures: 1 });
      expect(await health()).toContainEqual({ name: "jobs", status: "healthy" });
      const { jobs } = own.all;
      const id = jobs.find(({ name }) => name === "retention:metric_hist")?.id ?? 0;
      expect(await failed(id)).toMatchObject({
        failing: ["retention:metric_hist"],
        count: 1,
        all: { failing: 1 },
      });
      expect(await health()).toContainEqual({ name: "jobs", status: "degraded", detail: "1 failing" });
    } finally {
      await withClient(database.target, (client) =>
        client.query("DELETE FROM _timescaledb_internal.bgw_job_stat"),
      );
    }
  });

  it("of machines", async () => {
    const { machines } = await read<{ machines: { id: string; metrics: { id: string }[] }[] }>(
      "/machines",
      "ms5.reader",
    );
    expect(machines.map(({ id }) => id)).toEqual([1, 2, 3].map(machineCode));
    expect(machines[0]?.metrics.map(({ id }) => id)).toEqual([1, 2].map(metricCode));
  });

  interface Telemetry {
    bucketSeconds: number;
    points: { at: string; avg: number; min: number; max: number }[];
  }

  it("of telemetry, from each level the same", async () => {
    const range = "from=2026-03-03T00:00:00Z&to=2026-03-05T00:00:00Z";
    for (const [points, bucketSeconds, column] of [
      [2_000, 120, "ts"],
      [50, 3_600, "ts"],
      [3, 86_400, "ts"],
    ] as const) {
      const body = await read<Telemetry>(`/telemetry?${series}&${range}&points=${points}`, "ms5.reader");
      expect(body).toMatchObject({ machine, metric, unit: "", bucketSeconds });
      expect(body.points.length).toBeLessThanOrEqual(points);
      const expected = await withClient(database.target, async (client) =>
        client.query<{ avg: number; min: number; max: number }>(
          `SELECT avg(value::float8), min(value)::float8, max(value)::float8 FROM factory_telemetry.metric_hist
            WHERE machine_id = 1 AND metric_id = 1 AND ${column} >= '2026-03-03Z' AND ${column} < '2026-03-05Z'
            GROUP BY time_bucket(make_interval(secs => ${bucketSeconds}), ${column}) ORDER BY min(${column})`,
        ),
      );
      expect(body.points).toHaveLength(expected.rows.length);
      body.points.forEach(({ at: _, ...point }, index) => {
        const row = expected.rows[index];
        expect(point.avg).toBeCloseTo(row?.avg ?? Number.NaN, 6);
        expect([point.min, point.max]).toEqual([row?.min, row?.max]);
      });
    }
  });

  it("of telemetry without a range: the newest day there is", async () => {
    const { points } = await read<Telemetry>(`/telemetry?${series}`, "ms5.reader");
    expect(points.at(-1)?.at.slice(0, 13)).toBe("2026-03-09T23");
    expect(points[0]?.at.slice(0, 13)).toMatch(/^2026-03-(08T23|09T00)/);
  });

  it("of OEE: what the windows come to", async () => {
    interface Oee {
      machines: { id: string; oee: number; availability: number; performance: number; quality: number }[];
      series: { machine: string; points: { at: string; oee: number | null }[] }[];
    }
    const body = await read<Oee>("/oee", "ms5.reader");
    expect(body.machines).toHaveLength(3);
    expect(body.series[0]?.points).toHaveLength(7 * 24);
    for (const { oee, availability, performance, quality } of body.machines) {
      expect(oee).toBeGreaterThan(0);
      expect(oee).toBeCloseTo(availability * performance * quality, 9);
    }
    expect(body.machines.map(({ oee }) => oee)).toEqual(
      body.machines.map(({ oee }) => oee).sort((a, b) => b - a),
    );
    // Where there is no aggregate the windows themselves are summed.
    const windows = await withClient(database.target, (client) => readOee(apache(client), {}));
    expect(windows.machines.map(({ id }) => id)).toEqual(body.machines.map(({ id }) => id));
    windows.series.forEach(({ points }, index) => {
      points.forEach(({ oee }, hour) => {
        const other = body.series[index]?.points[hour]?.oee ?? null;
        if (oee === null || other === null) expect(oee).toBe(other);
        else expect(oee).toBeCloseTo(other, 9);
      });
    });
  });
});

/** As the service's own transactions give it. */
function queryable(client: Client): Queryable {
  return { query: async (text, values = []) => client.query(text, [...values]) };
}

/** The same database, but it says it is the Apache edition, and fails for what that one lacks. */
function apache(client: Client): Queryable {
  const real = queryable(client);
  return {
    query: async (text, values) => {
      if (text.includes("FROM pg_extension"))
        return { rows: [{ version: "2.19.3", license: "apache" } as never] };
      if (
        /hypertable_columnstore_settings|hypertable_columnstore_stats|FROM factory_telemetry\.\w+_aggregate/.test(
          text,
        )
      ) {
        throw new Error(`the Apache edition has no such thing: ${text}`);
      }
      return real.query(text, values);
    },
  };
}

const parameters = { machine, metric, points: 500 };
const reads: Record<string, (client: Queryable) => Promise<unknown>> = {
  status: readStatus,
  hypertables: readHypertables,
  compression: readCompression,
  chunks: (client) => readChunks(client, { hypertable: undefined, limit: 100, after: undefined }),
  configuration: readConfiguration,
  jobs: readAllJobs,
  "database health": readDatabaseFacts,
  "TimescaleDB health": (client) => readTimescaleFacts(client, true),
};
const telemetryReads: Record<string, (client: Queryable) => Promise<unknown>> = {
  machines: readMachines,
  telemetry: (client) => readTelemetry(client, parameters),
  oee: (client) => readOee(client, {}),
};

describe("the Apache edition", () => {
  it.each(Object.entries({ ...reads, ...telemetryReads }))(
    "is asked nothing it lacks for %s",
    async (_name, read) => {
      await withClient(database.target, (client) => read(apache(client)));
    },
  );
});

describe("a database without TimescaleDB", () => {
  it.each(Object.entries(reads))("is no error for %s", async (_name, read) => {
    await withClient(database.target, (client) => {
      const real = queryable(client);
      return read({
        query: async (text, values) => {
          if (text.includes("FROM pg_extension")) return { rows: [] };
          if (text.includes("timescaledb_information")) throw new Error(`there is no such schema: ${text}`);
          return real.query(text, values);
        },
      });
    });
  });
});

describe("the roles of the database are enough", () => {
  const as = (role: string, read: (client: Queryable) => Promise<unknown>) =>
    withClient(database.target, async (client) => {
      await client.query(`SET ROLE ${role}`);
      return read(queryable(client));
    });
  it.each(Object.entries(reads))("ms5_monitor for %s", async (_name, read) => {
    await as("ms5_monitor", read);
  });
  it.each(Object.entries(telemetryReads))("ms5_reader for %s", async (_name, read) => {
    await as("ms5_reader", read);
  });
  const at = new Date();
  it.each<[string, string, (client: Queryable) => Promise<unknown>]>([
    ["ms5_monitor", "storage", (client) => readStorageForecast(client, {}, at)],
    [
      "ms5_monitor",
      "an earlier columnstore",
      (client) => simulateColumnstore(client, { hypertable: "metric_hist", afterSeconds: 86_400, at }),
    ],
    ["ms5_reader", "the columnstore", (client) => readColumnstoreAdvice(client, at)],
    [
      "ms5_reader",
      "chunk intervals",
      async (client) => readChunkIntervals(client, { memoryBytes: await readServerMemory(client) }),
    ],
    [
      "ms5_reader",
      "retention",
      (client) => simulateRetention(client, { hypertable: "metric_hist", keepSeconds: 86_400, at }),
    ],
  ])("%s for advice on %s", async (role, _name, read) => {
    await as(role, read);
  });
  it("and ms5_monitor sees no telemetry", async () => {
    await expect(as("ms5_monitor", telemetryReads.telemetry ?? readMachines)).rejects.toThrow(
      "permission denied",
    );
  });
});

const endpoints: Record<string, "public" | "authenticated" | "admin"> = {
  "/health": "public",
  "/openapi.json": "public",
  "/status/timescaledb": "authenticated",
  "/machines": "authenticated",
  [`/telemetry?${series}`]: "authenticated",
  "/oee": "authenticated",
  "/health/database": "admin",
  "/health/timescaledb": "admin",
  "/metrics/hypertables": "admin",
  "/metrics/compression": "admin",
  "/metrics/chunks": "admin",
  "/configuration": "admin",
  "/jobs": "admin",
  [`/anomalies?${series}`]: "authenticated",
  [`/export?${series}`]: "authenticated",
  "/advice/storage": "admin",
  "/advice/columnstore": "admin",
  "/advice/chunk-interval": "admin",
  "/simulation/retention?hypertable=metric_hist&keep=60d": "admin",
  "/simulation/columnstore?hypertable=metric_hist&after=3d": "admin",
};

describe("who may", () => {
  const callers: Record<string, { header: () => Promise<string | undefined>; may: Record<string, number> }> =
    {
      nobody: { header: async () => undefined, may: { public: 200, authenticated: 401, admin: 401 } },
      "a token without a role": {
        header: async () => `Bearer ${await running.token([])}`,
        may: { public: 200, authenticated: 403, admin: 403 },
      },
      "a reader": {
        header: async () => `Bearer ${await running.token(["ms5.reader"])}`,
        may: { public: 200, authenticated: 200, admin: 403 },
      },
      "an admin": {
        header: async () => `Bearer ${await running.token(["ms5.admin"])}`,
        may: { public: 200, authenticated: 200, admin: 200 },
      },
      "a forger": {
        header: async () => {
          const [head, , signature] = (await running.token(["ms5.reader"])).split(".");
          const claims = {
            iss: "https://issuer.test",
            aud: "ms5-test",
            sub: "x",
            exp: 4e9,
            roles: ["ms5.admin"],
          };
          return `Bearer ${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
        },
        may: { public: 200, authenticated: 401, admin: 401 },
      },
    };
  for (const [name, { header, may }] of Object.entries(callers)) {
    it.each(Object.entries(endpoints))(`${name}: %s (%s)`, async (path, access) => {
      const authorization = await header();
      const response = await fetch(`${running.url}${api}${path}`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      expect(response.status).toBe(may[access]);
      if (response.status >= 400) await problemOf(response);
      else await response.arrayBuffer();
      if (response.status === 401) expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    });
  }
});

describe("the audit", () => {
  async function linesOf(path: string, role?: Role, headers: Record<string, string> = {}) {
    running.audit.length = 0;
    const response = await running.get(path, role, headers);
    await response.text();
    await expect.poll(() => running.audit.length + (response.status < 300 ? 1 : 0)).toBeGreaterThan(0);
    return running.audit;
  }

  it("has a line for each privileged read", async () => {
    expect(await linesOf(`${api}/metrics/chunks?hypertable=metric_hist&limit=2`, "ms5.admin")).toEqual([
      {
        audit: true,
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        subject: "test-ms5.admin",
        role: "ms5.admin",
        route: `${api}/metrics/chunks`,
        query: { hypertable: "metric_hist", limit: "2" },
        status: 200,
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        remote: "127.0.0.1",
      },
    ]);
  });

  it("has a line for each refused attempt, without what was sent beside known parameters", async () => {
    const [line, ...others] = await linesOf(`${api}/metrics/chunks?access_token=s3cret`, undefined, {
      authorization: "Bearer a.b.c",
    });
    expect(others).toEqual([]);
    expect(line).toMatchObject({ subject: null, role: null, status: 401, query: {} });
    expect(await linesOf(`${api}/jobs`, "ms5.reader")).toMatchObject([
      { subject: "test-ms5.reader", status: 403 },
    ]);
  });

  it("has none for what everybody with a token may read", async () => {
    expect(await linesOf(`${api}/machines`, "ms5.reader")).toEqual([]);
  });

  it("and the log know no token, cookie or query", async () => {
    const token = await running.token(["ms5.admin"]);
    await fetch(`${running.url}${api}/jobs?secret=s3cret`, {
      headers: { authorization: `Bearer ${token}`, cookie: "session=s3cret" },
    });
    const all = JSON.stringify(running.audit) + running.log.join("");
    expect(running.log.length).toBeGreaterThan(0);
    expect(all).not.toContain("s3cret");
    expect(all).not.toContain(token.split(".")[2]);
  });
});

describe("the OpenAPI document", () => {
  it("is valid 3.1, and every route is in it", async () => {
    const document = await read<{
      openapi: string;
      paths: Record<string, { get: { security?: unknown[] } }>;
    }>("/openapi.json");
    expect(document.openapi).toBe("3.1.0");
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
    const paths = Object.keys(endpoints).map((path) => `${api}${path.split("?")[0]}`);
    expect(Object.keys(document.paths).sort()).toEqual(paths.sort());
    for (const [path, access] of Object.entries(endpoints)) {
      const { get } = document.paths[`${api}${path.split("?")[0]}`] ?? {};
      expect(get?.security !== undefined, path).toBe(access !== "public");
    }
  });
});

describe("bad input", () => {
  const hostile = [
    "' OR '1'='1",
    "1; DROP TABLE factory_telemetry.machines; --",
    "\\'; SELECT pg_sleep(10) --",
    "\u0000",
    "%00",
    "$1",
  ];
  it.each(hostile)("%j as a parameter changes nothing", async (text) => {
    const value = encodeURIComponent(text);
    for (const path of [
      `/telemetry?machine=${value}&metric=${metric}`,
      `/telemetry?machine=${machine}&metric=${value}`,
      `/telemetry?${series}&from=${value}`,
      `/telemetry?${series}&points=${value}`,
      `/metrics/chunks?hypertable=${value}`,
      `/metrics/chunks?after=${value}`,
      `/oee?to=${value}`,
    ]) {
      const response = await running.get(`${api}${path}`, "ms5.admin");
      expect([400, 404], path).toContain(response.status);
      await problemOf(response);
    }
    expect((await read<{ machines: unknown[] }>("/machines")).machines).toHaveLength(3);
  });

  it.each([
    ["/jobs?a=1&b=2", 'unknown parameter "a"; unknown parameter "b"'],
    [`/telemetry?machine=${machine}`, 'parameter "metric"'],
    [`/telemetry?${series}&points=2001`, 'parameter "points"'],
    [`/telemetry?${series}&machine=x`, 'parameter "machine"'],
    [`/telemetry?${series}&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z`, "at most 400 days"],
    [`/telemetry?${series}&from=0001-01-01T00:00:00Z`, "between 1970 and 2200"],
    ["/oee?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "before"],
    ["/metrics/chunks?limit=1001", 'parameter "limit"'],
    ["/metrics/chunks?hypertable=pg_authid", 'parameter "hypertable"'],
    ["/simulation/retention?hypertable=pg_authid&keep=1d", 'parameter "hypertable"'],
    ["/simulation/retention?hypertable=metric_hist", 'parameter "keep"'],
    ["/simulation/columnstore?hypertable=metric_hist&after=soon", 'a whole number and a unit, e.g. "60d"'],
    ["/advice/storage?volumeBytes=-1", 'parameter "volumeBytes"'],
    ["/advice/chunk-interval?memoryBytes=much", 'parameter "memoryBytes"'],
    [`/export?${series}&format=xlsx`, 'parameter "format"'],
    [`/anomalies?${series}&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z`, "at most 31 days"],
  ])("%s is told: %s", async (path, detail) => {
    const response = await running.get(`${api}${path}`, "ms5.admin");
    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toContain(detail);
  });

  it("unknown machines and metrics are not found", async () => {
    expect(
      (await problemOf(await running.get(`${api}/telemetry?machine=x&metric=${metric}`, "ms5.reader")))
        .status,
    ).toBe(404);
    expect(
      (await problemOf(await running.get(`${api}/telemetry?machine=${machine}&metric=x`, "ms5.reader")))
        .status,
    ).toBe(404);
  });

  it("methods and paths that do not exist", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await fetch(`${running.url}${api}/jobs`, { method });
      expect([response.status, response.headers.get("allow")], method).toEqual([405, "GET, HEAD"]);
      await problemOf(response);
    }
    for (const path of [
      "/nothing",
      `${api}/nothing`,
      `${api}/jobs/1`,
      "/.secret",
      "/..%2f..%2fetc/passwd",
      `/${"x".repeat(3_000)}`,
    ]) {
      expect((await problemOf(await running.get(path, "ms5.admin"))).status, path).toBe(404);
    }
    expect((await fetch(`${running.url}${api}/health`, { method: "HEAD" })).status).toBe(200);
    expect((await problemOf(await running.get("/%ff%zz"))).status).toBe(400);
  });

  it("bodies, long headers and huge tokens", async () => {
    const post = (body: string) => fetch(`${running.url}${api}/jobs`, { method: "POST", body });
    expect((await problemOf(await post("x".repeat(1_025)))).status).toBe(413);
    expect((await problemOf(await post("x"))).status).toBe(405);
    const huge = (bytes: number) =>
      running.get(`${api}/jobs`, undefined, { authorization: `Bearer a.${"x".repeat(bytes)}.b` });
    expect((await problemOf(await huge(9_000))).status).toBe(401);
    expect((await problemOf(await huge(20_000))).status).toBe(431);
  });

  it("an error nobody expected is ours, and named", async () => {
    const broken = await startTestService(
      singleSession(),
      {},
      {
        routes: [
          () => async (app) => {
            app.get("/broken", { config: { access: "public" } }, async () => {
              throw new Error("at database.ts: password is hunter2");
            });
          },
        ],
      },
    );
    const problem = await problemOf(await broken.get(`${api}/broken`));
    expect(problem).toMatchObject({ status: 500, instance: expect.stringMatching(/^urn:uuid:/) });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
    expect(broken.log.join("")).toContain(problem.instance.slice("urn:uuid:".length));
    await broken.stop();
  });

  it("a route that does not say who may use it is not made", async () => {
    await expect(
      startTestService(
        singleSession(),
        {},
        { routes: [() => async (app) => void app.get("/open", async () => "")] },
      ),
    ).rejects.toThrow("has no access");
  });
});

/** fetch lets no Host header through, and asks caches to be left out. */
function plainGet(
  url: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; cookie: string | undefined }> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port, path, headers }, (response) => {
      response
        .resume()
        .once("end", () =>
          resolve({ status: response.statusCode ?? 0, cookie: response.headers["set-cookie"]?.[0] }),
        );
    })
      .once("error", reject)
      .end();
  });
}

describe("the page", () => {
  it("is served with its own sources alone, and asked for anew", async () => {
    const first = await running.get("/");
    expect([first.status, await first.text()]).toEqual([200, "<!doctype html><title>MS5</title>"]);
    expect(first.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(first.headers.get("cache-control")).toBe("no-cache");
    expect(first.headers.get("set-cookie")).toBeNull();
    const etag = first.headers.get("etag") ?? "";
    expect((await plainGet(running.url, "/", { "if-none-match": etag })).status).toBe(304);
    expect((await running.get("/app.js")).headers.get("content-type")).toContain("javascript");
  });
});

describe("the service's own metrics", () => {
  it("count requests by route, never by URL", async () => {
    await running.get(`${api}/health`);
    await running.get("/who/knows");
    const text = await (await running.get("/metrics")).text();
    expect(text).toMatch(
      /http_request_duration_seconds_count\{route="\/api\/v1\/monitoring\/health",method="GET",status="200"\} \d+/,
    );
    expect(text).toContain('route="none",method="GET",status="404"');
    expect(text).toContain("process_cpu_seconds_total");
    expect(text).not.toContain("who/knows");
  });
});

describe("local mode", () => {
  let local: TestService;
  beforeAll(async () => {
    local = await startTestService(singleSession(), { local: true, tokens: undefined, pageFolder: folder });
  });
  afterAll(() => local?.stop());

  const ask = (path: string, headers: Record<string, string>) => plainGet(local.url, path, headers);
  const own = () => new URL(local.url).host;

  it("gives the page a cookie that stands for an admin", async () => {
    const { status, cookie = "" } = await ask("/", { host: own() });
    expect(status).toBe(200);
    expect(cookie).toMatch(/^ms5_session_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const session = cookie.split(";")[0] ?? "";
    expect((await ask(`${api}/jobs`, { host: own(), cookie: `a=b; ${session}` })).status).toBe(200);
    expect(
      (await ask(`${api}/jobs`, { host: own().replace("127.0.0.1", "localhost"), cookie: session })).status,
    ).toBe(200);
    for (const wrong of ["", `${session}x`, `${session.slice(0, -1)}`, session.replace(/=.*/, "=")]) {
      expect((await ask(`${api}/jobs`, { host: own(), cookie: wrong })).status).toBe(401);
    }
    expect(local.log.join("")).not.toContain(session.split("=")[1]);
  });

  it("answers to no other name, and to no other site", async () => {
    const { port } = new URL(local.url);
    const { cookie = "" } = await ask("/", { host: own() });
    const session = { cookie: cookie.split(";")[0] ?? "" };
    for (const host of [
      "evil.test",
      `evil.test:${port}`,
      "127.0.0.1",
      `127.0.0.1:${Number(port) + 1}`,
      `127.0.0.1.evil.test:${port}`,
    ]) {
      expect(await ask("/", { host }), host).toEqual({ status: 421, cookie: undefined });
      expect((await ask(`${api}/jobs`, { host, ...session })).status, host).toBe(421);
    }
    for (const site of ["cross-site", "same-site"]) {
      expect(await ask("/", { host: own(), "sec-fetch-site": site })).toEqual({
        status: 403,
        cookie: undefined,
      });
      expect((await ask(`${api}/jobs`, { host: own(), "sec-fetch-site": site, ...session })).status).toBe(
        403,
      );
    }
    for (const site of ["same-origin", "none"]) {
      expect((await ask(`${api}/jobs`, { host: own(), "sec-fetch-site": site, ...session })).status).toBe(
        200,
      );
    }
  });

  it("takes a cookie nowhere else: not in the cluster, and not of another process", async () => {
    const { cookie = "" } = await ask("/", { host: own() });
    expect((await running.get(`${api}/jobs`, undefined, { cookie: cookie.split(";")[0] ?? "" })).status).toBe(
      401,
    );
  });

  it("is refused where others could reach it", async () => {
    await expect(
      startTestService(singleSession(), { local: true, listen: { host: "0.0.0.0", port: 0 } }),
    ).rejects.toThrow("local mode cannot listen on 0.0.0.0");
  });
});
