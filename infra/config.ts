import { z } from "zod";
import {
  type AggregateSettingsText,
  aggregateDefaults,
  type Environment,
  environmentDefaults,
  environments,
  type TableSettingsText,
  tableDefaults,
} from "./environments";
import { UserError } from "./errors";
import {
  type AggregateName,
  aggregateNames,
  aggregates,
  type TableName,
  tableNames,
} from "./schema/catalogue";
import { type ConnectionTarget, tlsModes } from "./schema/postgres";
import { type Interval, intervalUnits, parseInterval } from "./units";

/** Pulumi's namespace of our keys: the project's name. */
export const configNamespace = "ms5-timescale";

// ---------------------------------------------------------------------------------------------------------------
// What may be written. Everything is optional: defaults come from environments.ts, so that a stack's file is short.

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

// ---------------------------------------------------------------------------------------------------------------
// What the program works with: everything decided.

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
    input[key] = /^\s*[[{]/.test(text) ? JSON.parse(text) : text;
  }
  return input;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** One key of the configuration that can be set: for environment variables, error messages and docs/config.md. */
export interface ConfigLeaf {
  readonly path: readonly string[];
  readonly key: string;
  readonly environmentVariable: string;
  readonly type: "string" | "boolean" | "integer" | "array";
  readonly description: string;
  readonly allowed: string;
  readonly example: string | undefined;
  readonly secret: boolean;
}

interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  description?: string;
  enum?: string[];
  unit?: string;
  example?: string;
  secret?: boolean;
}

/** Every key that can be set, in the order of the schema. */
export function configLeaves(): ConfigLeaf[] {
  const leaves: ConfigLeaf[] = [];
  const walk = (schema: JsonSchema, path: string[]): void => {
    if (schema.properties !== undefined) {
      for (const [name, child] of Object.entries(schema.properties)) walk(child, [...path, name]);
      return;
    }
    leaves.push({
      path,
      key: path.join("."),
      environmentVariable: `MS5_${path.map(screamingSnake).join("_")}`,
      type: schema.type as ConfigLeaf["type"],
      description: schema.description ?? "",
      allowed: schema.enum?.map((value) => `\`${value}\``).join(", ") ?? schema.unit ?? schema.type ?? "",
      example: schema.example ?? schema.enum?.[0] ?? (schema.type === "boolean" ? "true" : undefined),
      secret: schema.secret ?? false,
    });
  };
  walk(z.toJSONSchema(configSchema, { unrepresentable: "any" }) as JsonSchema, []);
  return leaves;
}

function screamingSnake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

function applyEnvironmentVariables(
  input: Record<string, unknown>,
  env: Readonly<Record<string, string | undefined>>,
  fromEnv: Map<string, string>,
): void {
  const leaves = new Map(configLeaves().map((leaf) => [leaf.environmentVariable, leaf]));
  const sections = Object.keys(configSchema.shape).map((section) => `MS5_${screamingSnake(section)}_`);
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined) continue;
    const leaf = leaves.get(name);
    if (leaf !== undefined) {
      setPath(input, leaf.path, readText(text, leaf.type));
      fromEnv.set(leaf.key, name);
    } else if (sections.some((section) => name.startsWith(section))) {
      throw new UserError(`the environment variable ${name} stands for no key of the configuration`, {
        fix: "unset it, or correct its name: docs/config.md lists them all",
      });
    }
  }
}

/** An environment variable is text; numbers, booleans and lists are read as such where the key wants one. */
function readText(text: string, type: ConfigLeaf["type"]): unknown {
  if (type === "integer" && /^\d+$/.test(text)) return Number(text);
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  if (type === "array") return text.split(",").map((item) => item.trim());
  return text;
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const child = target[head];
  const next = typeof child === "object" && child !== null ? { ...child } : {};
  target[head] = next;
  setPath(next as Record<string, unknown>, rest, value);
}

// ---------------------------------------------------------------------------------------------------------------

