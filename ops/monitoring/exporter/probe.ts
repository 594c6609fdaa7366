import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { Counter, Histogram, type Registry } from "prom-client";
import type { FailureLog } from "./log";
import type { Session } from "./session";
import type { ProbePath } from "./settings";

/** From the start of a probe to that of the next, and until a probe is given up: a client would not wait longer either. */
export const probeMs = 5_000;

/** Row of monitoring.heartbeat that is ours. */
const beatName = "exporter";

/** What a client does, as far as the monitor role may. */
const works: Readonly<Record<ProbePath, (client: Client) => Promise<unknown>>> = {
  write: (client) => client.query("SELECT monitoring.beat($1)", [beatName]),
  read: (client) =>
    client.query(
      "SELECT (SELECT max(at) FROM monitoring.heartbeat) AS beat, monitoring.recent_count() AS samples",
    ),
};

export class ProbeMetrics {
  private readonly seconds: Histogram<"path">;
  private readonly probes: Counter<"path" | "outcome">;

  constructor(registry: Registry, paths: readonly ProbePath[]) {
    this.seconds = new Histogram({
      name: "timescaledb_probe_seconds",
      help: "How long a probe through the pooler took that succeeded; the first after a failure connects, too",
      labelNames: ["path"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers: [registry],
    });
    this.probes = new Counter({
      name: "timescaledb_probes_total",
      help: "Probes through the pooler, one every 5 s: a write that is acknowledged, or a read; failed: refused, or longer than 5 s",
      labelNames: ["path", "outcome"],
      registers: [registry],
    });
    // From 0 on, so that the first failure counts as an increase.
    for (const path of paths) {
      this.seconds.zero({ path });
      for (const outcome of ["ok", "failed"]) this.probes.inc({ path, outcome }, 0);
    }
  }

  ok(path: ProbePath, seconds: number): void {
    this.seconds.observe({ path }, seconds);
    this.probes.inc({ path, outcome: "ok" });
  }

  failed(path: ProbePath): void {
    this.probes.inc({ path, outcome: "failed" });
  }
}

/** Probes one path every 5 s until `signal` says that it is over; one probe at a time. Never rejects. */
export async function probeUntil(
  signal: AbortSignal,
  path: ProbePath,
  session: Session,
  metrics: ProbeMetrics,
  failures: FailureLog,
): Promise<void> {
  while (!signal.aborted) {
    const begun = performance.now();
    try {
      await session.run(probeMs, works[path]);
      metrics.ok(path, (performance.now() - begun) / 1_000);
      failures.worked(`probe ${path}`);
    } catch (error) {
      if (signal.aborted) return;
      metrics.failed(path);
      failures.failed(`probe ${path}`, error);
    }
    const rest = Math.max(0, probeMs - (performance.now() - begun));
    await sleep(rest, undefined, { signal }).catch(() => undefined);
  }
}
