/** Lays what is written over the defaults, so that the program works with a config in which everything is decided. */

import { kubeconfigFile } from "../azure/kubeconfigFile";
import type { AzureSettings } from "../azure/settings";
import { storageClassNames } from "../azure/storageClassNames";
import type {
  AggregateSettings,
  ClusterSettings,
  KubernetesSettings,
  StackConfig,
  TableSettings,
} from "../config";
import { primaryPod } from "../database/primaryPod";
import {
  type AggregateSettingsText,
  aggregateDefaults,
  type EnvironmentDefaults,
  environmentDefaults,
  environments,
  server,
  type TableSettingsText,
  tableDefaults,
} from "../environments";
import { parseInterval } from "../units";
import { recoverTarget } from "./backupRules";
import { defined } from "./defined";
import { configError } from "./errors";
import { knownInterval } from "./knownInterval";
import { azureSettings } from "./resolveAzure";
import { backupSettings } from "./resolveBackups";
import { monitoringSettings } from "./resolveMonitoring";
import type { ConfigInput } from "./schema";

export function resolve(stack: string, input: ConfigInput): StackConfig {
  const environment = input.environment ?? environments.find((name) => name === stack);
  if (environment === undefined) {
    throw configError(stack, [
      {
        key: "environment",
        found: undefined,
        problem: `the stack is not named after an environment, so it must say whose defaults hold: ${environments.join(", ")}`,
        example: "dev",
      },
    ]);
  }
  const defaults = environmentDefaults[environment];
  const { tables, aggregates: aggregateInput, ...allTables } = input.timescaledb ?? {};
  const platform = input.platform ?? defaults.platform;
  // Where the environment's own database is not made, its address is nobody's.
  const place = platform === defaults.platform ? defaults.database : server;
  const database = { ...place, ...defined(input.database ?? {}) };
  const azure =
    platform === "azure"
      ? azureSettings(stack, environment, input.azure ?? {}, members(input.cluster))
      : undefined;
  const kubernetes =
    platform === "none" ? undefined : kubernetesSettings(stack, input.kubernetes ?? {}, azure);
  return {
    stack,
    environment,
    platform,
    azure,
    kubernetes,
    cluster: kubernetes && clusterSettings(input, defaults, stack, azure),
    monitoring:
      kubernetes &&
      monitoringSettings(
        stack,
        input.monitoring ?? {},
        defaults.monitoring,
        azure === undefined ? undefined : storageClassNames.data,
      ),
    database: {
      edition: database.edition ?? "community",
      kind: database.kind,
      target:
        database.host === undefined
          ? undefined
          : {
              host: database.host,
              port: database.port,
              database: database.name,
              user: database.user,
              ...(database.password === undefined ? {} : { password: database.password }),
              tls: database.tls,
              ...(database.caFile === undefined ? {} : { caFile: database.caFile }),
              singleSession: database.kind === "embedded",
              ...(kubernetes === undefined ? {} : { pod: primaryPod(kubernetes) }),
            },
    },
    roles: { passwordVersion: input.roles?.passwordVersion ?? 1 },
    tables: mapValues(tableDefaults, (own, name) =>
      tableSettingsOf({
        ...own,
        ...defaults.allTables,
        ...defaults.tables[name],
        ...allTables,
        ...tables?.[name],
      }),
    ),
    aggregates: mapValues(aggregateDefaults, (own, name) =>
      aggregateSettingsOf({ ...own, ...defaults.allAggregates, ...aggregateInput?.[name] }),
    ),
    migrations: {
      lockTimeout: knownInterval(input.migrations?.lockTimeout ?? "30 seconds"),
      statementTimeout: knownInterval(input.migrations?.statementTimeout ?? "10 minutes"),
    },
    ingest: {
      earliest: input.ingest?.earliest ?? "2000-01-01",
      futureTolerance: knownInterval(input.ingest?.futureTolerance ?? "1 day"),
    },
    destroy: { dropTelemetry: input.destroy?.dropTelemetry ?? false },
  };
}

