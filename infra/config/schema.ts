/** What may be written. Everything is optional: defaults come from environments.ts, so that a stack's file is short. */
import { z } from "zod";
import { parseBytes, parseCpus } from "../database/quantity";
import { environments } from "../environments";
import { type AggregateName, aggregateNames, type TableName, tableNames } from "../schema/catalogue";
import { tlsModes } from "../schema/postgres";
import { intervalUnits, parseInterval } from "../units";
import { azureSchema } from "./azureSchema";
import { backupSchema } from "./backupSchema";
import { monitoringSchema } from "./monitoringSchema";

/** Pulumi's namespace of our keys: the project's name. */
export const configNamespace = "ms5-timescale";

const intervalText = z
  .string()
  .refine((text) => parseInterval(text) !== undefined, {
    message: `a whole number and a unit: ${intervalUnits}`,
  })
  .meta({ unit: "interval", example: "7 days" });

const intervalOr = (word: string) =>
  z
    .string()
    .refine((text) => text === word || parseInterval(text) !== undefined, {
      message: `"${word}", or a whole number and a unit: ${intervalUnits}`,
    })
    .meta({ unit: `interval or "${word}"`, example: "90 days" });

const bytes = z
  .string()
  .refine((text) => parseBytes(text) !== undefined, { message: "a Kubernetes quantity of bytes, e.g. 4Gi" })
  .meta({ unit: "bytes" });

const quantity = z
  .string()
  .refine((text) => parseCpus(text) !== undefined, {
    message: "a Kubernetes quantity of CPUs, e.g. 500m or 2",
  })
  .meta({ unit: "CPUs" });

const image = z.string().min(1).meta({ unit: "image" });

const cidr = z.cidrv4().meta({ unit: "IPv4 network", example: "10.0.0.0/8" });

const columnName = z.string().regex(/^[a-z_][a-z0-9_]*$/, "a column name in lower case");

const tableSettings = z.strictObject({
  chunkInterval: intervalText
    .optional()
    .describe(
      "Time one chunk covers. Applies to new chunks. Small chunks compress badly; the newest one with its index should fit in a quarter of the memory",
    ),
  columnstore: z.boolean().optional().describe("Whether old chunks are turned into columns at all"),
  columnstoreAfter: intervalText.optional().describe("Age at which a chunk is turned into columns"),
  columnstoreSchedule: intervalText
    .optional()
    .describe("How often the columnstore job looks for such chunks"),
  segmentBy: z
    .array(columnName)
    .min(1)
    .optional()
    .meta({ unit: "columns", example: '["machine_id", "metric_id"]' })
    .describe("Columns that share a segment in the columnstore: what queries filter by, with many rows each"),
  orderBy: z
    .string()
    .regex(
      /^[a-z_][a-z0-9_]*( (ASC|DESC))?(, [a-z_][a-z0-9_]*( (ASC|DESC))?)*$/,
      'columns with ASC or DESC, separated by ", "',
    )
    .optional()
    .meta({ example: "ts DESC" })
    .describe("Order of rows inside a segment"),
  retention: intervalOr("keep").optional().describe("Age at which a chunk is deleted for good"),
  retentionSchedule: intervalText.optional().describe("How often the retention job looks for such chunks"),
  reorderIndex: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/, '"none", or the name of an index of the table')
    .optional()
    .meta({ unit: 'index or "none"', example: "oee_calculations_pkey" })
    .describe("Index by which finished chunks are rewritten while they are still rows"),
});

const aggregateSettings = z.strictObject({
  startOffset: intervalText.optional().describe("How far back a refresh looks for late or corrected rows"),
  endOffset: intervalText.optional().describe("How close to now a refresh comes; at least one bucket"),
  schedule: intervalText.optional().describe("How often it is refreshed"),
  realtime: z.boolean().optional().describe("Whether queries add what is not refreshed yet"),
  columnstoreAfter: intervalOr("never")
    .optional()
    .describe("Age at which the aggregate's chunks are turned into columns"),
  retention: intervalOr("keep").optional().describe("Age at which the aggregate's rows are deleted for good"),
});

