// The exporter as a server: databases that go away, hang and come back, probes, and the program around it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../infra/schema/postgres";
import { type Exporter, startExporter } from "../../../ops/monitoring/exporter/server";
import type { DatabaseAddress, ExporterSettings } from "../../../ops/monitoring/exporter/settings";
import { projectRoot } from "../../../ops/paths";
import { embedded } from "../../support/embedded";
import { freePort } from "../../support/freePort";
import { fillDatabase } from "./exporterDatabase";
import { parseMetrics } from "./metricsText";
import { Relay } from "./relay";

const database = embedded();
let relay: Relay;
let exporter: Exporter | undefined;
let events: { message: string; error?: string | number }[] = [];

beforeAll(async () => {
  await fillDatabase(database.target);
  relay = await Relay.start(database.target.port);
});
afterEach(async () => {
  await exporter?.close();
  exporter = undefined;
  relay.become("open");
});
afterAll(() => relay?.stop());

function address(port: number): DatabaseAddress {
  return { host: "127.0.0.1", port, database: database.target.database, user: database.target.user };
}

async function start(changes: Partial<ExporterSettings> = {}): Promise<void> {
  events = [];
  const settings = {
    listen: { host: "127.0.0.1", port: 0 },
    database: address(relay.port),
    probes: { write: undefined, read: undefined },
    passwordFile: undefined,
    caFile: undefined,
    singleSession: true,
    ...changes,
  };
  exporter = await startExporter(settings, (event) => events.push(event));
}

async function scrape(name = "performance"): Promise<Map<string, number>> {
  const answer = await fetch(`${exporter?.url}/metrics/${name}`);
  expect(answer.status).toBe(200);
  return parseMetrics(await answer.text());
}

/** Until the metrics say so. */
async function until(holds: (told: Map<string, number>) => boolean): Promise<Map<string, number>> {
  for (;;) {
    const told = await scrape();
    if (holds(told)) return told;
    await sleep(200);
  }
}

