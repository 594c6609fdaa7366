// The monitoring benchmark's judgement: what loads, counters and faults come to, and that every fault is ended.
import { describe, expect, it } from "vitest";
import { replaceBetweenMarkers } from "../../ops/bench/document";
import {
  alertRows,
  type Clock,
  limitMs,
  notTold,
  type Told,
  timeAlerts,
} from "../../ops/bench/monitoring/alerts";
import { endpointRows, endpoints, leastQuery } from "../../ops/bench/monitoring/endpoints";
import { alone, type Fault, type Place, together } from "../../ops/bench/monitoring/faults";
import { type Figures, figuresOf, load } from "../../ops/bench/monitoring/load";
import { type MonitoringReport, toMarkdown, toTables } from "../../ops/bench/monitoring/report";
import {
  failureOf,
  parseCpuSeconds,
  type ScrapeJob,
  scrapeRows,
  shareOf,
} from "../../ops/bench/monitoring/scrapes";

const signal = new AbortController().signal;

describe("a load", () => {
  it("is what answered, a second and by percentile; failures are apart", () => {
    const latencies = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(figuresOf({ latencies, failures: ["status 503"], seconds: 4 })).toEqual({
      p50: 50,
      p95: 95,
      perSecond: 25,
    });
  });

  it("says why nothing answered", () => {
    expect(() => figuresOf({ latencies: [], failures: ["status 503"], seconds: 4 })).toThrow("status 503");
  });

  it("is of so many clients at a time, who go on after a failure", async () => {
    let [underWay, most, asked] = [0, 0, 0];
    const found = await load(
      async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setTimeout(resolve, 2));
        underWay -= 1;
        asked += 1;
        if (asked % 2 === 0) throw new Error("refused");
      },
      { clients: 3, ms: 50, signal },
    );
    expect(most).toBe(3);
    expect(found.latencies.length + found.failures.length).toBe(asked);
    expect(new Set(found.failures)).toEqual(new Set(["refused"]));
  });

  it("ends when it is interrupted", async () => {
    await expect(
      load(async () => undefined, { clients: 1, ms: 60_000, signal: AbortSignal.abort() }),
    ).rejects.toThrow("abort");
  });
});

describe("rows of endpoints", () => {
  const turns = (...p50: number[]): Figures[] =>
    p50.map((one) => ({ p50: one, p95: 2 * one, perSecond: 100 }));
  const rows = endpointRows({
    shared: new Map([
      [leastQuery, turns(1, 2, 3, 2)],
      ...endpoints.map((name) => [name, turns(4, 5, 6)] as const),
    ]),
    first: new Map<string, number[]>([
      [leastQuery, [3, 2, 4]],
      ...endpoints.map((name) => [name, [8, 10, 9]] as [string, number[]]),
    ]),
    failed: 0,
  });

  it("are four of each endpoint, and of the least query", () => {
    expect(endpoints).toHaveLength(8);
    expect(rows).toHaveLength(9 * 4);
    expect(rows.filter((row) => row.case.startsWith("SELECT 1,") && "ratio" in row)).toEqual([]);
  });

  it("compare medians with the least query's", () => {
    expect(rows.find((row) => row.case === "/health, p50")).toEqual({
      case: "/health, p50",
      unit: "ms",
      median: 5,
      min: 4,
      max: 6,
      runs: 3,
      ratio: { value: 2.5, of: "SELECT 1" },
    });
    expect(rows.find((row) => row.case === "/health, one client, read anew")).toMatchObject({
      median: 9,
      ratio: { value: 3, of: "SELECT 1" },
    });
  });
});

