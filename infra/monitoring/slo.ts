// Service level objectives as data, and what follows from each by one scheme: the share of what was bad in seven windows,
// what is left of the month's error budget, and alerts on how fast it goes.
//
// The scheme is that of "Alerting on SLOs" in Google's Site Reliability Workbook (chapter 5, "Multiwindow, Multi-Burn-Rate
// Alerts"): a long window says that it matters, a short one that it still goes on.
import type { TableName } from "../schema/catalogue";
import type { RuleSettings } from "./ruleSettings";
import type { AlertRule, RecordingRule, RuleGroup, Severity } from "./rulesFile";

/** Windows over which the share of what was bad is recorded. */
export const sloWindows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] as const;
export type SloWindow = (typeof sloWindows)[number];

/** Of what an error budget is for. */
export const budgetWindow = "30d";

export interface Slo {
  readonly name: "availability" | "write_latency" | "read_latency" | "freshness" | "durability";
  /** What is promised, for people. */
  readonly promise: string;
  /** The share of requests or minutes that must be good: 0.999. */
  readonly target: number;
  /** Whether somebody is woken when the budget goes fast: only where users feel it. */
  readonly wakes: boolean;
  /** Name of its alerts. */
  readonly alert: string;
  /** What the burnt share is of, after a percentage: "of reads and writes fail". */
  readonly bad: string;
  /** What a user feels then. */
  readonly felt: string;
  readonly runbook: string;
  /** What `errors` needs recorded first. */
  readonly records: readonly RecordingRule[];
  /** The share of what was bad in a window, 0 to 1; no sample where nothing is known, which is neither good nor bad. */
  errors(window: string): string;
}

/** One of the four burn rates. */
export interface BurnRate {
  /** How many times faster than planned the budget goes. */
  readonly factor: number;
  readonly long: SloWindow;
  readonly short: SloWindow;
  readonly severity: Severity;
  /** How long both have to be above: what is over within that was one evaluation's chance. */
  readonly wait: string;
  /** When the month's budget is gone at that rate. */
  readonly goneIn: string;
}

export const burnRates: readonly BurnRate[] = [
  { factor: 14.4, long: "1h", short: "5m", severity: "critical", wait: "1m", goneIn: "two days" },
  { factor: 6, long: "6h", short: "30m", severity: "critical", wait: "2m", goneIn: "five days" },
  { factor: 3, long: "1d", short: "2h", severity: "warning", wait: "10m", goneIn: "ten days" },
  { factor: 1, long: "3d", short: "6h", severity: "warning", wait: "30m", goneIn: "a month" },
];

/** The objectives of a stack. */
export function slos(settings: RuleSettings): Slo[] {
  return [
    availability(settings),
    latency("write"),
    latency("read"),
    ...freshness(settings.freshness),
    ...(settings.backups ? [durability] : []),
  ];
}

const runbook = "docs/runbooks/service-levels.md";

/**
 * Each probe is a request as clients make them, through the pooler: a write whose commit is acknowledged, and a read. Rates are
 * summed after they were taken, so an exporter that begins to count anew at 0 is no error, and no probe counts twice.
 */
const availability = ({ stopsAtNight }: RuleSettings): Slo => ({
  name: "availability",
  promise: "Reads and writes through the pooler succeed within 5 s",
  // Each morning such a database needs some minutes: of twelve hours they are half a percent.
  target: stopsAtNight ? 0.99 : 0.999,
  wakes: true,
  alert: "AvailabilityBurn",
  bad: "of reads and writes fail",
  felt: "Applications get errors or wait for more than 5 s.",
  runbook: `${runbook}#availability`,
  records: [],
  errors: (window) => {
    const probes = (outcome = "") => `sum(rate(timescaledb_probes_total${outcome}[${window}]))`;
    // Without a probe there is no share: 0 / 0 would be NaN, and an average over it, too.
    return `(${probes('{outcome="failed"}')} or 0 * ${probes()}) / (${probes()} > 0)`;
  },
});

/** Seconds. One of the histogram's bounds (timescaledb_probe_seconds). */
export const slow = 0.2;

/**
 * "p95 < 200 ms" as a share: 95 % are faster. Not 99 %, though a healthy cluster commits nearly all within 50 ms: at 14.4 times
 * 1 % somebody would be woken because one write in seven was slow for an hour, as while a replica is rebuilt. Gateways
 * buffer, and people do not see a tenth of a second. At 14.4 times 5 % nearly three of four are slow, which they do.
 */
function latency(path: "read" | "write"): Slo {
  const title = path === "write" ? "Write" : "Read";
  const probes = (series: string, window: string) =>
    `sum(rate(timescaledb_probe_seconds_${series}[${window}]))`;
  return {
    name: `${path}_latency`,
    promise: `95 % of ${path}s take less than ${slow} s`,
    target: 0.95,
    wakes: true,
    alert: `${title}LatencyBurn`,
    bad: `of ${path}s take longer than ${slow} s`,
    felt:
      path === "write"
        ? "Gateways fall behind and buffer; who saves something waits."
        : "Dashboards and reports are slow to open.",
    runbook: `${runbook}#${path}-latency`,
    records: [],
    errors: (window) =>
      `1 - ${probes(`bucket{path="${path}",le="${slow}"}`, window)} / (${probes(`count{path="${path}"}`, window)} > 0)`,
  };
}