function kubernetesSettings(
  stack: string,
  input: NonNullable<ConfigInput["kubernetes"]>,
  azure: AzureSettings | undefined,
): KubernetesSettings {
  return {
    kubeconfig: input.kubeconfig ?? (azure && kubeconfigFile(stack)),
    context: input.context,
    apiServer: input.apiServer,
    podNetwork: input.podNetwork ?? azure?.network.podNetwork ?? "10.0.0.0/8",
  };
}

function members(cluster: ConfigInput["cluster"]): number {
  return cluster?.members ?? 3;
}

function clusterSettings(
  { cluster, pooler, backups }: ConfigInput,
  { cluster: defaults, backups: backupDefaults }: EnvironmentDefaults,
  stack: string,
  azure: AzureSettings | undefined,
): ClusterSettings {
  const dedicatedNodes = azure !== undefined;
  const classes = dedicatedNodes ? storageClassNames : undefined;
  const dataVolume = cluster?.dataVolume ?? defaults.dataVolume;
  const walVolume = cluster?.walVolume ?? defaults.walVolume;
  return {
    image: cluster?.image ?? defaults.image,
    members: members(cluster),
    cpu: cluster?.cpu ?? defaults.cpu,
    memory: cluster?.memory ?? defaults.memory,
    dataVolume,
    walVolume,
    storageClass: cluster?.storageClass ?? classes?.data,
    walStorageClass: cluster?.walStorageClass ?? cluster?.storageClass ?? classes?.wal,
    dedicatedNodes,
    maxConnections: cluster?.maxConnections ?? defaults.maxConnections,
    parameters: cluster?.parameters ?? {},
    silence: cluster?.silence ?? 3,
    passwordVersion: cluster?.passwordVersion ?? 1,
    keyVersion: cluster?.keyVersion ?? 1,
    backups: backupSettings(backups ?? {}, backupDefaults, { stack, azure, dataVolume, walVolume }),
    recover: recovery(cluster?.recover),
    pooler: {
      image: pooler?.image ?? defaults.poolerImage,
      haproxyImage: pooler?.haproxyImage ?? defaults.haproxyImage,
      replicas: pooler?.replicas ?? 2,
      serverConnections: pooler?.serverConnections ?? defaults.serverConnections,
      clientConnections: pooler?.clientConnections ?? 1_000,
    },
  };
}

function recovery(input: NonNullable<ConfigInput["cluster"]>["recover"]): ClusterSettings["recover"] {
  if (input?.to === undefined) return undefined;
  return { target: recoverTarget(input.to), holdJobs: input.holdJobs ?? true };
}

/** Laying optional settings over complete ones leaves them complete; undefined never overwrites. */
type Layered<T> = { [K in keyof T]: T[K] | undefined };

function tableSettingsOf(text: Layered<TableSettingsText>): TableSettings {
  return {
    chunkInterval: knownInterval(text.chunkInterval),
    columnstore: text.columnstore ?? true,
    columnstoreAfter: knownInterval(text.columnstoreAfter),
    columnstoreSchedule: knownInterval(text.columnstoreSchedule),
    segmentBy: text.segmentBy ?? [],
    // The database reads "ts ASC" back as "ts"; stated otherwise it would show drift for ever.
    orderBy: (text.orderBy ?? "ts DESC").replaceAll(" ASC", ""),
    retention: parseInterval(text.retention ?? ""),
    retentionSchedule: knownInterval(text.retentionSchedule),
    reorderIndex: text.reorderIndex === "none" ? undefined : text.reorderIndex,
  };
}

function aggregateSettingsOf(text: Layered<AggregateSettingsText>): AggregateSettings {
  return {
    startOffset: knownInterval(text.startOffset),
    endOffset: knownInterval(text.endOffset),
    schedule: knownInterval(text.schedule),
    realtime: text.realtime ?? true,
    columnstoreAfter: parseInterval(text.columnstoreAfter ?? ""),
    retention: parseInterval(text.retention ?? ""),
  };
}

function mapValues<K extends string, A, B>(
  record: Readonly<Record<K, A>>,
  map: (value: A, key: K) => B,
): Record<K, B> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, map(value as A, key as K)]),
  ) as Record<K, B>;
}
