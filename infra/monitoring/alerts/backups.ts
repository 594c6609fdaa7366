// Alerts on backups, over what the primary's agent tells at :8009/metrics (infra/database/agent/backups.py, drills.py).
import type { AlertGroup } from "../rulesFile";
import { whileItRuns } from "./members";
import { rule } from "./rule";

const runbooks = {
  storage: "docs/runbooks/backup-storage-away.md",
  failed: "docs/runbooks/backup-failed.md",
  drill: "docs/runbooks/read-the-drill-report.md",
} as const;

/**
 * Only the primary tells, so after a failover the same series comes from another member. What a scrape adds of the
 * member must not be part of an alert: it would resolve, and wait anew.
 */
const whoever = "max without (instance, pod, node)";

/**
 * A value as any member has told it lately. Between two primaries, and until the new one has asked the repository, nobody
 * does; ten minutes are twice the longest interval of scrapes (300 s).
 */
const told = (series: string, lately = "10m") => `${whoever} (last_over_time(${series}[${lately}]))`;

const waiting = "ms5_archive_waiting_bytes";
const segments = "ms5_archive_waiting_segments";
const limit = "ms5_archive_queue_limit_bytes";
const answers = "ms5_backup_repository_up";
const completed = "ms5_backup_last_completed_timestamp_seconds";
const anyBackup = `${completed}{type="any"}`;
const fullBackup = `${completed}{type="full"}`;
const lastPassed = "ms5_backup_drill_last_passed_timestamp_seconds";

