// The rules of alerts, by Prometheus' own tool: what each is told that it fires at, to the minute, and what it is not.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { backupAlerts } from "../../infra/monitoring/backupAlerts";
import { type AlertRule, renderRules } from "../../infra/monitoring/rulesFile";
import { createLog } from "../../ops/log";
import { Promtool } from "./support/promtool";

let promtool: Promtool;
beforeAll(async () => {
  promtool = await Promtool.create(
    { "backups.yml": renderRules([backupAlerts]) },
    createLog({ quiet: false }),
  );
});
afterAll(async () => {
  await promtool?.remove();
});

/** A metric's value in each minute from 0 on; undefined: not told. */
type Course = (minute: number) => number | undefined;
/** What is told, by metric. undefined: never. */
type Telling = Readonly<Record<string, Course | undefined>>;

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const day = 24 * 60;

const up = 'ms5_backup_repository_up{repository="1"}';
const anyBackup = 'ms5_backup_last_completed_timestamp_seconds{repository="1",type="any"}';
const fullBackup = 'ms5_backup_last_completed_timestamp_seconds{repository="1",type="full"}';
const gap = "ms5_archive_gap";
const passed = "ms5_backup_drill_passed";
const lastPassed = "ms5_backup_drill_last_passed_timestamp_seconds";

/** `bytes` of log that wait, in segments of 4 MiB. */
const waits = (bytes: (minute: number) => number): Telling => ({
  ms5_archive_waiting_segments: (minute) => Math.round(bytes(minute) / (4 * MiB)),
  ms5_archive_waiting_bytes: bytes,
});
/** One or two segments are on their way at times. */
const usual = (minute: number) => (minute % 3) * 4 * MiB;

/** A primary of prod: a backup each six hours, the last drill a day ago. Time begins at 0. */
const well: Telling = {
  ...waits(usual),
  ms5_archive_queue_limit_bytes: () => 16 * GiB,
  [gap]: () => 0,
  ms5_backup_age_limit_seconds: () => 13 * 3600,
  [up]: () => 1,
  [anyBackup]: (minute) => Math.floor(minute / 360) * 21_600,
  [fullBackup]: () => -3600,
  [passed]: () => 1,
  [lastPassed]: () => -86_400,
};

const noBackup = { [anyBackup]: undefined, [fullBackup]: undefined };
const noDrill = { [passed]: undefined, [lastPassed]: undefined };

/** Told by this one until a minute. */
function until(end: number, telling: Telling): Telling {
  return told(telling, (minute) => minute < end);
}

function from(begin: number, telling: Telling): Telling {
  return told(telling, (minute) => minute >= begin);
}

function told(telling: Telling, when: (minute: number) => boolean): Telling {
  const cut = (course: Course): Course => {
    return (minute) => (when(minute) ? course(minute) : undefined);
  };
  return Object.fromEntries(
    Object.entries(telling).map(([metric, course]) => [metric, course && cut(course)]),
  );
}

interface Case {
  /** On top of what is told while all is well. */
  readonly telling: Telling;
  /** Minute from which it fires, and not before. */
  readonly at: number;
  /** Labels of the alert, beside those of every series. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What stands in its sentences in that minute, in place of each template. */
  readonly says?: readonly string[];
  /** What else fires then. */
  readonly also?: readonly string[];
  /** For each: what keeps it silent, and for how many minutes. */
  readonly silent: Readonly<Record<string, { readonly telling: Telling; readonly minutes: number }>>;
}

const repository = { repository: "1" };

