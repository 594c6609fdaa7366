import { Counter, Gauge, Registry } from "prom-client";
import { type MetricName, metrics, type Sample } from "./metrics";

/**
 * The samples as a registry of their own. It is made anew for each scrape: what the database no longer has must not
 * stay, and a counter takes the database's count as it is, which is less than before when the server's statistics began anew.
 */
export function registryOf(samples: readonly Sample[]): Registry {
  const registry = new Registry();
  const byName = new Map<MetricName, Sample[]>();
  for (const sample of samples) byName.set(sample.metric, [...(byName.get(sample.metric) ?? []), sample]);
  for (const [name, values] of byName) {
    const { help, labels } = metrics[name];
    const definition = { name, help, labelNames: [...labels], registers: [registry] };
    if (name.endsWith("_total")) {
      const counter = new Counter(definition);
      for (const { labels: of, value } of values) counter.inc(of, value);
    } else {
      const gauge = new Gauge(definition);
      for (const { labels: of, value } of values) gauge.set(of, value);
    }
  }
  return registry;
}