function resolve(stack: string, input: ConfigInput): StackConfig {
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
  const database = { ...defaults.database, ...defined(input.database ?? {}) };
  const { tables, aggregates: aggregateInput, ...allTables } = input.timescaledb ?? {};
  return {
    stack,
    environment,
    platform: input.platform ?? defaults.platform,
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
      aggregateSettingsOf({ ...own, ...aggregateInput?.[name] }),
    ),
    migrations: {
      lockTimeout: required(input.migrations?.lockTimeout ?? "30 seconds"),
      statementTimeout: required(input.migrations?.statementTimeout ?? "10 minutes"),
    },
    ingest: {
      earliest: input.ingest?.earliest ?? "2000-01-01",
      futureTolerance: required(input.ingest?.futureTolerance ?? "1 day"),
    },
    destroy: { dropTelemetry: input.destroy?.dropTelemetry ?? false },
  };
}

/** Laying optional settings over complete ones leaves them complete; undefined never overwrites. */
type Layered<T> = { [K in keyof T]: T[K] | undefined };

function tableSettingsOf(text: Layered<TableSettingsText>): TableSettings {
  return {
    chunkInterval: required(text.chunkInterval),
    columnstore: text.columnstore ?? true,
    columnstoreAfter: required(text.columnstoreAfter),
    columnstoreSchedule: required(text.columnstoreSchedule),
    segmentBy: text.segmentBy ?? [],
    orderBy: text.orderBy ?? "ts DESC",
    retention: parseInterval(text.retention ?? ""),
    retentionSchedule: required(text.retentionSchedule),
    reorderIndex: text.reorderIndex === "none" ? undefined : text.reorderIndex,
  };
}

function aggregateSettingsOf(text: Layered<AggregateSettingsText>): AggregateSettings {
  return {
    startOffset: required(text.startOffset),
    endOffset: required(text.endOffset),
    schedule: required(text.schedule),
    realtime: text.realtime ?? true,
    columnstoreAfter: parseInterval(text.columnstoreAfter ?? ""),
    retention: parseInterval(text.retention ?? ""),
  };
}

/** The schema has refused every text that does not parse, and every setting has a default. */
function required(text: string | undefined): Interval {
  const parsed = parseInterval(text ?? "");
  if (parsed === undefined) throw new Error(`not an interval: ${text}`);
  return parsed;
}

