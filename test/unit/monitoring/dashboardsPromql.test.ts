import { describe, expect, it } from "vitest";
import { metricsOf, scrapeSeconds } from "../../../infra/monitoring/dashboards/promql";

describe("metrics of a query", () => {
  it.each<[string, string[]]>([
    ["up", ["up"]],
    ["sum by (pod, job) (up) == bool 0", ["up"]],
    ['rate(node_cpu_seconds_total{mode="idle", job=~"a|b"}[$__rate_interval])', ["node_cpu_seconds_total"]],
    [
      "a_total / on (pod) group_left (node) max without (instance) (b_total offset 1h)",
      ["a_total", "b_total"],
    ],
    ['label_replace(a, "cluster", "$1", "pod", "(b)-[0-9]+")', ["a"]],
    [
      "slo:freshness:errors:ratio_rate1h unless (ms5:volume:days_until_full > 1e9)",
      ["slo:freshness:errors:ratio_rate1h", "ms5:volume:days_until_full"],
    ],
    ["vector(0) or 0 * -Inf", []],
  ])("%s", (expr, metrics) => {
    expect(metricsOf(expr)).toEqual(metrics);
  });
});

describe("the step of a query", () => {
  it.each([
    ["timescaledb_connections", 30],
    ["timescaledb_job_lag_seconds", 60],
    ["timescaledb_columnstore_after_bytes", 300],
    // The slowest decides.
    ["timescaledb_columnstore_after_bytes / timescaledb_connections", 300],
    ["slo:availability:errors:ratio_rate5m", 30],
  ])("of %s is %i s", (expr, seconds) => {
    expect(scrapeSeconds(expr)).toBe(seconds);
  });

  it("of a metric that nobody scrapes is a mistake", () => {
    expect(() => scrapeSeconds("max(timescale_connections)")).toThrow(
      "no job scrapes timescale_connections of: max(timescale_connections)",
    );
  });
});
