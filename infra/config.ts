// infra/config.ts - a stack's whole configuration: read, checked, with everything decided. What may be written stands in
// config/schema.ts, the defaults in environments.ts, what is refused in config/rules.ts.
import type { AzureSettings } from "./azure/settings";
import { applyEnvironmentVariables } from "./config/environmentVariables";
import { configError, describeIssue } from "./config/errors";
import { resolve } from "./config/resolve";
import { checkConfig } from "./config/rules";
import { configNamespace, configSchema } from "./config/schema";
import type { BackupSettings } from "./database/backups/settings";
import type { RestoreTarget } from "./database/backups/target";
import type { Environment } from "./environments";
import type { MonitoringSettings } from "./monitoring/settings";
import type { AggregateName, TableName } from "./schema/catalogue";
import type { ConnectionTarget } from "./schema/postgres";
import type { Interval } from "./units";

export interface TableSettings {
  readonly chunkInterval: Interval;
  readonly columnstore: boolean;
  readonly columnstoreAfter: Interval;
  readonly columnstoreSchedule: Interval;
  readonly segmentBy: readonly string[];
  readonly orderBy: string;
  /** undefined: rows are kept for ever. */
  readonly retention: Interval | undefined;
  readonly retentionSchedule: Interval;
  /** undefined: no reorder policy. */
  readonly reorderIndex: string | undefined;
}

export interface AggregateSettings {
  readonly startOffset: Interval;
  readonly endOffset: Interval;
  readonly schedule: Interval;
  readonly realtime: boolean;
  /** undefined: stays in rows. */
  readonly columnstoreAfter: Interval | undefined;
  readonly retention: Interval | undefined;
}

/** The database in pods, and the pooler in front of it. */
export interface ClusterSettings {
  readonly image: string;
  readonly members: number;
  /** As Kubernetes writes them. */
  readonly cpu: string;
  readonly memory: string;
  readonly dataVolume: string;
  readonly walVolume: string;
  /** undefined: the default class. */
  readonly storageClass: string | undefined;
  readonly walStorageClass: string | undefined;
  /** Whether nodes are kept for it (infra/database/dedicatedNodes.ts). */
  readonly dedicatedNodes: boolean;
  readonly maxConnections: number;
  /** PostgreSQL settings that replace calculated ones. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Seconds without a sign of life of the primary. */
  readonly silence: number;
  readonly passwordVersion: number;
  readonly keyVersion: number;
  /** undefined: nobody has said where backups go. */
  readonly backups: BackupSettings | undefined;
  /** How a cluster begins that has no data yet; undefined: empty. */
  readonly recover: { readonly target: RestoreTarget; readonly holdJobs: boolean } | undefined;
  readonly pooler: {
    readonly image: string;
    readonly haproxyImage: string;
    readonly replicas: number;
    readonly serverConnections: number;
    readonly clientConnections: number;
  };
}

/** Which Kubernetes, and what has to be known of it. */
export interface KubernetesSettings {
  /** undefined: KUBECONFIG, or ~/.kube/config. */
  readonly kubeconfig: string | undefined;
  /** undefined: the current one. */
  readonly context: string | undefined;
  /** ADDRESS:PORT, as pods see it. undefined: read from the cluster. */
  readonly apiServer: readonly string[] | undefined;
  /** CIDR of its pods. */
  readonly podNetwork: string;
}

export interface StackConfig {
  readonly stack: string;
  readonly environment: Environment;
  readonly platform: "none" | "kubernetes" | "azure";
  readonly database: {
    readonly edition: "community" | "apache";
    readonly kind: "embedded" | "server";
    /** undefined while the platform that will give the database its address is not there. */
    readonly target: ConnectionTarget | undefined;
  };
  /** undefined where the platform is not made in Azure. */
  readonly azure: AzureSettings | undefined;
  /** undefined where the platform is no Kubernetes. */
  readonly kubernetes: KubernetesSettings | undefined;
  /** The database this stack makes; undefined where it uses one that is there. */
  readonly cluster: ClusterSettings | undefined;
  /** undefined where nothing watches it. */
  readonly monitoring: MonitoringSettings | undefined;
  readonly roles: { readonly passwordVersion: number };
  readonly tables: Readonly<Record<TableName, TableSettings>>;
  readonly aggregates: Readonly<Record<AggregateName, AggregateSettings>>;
  readonly migrations: { readonly lockTimeout: Interval; readonly statementTimeout: Interval };
  readonly ingest: { readonly earliest: string; readonly futureTolerance: Interval };
  readonly destroy: { readonly dropTelemetry: boolean };
}

/**
 * Reads and checks a stack's whole configuration.
 *
 * @param stack the stack's name, for messages and for the default environment
 * @param raw what Pulumi hands to programs and dynamic providers: `namespace:key` to text (JSON for objects)
 * @param env overrides: `MS5_DATABASE_PORT` stands for `database.port`, and so on for every key
 * @throws UserError that lists every problem: the key, what was found, what is allowed, how to set it
 */
export function loadConfig(
  stack: string,
  raw: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>> = {},
): StackConfig {
  const fromEnv = new Map<string, string>();
  const input = readRaw(raw);
  applyEnvironmentVariables(input, env, fromEnv);
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) {
    throw configError(
      stack,
      parsed.error.issues.flatMap((issue) => describeIssue(issue, input)),
      fromEnv,
    );
  }
  const config = resolve(stack, parsed.data);
  const problems = checkConfig(config);
  if (problems.length > 0) throw configError(stack, problems, fromEnv);
  return config;
}

function readRaw(raw: Readonly<Record<string, string>>): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [fullKey, text] of Object.entries(raw)) {
    const [namespace, key] = splitOnce(fullKey, ":");
    if (namespace !== configNamespace || key === undefined) continue;
    input[key] = /^\s*[[{]/.test(text) ? readJson(text) : text;
  }
  return input;
}

/** What only looks like JSON is a text, and refused as one where no text is allowed. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
