// What watches a database, on a real cluster: what it collects, what it tells when something is wrong, and who may ask it.
import { CoreV1Api } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dashboards } from "../../infra/monitoring/dashboards";
import type { RuleSettings } from "../../infra/monitoring/ruleSettings";
import { alone, type Fault, together } from "../../ops/bench/monitoring/faults";
import type { Watch } from "../../ops/bench/monitoring/watch";
import type { TokenRequest } from "../../ops/monitoring/service/token";
import { eventually } from "./support/backupStack";
import { edition } from "./support/clusterStack";
import { emptyPanels } from "./support/panels";
import { audience, issuer, monitoring, WatchedStack } from "./support/watchedStack";

/** As the stack has them. */
const rules: RuleSettings = {
  members: 3,
  edition,
  backups: true,
  freshness: { metric_hist: 300 },
  schedules: { columnstore: 43_200, retention: 86_400 },
  cost: undefined,
  stopsAtNight: false,
  ownPrometheus: true,
};

let watched: WatchedStack;
let watch: Watch;
beforeAll(async () => {
  watched = await WatchedStack.create();
  watch = await watched.open();
  // A quarter of an hour of one machine, until now.
  await watched.stack.sql(`
    INSERT INTO factory_telemetry.machines (code, name) VALUES ('P-1', 'Press');
    INSERT INTO factory_telemetry.metrics (code, name, unit) VALUES ('speed', 'Speed', 'm/s');
    INSERT INTO factory_telemetry.metric_hist (ts, machine_id, metric_id, value)
      SELECT now() - second * interval '1 second', machine_id, metric_id, sin(second)
        FROM generate_series(0, 900) second, factory_telemetry.machines, factory_telemetry.metrics;
    ANALYZE`);
}, 600_000);
afterAll(() => watched?.remove(), 300_000);

describe("what is collected", () => {
  it("comes from everybody, each job at its interval", async () => {
    await eventually(async () => {
      const targets = await watch.targets();
      const down = Object.values(targets).flatMap((job) => job.down);
      expect(down).toEqual([]);
      const up = Object.fromEntries(Object.entries(targets).map(([job, { up }]) => [job, up]));
      expect(up).toEqual({
        postgres: 3,
        hypertables: 1,
        compression: 1,
        performance: 1,
        member: 3,
        pooler: 2,
        node: 3,
        monitoring: 1,
        prometheus: 1,
        alertmanager: 1,
      });
      // The slowest of them are asked for the first time within five minutes: that they answer is seen below.
      expect(await watch.value("count(up == 1)")).toBeGreaterThanOrEqual(16);
    }, 150_000);
  });

  it("is of this database: who is the primary, how far the others are, what a client finds", async () => {
    await eventually(async () => {
      expect(await watch.value("sum(ms5_member_primary)")).toBe(1);
      expect(await watch.value("sum(ms5_member_streaming)")).toBe(2);
      expect(await watch.value("max(ms5_cluster_synchronous_standbys)")).toBeGreaterThanOrEqual(1);
      expect(
        await watch.value('min(ms5_certificate_expiry_timestamp_seconds{certificate="server"}) - time()'),
      ).toBeGreaterThan(80 * 86_400);
      expect(await watch.value('min(ms5_volume_size_bytes{volume="data"})')).toBeGreaterThan(0.9 * 2 ** 30);
      expect(await watch.value('sum(timescaledb_probes_total{outcome="ok"})')).toBeGreaterThan(0);
      expect(await watch.value("sum(pg_up)")).toBe(3);
      expect(await watch.value("sum(pgbouncer_up)")).toBe(2);
    });
    const failed = await watch.value('sum(timescaledb_probes_total{outcome="failed"}) or vector(0)');
    expect(failed).toBe(0);
  });

  it("stays small: no series for a chunk or a client", async () => {
    const series = await watch.value("prometheus_tsdb_head_series");
    expect(series).toBeGreaterThan(500);
    expect(series).toBeLessThan(10_000);
    expect(await watch.value("max(scrape_samples_scraped)")).toBeLessThan(2_000);
  });

  it("is asked as somebody who sees no telemetry", async () => {
    const refused = await watched.stack
      .sql("SET ROLE ms5_monitor; SELECT count(*) FROM factory_telemetry.metric_hist")
      .catch((error: Error) => error.message);
    expect(refused).toContain("permission denied");
  });
});

