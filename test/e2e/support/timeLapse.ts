// Rules and scrapes of a day in half a minute: what waits for minutes in production waits for seconds in a test. Thresholds
// stay: a lag of 60 s is one of 60 s.
import { parse, stringify } from "yaml";

/** Minutes become seconds. */
export const lapse = 60;

const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 };

/** `10m` -> `10s`; what would be shorter than two scrapes becomes two. */
export function shortened(duration: string, least = 3): string {
  const [, number = "0", unit = "s"] = /^(\d+)(ms|s|m|h|d)$/.exec(duration) ?? [];
  const seconds = Number(number) * (units[unit] ?? 1);
  return seconds === 0 ? "0s" : `${Math.max(least, Math.round(seconds / lapse))}s`;
}

/** A file of rules with all its times shortened: how long is waited, and how far is looked back. */
export function shortenedRules(text: string): string {
  const file = parse(text) as { groups: { rules: { expr: string; for?: string }[] }[] };
  for (const { rules } of file.groups) {
    for (const rule of rules) {
      if (rule.for !== undefined) rule.for = shortened(rule.for);
      rule.expr = rule.expr
        .replace(/\[(\d+\w+):(\d+\w+)\]/g, (_, range, step) => `[${shortened(range)}:${shortened(step, 1)}]`)
        .replace(/\[(\d+[a-z]+)\]/g, (_, range) => `[${shortened(range, 12)}]`)
        .replace(/offset (\d+[a-z]+)/g, (_, offset) => `offset ${shortened(offset)}`);
    }
  }
  return stringify(file, { lineWidth: 0 });
}

/** prometheus.yml that scrapes each two seconds, and evaluates each second. */
export function shortenedScrapes(text: string): string {
  const file = parse(text);
  file.global.scrape_interval = "2s";
  file.global.scrape_timeout = "2s";
  file.global.evaluation_interval = "1s";
  for (const job of file.scrape_configs) {
    const interval = shortened(job.scrape_interval ?? "30s", 2);
    job.scrape_interval = interval;
    // What asks the database may take longer than it is asked.
    job.scrape_timeout = interval;
  }
  return stringify(file, { lineWidth: 0, aliasDuplicateObjects: false });
}