const cases: Readonly<Record<string, Case>> = {
  BackupRepositoryAway: {
    telling: { [up]: (minute) => (minute < 60 ? 1 : 0) },
    at: 70,
    labels: repository,
    says: ["1"],
    silent: {
      "nine minutes": { telling: { [up]: (minute) => (minute < 60 || minute > 68 ? 1 : 0) }, minutes: 120 },
    },
  },
  ArchiveQueueHalfFull: {
    // 0.5 MiB a second: at half of the limit it has still four hours.
    telling: waits((minute) => minute * 30 * MiB),
    at: 279,
    says: ["8.174Gi"],
    also: ["ArchiveStuck"],
    silent: {
      "just below half": {
        telling: waits((minute) => Math.min(minute * 30 * MiB, 8 * GiB)),
        minutes: 600,
      },
    },
  },
  ArchiveQueueFilling: {
    // 5 MiB a second: the limit is reached 55 minutes after the storage has gone.
    telling: waits((minute) => (minute < 60 ? usual(minute) : (minute - 60) * 300 * MiB)),
    at: 78,
    silent: {
      "a bulk load's burst": {
        telling: waits((minute) =>
          Math.max(0, minute < 63 ? (minute - 60) * GiB : 3 * GiB - (minute - 63) * 700 * MiB),
        ),
        minutes: 120,
      },
      "much, but no more and no less": { telling: waits(() => 15 * GiB), minutes: 120 },
      "ten busy minutes, of which Prometheus saw nothing before": {
        telling: waits((minute) => Math.max(0, 10 - Math.abs(minute - 10)) * 150 * MiB),
        minutes: 120,
      },
    },
  },
  ArchiveGap: {
    telling: { [gap]: (minute) => (minute < 60 ? 0 : 1) },
    at: 60,
    silent: {
      "a queue at its limit, of which nothing was given up": {
        telling: waits((minute) => Math.min(minute * 300 * MiB, 16 * GiB)),
        minutes: 120,
      },
    },
  },
  ArchiveStuck: {
    telling: waits((minute) => (minute < 60 ? usual(minute) : 5 * 4 * MiB)),
    at: 97,
    says: ["5"],
    silent: {
      "two segments all the time": { telling: waits(() => 2 * 4 * MiB), minutes: 120 },
      "many, of which some are sent at times": {
        telling: waits((minute) => (50 + (minute % 25)) * 4 * MiB),
        minutes: 240,
      },
    },
  },
  BackupTooOld: {
    telling: { [anyBackup]: () => 0 },
    at: 791,
    labels: { ...repository, type: "any" },
    says: ["1", "13h 11m 0s"],
    silent: {
      "a new one in the last minute": {
        telling: { [anyBackup]: (minute) => (minute < 780 ? 0 : 780 * 60) },
        minutes: 1500,
      },
      "a repository that is not in the config any more": {
        telling: { ...until(400, { [up]: () => 1, [anyBackup]: () => 0, [fullBackup]: () => -3600 }) },
        minutes: 1000,
      },
    },
  },
  BackupMissing: {
    telling: { ...noBackup, ...noDrill },
    at: 180,
    labels: repository,
    says: ["1"],
    silent: {
      "the first one after two hours": {
        telling: { ...noDrill, ...from(120, { [anyBackup]: () => 7200, [fullBackup]: () => 7200 }) },
        minutes: 400,
      },
      "a storage that a new primary has never reached": {
        telling: { ...noBackup, [up]: () => 0 },
        minutes: 400,
      },
    },
  },
  DrillFailed: {
    telling: { [passed]: (minute) => (minute < 60 ? 1 : 0) },
    at: 60,
    silent: { "no drill yet": { telling: noDrill, minutes: 120 } },
  },
  DrillOverdue: {
    telling: { [lastPassed]: () => -31 * 86_400 + 3600 },
    at: 121,
    says: ["31d 1h 1m 0s"],
    silent: {
      "one that passes within the hour": {
        telling: { [lastPassed]: (minute) => (minute < 110 ? -31 * 86_400 + 3600 : 110 * 60) },
        minutes: 240,
      },
    },
  },
  DrillNone: {
    telling: noDrill,
    at: 8 * day + 60,
    silent: {
      "the first one after a week": {
        telling: { ...from(7 * day, { [passed]: () => 1, [lastPassed]: () => 7 * 86_400 }) },
        minutes: 9 * day,
      },
      "an agent that is gone": { telling: until(8 * day - 30, { ...well, ...noDrill }), minutes: 9 * day },
    },
  },
  BackupMetricsAbsent: {
    telling: until(60, well),
    at: 75,
    silent: {
      "a quarter of an hour less a minute": {
        telling: told(well, (minute) => minute < 60 || minute > 74),
        minutes: 120,
      },
    },
  },
};

describe("the rules of alerts", () => {
  it("are rules to Prometheus, and all of them are tried here", async () => {
    expect(await promtool.run(["check", "rules"], "backups.yml")).toEqual({
      code: 0,
      output: expect.stringContaining(`${backupAlerts.rules.length} rules found`),
    });
    expect(Object.keys(cases)).toEqual(backupAlerts.rules.map(({ alert }) => alert));
  });

  it("are silent while all is well, and while another member becomes the primary", async () => {
    await holds({
      members: { "blue-0": until(120, well), "blue-1": from(122, well) },
      checks: [neverFired(400)],
    });
    // The new one tells of its own files at once, and of the repository when that has answered.
    const { [up]: _up, [anyBackup]: _any, [fullBackup]: _full, ...atOnce } = well;
    await holds({
      members: { "blue-0": until(120, well), "blue-1": { ...from(124, well), ...from(121, atOnce) } },
      checks: [neverFired(400)],
    });
    // The old one does not know yet that it is not the primary any more.
    await holds({
      members: { "blue-0": until(125, well), "blue-1": from(120, well) },
      checks: [neverFired(400)],
    });
  });

  it("know how old a backup is after a failover to a member that does not reach the storage", async () => {
    const before = until(600, { ...well, [anyBackup]: () => 0 });
    const after = from(602, { ...well, ...noBackup, [up]: () => 0 });
    await holds({
      members: { "blue-0": before, "blue-1": after },
      checks: [firing(790, ["BackupRepositoryAway"]), firing(791, ["BackupRepositoryAway", "BackupTooOld"])],
    });
  });
});

