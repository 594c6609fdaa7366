// Every query of every panel against a real Prometheus that scrapes real exporters, often: the TimescaleDB exporter over the
// embedded Community database (Debian's has neither policies nor the columnstore), postgres_exporter, PgBouncer with its exporter
// and node_exporter over a Debian PostgreSQL, the monitoring API. What the agents tell is written down: there is no cluster.
//
// postgres_exporter cannot ask the embedded database: that serves one session at a time, and it holds its own.
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { afterAll, beforeAll, expect, it } from "vitest";
import { poolerDatabases } from "../../infra/database/poolerPlaces";
import { allRules } from "../../infra/monitoring/alerts/all";
import { dashboards } from "../../infra/monitoring/dashboards";
import { renderRules } from "../../infra/monitoring/rulesFile";
import { withClient } from "../../infra/schema/postgres";
import { filesOf } from "../../ops/bench/telemetryFiles";
import type { EmbeddedDatabase } from "../../ops/embedded";
import { ingestFiles } from "../../ops/ingest";
import { createLog } from "../../ops/log";
import { endpointNames } from "../../ops/monitoring/exporter/collectors";
import { startExporter } from "../../ops/monitoring/exporter/server";
import { runColumnstoreJobs } from "../../ops/start/maintenance";
import { fillDatabase } from "../sql/monitoring/exporterDatabase";
import { api, onLoopback, startTestService } from "../sql/monitoring/serviceSupport";
import { silent, startTemporaryDatabase } from "../support/embedded";
import { realTelemetry } from "../support/realTelemetry";
import { panelsOf } from "../unit/monitoring/dashboardPicture";
import { everything } from "../unit/monitoring/dashboardSettings";
import { serveMemberMetrics } from "./support/memberMetrics";
import { brokenVariablesAndMarks, emptyPanels, type PanelOptions, shownQueries } from "./support/panels";
import { MonitoringTools, type Running, type ScrapeJob } from "./support/prometheus";
import { startServer } from "./support/server";

/** Between two scrapes. Twice that for those that the embedded database has to answer one after the other. */
const scrapeSeconds = 2;
/** Four scrapes of the slow ones. */
const options: PanelOptions = { rateInterval: `${8 * scrapeSeconds}s`, range: "5m" };
/** Within which everything has been told often enough for a rate. */
const deadlineMs = 180_000;

const shown = dashboards(everything);
const stops: (() => Promise<unknown>)[] = [];
let prometheus: Running;
let database: EmbeddedDatabase;

/** What a run of each job leaves on a server: here are no background workers. */
const runsOfJobs = `
  INSERT INTO _timescaledb_internal.bgw_job_stat
    (job_id, last_start, last_finish, next_start, last_successful_finish, last_run_success, total_runs, total_duration,
     total_duration_failures, total_successes, total_failures, total_crashes, consecutive_failures, consecutive_crashes)
  SELECT job_id, now() - interval '60 s', now() - interval '59 s', now() + interval '1 hour', now() - interval '59 s', true, 3,
         interval '3 s', interval '0', 3, 0, 0, 0, 0
    FROM timescaledb_information.jobs
  ON CONFLICT DO NOTHING`;