/** Of minutes, because nobody asks while nothing arrives. Rows of the future do not count as new (monitoring.newest_rows). */
function freshness(limits: RuleSettings["freshness"]): Slo[] {
  const watched = Object.entries(limits) as [TableName, number][];
  if (watched.length === 0) return [];
  const isStale = ([table, limit]: [TableName, number]) =>
    `(time() - max by (hypertable) (timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="${table}"}) > bool ${limit})`;
  const limitsInWords = watched.map(([table, limit]) => `${table} ${limit} s`).join(", ");
  return [
    ofMinutes({
      name: "freshness",
      promise: `In 99 % of minutes the newest row is younger than its limit (${limitsInWords})`,
      target: 0.99,
      wakes: true,
      alert: "FreshnessBurn",
      bad: "of minutes the newest row was too old",
      felt: "Dashboards show the past as if it were now.",
      runbook: `${runbook}#freshness`,
      // The worst of them.
      isBad: `max(${watched.map(isStale).join("\n  or ")})`,
    }),
  ];
}

/**
 * A minute is bad when log was given up, when more than a tenth of what may wait for the archive does, or when no restore drill has
 * passed for 31 days. Nothing is known before the first drill (DrillNone) nor while nobody tells (BackupMetricsAbsent).
 * The causes have alerts of their own, which wake where they must: this one is the month's account.
 */
const durability: Slo = ofMinutes({
  name: "durability",
  promise: "In 99 % of minutes the archive is up to date, and a restore was tried within 31 days",
  target: 0.99,
  wakes: false,
  alert: "DurabilityBurn",
  bad: "of minutes what was written was less safe than promised",
  felt: "Users notice nothing. A lost cluster would lose more than the last minute, or a restore might fail.",
  runbook: `${runbook}#durability`,
  isBad: [
    // Through a failover: a new primary tells after a minute or so.
    "(max(last_over_time(ms5_archive_waiting_bytes[10m])) > bool 0.1 * max(last_over_time(ms5_archive_queue_limit_bytes[10m])))",
    "(max(last_over_time(ms5_archive_gap[10m])) > bool 0)",
    "(time() - max(last_over_time(ms5_backup_drill_last_passed_timestamp_seconds[10m])) > bool 31 * 86400)",
  ].reduce((sum, part) => `${sum}\n  + ${part}`),
});

/** @param isBad above 0 in a minute that is bad, 0 in a good one, no sample where it is not known */
function ofMinutes({ isBad, ...slo }: Omit<Slo, "records" | "errors"> & { isBad: string }): Slo {
  const now = `slo:${slo.name}:errors:now`;
  return {
    ...slo,
    records: [{ record: now, expr: `clamp_max(${isBad}, 1)` }],
    errors: (window) => `avg_over_time(${now}[${window}])`,
  };
}

/** Name of the recorded share of what was bad in a window. */
export function errorRatio(name: Slo["name"], window: SloWindow | typeof budgetWindow): string {
  return `slo:${name}:errors:ratio_rate${window}`;
}

/** Name of the recorded share of the month's error budget that is left: 1 at first, below 0 when it is overdrawn. */
export function budgetRemaining(name: Slo["name"]): string {
  return `slo:${name}:error_budget:remaining`;
}

/** Records of an objective, before its alerts: each evaluation goes through a group in its order. */
export function sloGroup(slo: Slo): RuleGroup {
  const { name, target } = slo;
  return {
    name: `slo-${name.replace("_", "-")}`,
    rules: [
      ...slo.records,
      ...sloWindows.map((window) => ({ record: errorRatio(name, window), expr: slo.errors(window) })),
      {
        record: errorRatio(name, budgetWindow),
        // Of the shortest window's shares, not of a month of counts, of which each evaluation would read 300,000. Probes come
        // evenly, so it is the same.
        expr: `avg_over_time(${errorRatio(name, "5m")}[${budgetWindow}])`,
      },
      {
        record: budgetRemaining(name),
        expr: `1 - ${errorRatio(name, budgetWindow)} / (1 - ${target})`,
      },
      ...burnAlerts(slo),
    ],
  };
}

function burnAlerts(slo: Slo): AlertRule[] {
  const { name, target } = slo;
  return burnRates
    .filter(({ severity }) => slo.wakes || severity !== "critical")
    .map(({ factor, long, short, severity, wait, goneIn }) => {
      const limit = `${factor} * (1 - ${target})`;
      return {
        alert: slo.alert,
        expr: `${errorRatio(name, long)} > ${limit}
  and ${errorRatio(name, short)} > ${limit}
  and ${knowsEnough(name, long)}`,
        for: wait,
        labels: { severity, burn: `${factor}` },
        annotations: {
          summary: `${slo.promise}: at this rate the month's error budget is gone in ${goneIn}`,
          description: `In the last ${long} {{ $value | humanizePercentage }} ${slo.bad}, and it goes on. ${slo.felt}`,
          runbook_url: slo.runbook,
        },
      };
    });
}

/**
 * A sixth of the window is known. Of a database that has just been started, as dev's is each morning, the share of the first
 * minute would stand for an hour.
 */
function knowsEnough(name: Slo["name"], window: SloWindow): string {
  const [, count = "", unit = ""] = /^(\d+)(.)$/.exec(window) ?? [];
  const minutes = Number(count) * ({ m: 1, h: 60, d: 24 * 60 }[unit] ?? 0);
  return `count_over_time(${errorRatio(name, "5m")}[${window}:${minutes / 60}m]) >= 10`;
}