describe("who may ask", () => {
  const ask = (path: string, headers: Record<string, string> = {}) => watched.askApi(path, headers);
  const as = async (role: "ms5.reader" | "ms5.admin", change: Partial<TokenRequest> = {}) => ({
    authorization: `Bearer ${await watched.token(role, change)}`,
  });
  const api = "/api/v1/monitoring";

  it("is anybody about health, and whoever has a token of that role about the rest", async () => {
    expect(await ask(`${api}/health`)).toMatchObject({ status: 200, body: { status: "healthy" } });
    const paths = [
      ["status/timescaledb", 401, 200, 200],
      ["health/database", 401, 403, 200],
      ["health/timescaledb", 401, 403, 200],
      ["metrics/hypertables", 401, 403, 200],
      ["metrics/compression", 401, 403, 200],
      ["metrics/chunks", 401, 403, 200],
      ["configuration", 401, 403, 200],
    ] as const;
    for (const [path, ...expected] of paths) {
      const answers = [
        await ask(`${api}/${path}`),
        await ask(`${api}/${path}`, await as("ms5.reader")),
        await ask(`${api}/${path}`, await as("ms5.admin")),
      ];
      expect([path, ...answers.map(({ status }) => status)]).toEqual([path, ...expected]);
    }
  });

  it("is nobody with a token of another issuer, for another audience, or without a signature", async () => {
    const unsigned = [
      { alg: "none" },
      { sub: "eve", roles: ["ms5.admin"], iss: issuer, aud: audience, exp: 4e9 },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    for (const headers of [
      await as("ms5.admin", { issuer: "https://somebody.else" }),
      await as("ms5.admin", { audience: "another" }),
      { authorization: `Bearer ${unsigned}.` },
    ]) {
      const { status, text } = await ask(`${api}/configuration`, headers);
      expect(status).toBe(401);
      expect(text).not.toMatch(/node_modules|at \w+ \(/);
    }
  });

  it("leaves a line for the auditor of each privileged read, without the token", async () => {
    const headers = await as("ms5.admin");
    await ask(`${api}/metrics/chunks?limit=7`, headers);
    await eventually(async () => {
      const log = await watched.log("monitoring-api", "monitoring-api");
      const line = log.split("\n").find((text) => text.includes('"audit":true') && text.includes('"limit"'));
      expect(line).toContain("e2e");
      expect(log).not.toContain(headers.authorization.slice(-30));
    });
  });

  it("has the status page, for browsers that may go nowhere else", async () => {
    const { status, text, headers } = await ask("/");
    expect(status).toBe(200);
    expect(text).toContain("<html");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect((await ask("/assets/uplot/uPlot.esm.js")).status).toBe(200);
  });
});

describe("what is logged", () => {
  it("has no password in it", async () => {
    const secrets = Object.values(await watched.stack.passwords());
    const core = watched.stack.config.makeApiClient(CoreV1Api);
    const { items } = await core.listNamespacedPod({ namespace: monitoring });
    expect(items.length).toBeGreaterThanOrEqual(4);
    for (const { metadata, spec } of items) {
      const name = metadata?.name ?? "";
      for (const { name: container } of spec?.containers ?? []) {
        const log = await core.readNamespacedPodLog({ namespace: monitoring, name, container });
        for (const secret of secrets) expect(log.includes(secret), `${name} ${container}`).toBe(false);
      }
      for (const secret of secrets) expect(JSON.stringify(spec).includes(secret), name).toBe(false);
    }
  });
});

describe("what is told", () => {
  const fires = (fault: Fault) =>
    eventually(
      async () =>
        expect([fault.alert, await watch.fires(fault.alert, fault.severity)]).toEqual([fault.alert, true]),
      150_000,
    );
  const isOver = ({ alert, severity }: Fault) =>
    eventually(
      async () => expect([alert, await watch.fires(alert, severity)]).toEqual([alert, false]),
      150_000,
    );

  beforeAll(async () => {
    await watched.hurry();
    // What was so before is seen again first.
    await eventually(async () => expect(await watch.value("count(up == 1)")).toBe(17), 120_000);
  }, 300_000);

  it("is nothing that would wake anybody while all is well, and that somebody watches", async () => {
    await eventually(async () => {
      const critical = await watch.value(
        'count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)',
      );
      expect({ critical, firing: await watch.firing() }).toMatchObject({ critical: 0 });
    }, 120_000);
    expect(await watch.fires("Watchdog")).toBe(true);
  });

  it("is in every panel of every dashboard", async () => {
    const shown = dashboards({ ...rules, documentation: undefined });
    await eventually(async () => {
      const empty = await emptyPanels(watch.url, shown, { rateInterval: "15s", range: "1m" });
      // None has run yet, and durability is about them too.
      expect(empty.filter((panel) => !/drill|durability/i.test(panel))).toEqual([]);
    }, 120_000);
  }, 150_000);

  it("is each of the faults that happen together, and that they are over", async () => {
    const place = await watched.place();
    const undo: (() => Promise<void>)[] = [];
    try {
      for (const fault of together) undo.push(await fault.cause(place));
      await Promise.all(together.map(fires));
    } finally {
      for (const end of undo) await end();
    }
    await Promise.all(together.map(isOver));
  }, 500_000);

  it.each(alone.map((fault) => [fault.alert, fault.what, fault] as const))(
    "is %s when %s",
    async (_alert, _what, fault) => {
      const end = await fault.cause(await watched.place());
      try {
        await fires(fault);
      } finally {
        await end();
      }
      await isOver(fault);
    },
    400_000,
  );

  it("reaches people, with where to read on", async () => {
    await eventually(async () => {
      const told = watched.webhook.notifications;
      const alerts = told.flatMap(({ alerts }) => alerts);
      for (const { alert } of [...together, ...alone]) {
        const own = alerts.filter(({ labels }) => labels.alertname === alert);
        expect([alert, [...new Set(own.map(({ status }) => status))].sort()]).toEqual([
          alert,
          ["firing", "resolved"],
        ]);
      }
      expect(told.some(({ receiver }) => receiver === "heartbeat")).toBe(true);
    });
  });
});
