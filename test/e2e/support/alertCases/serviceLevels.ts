import type { RuleSettings } from "../../../../infra/monitoring/ruleSettings";
import { alertsOf } from "../../../../infra/monitoring/rulesFile";
import {
  type BurnRate,
  budgetRemaining,
  burnRates,
  errorRatio,
  type Slo,
  sloGroup,
  slos,
  sloWindows,
} from "../../../../infra/monitoring/slo";
import {
  always,
  type Course,
  firing,
  keyOf,
  neverFired,
  notFiring,
  type Telling,
  type Trial,
} from "../ruleTrials";

/** Per minute: one probe each five seconds. */
const perMinute = 12;

/** Probes of a path, of which a share fails or is slow. An exporter counts what there was. */
function probes(
  path: "read" | "write",
  { failing = always(0), slow = always(0) }: { failing?: Course; slow?: Course },
): Telling {
  const sums = (share: Course) => summed((minute) => perMinute * (share(minute) ?? 0));
  const count = (minute: number) => perMinute * minute;
  const failed = sums(failing);
  const tooSlow = sums(slow);
  return {
    [`timescaledb_probes_total{path="${path}",outcome="ok"}`]: (minute) => count(minute) - failed(minute),
    [`timescaledb_probes_total{path="${path}",outcome="failed"}`]: failed,
    [`timescaledb_probe_seconds_count{path="${path}"}`]: (minute) => count(minute) - failed(minute),
    [`timescaledb_probe_seconds_bucket{path="${path}",le="0.2"}`]: (minute) =>
      count(minute) - failed(minute) - tooSlow(minute),
    [`timescaledb_probe_seconds_bucket{path="${path}",le="+Inf"}`]: (minute) =>
      count(minute) - failed(minute),
  };
}

/** The sum of what each minute up to then adds. */
function summed(perMinute: (minute: number) => number): (minute: number) => number {
  const sums = [0];
  return (minute) => {
    for (let next = sums.length; next <= minute; next++) {
      sums.push((sums[next - 1] ?? 0) + perMinute(next));
    }
    return sums[minute] ?? 0;
  };
}

const newestRow = 'timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="metric_hist"}';
const queue = "ms5_archive_waiting_bytes";

const well: Telling = {
  ...probes("read", {}),
  ...probes("write", {}),
  [newestRow]: (minute) => minute * 60,
  [queue]: always(0),
  ms5_archive_queue_limit_bytes: always(16 * 2 ** 30),
  ms5_archive_gap: always(0),
  ms5_backup_drill_last_passed_timestamp_seconds: always(0),
};

/** What is told when a share of each minute is bad. */
const bad: Readonly<Record<Slo["name"], (share: Course) => Telling>> = {
  availability: (share) => ({
    ...probes("read", { failing: share }),
    ...probes("write", { failing: share }),
  }),
  write_latency: (share) => probes("write", { slow: share }),
  read_latency: (share) => probes("read", { slow: share }),
  freshness: (share) => ({ [newestRow]: (minute) => (minute - 10 * (share(minute) ?? 0)) * 60 }),
  durability: (share) => ({ [queue]: (minute) => 4 * 2 ** 30 * (share(minute) ?? 0) }),
};

const settings: RuleSettings = {
  members: 3,
  edition: "community",
  backups: true,
  freshness: { metric_hist: 300 },
  schedules: { columnstore: 12 * 3600, retention: 24 * 3600 },
  cost: undefined,
  stopsAtNight: false,
  ownPrometheus: true,
};

export const objectives = slos(settings);

/** Of minutes that are bad or not, each so many-th is: more than a burn rate allows in every short window, and less. */
const everyMinutes: Readonly<Record<number, { tooOften: number; seldom: number }>> = {
  14.4: { tooOften: 5, seldom: 8 },
  6: { tooOften: 15, seldom: 20 },
  3: { tooOften: 30, seldom: 40 },
  1: { tooOften: 90, seldom: 120 },
};

/** A share that is more, or less, than a burn rate allows, until a minute. */
function shareOf({ name, target }: Slo, { factor }: BurnRate, much: boolean, end: number): Course {
  const ofMinutes = name === "freshness" || name === "durability";
  const every = everyMinutes[factor]?.[much ? "tooOften" : "seldom"] ?? 1;
  const share = factor * (1 - target) * (much ? 1.2 : 0.9);
  return (minute) => (minute >= end ? 0 : ofMinutes ? Number(minute % every === every - 1) : share);
}