describe("what scrapes cost", () => {
  it.each([
    ["version 1", "nanoseconds 2500000000\n", 2.5],
    ["version 2", "microseconds 2500000\n", 2.5],
    ["no counter", "", undefined],
    ["something else", "usage_usec 17", undefined],
  ])("counts CPU time by cgroups of %s", (_, text, seconds) => {
    expect(parseCpuSeconds(text)).toBe(seconds);
  });

  it("is a share of one core at the job's real interval", () => {
    expect(shareOf("performance", 30)).toBeCloseTo(0.1);
    expect(shareOf("hypertables", 30)).toBeCloseTo(0.05);
    expect(shareOf("compression", 30)).toBeCloseTo(0.01);
  });

  it("adds the four up, round by round", () => {
    const costs = new Map<ScrapeJob, number[]>([
      ["postgres", [30, 60]],
      ["hypertables", [60, 60]],
      ["compression", [300, 300]],
      ["performance", [30, 30]],
    ]);
    const rows = scrapeRows(costs);
    expect(rows[2]).toMatchObject({ case: "one scrape of compression, each 300s", median: 300, runs: 2 });
    const total = rows.at(-1);
    expect(total).toMatchObject({ unit: "%", runs: 2 });
    expect(total && "min" in total && [total.min, total.max]).toEqual([
      expect.closeTo(0.4),
      expect.closeTo(0.5),
    ]);
  });

  it("is unknown without a counter", () => {
    const rows = scrapeRows({ unknown: "no counter" });
    expect(rows).toHaveLength(4);
    expect(rows.every((row) => "notMeasured" in row && row.notMeasured === "no counter")).toBe(true);
  });

  it("is nothing of a scrape that could not ask the database", () => {
    expect(failureOf(503, "")).toBe("status 503");
    expect(failureOf(200, "# HELP pg_up x\npg_up 0\n")).toBe("pg_up 0");
    const failed = 'timescaledb_exporter_collect_success{collector="sizes"} 0';
    expect(failureOf(200, `${failed}\npg_up 1\n`)).toBe(failed);
    expect(failureOf(200, 'pg_up 1\ntimescaledb_exporter_collect_success{collector="sizes"} 1\n')).toBe(
      undefined,
    );
  });
});

/** A world whose faults fire and are told so many seconds after they were caused, and are over as long after their end. */
class World {
  private at = 0;
  readonly events: string[] = [];
  readonly warnings: string[] = [];
  private readonly since = new Map<string, { caused?: number; ended?: number }>();
  readonly interrupt = new AbortController();
  /** Fires all the time, whatever happens. */
  stuck = "";

  readonly clock: Clock = {
    now: () => this.at,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      this.at += ms;
      if (this.at >= this.interruptAt) this.interrupt.abort();
    },
  };

  constructor(
    /** Seconds by alert; undefined: never. */
    private readonly delays: Readonly<Record<string, number | undefined>>,
    private readonly interruptAt = Number.POSITIVE_INFINITY,
  ) {}

  fault(alert: string, problems: { cause?: string; undo?: string } = {}): Fault {
    return {
      alert,
      severity: "warning",
      what: `${alert} happens`,
      cause: async () => {
        if (problems.cause !== undefined) throw new Error(problems.cause);
        this.events.push(`${alert} caused`);
        this.since.set(alert, { caused: this.at });
        return async () => {
          if (problems.undo !== undefined) throw new Error(problems.undo);
          this.events.push(`${alert} ended`);
          this.since.set(alert, { ...this.since.get(alert), ended: this.at });
        };
      },
    };
  }

  time(...groups: Fault[][]): Promise<Told[]> {
    const shows = async (alert: string, later: number) => {
      if (alert === this.stuck) return true;
      const delay = this.delays[alert];
      const { caused, ended } = this.since.get(alert) ?? {};
      if (caused === undefined || delay === undefined) return false;
      const ms = (delay + later) * 1_000;
      return this.at >= caused + ms && (ended === undefined || this.at < ended + ms);
    };
    return timeAlerts(groups, {
      place: undefined as unknown as Place,
      watch: { fires: (alert) => shows(alert, 0), isTold: (alert) => shows(alert, 3) },
      log: { info: () => undefined, warn: (line) => this.warnings.push(line) },
      signal: this.interrupt.signal,
      clock: this.clock,
    });
  }
}

