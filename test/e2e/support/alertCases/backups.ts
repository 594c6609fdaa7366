import { backupAlerts } from "../../../../infra/monitoring/alerts/backups";
import {
  type AlertCase,
  type AlertKey,
  always,
  type Course,
  type GroupCases,
  type Telling,
} from "../ruleTrials";

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

/** A primary of prod: a backup each six hours, the last drill a day ago. */
export const well: Telling = {
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
export function until(end: number, telling: Telling): Telling {
  return told(telling, (minute) => minute < end);
}

export function from(begin: number, telling: Telling): Telling {
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

/** What is told of a member, as Prometheus keeps it; and that the member answers. */
export function toldBy(member: string, telling: Telling): Telling {
  const labels = `pod="${member}",instance="10.0.0.${member.at(-1)}:8009",job="member"`;
  return Object.fromEntries([
    ...Object.entries(telling).map(([metric, course]) => {
      const [name, own = ""] = metric.split(/[{}]/);
      return [`${name}{${own === "" ? "" : `${own},`}${labels}}`, course];
    }),
    [`up{${labels}}`, always(1)],
  ]);
}

interface BackupCase {
  /** On top of what is told while all is well. */
  readonly telling: Telling;
  /** Minute from which it fires, and not before. */
  readonly at: number;
  /** Labels of the alert. @default what every series has */
  readonly labels?: Readonly<Record<string, string>>;
  readonly says?: readonly string[];
  readonly also?: readonly AlertKey[];
  readonly silent: AlertCase["silent"];
}

const scraped = { job: "member" };
const ofRepository = { ...scraped, repository: "1" };

const causes: Readonly<Record<string, BackupCase>> = {
  "BackupRepositoryAway warning": {
    telling: { [up]: (minute) => (minute < 60 ? 1 : 0) },
    at: 70,
    labels: ofRepository,
    says: ["1"],
    silent: {
      "nine minutes": { telling: { [up]: (minute) => (minute < 60 || minute > 68 ? 1 : 0) }, minutes: 120 },
    },
  },
  "ArchiveQueueHalfFull warning": {
    // 0.5 MiB a second: at half of the limit it has still four hours.
    telling: waits((minute) => minute * 30 * MiB),
    at: 279,
    says: ["8.174Gi"],
    also: ["ArchiveStuck warning"],
    silent: {
      "just below half": {
        telling: waits((minute) => Math.min(minute * 30 * MiB, 8 * GiB)),
        minutes: 600,
      },
    },
  },
  "ArchiveQueueFilling critical": {
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
  "ArchiveGap critical": {
    telling: { [gap]: (minute) => (minute < 60 ? 0 : 1) },
    at: 60,
    silent: {
      "a queue at its limit, of which nothing was given up": {
        telling: waits((minute) => Math.min(minute * 300 * MiB, 16 * GiB)),
        minutes: 120,
      },
    },
  },
  "ArchiveStuck warning": {
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
  "BackupTooOld warning": {
    telling: { [anyBackup]: () => 0 },
    at: 791,
    labels: { ...ofRepository, type: "any" },
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
  "BackupMissing critical": {
    telling: { ...noBackup, ...noDrill },
    at: 180,
    labels: ofRepository,
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
  "DrillFailed warning": {
    telling: { [passed]: (minute) => (minute < 60 ? 1 : 0) },
    at: 60,
    silent: { "no drill yet": { telling: noDrill, minutes: 120 } },
  },
  "DrillOverdue warning": {
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
  "DrillNone warning": {
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
  "BackupMetricsAbsent warning": {
    telling: until(60, well),
    at: 75,
    labels: {},
    silent: {
      "a quarter of an hour less a minute": {
        telling: told(well, (minute) => minute < 60 || minute > 74),
        minutes: 120,
      },
    },
  },
};

/** The cause ends twenty minutes after it fires, and then all is well. */
function caseOf({ telling, at, labels = scraped, says = [], also = [], silent }: BackupCase): AlertCase {
  const end = at + 20;
  const stated: Telling = { ...well, ...telling };
  const ended = Object.fromEntries(
    Object.keys(stated).map((metric) => [
      metric,
      (minute: number) => (minute < end ? stated[metric] : well[metric])?.(minute),
    ]),
  );
  return {
    telling: toldBy("blue-0", ended),
    fires: at,
    over: end + 10,
    labels,
    says,
    also,
    silent: Object.fromEntries(
      Object.entries(silent).map(([name, { telling, minutes }]) => [
        name,
        { telling: toldBy("blue-0", { ...well, ...telling }), minutes },
      ]),
    ),
  };
}

const cases = Object.entries(causes).map(([key, cause]) => [key, caseOf(cause)] as const);

/** Each minute of a week would be looked at for a quarter of a minute. */
const takesDays = (of: AlertCase) => of.fires > 2 * day;

export const backupCases: GroupCases = {
  groups: [backupAlerts],
  well: toldBy("blue-0", well),
  cases: Object.fromEntries(cases.filter(([, of]) => !takesDays(of))),
};

export const slowBackupCases: GroupCases = {
  ...backupCases,
  step: 300,
  cases: Object.fromEntries(cases.filter(([, of]) => takesDays(of))),
};

/** What makes an alert fire at that minute, for failovers meanwhile. */
export const firingCauses = Object.entries(causes).map(([key, { telling, at }]) => ({ key, telling, at }));
