/** What may be written about backups: where they go, when they are made, how long they are kept. */
import { z } from "zod";
import { parseBytes } from "../database/quantity";
import { parseInterval } from "../units";

const cron = z
  .string()
  .regex(/^(never|\S+ \S+ \S+ \S+ \S+)$/, '"never", or five fields as cron has them, e.g. 0 2 * * 0')
  .meta({ unit: 'cron, UTC, or "never"' });

const bytes = z
  .string()
  .refine((text) => parseBytes(text) !== undefined, { message: "a Kubernetes quantity of bytes, e.g. 4Gi" })
  .meta({ unit: "bytes" });

const store = z.strictObject({
  account: z.string().min(1).optional().describe("Storage account"),
  container: z.string().min(1).optional().describe("Container in it; it must be there"),
  endpoint: z
    .string()
    .min(1)
    .optional()
    .meta({ unit: "host", example: "blob.core.windows.net" })
    .describe("Host of the storage, without the account"),
  port: z.int().min(1).max(65_535).optional().meta({ unit: "TCP port", example: "443" }).describe("Its port"),
  pathStyle: z
    .boolean()
    .optional()
    .describe("Whether the account is part of the path, not of the host name: Azurite and its like"),
  ca: z
    .string()
    .startsWith("-----BEGIN CERTIFICATE-----", "a certificate as PEM text")
    .optional()
    .meta({ unit: "PEM" })
    .describe("CA that signed the storage's certificate, when it is a private one"),
  addresses: z
    .array(z.cidrv4())
    .min(1)
    .optional()
    .meta({ unit: "IPv4 networks", example: '["10.0.0.9/32"]' })
    .describe("Where the storage answers: network policies let pods reach it there and nowhere else"),
  keyType: z
    .enum(["auto", "sas", "shared"])
    .optional()
    .describe(
      "`auto`: the nodes' managed identity; `sas`: a token with few rights and an end; `shared`: the account's key",
    ),
  key: z
    .string()
    .min(1)
    .optional()
    .meta({ secret: true })
    .describe("The SAS token or the account's key. Set it with `pulumi config set --secret`"),
});
export type StoreInput = z.infer<typeof store>;

export const backupSchema = z.strictObject({
  storage: store.optional(),
  secondStorage: store.optional().describe("Where each backup goes a second time"),
  path: z
    .string()
    .regex(/^\/[a-z0-9][a-z0-9/_-]*$/, "an absolute path in lower case, e.g. /prod")
    .optional()
    .meta({ unit: "path", example: "/prod" })
    .describe("Folder of this database in the container. Without it, the stack's name"),
  encryptionKey: z
    .string()
    .min(20, "at least 20 characters")
    .optional()
    .meta({ secret: true })
    .describe(
      "Encrypts backups before they leave the pod. Without it one is made, and kept in the key vault on Azure",
    ),
  full: cron.optional().meta({ example: "0 2 * * 0" }).describe("When a full backup is made"),
  differential: cron
    .optional()
    .meta({ example: "0 2 * * 1-6" })
    .describe("When what has changed since the last full backup is stored"),
  incremental: cron
    .optional()
    .meta({ example: "0 8,14,20 * * *" })
    .describe("When what has changed since the last backup of any kind is stored"),
  drill: cron
    .optional()
    .meta({ example: "0 4 * * 3" })
    .describe("When the newest backup is restored, and compared with the database"),
  maxAge: z
    .string()
    .refine((text) => parseInterval(text) !== undefined, { message: 'like "13 hours"' })
    .optional()
    .meta({ unit: "interval", example: "13 hours" })
    .describe(
      "Age of the newest backup from which on something is wrong: longer than any gap in the schedules",
    ),
  keepFull: z
    .int()
    .min(1)
    .max(520)
    .optional()
    .meta({ unit: "backups", example: "4" })
    .describe(
      "Full backups that are kept, with all that depends on them: with one a week, as many weeks in which any point in time can be restored",
    ),
  keepDifferential: z
    .int()
    .min(1)
    .max(520)
    .optional()
    .meta({ unit: "backups", example: "7" })
    .describe("Differential backups that are kept"),
  archiveTimeout: z
    .string()
    .refine((text) => parseInterval(text) !== undefined, { message: 'like "60 seconds"' })
    .optional()
    .meta({ unit: "interval", example: "60 seconds" })
    .describe("How long a write waits at most until it is sent to the archive: what a lost cluster may lose"),
  queueMax: bytes
    .optional()
    .meta({ example: "8Gi" })
    .describe(
      "Log that may wait while the storage is away; with more, all that waits is given up, and points in time until the next backup with it. Without it half of the log's volume",
    ),
  processes: z
    .int()
    .min(1)
    .max(16)
    .optional()
    .meta({ example: "1" })
    .describe("Processes that compress and send a backup"),
  bandwidth: bytes
    .optional()
    .meta({ unit: "bytes a second", example: "100Mi" })
    .describe("How fast a backup reads the volume at most"),
  cloneVolume: bytes
    .optional()
    .meta({ example: "200Gi" })
    .describe("Volume that a clone or a drill is restored to. Without it as large as the data's"),
});
export type BackupInput = z.infer<typeof backupSchema>;
