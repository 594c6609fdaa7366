// Could everything be restored, to when, and when was that last tried?
import {
  BytesIEC,
  DateTimeFromNow,
  DurationSeconds,
  PercentUnit,
  Short,
} from "@grafana/grafana-foundation-sdk/units";
import type { Page, Row } from "./page";
import { lines, stat, states } from "./panel";
import { newestBackupAge } from "./queries";
import { neutral, only, redFrom, worseAbove } from "./thresholds";

export function backups(): Page {
  return {
    name: "backups",
    about:
      "For whoever has to answer whether a lost table or a lost cluster could be restored: the archive, backups, and the drills that prove it.",
    refresh: 30,
    range: "7d",
    needs: "backups",
    variables: [],
    rows: [now, archive, backupsMade, drills],
  };
}

const days = 86_400;

/** Only the primary tells, so after a failover another pod does: as one series. */
const told = (metric: string, by?: string) => `max${by === undefined ? "" : ` by (${by})`} (${metric})`;

const now: Row = {
  title: "Could it be restored now",
  panels: [
    stat({
      title: "Storage of backups",
      means: "Whether the repository can be used, as the primary found it in its last minute.",
      worry:
        "'away' for more than ten minutes: log waits on the primary's volume, and there is room for hours.",
      unit: Short,
      steps: only(1),
      words: { "0": "away", "1": "answers" },
      queries: [
        { expr: told("ms5_backup_repository_up", "repository"), legend: "repository {{repository}}" },
      ],
      width: 4,
      read: "runbooks/backup-storage-away.md",
    }),
    stat({
      title: "Newest backup",
      means: "Age of the newest complete backup, in the repository where it is oldest.",
      worry: "Above the limit that the config sets: one was left out.",
      unit: DurationSeconds,
      steps: worseAbove(13 * 3600, 25 * 3600),
      queries: [{ expr: newestBackupAge }],
      width: 4,
      read: "runbooks/backup-failed.md",
    }),
    stat({
      title: "Given up",
      means:
        "Whether log was given up, because too much of it waited for the storage: a gap in what can be restored.",
      worry: "'a gap': points in time between it and the next backup are lost. Make that backup.",
      unit: Short,
      steps: redFrom(1),
      words: { "0": "nothing", "1": "a gap" },
      queries: [{ expr: told("ms5_archive_gap") }],
      width: 4,
      read: "runbooks/backup-storage-away.md",
    }),
    stat({
      title: "Can be restored from",
      means: "The earliest point in time that can be restored.",
      worry: "Later than the retention of backups promises.",
      unit: DateTimeFromNow,
      steps: neutral,
      queries: [{ expr: "1000 * min(ms5_backup_earliest_restorable_timestamp_seconds)" }],
      width: 4,
      read: "backups.md",
    }),
    stat({
      title: "Last drill",
      means: "Whether the last restore drill worked.",
      worry: "'failed': whether a restore would work is not known. The report says what went wrong.",
      unit: Short,
      steps: only(1),
      words: { "0": "failed", "1": "worked" },
      none: "no drill yet",
      queries: [{ expr: told("ms5_backup_drill_passed") }],
      width: 4,
      read: "runbooks/read-the-drill-report.md",
    }),
    stat({
      title: "Last drill that worked",
      means: "Time since a restore drill last worked. They are weekly.",
      worry: "More than 31 days. A backup nobody has restored is a hope.",
      unit: DurationSeconds,
      steps: worseAbove(15 * days, 31 * days),
      none: "no drill yet",
      queries: [{ expr: `time() - ${told("ms5_backup_drill_last_passed_timestamp_seconds")}` }],
      width: 4,
      read: "runbooks/read-the-drill-report.md",
    }),
  ],
};

const archive: Row = {
  title: "Log on its way to the archive",
  panels: [
    lines({
      title: "Log that waits",
      means: "Bytes of log that wait for the storage.",
      worry: "It grows: the storage is away or too slow. If the cluster is lost now, so is this.",
      unit: BytesIEC,
      steps: neutral,
      queries: [{ expr: told("ms5_archive_waiting_bytes"), legend: "waits" }],
      width: 8,
      read: "runbooks/backup-storage-away.md",
    }),
    lines({
      title: "Of the limit",
      means: "Share of the log that may wait. At the limit all of it is given up, so that writers can go on.",
      worry: "Above a half. Two hours before the limit somebody is woken.",
      unit: PercentUnit,
      steps: worseAbove(0.5, 0.8),
      queries: [
        {
          expr: `${told("ms5_archive_waiting_bytes")} / ${told("ms5_archive_queue_limit_bytes")}`,
          legend: "of the limit",
        },
      ],
      width: 8,
      max: 1,
      read: "runbooks/backup-storage-away.md",
    }),
    lines({
      title: "Segments that wait",
      means: "Files of log that wait. One or two are usual.",
      worry: "More, for half an hour, that do not become fewer.",
      unit: Short,
      steps: worseAbove(3, 30),
      queries: [{ expr: told("ms5_archive_waiting_segments"), legend: "segments" }],
      width: 8,
      more: "replication",
    }),
    states({
      title: "Storage, when",
      means: "When the repository could be used.",
      worry: "Red for hours, or at the same time each day.",
      unit: Short,
      steps: only(1),
      words: { "0": "away", "1": "answers" },
      queries: [
        { expr: told("ms5_backup_repository_up", "repository"), legend: "repository {{repository}}" },
      ],
      width: 24,
      height: 4,
      read: "runbooks/backup-storage-away.md",
    }),
  ],
};