/** zod's optional keys may be present and undefined; spreading those would erase a default. */
function defined<T extends object>(input: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
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

// ---------------------------------------------------------------------------------------------------------------

interface Problem {
  readonly key: string;
  /** undefined when nothing was written and the default is part of the problem. */
  readonly found: unknown;
  readonly problem: string;
  readonly example?: string | undefined;
}

/** What no single key shows: combinations that would lose history or never do what they say. */
export function checkConfig(config: StackConfig): Problem[] {
  const problems: Problem[] = [];
  const refuse = (key: string, found: string, problem: string, example: string) => {
    problems.push({ key: `timescaledb.${key}`, found, problem, example });
  };

  for (const name of tableNames) {
    const { chunkInterval, columnstore, columnstoreAfter, retention } = config.tables[name];
    if (retention === undefined) continue;
    if (columnstore && retention.seconds <= columnstoreAfter.seconds) {
      refuse(
        `tables.${name}.retention`,
        retention.text,
        `must be longer than columnstoreAfter (${columnstoreAfter.text}): chunks would be deleted before they are ever turned into columns`,
        "90 days",
      );
    }
    if (retention.seconds < chunkInterval.seconds) {
      refuse(
        `tables.${name}.chunkInterval`,
        chunkInterval.text,
        `must not be longer than retention (${retention.text}): retention deletes whole chunks, so rows would stay up to ${chunkInterval.text} longer`,
        "1 day",
      );
    }
  }

  for (const name of aggregateNames) {
    const { source, bucket } = aggregates[name];
    const { startOffset, endOffset, columnstoreAfter, retention } = config.aggregates[name];
    const key = `aggregates.${name}`;
    const bucketSeconds = required(bucket).seconds;
    const sourceRetention = isTable(source)
      ? config.tables[source].retention
      : config.aggregates[source].retention;
    if (sourceRetention !== undefined && startOffset.seconds > sourceRetention.seconds) {
      refuse(
        `${key}.startOffset`,
        startOffset.text,
        `must not be longer than the retention of ${source} (${sourceRetention.text}): a refresh over rows that retention has deleted would erase the aggregate's history of them`,
        sourceRetention.text,
      );
    }
    if (endOffset.seconds < bucketSeconds) {
      refuse(
        `${key}.endOffset`,
        endOffset.text,
        `must be at least one bucket (${bucket}): a bucket that is not over must not be materialised`,
        bucket,
      );
    }
    if (startOffset.seconds - endOffset.seconds < 2 * bucketSeconds) {
      refuse(
        `${key}.startOffset`,
        startOffset.text,
        `must be at least two buckets (of ${bucket}) longer than endOffset (${endOffset.text})`,
        "8 days",
      );
    }
    if (columnstoreAfter !== undefined && columnstoreAfter.seconds < startOffset.seconds) {
      refuse(
        `${key}.columnstoreAfter`,
        columnstoreAfter.text,
        `must not be shorter than startOffset (${startOffset.text}): refreshes would keep writing to columns`,
        startOffset.text,
      );
    }
    if (retention !== undefined && retention.seconds <= startOffset.seconds) {
      refuse(
        `${key}.retention`,
        retention.text,
        `must be longer than startOffset (${startOffset.text}): each refresh would bring back what retention deletes`,
        "1 year",
      );
    }
  }

  const { target } = config.database;
  if (target !== undefined && target.tls !== "verify-full" && !isLoopback(target.host)) {
    problems.push({
      key: "database.tls",
      found: target.tls,
      problem: `must be verify-full for ${target.host}: without it anyone on the way can read or be the database`,
      example: "verify-full",
    });
  }
  if (config.database.kind === "embedded" && target !== undefined && !isLoopback(target.host)) {
    problems.push({
      key: "database.host",
      found: target.host,
      problem: "the embedded database listens on loopback only",
      example: "127.0.0.1",
    });
  }
  return problems;
}

function isTable(name: string): name is TableName {
  return tableNames.some((table) => table === name);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const siblings = siblingKeys(issue.path);
    return issue.keys.map((key) => ({
      key: [...issue.path, key].join("."),
      found: undefined,
      problem: `no such key; ${issue.path.length === 0 ? "there are" : `under ${issue.path.join(".")} there are`}: ${siblings.join(", ")}`,
    }));
  }
  const key = issue.path.join(".");
  const leaf = configLeaves().find((candidate) => candidate.key === key);
  const allowed =
    issue.code === "custom" || issue.code === "invalid_format"
      ? issue.message
      : leaf === undefined
        ? issue.message
        : leaf.allowed || issue.message;
  const range = issue.code === "too_big" || issue.code === "too_small" ? ` (${issue.message})` : "";
  return [
    {
      key,
      found: leaf?.secret === true ? "[secret]" : valueAt(input, issue.path),
      problem: `allowed: ${allowed}${range}`,
      example: leaf?.example,
    },
  ];
}

function siblingKeys(path: readonly PropertyKey[]): string[] {
  const depth = path.length;
  const names = configLeaves()
    .filter((leaf) => path.every((part, index) => leaf.path[index] === part))
    .map((leaf) => leaf.path[depth]);
  return [...new Set(names.filter((name) => name !== undefined))];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
}

function configError(
  stack: string,
  problems: Problem[],
  fromEnv: ReadonlyMap<string, string> = new Map(),
): UserError {
  const lines = problems.map(({ key, found, problem, example }) => {
    const origin = fromEnv.get(key);
    const where =
      origin === undefined ? `${configNamespace}:${key}` : `${configNamespace}:${key} (from ${origin})`;
    const value = found === undefined ? "" : ` is ${JSON.stringify(found)};`;
    const remedy =
      origin !== undefined
        ? `\n      set ${origin}='${example ?? "…"}', or unset it`
        : example === undefined
          ? `\n      pulumi config rm --stack ${stack} --path '${configNamespace}:${key}'`
          : `\n      pulumi config set --stack ${stack} --path '${configNamespace}:${key}' '${example}'`;
    return `  ${where}${value} ${problem}${remedy}`;
  });
  return new UserError(`the configuration of stack "${stack}" is refused:\n${lines.join("\n")}`, {
    fix: `correct Pulumi.${stack}.yaml, with the commands above or by hand (reference: docs/config.md)`,
  });
}