/** Its alerts of the four speeds, one by one: a course that only this one and slower ones are for. */
export function burnTrials(slo: Slo): Trial[] {
  const alerts = alertsOf([sloGroup(slo)]);
  return alerts.flatMap((rule) => {
    const rate = burnRates.find(({ factor }) => `${factor}` === rule.labels.burn) as BurnRate;
    const known = minutes(rate.long) / 6;
    const fires = known + minutes(rate.wait) + 1;
    const end = fires + 30;
    const faster = alerts.filter(({ labels }) => Number(labels.burn) > rate.factor);
    const share =
      slo.target < 0.99 || slo.name === "availability" ? rate.factor * (1 - slo.target) * 1.2 : undefined;
    return [
      {
        telling: { ...well, ...bad[slo.name](shareOf(slo, rate, true, end)) },
        checks: [
          // A sixth is ten of sixty looks, and the first may be at the very beginning.
          neverFired(0.9 * known + minutes(rate.wait) - 1.5, keyOf(rule)),
          firing(fires, [keyOf(rule)]),
          ...faster.map((other) => neverFired(end, keyOf(other))),
          // The short window forgets.
          notFiring(end + minutes(rate.short) + 1, keyOf(rule)),
        ],
        ...(share !== undefined && {
          alert: {
            rules: [rule],
            minute: fires,
            labels: {},
            says: [`${Number((share * 100).toPrecision(4))}%`],
          },
        }),
      },
      {
        telling: { ...well, ...bad[slo.name](shareOf(slo, rate, false, Number.POSITIVE_INFINITY)) },
        checks: [neverFired(known * 3, keyOf(rule))],
      },
    ];
  });
}

function minutes(window: string): number {
  return Number.parseInt(window, 10) * ({ m: 1, h: 60, d: 24 * 60 }[window.at(-1) ?? "m"] ?? 1);
}

const stopped = (telling: Telling, begin: number, end: number): Telling =>
  Object.fromEntries(
    Object.entries(telling).map(([series, course]) => [
      series,
      (minute: number) => (minute >= begin && minute < end ? undefined : course?.(minute)),
    ]),
  );

/** Harmless for all of them. */
export const harmless: Readonly<Record<string, Trial>> = {
  "nothing at all": { telling: well, checks: [neverFired(600)] },
  "an exporter that counts anew": {
    telling: {
      ...well,
      ...Object.fromEntries(
        Object.entries({ ...probes("read", {}), ...probes("write", {}) }).map(([series, course]) => [
          series,
          (minute: number) => course?.(minute < 200 ? minute : minute - 200),
        ]),
      ),
    },
    checks: [neverFired(600)],
  },
  // A write and a read of 12 s: three probes each.
  "a failover": {
    telling: { ...well, ...bad.availability((minute) => (minute === 200 ? 0.25 : 0)) },
    checks: [neverFired(600)],
  },
  "rows of a table that nobody waits for": {
    telling: {
      ...well,
      'timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="production_kpis"}': always(0),
    },
    checks: [neverFired(600)],
  },
};

/** Of a stack that is stopped every night. */
export const nightly = slos({ ...settings, stopsAtNight: true }).filter(({ wakes }) => wakes);

/** In the morning it needs four minutes, and machines as many to send what they have kept. */
export const morning: Trial = {
  telling: Object.fromEntries(
    Object.entries({
      ...well,
      ...bad.availability((minute) => Number(minute >= 1440 && minute < 1444)),
      [newestRow]: (minute: number) => (minute < 1440 ? minute : minute < 1444 ? 720 : minute) * 60,
    }).map(([series, course]) => [
      series,
      (minute: number) => (minute >= 720 && minute < 1440 ? undefined : course?.(minute)),
    ]),
  ),
  checks: [neverFired(1800)],
};

/** What is recorded: of a tenth that fails, of nothing, and what is left of the month. */
export const recorded: readonly Trial[] = [
  {
    telling: { ...well, ...bad.availability(always(0.1)) },
    checks: [
      ...sloWindows.map((window) => ({
        expr: `round(${errorRatio("availability", window)}, 1e-6)`,
        minute: 400,
        samples: [{ labels: "{}", value: 0.1 }],
      })),
      {
        // A hundred times what is planned.
        expr: `round(${budgetRemaining("availability")}, 1e-6)`,
        minute: 400,
        samples: [{ labels: "{}", value: -99 }],
      },
    ],
  },
  {
    // What nobody tells is neither good nor bad.
    telling: stopped(well, 100, 1000),
    checks: objectives.map(({ name }) => ({ expr: errorRatio(name, "5m"), minute: 120, samples: [] })),
  },
  {
    telling: { ...well, ms5_backup_drill_last_passed_timestamp_seconds: undefined },
    checks: [{ expr: errorRatio("durability", "5m"), minute: 120, samples: [] }],
  },
  {
    telling: { ...well, ms5_archive_gap: always(1), [queue]: always(8 * 2 ** 30) },
    checks: [
      { expr: `abs(${errorRatio("durability", "5m")})`, minute: 120, samples: [{ labels: "{}", value: 1 }] },
    ],
  },
];
