import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { sample } from "../../../ops/monitoring/exporter/metrics";
import { ProbeMetrics } from "../../../ops/monitoring/exporter/probe";
import { registryOf } from "../../../ops/monitoring/exporter/render";
import { shared } from "../../../ops/monitoring/exporter/shared";

describe("registryOf", () => {
  it("tells gauges and counters with the value that was read, in Prometheus's format", async () => {
    const text = await registryOf([
      ...sample("timescaledb_up", {}, 1),
      ...sample("timescaledb_transactions_total", { outcome: "committed" }, 12_345_678_901),
      ...sample("timescaledb_transactions_total", { outcome: "rolled_back" }, 0),
      ...sample("timescaledb_hypertable_chunks", { hypertable: 'a"b\\', kind: "table", store: "rows" }, 7),
    ]).metrics();
    expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("# HELP"))).toEqual([
      "# TYPE timescaledb_up gauge",
      "timescaledb_up 1",
      "# TYPE timescaledb_transactions_total counter",
      'timescaledb_transactions_total{outcome="committed"} 12345678901',
      'timescaledb_transactions_total{outcome="rolled_back"} 0',
      "# TYPE timescaledb_hypertable_chunks gauge",
      'timescaledb_hypertable_chunks{hypertable="a\\"b\\\\",kind="table",store="rows"} 7',
    ]);
  });

  it("remembers nothing of the scrape before, so a counter may begin anew", async () => {
    await registryOf(sample("timescaledb_wal_bytes_total", {}, 500)).metrics();
    expect(await registryOf(sample("timescaledb_wal_bytes_total", {}, 3)).metrics()).toContain(
      "timescaledb_wal_bytes_total 3\n",
    );
    expect(await registryOf([]).metrics()).not.toContain("timescaledb_wal_bytes_total");
  });

  it.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "has nothing for %s",
    (value) => {
      expect(sample("timescaledb_wal_bytes_total", {}, value)).toEqual([]);
    },
  );
});

describe("ProbeMetrics", () => {
  it("begins at 0, and times only what succeeded", async () => {
    const registry = new Registry();
    const metrics = new ProbeMetrics(registry, ["write"]);
    expect(await registry.metrics()).toContain('timescaledb_probes_total{path="write",outcome="failed"} 0');
    expect(await registry.metrics()).not.toContain('path="read"');
    metrics.ok("write", 0.03);
    metrics.failed("write");
    const text = await registry.metrics();
    for (const line of [
      'timescaledb_probes_total{path="write",outcome="ok"} 1',
      'timescaledb_probes_total{path="write",outcome="failed"} 1',
      'timescaledb_probe_seconds_bucket{le="0.025",path="write"} 0',
      'timescaledb_probe_seconds_bucket{le="0.05",path="write"} 1',
      'timescaledb_probe_seconds_count{path="write"} 1',
    ])
      expect(text).toContain(`${line}\n`);
  });
});

describe("shared", () => {
  it("runs once for all who ask meanwhile, and again for who asks later", async () => {
    let runs = 0;
    const ask = shared(async () => ++runs);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
    expect(await ask()).toBe(2);
  });

  it("does not keep a failure", async () => {
    let runs = 0;
    const ask = shared(async () => {
      if (++runs === 1) throw new Error("once");
      return runs;
    });
    const [first, second] = await Promise.allSettled([ask(), ask()]);
    expect([first?.status, second?.status]).toEqual(["rejected", "rejected"]);
    expect(await ask()).toBe(2);
  });
});