describe("timing alerts", () => {
  it("counts seconds from the fault until Prometheus fires, and until Alertmanager has it", async () => {
    const world = new World({ A: 60, B: 300 });
    const told = await world.time([world.fault("A"), world.fault("B")]);
    expect(told).toMatchObject([
      { alert: "A", fires: 60, told: 63 },
      { alert: "B", fires: 300, told: 303 },
    ]);
    expect(world.events).toEqual(["A caused", "B caused", "B ended", "A ended"]);
    expect(notTold(told)).toEqual([]);
  });

  it("causes the next when the one before is over", async () => {
    const world = new World({ A: 60, B: 60 });
    const startOfB: number[] = [];
    const b = world.fault("B");
    const late: Fault = {
      ...b,
      cause: (place) => {
        startOfB.push(world.clock.now());
        return b.cause(place);
      },
    };
    await world.time([world.fault("A")], [late]);
    expect(world.events).toEqual(["A caused", "A ended", "B caused", "B ended"]);
    // Told after 63 s, over 63 s later.
    expect(startOfB).toEqual([126_000]);
  });

  it("gives up after its time, and goes on", async () => {
    const world = new World({ A: undefined, B: 1 });
    const told = await world.time([world.fault("A")], [world.fault("B")]);
    expect(told).toMatchObject([{ fires: undefined, told: undefined }, { fires: 1 }]);
    expect(notTold(told)).toEqual(["A, when A happens: not told: within 20 minutes"]);
    expect(world.events).toContain("A ended");
  });

  it("takes no alert of another reason for the fault's", async () => {
    const world = new World({ B: 1 });
    world.stuck = "A";
    const told = await world.time([world.fault("A"), world.fault("B")]);
    expect(world.events).toEqual(["B caused", "B ended"]);
    expect(world.clock.now()).toBeGreaterThanOrEqual(limitMs);
    expect(notTold(told)).toEqual(["A, when A happens: not told: it was told before the fault"]);
  });

  it("ends what was caused when it is interrupted", async () => {
    const world = new World({ A: 600, B: 600 }, 30_000);
    await expect(world.time([world.fault("A"), world.fault("B")], [world.fault("C")])).rejects.toThrow(
      "abort",
    );
    expect(world.events).toEqual(["A caused", "B caused", "B ended", "A ended"]);
  });

  it("ends the others when one cannot be caused, or not ended", async () => {
    const world = new World({ A: 1, B: 1, C: 1 });
    const told = await world.time([
      world.fault("A"),
      world.fault("B", { cause: "no pod" }),
      world.fault("C", { undo: "API server away" }),
    ]);
    expect(world.events).toEqual(["A caused", "C caused", "A ended"]);
    expect(notTold(told)).toEqual(["B, when B happens: not told: the fault could not be caused: no pod"]);
    expect(world.warnings[0]).toContain("C could not be undone (C happens): API server away");
  });

  it("is of ten faults at least", () => {
    expect(together.length + alone.length - 1).toBeGreaterThanOrEqual(10);
    expect(together.map(({ alert }) => alert)).toContain("LoginExpiring");
  });
});

describe("the report", () => {
  const told = { severity: "critical", what: "it breaks", problem: undefined } as const;
  const report: MonitoringReport = {
    name: "monitoring",
    machine: { cpus: "2 CPUs", memory: "8 GB", node: "24.0.0", os: "Linux 6" },
    date: "2026-03-02T10:00:00.000Z",
    command: "npm run bench -- monitoring --stack cluster",
    settings: { members: 3 },
    sections: [
      {
        title: "Alerts",
        results: alertRows([
          { ...told, alert: "Broken", fires: 61.2, told: 64.5 },
          { ...told, alert: "Silent", fires: undefined, told: undefined },
        ]),
      },
    ],
    notTold: [],
  };

  it("says seconds, and what was not told", () => {
    expect(toMarkdown(report)).toMatchInlineSnapshot(`
      "\`npm run bench -- monitoring --stack cluster\`, 2026-03-02, 2 CPUs, 8 GB, Linux 6, node 24.0.0.
      members: 3.

      Alerts:

      | case | median | min–max | runs | ratio |
      | --- | --- | --- | --- | --- |
      | Broken (critical) fires: it breaks | 61.2 s |  | 1 |  |
      | Broken is told by Alertmanager | 64.5 s |  | 1 |  |
      | Silent (critical) fires: it breaks | not told: within 20 minutes |  |  |  |
      | Silent is told by Alertmanager | not told: within 20 minutes |  |  |  |"
    `);
    expect(toTables(report)).toContain("Silent is told by Alertmanager");
  });

  it("has its place in the document", async () => {
    const { readFileSync } = await import("node:fs");
    const document = readFileSync("docs/benchmarks.md", "utf8");
    expect(replaceBetweenMarkers(document, "monitoring", "measured")).toContain(
      "measured\n<!-- bench monitoring: end",
    );
  });
});
