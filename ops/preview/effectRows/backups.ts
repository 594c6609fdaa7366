// Backups: clients of the database see none of it; what can be lost is the way back.
import { type EffectRow, gone, update } from "../effectRow";

export const backups: readonly EffectRow[] = [
  {
    type: "kubernetes:batch/v1:CronJob",
    names: ["backup-*", "drill"],
    ops: update,
    effect: "none",
    what: "the next one follows it",
    why: "backups are made from a replica, and drills in a pod of their own",
  },
  {
    type: "kubernetes:batch/v1:CronJob",
    names: ["backup-*", "drill"],
    ops: gone,
    effect: "none",
    what: "none of its kind is made any more",
    why: "what is in the storage stays there",
  },
  {
    type: "kubernetes:core/v1:Secret",
    names: ["*-backup-keys", "*-backup-job-tls"],
    ops: update,
    effect: "none",
    what: "kubelet puts it in place within two minutes, and the next call of pgBackRest uses it",
    why: "nothing restarts",
  },
  {
    type: "random:*",
    names: ["*-backup-key"],
    ops: gone,
    effect: "none",
    what: "the log and backups from now on are encrypted with another key",
    why: "clients see nothing of it",
    loses: "the way to read what is in the storage, unless somebody kept the old key",
  },
];
