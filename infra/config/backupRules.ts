/** What is refused of backups before anything changes: what could never be restored from, or would stop writers. */
import type { StackConfig } from "../config";
import { parseTarget, type RestoreTarget } from "../database/backups/target";
import { parseBytes } from "../database/quantity";
import { UserError } from "../errors";
import type { Problem } from "./errors";

export function backupProblems({ environment, cluster }: StackConfig): Problem[] {
  const backups = cluster?.backups;
  if (cluster === undefined) return [];
  const problems: Problem[] = [];
  if (backups === undefined) {
    if (cluster.recover !== undefined) {
      problems.push({
        key: "cluster.recover",
        found: cluster.recover.target.value ?? "latest",
        problem: "there is nothing to begin from: backups.storage is not set",
      });
    }
    return problems;
  }
  const { schedules, queueMaxBytes } = backups;
  if (schedules.full === undefined && environment === "prod") {
    problems.push({
      key: "backups.full",
      found: "never",
      problem: "production needs full backups: what builds on one that is years old takes days to restore",
      example: "0 2 * * 0",
    });
  }
  if (schedules.drill === undefined && environment === "prod") {
    problems.push({
      key: "backups.drill",
      found: "never",
      problem: "production needs drills: a backup nobody has restored is a hope",
      example: "0 4 * * 3",
    });
  }
  const walVolume = parseBytes(cluster.walVolume) ?? 0;
  if (queueMaxBytes > walVolume * 0.8) {
    problems.push({
      key: "backups.queueMax",
      found: `${Math.round(queueMaxBytes / 2 ** 20)}Mi`,
      problem: `is more than 80 % of cluster.walVolume (${cluster.walVolume}): the volume would be full before anything is given up`,
      example: `${Math.round(walVolume / 2 ** 21)}Mi`,
    });
  }
  for (const [index, { keyType, key = "" }] of backups.stores.entries()) {
    // pgBackRest shows a token that it cannot read, whole.
    if (keyType === "sas" && !/^[^?&=\s]+=[^&=\s]*(&[^&=\s]+=[^&\s]*)*$/.test(key)) {
      problems.push({
        key: `backups.${index === 0 ? "storage" : "secondStorage"}.key`,
        found: "[secret]",
        problem: "is no SAS token: what stands behind the ? of a SAS URL, name=value joined by &",
      });
    }
  }
  const [first, second] = backups.stores;
  if (second !== undefined && first?.port !== second.port) {
    problems.push({
      key: "backups.secondStorage.port",
      found: second.port,
      problem: "is another one than the first storage's: network policies open one port for both",
      example: String(first?.port),
    });
  }
  if (second !== undefined && first?.account === second.account && first.endpoint === second.endpoint) {
    problems.push({
      key: "backups.secondStorage.account",
      found: second.account,
      problem: "is the first one again: whatever takes one away takes both",
    });
  }
  return problems;
}

/** @throws UserError for what is no target, and for a name: no cluster is there yet that could say where its point is */
export function recoverTarget(to: string): RestoreTarget {
  const target = parseTarget(to);
  if (target.kind !== "name") return target;
  throw new UserError(
    `cluster.recover.to names the restore point "${to}", and there is no cluster yet that knows it`,
    {
      fix: "name latest, a time (2026-11-22T10:15:00Z) or an LSN (0/3000148)",
    },
  );
}