beforeAll(async () => {
  const log = createLog({ quiet: false });
  const tools = await MonitoringTools.create(log);
  stops.push(() => tools.stop());

  database = await startTemporaryDatabase();
  stops.push(() => database.stop());
  const { target } = database;
  await fillDatabase(target);
  if (realTelemetry !== undefined) {
    const files = filesOf(realTelemetry, "skab").slice(0, 5);
    await ingestFiles({ target, files, allowed: { earliest: new Date(0), latest: new Date() }, log: silent });
  }
  await withClient(target, async (client) => {
    await runColumnstoreJobs(client);
    await client.query(runsOfJobs);
  });
  const address = { host: "127.0.0.1", port: target.port, database: target.database, user: target.user };
  const exporter = await startExporter(
    {
      listen: { host: "127.0.0.1", port: 0 },
      database: address,
      probes: { write: address, read: address },
      passwordFile: undefined,
      caFile: undefined,
      singleSession: true,
    },
    () => undefined,
  );
  stops.push(() => exporter.close());
  const service = await startTestService(onLoopback(target.port, { singleSession: true }));
  stops.push(() => service.stop());

  const server = await startServer();
  stops.push(() => server.stop());
  const pooler = await tools.pooler(server.admin);
  const clients = setInterval(() => {
    for (const name of Object.values(poolerDatabases))
      void withClient({ ...pooler, database: name }, (client) => client.query("SELECT 1")).catch(
        () => undefined,
      );
    void service.get(`${api}/health`).catch(() => undefined);
  }, 500);
  stops.push(async () => clearInterval(clients));
  const members = await serveMemberMetrics();
  stops.push(() => members.stop());
  const postgresExporter = await tools.postgresExporter(server.admin);
  const job = (name: string, url: string, more: Partial<ScrapeJob> = {}): ScrapeJob => ({
    name,
    seconds: scrapeSeconds,
    targets: [{ address: new URL(url).host }],
    ...more,
  });
  prometheus = await tools.prometheus({
    jobs: [
      job("postgres", postgresExporter.url, {
        path: "/probe",
        parameters: { auth_module: "members", target: `127.0.0.1:${server.admin.port}/ms5` },
        targets: [{ address: postgresExporter.address, labels: { pod: "blue-0" } }],
      }),
      ...endpointNames.map((name) =>
        job(name, exporter.url, { path: `/metrics/${name}`, seconds: 2 * scrapeSeconds }),
      ),
      ...members.pods.map((pod) =>
        job(`member-${pod}`, `http://${members.address}`, {
          path: `/${pod}`,
          targets: [{ address: members.address, labels: { pod } }],
        }),
      ),
      job("pooler", (await tools.poolerExporter(pooler)).url),
      job("node", (await tools.nodeExporter()).url),
      job("monitoring", service.url),
    ],
    rules: Object.fromEntries(
      allRules(everything).map((group) => [`${group.name}.yml`, renderRules([group])]),
    ),
    evaluationSeconds: scrapeSeconds,
  });
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

it("every panel shows something", async () => {
  const deadline = Date.now() + deadlineMs;
  let empty: string[];
  do {
    await sleep(2_000);
    empty = await emptyPanels(prometheus.url, shown, options);
  } while (empty.length > 0 && Date.now() < deadline);
  expect(empty).toEqual([]);
});

it("the table of jobs has a line for each of them", async () => {
  const jobs = await withClient(database.target, async (client) => {
    return (await client.query("SELECT job_id FROM timescaledb_information.jobs")).rows;
  });
  const [table] = shown.flatMap(panelsOf).filter(({ title }) => title === "Every job");
  // A line is there for whatever any column knows: that TimescaleDB's own last worked is not told.
  const lines = new Set<string | undefined>();
  for (const { expr } of (table?.targets ?? []) as unknown as Dataquery[]) {
    const answer = await fetch(
      `${prometheus.url}/api/v1/query?${new URLSearchParams({ query: expr ?? "" })}`,
    );
    const { data } = (await answer.json()) as { data: { result: { metric: Record<string, string> }[] } };
    for (const { metric } of data.result) lines.add(metric.exported_job);
  }
  expect(lines.size).toBe(jobs.length);
});

it("every choice offers something, and every mark can be asked for", async () => {
  expect(await brokenVariablesAndMarks(prometheus.url, shown)).toEqual([]);
});

it("a panel of what nobody tells is found out", async () => {
  const [overview] = dashboards(everything);
  if (overview === undefined) throw new Error("no dashboard");
  const renamed = JSON.parse(
    JSON.stringify(overview).replaceAll("timescaledb_deadlocks_total", "timescaledb_deadlocks"),
  );
  expect(await emptyPanels(prometheus.url, [renamed], options)).toEqual([
    "ms5-overview: Deadlocks: A: no series: max(increase(timescaledb_deadlocks[16s]))",
  ]);
});

it("where nobody tells, nothing looks healthy", async () => {
  const tools = await MonitoringTools.create(silent);
  try {
    const alone = await tools.prometheus({ jobs: [], rules: {}, evaluationSeconds: 1 });
    const own = await untilTold(() => shownQueries(alone.url, shown, options), 6);
    // That no alert fires is told by none being there; the others are what Prometheus tells of itself.
    expect(own).toEqual([
      "ms5-overview: Alerts that wake somebody: A",
      "ms5-overview: Not watched: A",
      "ms5-cost: Series: A",
      "ms5-cost: Samples kept: A",
      "ms5-cost: Duration of scrapes: A",
      "ms5-cost: Samples of a scrape: A",
    ]);
  } finally {
    await tools.stop();
  }
});

/** What it says as soon as there is that much of it. */
async function untilTold(ask: () => Promise<string[]>, length: number): Promise<string[]> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const told = await ask();
    if (told.length >= length || Date.now() > deadline) return told;
    await sleep(500);
  }
}
