import type { ClusterSettings } from "../config";
import { archivingParameters } from "./backups/pgbackrestConf";
import { postgresParameters as sizedParameters } from "./memory";
import type { Parameters } from "./patroniConfig";
import { parseBytes, parseCpus } from "./quantity";

/** PostgreSQL's settings for pods of this size: calculated ones, and over them what the config says. */
export function postgresParameters(settings: ClusterSettings): Parameters {
  return {
    ...sizedParameters(podSize(settings)),
    ...archivingParameters(settings.backups),
    ...(settings.recover?.holdJobs && heldJobs),
    ...settings.parameters,
  };
}

/** Retention would at once delete what was restored because it is old: no scheduler, no job. */
const heldJobs = { "timescaledb.max_background_workers": 0 };

/** A pod's size in numbers. */
export function podSize(settings: ClusterSettings) {
  return {
    memoryBytes: parseBytes(settings.memory) ?? 0,
    cpus: parseCpus(settings.cpu) ?? 0,
    maxConnections: settings.maxConnections,
    dataVolumeBytes: parseBytes(settings.dataVolume) ?? 0,
    walVolumeBytes: parseBytes(settings.walVolume) ?? 0,
  };
}
