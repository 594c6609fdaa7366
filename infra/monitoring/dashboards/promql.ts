// Reads as much of a query as dashboards have to know: which metrics it asks for, and so how fine its answer can be.
import { intervals } from "../prometheusConfig";

/** Whose scrape a metric comes from, by how its name begins. The first that fits counts. */
const origins: readonly (readonly [beginning: RegExp, seconds: number])[] = [
  [/^timescaledb_(hypertable|retention|job|aggregate|database)_/, seconds(intervals.hypertables)],
  [/^timescaledb_columnstore_/, seconds(intervals.compression)],
  [/^timescaledb_exporter_/, seconds(intervals.compression)],
  [/^timescaledb_/, seconds(intervals.performance)],
  [/^pg_/, seconds(intervals.postgres)],
  // Members, poolers, nodes, the service, Prometheus itself; and what rules record as often.
  [/^(ms5|slo)[_:]/, seconds(intervals.others)],
  [/^(pgbouncer|node|http|prometheus|process|scrape|alertmanager)_/, seconds(intervals.others)],
  [/^(up|ALERTS)$/, seconds(intervals.others)],
];

/** Words of PromQL that are no metrics, where no bracket follows. */
const keywords = new Set([
  "and",
  "or",
  "unless",
  "bool",
  "offset",
  "by",
  "without",
  "on",
  "ignoring",
  "inf",
  "nan",
]);

/** Names of the metrics that a query asks for. */
export function metricsOf(expr: string): readonly string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, "")
    .replace(/\[[^\]]*\]/g, "")
    // Durations: `offset 1h`.
    .replace(/\b\d+(ms|[smhdwy])\b/g, "0")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  const names = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)].map(([name]) => name);
  return [...new Set(names)].filter((name) => !keywords.has(name.toLowerCase()));
}

/**
 * Seconds between two scrapes of the slowest of a query's metrics. A finer step shows nothing more, and a rate needs four
 * of them: Grafana's `$__rate_interval` is that when a panel's interval is this.
 *
 * @throws Error for a metric that nothing here scrapes
 */
export function scrapeSeconds(expr: string): number {
  const all = metricsOf(expr).map((metric) => {
    const origin = origins.find(([beginning]) => beginning.test(metric));
    if (origin === undefined) throw new Error(`no job scrapes ${metric} of: ${expr}`);
    return origin[1];
  });
  return Math.max(...all);
}

function seconds(text: string): number {
  return Number.parseInt(text, 10);
}