const backupsMade: Row = {
  title: "Backups",
  panels: [
    lines({
      title: "Age",
      means: "Age of the newest backup and of the newest full one, and the limit that the config sets.",
      worry: "'any' above the limit: a backup was left out.",
      unit: DurationSeconds,
      steps: neutral,
      queries: [
        {
          expr: `time() - ${told("ms5_backup_last_completed_timestamp_seconds", "repository, type")}`,
          legend: "{{type}}, repository {{repository}}",
        },
        { expr: told("ms5_backup_age_limit_seconds"), legend: "limit" },
      ],
      width: 8,
      read: "runbooks/backup-failed.md",
    }),
    lines({
      title: "Duration",
      means: "How long the newest backups took.",
      worry: "Near the time until the next one.",
      unit: DurationSeconds,
      steps: neutral,
      queries: [
        {
          expr: told("ms5_backup_last_duration_seconds", "repository, type"),
          legend: "{{type}}, repository {{repository}}",
        },
      ],
      width: 8,
    }),
    lines({
      title: "Size",
      means: "Bytes that the newest backups added to the repository.",
      worry: "A small one as large as a full one: much was rewritten, by a migration or by moving chunks.",
      unit: BytesIEC,
      steps: neutral,
      queries: [
        {
          expr: told("ms5_backup_last_bytes", "repository, type"),
          legend: "{{type}}, repository {{repository}}",
        },
      ],
      width: 8,
      more: "cost",
    }),
  ],
};

const drills: Row = {
  title: "Restore drills: what a real restore would be like",
  panels: [
    stat({
      title: "A restore takes",
      means: "How long the last drill took from asking until the restored database answered.",
      worry: "Longer than was promised for a lost cluster.",
      unit: DurationSeconds,
      steps: worseAbove(3600, 4 * 3600),
      none: "no drill yet",
      queries: [{ expr: told("ms5_backup_drill_restore_seconds") }],
      width: 6,
      read: "runbooks/lose-a-cluster.md",
    }),
    stat({
      title: "And would lose",
      means:
        "How much of the newest writes the last drill could not get back: the time log takes to the archive.",
      worry: "More than a minute.",
      unit: DurationSeconds,
      steps: worseAbove(60, 300),
      none: "no drill yet",
      queries: [{ expr: told("ms5_backup_drill_loss_seconds") }],
      width: 6,
      read: "runbooks/lose-a-cluster.md",
    }),
    stat({
      title: "Of this size",
      means: "Bytes of the database that was restored.",
      worry: "Far from the size of the database: something was left out.",
      unit: BytesIEC,
      steps: neutral,
      none: "no drill yet",
      queries: [{ expr: told("ms5_backup_drill_bytes") }],
      width: 6,
      more: "timescaledb",
    }),
    stat({
      title: "Tried",
      means: "Time since the last drill, whether it worked or not.",
      worry: "More than eight days: the weekly job does not run.",
      unit: DurationSeconds,
      steps: worseAbove(8 * days, 31 * days),
      none: "no drill yet",
      queries: [{ expr: `time() - ${told("ms5_backup_drill_timestamp_seconds")}` }],
      width: 6,
      read: "runbooks/read-the-drill-report.md",
    }),
    lines({
      title: "Restores get slower",
      means: "How long the drills took, over time.",
      worry: "It grows faster than the database.",
      unit: DurationSeconds,
      steps: neutral,
      none: "no drill yet",
      queries: [{ expr: told("ms5_backup_drill_restore_seconds"), legend: "restore" }],
      width: 12,
    }),
    lines({
      title: "Days since a drill worked",
      means: "Time since a drill last worked: teeth of a week.",
      worry: "A tooth that does not end.",
      unit: DurationSeconds,
      steps: worseAbove(15 * days, 31 * days),
      none: "no drill yet",
      queries: [
        { expr: `time() - ${told("ms5_backup_drill_last_passed_timestamp_seconds")}`, legend: "ago" },
      ],
      width: 12,
      read: "runbooks/read-the-drill-report.md",
    }),
  ],
};