describe.each(backupAlerts.rules)("$alert", (rule) => {
  const { telling, at, labels = {}, says = [], also = [], silent } = cases[rule.alert] as Case;
  const stated: Telling = { ...well, ...telling };

  it("fires, when it should and not before, and says what is wrong", async () => {
    await holds({
      members: { "blue-0": stated },
      checks: [neverFired(at - 1, rule.alert), firing(at, [rule.alert, ...also])],
      alert: { rule, at, labels, says },
    });
  });

  it("goes on when another member becomes the primary", async () => {
    const members = { "blue-0": until(at + 10, stated), "blue-1": from(at + 12, stated) };
    const fired = `count(ALERTS{alertname="${rule.alert}",alertstate="firing"})`;
    await holds({
      members,
      checks: [
        {
          expr: `count_over_time((${fired})[30m:1m])`,
          minute: at + 30,
          samples: [{ labels: "{}", value: 31 }],
        },
      ],
    });
  });

  it.each(Object.entries(silent))("is silent for %s", async (_, { telling, minutes }) => {
    await holds({
      members: { "blue-0": { ...well, ...telling } },
      checks: [neverFired(minutes, rule.alert)],
    });
  });
});

interface Check {
  readonly expr: string;
  readonly minute: number;
  readonly samples: readonly { readonly labels: string; readonly value: number }[];
}

interface Trial {
  readonly members: Readonly<Record<string, Telling>>;
  readonly checks: readonly Check[];
  readonly alert?: {
    readonly rule: AlertRule;
    readonly at: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly says: readonly string[];
  };
}

/** Exactly these in that minute. */
function firing(minute: number, alerts: readonly string[]): Check {
  const samples = alerts.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 }));
  return { expr: 'count by (alertname) (ALERTS{alertstate="firing"})', minute, samples };
}

function neverFired(minutes: number, alert?: string): Check {
  const which = alert === undefined ? "" : `alertname="${alert}",`;
  return {
    expr: `max_over_time(ALERTS{${which}alertstate="firing"}[${minutes}m])`,
    minute: minutes,
    samples: [],
  };
}

/** What a scrape adds to each series; the member's own labels come with them. */
const scraped = { job: "database", namespace: "ms5-database" };

async function holds({ members, checks, alert }: Trial): Promise<void> {
  const last = Math.max(...checks.map(({ minute }) => minute));
  // Each minute of a week would be looked at for a quarter of a minute.
  const step = last > 2 * day ? 5 : 1;
  const test = {
    interval: `${step}m`,
    input_series: Object.entries(members).flatMap(([member, telling]) =>
      seriesOf(member, telling, { last, step }),
    ),
    promql_expr_test: checks.map(({ expr, minute, samples }) => ({
      expr,
      eval_time: `${minute}m`,
      exp_samples: samples,
    })),
    ...(alert && {
      alert_rule_test: [
        {
          eval_time: `${alert.at}m`,
          alertname: alert.rule.alert,
          exp_alerts: [
            {
              exp_labels: { ...labelsOf(alert.rule), ...alert.labels, ...alert.rule.labels },
              exp_annotations: said(alert.rule, alert.says),
            },
          ],
        },
      ],
    }),
  };
  await promtool.write(
    "test.yml",
    stringify(
      { rule_files: ["backups.yml"], evaluation_interval: test.interval, tests: [test] },
      { lineWidth: 0 },
    ),
  );
  const { code, output } = await promtool.run(["test", "rules"], "test.yml");
  expect(output).toContain("SUCCESS");
  expect(code).toBe(0);
}

/** What is not there has no labels. */
function labelsOf({ expr }: AlertRule): Readonly<Record<string, string>> {
  return expr.startsWith("absent(") ? {} : scraped;
}

/** A member that does not tell any more is stale, as Prometheus notes at its next scrape. */
function seriesOf(
  member: string,
  telling: Telling,
  { last, step }: { last: number; step: number },
): { series: string; values: string }[] {
  const labels = {
    ...scraped,
    instance: `10.0.0.${member.at(-1)}:8009`,
    pod: member,
    node: `node-${member}`,
  };
  const text = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return Object.entries(telling).flatMap(([metric, course]) => {
    if (course === undefined) return [];
    const [name, own = ""] = metric.split(/[{}]/);
    const values: string[] = [];
    for (let minute = 0; minute <= last; minute += step) {
      const value = course(minute);
      const gone = minute > 0 && course(minute - step) !== undefined;
      values.push(value === undefined ? (gone ? "stale" : "_") : String(value));
    }
    const all = [...text, ...(own === "" ? [] : [own])].join(",");
    return [{ series: `${name}{${all}}`, values: values.join(" ") }];
  });
}

/** An alert's sentences with these words in place of templates, one after another. */
function said({ annotations }: AlertRule, words: readonly string[]): Record<string, string> {
  const left = [...words];
  const fill = (text: string) => text.replace(/\{\{.*?\}\}/g, () => left.shift() ?? "");
  return Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, fill(text)]));
}