export const configSchema = z.strictObject({
  environment: z
    .enum(environments)
    .optional()
    .describe("Whose defaults hold. Not needed for a stack that is named after its environment"),
  platform: z
    .enum(["none", "kubernetes", "azure"])
    .optional()
    .describe(
      "What the stack provisions below the database: nothing, a cluster in a Kubernetes it is given, or AKS with all around it",
    ),
  database: z
    .strictObject({
      edition: z
        .enum(["community", "apache"])
        .optional()
        .describe(
          "TimescaleDB edition expected. With `apache` columnstore, aggregates and policies are left out; another edition than the server's is refused",
        ),
      kind: z
        .enum(["embedded", "server"])
        .optional()
        .describe("The embedded TimescaleDB of `npm start`, or a real server"),
      host: z.string().min(1).optional().describe("Host name or address of the primary"),
      port: z
        .int()
        .min(1)
        .max(65_535)
        .optional()
        .meta({ unit: "TCP port", example: "5432" })
        .describe("Port of the primary"),
      name: z.string().min(1).max(63).optional().describe("Database"),
      user: z
        .string()
        .min(1)
        .max(63)
        .optional()
        .describe(
          "Role that creates roles and schemas; needs CREATEROLE and CREATE on the database, not superuser",
        ),
      password: z
        .string()
        .min(1)
        .optional()
        .meta({ secret: true })
        .describe("Its password. Set it with `pulumi config set --secret`"),
      tls: z
        .enum(tlsModes)
        .optional()
        .describe("As libpq's sslmode; anything but `verify-full` is refused outside loopback"),
      caFile: z
        .string()
        .min(1)
        .optional()
        .meta({ unit: "path" })
        .describe("PEM file of the CA that signed the server's certificate, when it is a private one"),
    })
    .optional(),
  kubernetes: z
    .strictObject({
      kubeconfig: z
        .string()
        .min(1)
        .optional()
        .meta({ unit: "path", example: "~/.kube/config" })
        .describe("Kubeconfig of the Kubernetes to deploy to. Without it KUBECONFIG, or ~/.kube/config"),
      context: z.string().min(1).optional().describe("Its context. Without it the current one"),
      apiServer: z
        .array(z.string().regex(/^(\d{1,3}\.){3}\d{1,3}:\d{1,5}$/, "an IPv4 address and a port"))
        .min(1)
        .optional()
        .meta({ unit: "addresses", example: '["10.0.0.4:443"]' })
        .describe(
          "Where its API server answers, as pods see it: what network policies let Patroni reach. Without it, read from the cluster",
        ),
      podNetwork: cidr
        .optional()
        .describe("Addresses of the cluster's pods: PostgreSQL lets nobody in from elsewhere"),
    })
    .optional(),
  cluster: z
    .strictObject({
      image: image.optional().describe("Image of the database pods; what it must have: docs/database.md"),
      members: z
        .int()
        .min(1)
        .max(9)
        .optional()
        .meta({ example: "3" })
        .describe(
          "Database pods: one primary, the others replicas. Fewer than 3 cannot survive the loss of one without stopping writes",
        ),
      cpu: quantity.optional().meta({ example: "4" }).describe("CPUs of each database pod"),
      memory: bytes
        .optional()
        .meta({ example: "16Gi" })
        .describe("Memory of each database pod; PostgreSQL's own settings follow from it"),
      dataVolume: bytes
        .optional()
        .meta({ example: "100Gi" })
        .describe("Volume of each member for data; can only grow"),
      walVolume: bytes
        .optional()
        .meta({ example: "20Gi" })
        .describe("Volume of each member for the write-ahead log; can only grow"),
      storageClass: z.string().min(1).optional().describe("Storage class of the data volumes"),
      walStorageClass: z
        .string()
        .min(1)
        .optional()
        .describe("Storage class of the write-ahead log's volumes"),
      maxConnections: z
        .int()
        .min(20)
        .max(1_000)
        .optional()
        .meta({ example: "200" })
        .describe("PostgreSQL's max_connections. Applications share a few of them through the pooler"),
      parameters: z
        .record(z.string().regex(/^[a-z_]+(\.[a-z_]+)?$/, "a PostgreSQL setting in lower case"), z.string())
        .optional()
        .meta({ unit: "settings", example: '{"statement_timeout": "60s"}' })
        .describe("PostgreSQL settings that replace the calculated ones"),
      silence: z
        .int()
        .min(2)
        .max(60)
        .optional()
        .meta({ unit: "seconds", example: "3" })
        .describe(
          "How long a primary may give no sign of life before the other members take its lock. Too short and a busy machine causes failovers; none of them loses a write",
        ),
      passwordVersion: z
        .int()
        .min(1)
        .optional()
        .meta({ example: "2" })
        .describe("Raise it to give the administrator and the pooler's console new passwords"),
      keyVersion: z
        .int()
        .min(1)
        .optional()
        .meta({ example: "2" })
        .describe("Raise it to give the CA and every certificate new keys"),
      recover: z
        .strictObject({
          to: z
            .string()
            .min(1)
            .optional()
            .meta({ unit: "target", example: "latest" })
            .describe("`latest`, a time with its offset (2026-11-22T10:15:00Z), or an LSN"),
          holdJobs: z
            .boolean()
            .optional()
            .describe("Whether TimescaleDB's jobs wait meanwhile, so that retention deletes nothing"),
        })
        .optional()
        .describe("A cluster without data begins from its backups instead of empty"),
    })
    .optional(),
  pooler: z
    .strictObject({
      image: image.optional().describe("Image with PgBouncer"),
      haproxyImage: image.optional().describe("Image with HAProxy, which finds the primary for PgBouncer"),
      replicas: z.int().min(2).max(10).optional().meta({ example: "2" }).describe("PgBouncer pods"),
      serverConnections: z
        .int()
        .min(10)
        .max(500)
        .optional()
        .meta({ example: "80" })
        .describe("Connections to PostgreSQL of all PgBouncer pods together"),
      clientConnections: z
        .int()
        .min(10)
        .max(10_000)
        .optional()
        .meta({ example: "1000" })
        .describe("Connections that clients may have to one PgBouncer pod"),
    })
    .optional(),
  backups: backupSchema.optional(),
  monitoring: monitoringSchema.optional(),
  azure: azureSchema.optional(),
  roles: z
    .strictObject({
      passwordVersion: z
        .int()
        .min(1)
        .optional()
        .meta({ example: "2" })
        .describe("Raise it to give every login role a new password"),
    })
    .optional(),
  timescaledb: z
    .strictObject({
      ...tableSettings.shape,
      tables: z
        .strictObject(
          Object.fromEntries(tableNames.map((name) => [name, tableSettings.optional()])) as Record<
            TableName,
            z.ZodOptional<typeof tableSettings>
          >,
        )
        .optional(),
      aggregates: z
        .strictObject(
          Object.fromEntries(aggregateNames.map((name) => [name, aggregateSettings.optional()])) as Record<
            AggregateName,
            z.ZodOptional<typeof aggregateSettings>
          >,
        )
        .optional(),
    })
    .optional(),
  migrations: z
    .strictObject({
      lockTimeout: intervalText
        .optional()
        .describe("How long a migration waits for another runner, and for a table lock, before it gives up"),
      statementTimeout: intervalText.optional().describe("How long one statement of a migration may take"),
    })
    .optional(),
  ingest: z
    .strictObject({
      earliest: z.iso
        .date()
        .optional()
        .meta({ unit: "date", example: "2000-01-01" })
        .describe("Samples before this day (UTC) are rejected"),
      futureTolerance: intervalText
        .optional()
        .describe("Samples further ahead of the clock than this are rejected"),
    })
    .optional(),
  destroy: z
    .strictObject({
      dropTelemetry: z
        .boolean()
        .optional()
        .describe("Whether `destroy` deletes telemetry. Without it schema and data stay when the stack goes"),
    })
    .optional(),
});
export type ConfigInput = z.infer<typeof configSchema>;
