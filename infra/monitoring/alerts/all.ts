// All rules of a stack: what is recorded, and what is alerted on.
import { costRecords, volumeRecords } from "../recordingRules";
import type { RuleSettings } from "../ruleSettings";
import type { RuleGroup } from "../rulesFile";
import { sloGroup, slos } from "../slo";
import { backupAlerts } from "./backups";
import { connectionAlerts } from "./connections";
import { costAlerts } from "./cost";
import { expiryAlerts } from "./expiry";
import { ownAlerts } from "./ourselves";
import { policyAlerts } from "./policies";
import { replicationAlerts } from "./replication";
import { sessionAlerts } from "./sessions";
import { targetAlerts } from "./targets";
import { volumeAlerts } from "./volumes";

export function allRules(settings: RuleSettings): RuleGroup[] {
  const { cost } = settings;
  return [
    ...slos(settings).map(sloGroup),
    volumeRecords,
    volumeAlerts,
    replicationAlerts(settings.members),
    connectionAlerts,
    sessionAlerts,
    ...(settings.edition === "community" ? [policyAlerts(settings)] : []),
    expiryAlerts,
    ...(settings.backups ? [backupAlerts] : []),
    targetAlerts(settings),
    ...(settings.ownPrometheus ? [ownAlerts] : []),
    ...(cost === undefined ? [] : [costRecords(cost)]),
    ...(cost?.budget === undefined ? [] : [costAlerts]),
  ];
}