export const backupAlerts: AlertGroup = {
  name: "backups",
  rules: [
    rule(
      "BackupRepositoryAway",
      // The log waits, for hours; ArchiveQueueFilling wakes somebody when they end.
      "warning",
      // The agent asks each minute. What comes back within ten has cost nothing.
      "10m",
      `${told(answers)} == 0`,
      {
        summary: "The backups' storage cannot be used (repository {{ $labels.repository }})",
        description:
          "Writers do not notice. What is written from now on is lost if the cluster is, and restores may not be possible. The conditions in /status of the primary's agent say why.",
        runbook_url: `${runbooks.storage}#unreachable-refused-full-slow`,
      },
    ),
    rule(
      "ArchiveQueueHalfFull",
      "warning",
      // Longer than a bulk load's burst, after which the queue gets shorter by itself.
      "5m",
      // Where the agent's condition begins, too.
      `${told(waiting)} > 0.5 * ${told(limit)}`,
      {
        summary: "More than half of the log that may wait for the archive does",
        description:
          "{{ $value | humanize1024 }}B wait. Writers do not notice. At the limit all of it is given up, and points in time until the next backup with it.",
        runbook_url: `${runbooks.storage}#more-time`,
      },
    ),
    rule(
      "ArchiveQueueFilling",
      "critical",
      // By then half an hour's course has shown more than a burst; with the fastest writers of prod (20 MiB/s against
      // 16 GiB) some minutes are left.
      "5m",
      // Two hours: enough to renew a token, and for members to restart one by one with a larger volume. Not below a tenth of
      // the limit: a course of minutes, all that a Prometheus has seen when it begins, says nothing.
      // As one series, through failovers.
      `predict_linear((${whoever} (${waiting}))[30m:1m], 2 * 3600) > ${told(limit)}
  and ${told(waiting)} > 0.1 * ${told(limit)}`,
      {
        summary: "Log that waits for the archive will be given up within two hours",
        description:
          "Writers do not notice. At the limit pgBackRest gives up all that waits: no point in time from there until the next backup can be restored any more.",
        runbook_url: `${runbooks.storage}#more-time`,
      },
    ),
    rule(
      "ArchiveGap",
      "critical",
      // It has been read in pgBackRest's log: waiting would make it no surer.
      "0m",
      `${told("ms5_archive_gap")} > 0`,
      {
        summary: "Log was given up: there are points in time that can never be restored",
        description:
          "Nothing is missing in the database. If the cluster is lost before the next backup is complete, all since the gap began is lost with it. The agent asks for that backup when the storage is back.",
        runbook_url: `${runbooks.storage}#segments-were-given-up`,
      },
    ),
    rule(
      "ArchiveStuck",
      "warning",
      // Where a backlog is worked off it gets shorter by far sooner, even while much is written.
      "30m",
      // One or two are usual; more, that do not become fewer, are not. Also where the storage can be read and not written,
      // which the repository's own state does not show. Fewer than at the primary before does not count.
      `${told(segments)} > 2
  and ${whoever} (resets(${segments}[10m])) == 0`,
      {
        summary: "Log waits for the archive, and does not get less",
        description:
          "{{ $value }} segments wait, and for half an hour they have not become fewer. Writers do not notice. If the cluster is lost, so is what was written since: far more than the minute that is promised.",
        runbook_url: `${runbooks.storage}#unreachable-refused-full-slow`,
      },
    ),
    rule(
      "BackupTooOld",
      "warning",
      // A member that was the primary long ago tells what it knew then, until it has asked.
      "10m",
      // The limit is the config's (backups.maxAge): longer than any gap in the schedules, so one was left out. When a backup
      // ended stays true for a day, because a primary that has never reached the storage knows of none; not that of a
      // repository that was taken out of the config.
      `time() - ${told(anyBackup, "1d")}
    > ignoring (repository, type) group_left () ${told("ms5_backup_age_limit_seconds")}
  and ignoring (type) ${told(answers)}`,
      {
        summary: "The newest backup is too old (repository {{ $labels.repository }})",
        description:
          "It is {{ $value | humanizeDuration }} old. Points in time can still be restored, from it and the log since: the older it is, the longer that takes.",
        runbook_url: runbooks.failed,
      },
    ),
    rule(
      "BackupMissing",
      // Whatever there was can't be restored any more: it is lost already, should anybody need it.
      "critical",
      // The agent asks for the first one by itself; 100 GiB at 64 MiB/s take half an hour, and prod has some of them.
      "3h",
      // A primary that does not reach the storage knows of none: that is BackupRepositoryAway.
      `${told(answers)} == 1
  unless ignoring (type) ${told(fullBackup)}`,
      {
        summary: "There is no full backup (repository {{ $labels.repository }})",
        description:
          "Nothing can be restored from there: not a deleted table, not a lost cluster. Backups were deleted, or the first one does not get done.",
        runbook_url: runbooks.failed,
      },
    ),
    rule(
      "DrillFailed",
      // Most are the drill's own trouble; whether backups are bad is what somebody has to find out, by day.
      "warning",
      // It stands in a table: waiting would make it no surer.
      "0m",
      `${told("ms5_backup_drill_passed")} == 0`,
      {
        summary: "The last restore drill failed",
        description:
          "Users notice nothing. Whether a restore would work is not known: audit.backup_drills says what went wrong.",
        runbook_url: `${runbooks.drill}#it-failed`,
      },
    ),
    rule(
      "DrillOverdue",
      "warning",
      "1h",
      // Drills are weekly: four were left out or failed. `ops backup check` has the same limit (check_backups.py).
      `time() - ${told(lastPassed)} > 31 * 86400`,
      {
        summary: "No restore drill has passed for a month",
        description:
          "The last good one was {{ $value | humanizeDuration }} ago. Users notice nothing. Whether a restore would work, and how long it would take, is not known any more.",
        runbook_url: `${runbooks.drill}#it-has-not-run`,
      },
    ),
    rule(
      "DrillNone",
      "warning",
      // A query of the primary's: it may fail for a while, and then it tells of none.
      "1h",
      // Drills are weekly, and one may take hours. Two looks at backups, so that neither a new database nor an agent that is
      // gone is meant.
      `max without (instance, pod, node, repository, type) (last_over_time(${anyBackup}[1h] offset 8d))
  and max without (instance, pod, node, repository, type) (last_over_time(${anyBackup}[10m]))
  unless ${told(lastPassed)}`,
      {
        summary: "No restore drill has ever passed",
        description:
          "There have been backups for eight days. Users notice nothing. A backup nobody has restored is a hope.",
        runbook_url: `${runbooks.drill}#it-has-not-run`,
      },
    ),
    rule(
      "BackupMetricsAbsent",
      // Whether anything is lost is not known. That nobody can write is another alert's to say.
      "warning",
      // A failover takes less than a minute, a new primary's first question another: three scrapes of the slowest kind.
      "15m",
      // A database that is stopped does not tell either: then there is no member at all (TargetsAbsent).
      whileItRuns(`absent(${answers})`),
      {
        summary: "Nobody tells of backups",
        description:
          "There is no primary (then nobody can write), its agent does not get an answer from pgBackRest, or it is not scraped. All other alerts on backups are blind.",
        runbook_url: `${runbooks.storage}#nobody-tells`,
      },
    ),
  ],
};