describe("scrapes", () => {
  it("are answered in Prometheus's format, and say what the server is", async () => {
    await start();
    const answer = await fetch(`${exporter?.url}/metrics/performance`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    const [version] = await withClient(
      database.target,
      async (client) =>
        (await client.query("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")).rows,
    );
    expect(text).toContain(
      `timescaledb_info{timescaledb="${version.extversion}",postgres="17.5",edition="community"} 1\n`,
    );
    expect(text).toContain("# TYPE timescaledb_transactions_total counter\n");
    expect(text).toContain("# TYPE timescaledb_connections gauge\n");
    expect(text).toContain("timescaledb_up 1\n");
    for (const name of ["hypertables", "compression"]) {
      const told = await scrape(name);
      const outcomes = [...told].filter(([series]) => series.includes("collect_success"));
      expect(outcomes.length).toBeGreaterThan(1);
      expect(outcomes.filter(([, value]) => value !== 1)).toEqual([]);
    }
    expect((await fetch(`${exporter?.url}/metrics`)).status).toBe(404);
    expect(events).toEqual([]);
  });

  it("say that the database is away, and that it is back", async () => {
    await start();
    relay.become("away");
    const away = await scrape();
    expect(away.get("timescaledb_up")).toBe(0);
    expect(away.get('timescaledb_exporter_collect_success{collector="sessions"}')).toBe(0);
    expect((await scrape("hypertables")).get('timescaledb_exporter_collect_success{collector="sizes"}')).toBe(
      0,
    );
    relay.become("open");
    const back = await scrape();
    expect(back.get("timescaledb_up")).toBe(1);
    expect(back.get('timescaledb_exporter_collect_success{collector="sessions"}')).toBe(1);
    // Each of them once, however often it is scraped.
    expect(events.map(({ message }) => message)).toEqual(["the database fails", "the database works again"]);
  });

  it("work when the database comes later than the exporter", async () => {
    const port = await freePort();
    await start({ database: address(port) });
    expect((await scrape()).get("timescaledb_up")).toBe(0);
    expect(events[0]?.error).toContain("ECONNREFUSED");
  });

  it.each([true, false])(
    "do not pile up while the database hangs (single session: %s)",
    async (singleSession) => {
      await start({ singleSession });
      expect((await scrape()).get("timescaledb_up")).toBe(1);
      relay.become("hanging");
      const before = relay.connections;
      const many = await Promise.all(Array.from({ length: 50 }, () => scrape()));
      expect(many.map((told) => told.get("timescaledb_up"))).toEqual(many.map(() => 0));
      expect(relay.connections - before).toBeLessThanOrEqual(1);
      relay.become("open");
      expect((await scrape()).get("timescaledb_up")).toBe(1);
    },
  );

  it("keep their connection, and open another one when it breaks", async () => {
    await start({ singleSession: false });
    const before = relay.connections;
    await scrape();
    await scrape();
    expect(relay.connections - before).toBe(1);
    // Cuts what is connected.
    relay.become("open");
    await sleep(50);
    expect((await scrape()).get("timescaledb_up")).toBe(1);
    expect(relay.connections - before).toBe(2);
  });

  it("are not answered any more after the end, whatever the database does", async () => {
    await start({ probes: { write: address(relay.port), read: undefined } });
    relay.become("hanging");
    const hanging = fetch(`${exporter?.url}/metrics/performance`).catch(() => "cut");
    await sleep(50);
    await exporter?.close();
    await hanging;
    await expect(fetch(`${exporter?.url}/metrics/performance`)).rejects.toThrow("fetch failed");
    exporter = undefined;
  });
});

describe("probes", () => {
  const probes = (told: Map<string, number>, path: string, outcome: string) =>
    told.get(`timescaledb_probes_total{outcome="${outcome}",path="${path}"}`) ?? Number.NaN;

  it("write and read through the pooler, count failures, and recover", async () => {
    await start({ probes: { write: address(relay.port), read: address(relay.port) } });
    const ok = await until((told) => probes(told, "write", "ok") > 0 && probes(told, "read", "ok") > 0);
    expect(probes(ok, "write", "failed")).toBe(0);
    expect(ok.get('timescaledb_probe_seconds_count{path="read"}')).toBe(probes(ok, "read", "ok"));
    const [beat] = await withClient(
      database.target,
      async (client) =>
        (await client.query("SELECT now() - at < interval '1 minute' AS fresh FROM monitoring.heartbeat"))
          .rows,
    );
    expect(beat).toEqual({ fresh: true });
    relay.become("away");
    const failed = await until(
      (told) => probes(told, "write", "failed") > 0 && probes(told, "read", "failed") > 0,
    );
    relay.become("open");
    await until(
      (told) =>
        probes(told, "write", "ok") > probes(failed, "write", "ok") &&
        probes(told, "read", "ok") > probes(failed, "read", "ok"),
    );
  });

  it("that get no answer have failed", async () => {
    const probed = { write: address(relay.port), read: undefined };
    await start({ database: address(database.target.port), probes: probed });
    await until((told) => probes(told, "write", "ok") > 0);
    relay.become("hanging");
    const told = await until((now) => probes(now, "write", "failed") > 0);
    expect(told.has('timescaledb_probes_total{outcome="ok",path="read"}')).toBe(false);
    expect(events).toContainEqual(
      expect.objectContaining({ message: "probe write fails", error: "no answer within 5 s" }),
    );
  });
});

describe("the program", () => {
  let folder: string;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ms5-exporter-"));
    await build({
      stdin: {
        contents: `import { runExporter } from "./ops/monitoring/exporter/main"; void runExporter();`,
        resolveDir: projectRoot,
      },
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
      external: ["pg-native"],
      outfile: join(folder, "exporter.cjs"),
    });
  });
  afterEach(() => {
    child?.kill("SIGKILL");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function run(environment: Record<string, string>) {
    const program = spawn(process.execPath, [join(folder, "exporter.cjs")], {
      env: environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child = program;
    const lines: Record<string, unknown>[] = [];
    const first = new Promise<Record<string, unknown>>((resolve) => {
      createInterface({ input: program.stdout }).on("line", (line) => {
        lines.push(JSON.parse(line));
        resolve(lines[0] ?? {});
      });
    });
    return { program, lines, first };
  }

  it("starts, logs JSON, and ends when it is told to", async () => {
    const { program, lines, first } = run({
      MS5_EXPORTER_LISTEN: "127.0.0.1:0",
      MS5_EXPORTER_DATABASE: `postgres://ms5_monitor@127.0.0.1:${await freePort()}/ms5`,
      MS5_EXPORTER_PASSWORD_FILE: join(folder, "none"),
    });
    const { url, message } = await first;
    expect(message).toBe("started");
    const told = parseMetrics(await (await fetch(`${url}/metrics/performance`)).text());
    expect(told.get("timescaledb_up")).toBe(0);
    program.kill("SIGTERM");
    expect(await once(program, "exit")).toEqual([0, null]);
    expect(lines.map((line) => [line.level, line.message])).toEqual([
      ["info", "started"],
      ["warn", "the database fails"],
      ["info", "ending"],
    ]);
    expect(lines[1]?.error).toContain("ENOENT");
  });

  it("says why it does not start", async () => {
    const { program, first } = run({ MS5_EXPORTER_LISTEN: "127.0.0.1:0" });
    expect(await first).toMatchObject({ level: "error", message: "MS5_EXPORTER_DATABASE is not set" });
    expect(await once(program, "exit")).toEqual([2, null]);
  });
});
