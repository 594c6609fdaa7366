// Alerts on the database's volumes. With a twentieth free applications may only read (infra/database/agent/disk.py), so that is
// "full" here: users are hurt from there on, not at the last byte.
import { volumeGuard, volumeRoom } from "../recordingRules";
import type { AlertGroup } from "../rulesFile";
import { rule } from "./rule";

const runbook = "docs/runbooks/disk-filling.md";

/** Bytes that are left in so many seconds, as it went lately. */
const roomIn = (volume: "data" | "wal", seconds: string, lately: string) =>
  `predict_linear(${volumeRoom}{volume="${volume}"}[${lately}], ${seconds}) < 0`;

/** Less of such a volume is free than this share. */
const freeBelow = (volume: "data" | "wal", share: number) =>
  `sum by (pod, volume) (ms5_volume_free_bytes{volume="${volume}"} / ms5_volume_size_bytes{volume="${volume}"}) < ${share}`;

export const volumeAlerts: AlertGroup = {
  name: "volumes",
  rules: [
    rule(
      "DataVolumeFilling",
      "critical",
      "10m",
      // An hour's course: a bulk load's is steep too, but few last an hour. While more than two fifths are free, half an hour
      // of looking costs nothing.
      `${roomIn("data", "4 * 3600", "1h")}\n  and ${freeBelow("data", 0.4)}`,
      {
        summary: "The data volume of {{ $labels.pod }} is full within four hours",
        description:
          "From then on applications can only read: every write fails. Nothing that was acknowledged is lost.",
        runbook_url: `${runbook}#data-fills`,
      },
    ),
    rule(
      "DataVolumeFilling",
      "warning",
      "1h",
      // A day's course: retention and the columnstore give space back once or twice in it. And that of the last hours: what was
      // loaded yesterday does not go on. Before half a day is known nothing is said of four.
      `${roomIn("data", "4 * 86400", "1d")}
  and ${roomIn("data", "4 * 86400", "6h")}
  and ${freeBelow("data", 0.5)}
  and ${volumeRoom} offset 12h`,
      {
        summary: "The data volume of {{ $labels.pod }} is full within four days",
        description: "Users notice nothing yet. From then on applications can only read.",
        runbook_url: `${runbook}#data-fills`,
      },
    ),
    rule(
      "WalVolumeFilling",
      "critical",
      // A checkpoint comes each five minutes, and then log goes.
      "5m",
      // A burst fills up to max_wal_size, and a checkpoint minutes later gives it back.
      `${roomIn("wal", "4 * 3600", "30m")}\n  and ${freeBelow("wal", 0.4)}`,
      {
        summary: "The log's volume of {{ $labels.pod }} is full within four hours",
        description:
          "From then on applications can only read: every write fails. Something keeps the log: a member or the backups' storage that is away, or a long transaction.",
        runbook_url: `${runbook}#wal-fills`,
      },
    ),
    rule(
      "WalVolumeFilling",
      "warning",
      "30m",
      // A bulk load's checkpoints leave up to half of it (max_wal_size and wal_keep_size, infra/database/memory.ts).
      freeBelow("wal", 0.4),
      {
        summary: "More log than usual is kept on {{ $labels.pod }}",
        description:
          "{{ $value | humanizePercentage }} of the volume is free. Users notice nothing yet: a member or the backups' storage is away, or a transaction is long.",
        runbook_url: `${runbook}#wal-fills`,
      },
    ),
    rule(
      "VolumeAlmostFull",
      "critical",
      // Growing a volume takes minutes; what frees space by itself does so in less.
      "5m",
      // Twice what is kept for recovery: where the agent would let applications write again.
      `${volumeRoom} < ${volumeGuard}`,
      {
        summary: "The volume {{ $labels.volume }} of {{ $labels.pod }} is almost full",
        description:
          "{{ $value | humanize1024 }}B until applications can only read; below zero they can already. On a replica nobody notices, until it has to take over.",
        runbook_url: `${runbook}#almost-full`,
      },
    ),
  ],
};
