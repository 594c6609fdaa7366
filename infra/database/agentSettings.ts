import type { ClusterSettings } from "../config";
import { type ClusterAddress, memberNames, serviceNames } from "./clusterAddress";
import { parseBytes } from "./quantity";

export interface AgentSettingsArgs {
  readonly address: ClusterAddress;
  readonly database: string;
  readonly admin: string;
  readonly settings: ClusterSettings;
}

/** What the agent of each database pod is told: infra/database/agent/settings.py reads it. */
export function agentSettings({ address, database, admin, settings }: AgentSettingsArgs): object {
  return {
    scope: address.name,
    hostPattern: `{name}.${serviceNames(address).members}.${address.namespace}.svc.cluster.local`,
    silenceSeconds: settings.silence,
    dataGuardBytes: guardBytes(settings.dataVolume),
    walGuardBytes: guardBytes(settings.walVolume),
    database,
    admin,
    members: memberNames(address),
    ...(settings.backups && {
      backups: {
        repositories: settings.backups.stores.map((_, index) => index + 1),
        queueMaxBytes: settings.backups.queueMaxBytes,
        bytesPerSecond: settings.backups.bytesPerSecond ?? null,
        maxAgeSeconds: settings.backups.maxAge,
      },
    }),
  };
}

const mebibyte = 2 ** 20;

/**
 * Free bytes of a volume below which applications may only read: a twentieth, at least what PostgreSQL needs to recover
 * (a few 16 MiB segments of its log), and no more than anyone needs.
 */
export function guardBytes(volume: string): number {
  const size = parseBytes(volume) ?? 0;
  return Math.round(Math.min(4096 * mebibyte, Math.max(64 * mebibyte, size / 20)));
}
