/** Imports: an export becomes an empty database's content, all of it or nothing. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode, UserError } from "../../infra/errors";
import { aggregateNames, qualified } from "../../infra/schema/catalogue";
import { lockTables, tablesWithRows } from "../../infra/schema/migrations/guard";
import { withMigrationLock } from "../../infra/schema/migrations/lock";
import { positionAt, splitStatements } from "../../infra/schema/migrations/statements";
import {
  type Client,
  type ConnectionTarget,
  quoteName,
  withClient,
  withTransaction,
} from "../../infra/schema/postgres";
import type { Log } from "../log";
import { refreshAggregates } from "../start/maintenance";
import { appliedMigrations, exportedSchemas, readTables, requireTimescale } from "./catalogue";
import { copyFromFile, requireZstd, setSession } from "./copy";
import { explainFailure } from "./failure";
import { readManifest, verifyFiles } from "./folder";
import { type ImportPlan, planImport } from "./importPlan";
import type { ExportKind, Manifest, SequenceValue, StoredTable } from "./manifest";
import { patiently } from "./patiently";
import { isLedger } from "./tables";
import { takeTriggersOff } from "./triggers";

export interface ImportOptions {
  readonly folder: string;
  /** How long to wait for each lock, and for a migration that runs. */
  readonly lockTimeoutMs: number;
  readonly log: Log;
}

export interface ImportResult {
  readonly folder: string;
  readonly kind: ExportKind;
  /** Whether the schema came from the export or was there. */
  readonly schema: "made" | "there";
  readonly tables: number;
  readonly rows: number;
  readonly aggregatesRefreshed: boolean;
  readonly seconds: number;
}

/**
 * Restores an export into a database that holds no rows. Every file is compared with its SHA256 before anything is
 * written, and everything is written in one transaction.
 *
 * The login has to own the tables or be a member of who does, as the stack's administrator is.
 *
 * @throws UserError: refused for a damaged export, a database with rows, another schema and the embedded database;
 * failed when the database fails meanwhile, and then nothing of the import is left.
 */
export async function importDatabase(
  target: ConnectionTarget,
  { folder, lockTimeoutMs, log }: ImportOptions,
): Promise<ImportResult> {
  requireZstd();
  refuseEmbedded(target);
  const started = performance.now();
  const manifest = await readManifest(folder);
  log.info("Comparing every file with its SHA256");
  await patiently(log, "comparing", () => verifyFiles(folder, manifest));
  return withClient(
    target,
    async (client) => {
      await requireTimescale(client);
      const { plan, rows } = await withMigrationLock(client, lockTimeoutMs, async () => {
        const found = {
          tables: await readTables(client, await exportedSchemas(client)),
          migrations: await appliedMigrations(client),
        };
        const plan = planImport(manifest, found);
        const names = found.tables.map(({ name }) => name).filter((name) => !isLedger(name));
        await refuseRows(client, names);
        const rows = await explainFailure("the import failed, and nothing of it is left", () =>
          withTransaction(client, async () => {
            await setSession(client, lockTimeoutMs);
            // Whoever was faster than the locks is seen behind them.
            await lockTables(client, names);
            await refuseRows(client, names);
            return load(client, plan, manifest, { folder, log });
          }),
        );
        return { plan, rows };
      });
      const aggregatesRefreshed = await refreshWhereThere(client, log);
      return {
        folder,
        kind: manifest.kind,
        schema: plan.makesSchema ? "made" : "there",
        tables: plan.load.length,
        rows,
        aggregatesRefreshed,
        seconds: (performance.now() - started) / 1_000,
      };
    },
    "ms5 import",
  );
}

/** COPY FROM STDIN ends the embedded database, and row by row would take hours. */
function refuseEmbedded({ singleSession }: ConnectionTarget): void {
  if (!singleSession) return;
  throw new UserError("the embedded database takes no import: the COPY it would need ends it", {
    fix: "import into a server's database: a stack with database.kind server, or one with a cluster",
  });
}

async function refuseRows(client: Client, tables: readonly string[]): Promise<void> {
  const holding = await tablesWithRows(client, tables);
  if (holding.length === 0) return;
  throw new UserError(
    `the database is not empty: ${holding.join(", ")} ${holding.length === 1 ? "holds" : "hold"} rows`,
    { fix: "import into an empty database; an export is never mixed with what is there" },
  );
}

/** Returns how many rows there are now. */
async function load(
  client: Client,
  plan: ImportPlan,
  manifest: Manifest,
  { folder, log }: Pick<ImportOptions, "folder" | "log">,
): Promise<number> {
  if (plan.makesSchema && manifest.schema !== undefined) {
    log.info("Making the schema");
    await makeSchema(client, await readFile(join(folder, manifest.schema.file), "utf8"));
  }
  const names = plan.load.map(({ table }) => table);
  const putTriggersBack = await takeTriggersOff(client, names);
  for (const stored of plan.load) {
    await patiently(log, stored.table, async () => {
      await copyFromFile(client, stored, join(folder, stored.file));
      await checkRows(client, stored);
    });
    log.info(`${stored.table}: ${stored.rows.toLocaleString("en-US")} rows`);
  }
  for (const value of manifest.sequences)
    if ("sequence" in value.of || names.includes(value.of.table)) await setSequence(client, value);
  // A table with checks that are still to come takes no trigger.
  await client.query("SET CONSTRAINTS ALL IMMEDIATE");
  await putTriggersBack();
  await refreshMaterializedViews(client);
  return plan.load.reduce((sum, { rows }) => sum + rows, 0);
}

async function makeSchema(client: Client, sql: string): Promise<void> {
  for (const { text, offset } of splitStatements(sql)) {
    await client.query(text).catch((error: Error) => {
      throw new Error(`schema.sql, line ${positionAt(sql, offset).line}: ${error.message}`, { cause: error });
    });
  }
}

/** Counts what is there, not what was sent: what a trigger or a rule of the server's took away is missed here. */
async function checkRows(client: Client, { table, rows: wanted }: StoredTable): Promise<void> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM ${quoteName(table)}`,
  );
  const count = rows[0]?.count;
  if (count !== wanted) throw new Error(`${table} has ${count} rows, and its manifest says ${wanted}`);
}

async function setSequence(client: Client, { of, lastValue, isCalled }: SequenceValue): Promise<void> {
  const [name, values] =
    "sequence" in of
      ? ["$3", [quoteName(of.sequence)]]
      : ["pg_get_serial_sequence($3, $4)", [quoteName(of.table), of.column]];
  await client.query(`SELECT setval(${name}::regclass, $1::bigint, $2::boolean)`, [
    lastValue,
    isCalled,
    ...values,
  ]);
}

/** They were made before the rows they are of; in the order they were made, since one may read another. */
async function refreshMaterializedViews(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'm' AND n.nspname = ANY ($1) ORDER BY c.oid`,
    [await exportedSchemas(client)],
  );
  for (const { name } of rows) await client.query(`REFRESH MATERIALIZED VIEW ${name}`);
}

/** Where `up` has made the aggregates already, they know nothing of the rows: their policies look back some days only. */
async function refreshWhereThere(client: Client, log: Log): Promise<boolean> {
  const { rows } = await client.query<{ all: boolean }>(
    "SELECT bool_and(to_regclass(name) IS NOT NULL) AS all FROM unnest($1::text[]) AS name",
    [aggregateNames.map(qualified)],
  );
  if (rows[0]?.all !== true) return false;
  log.info("Refreshing the continuous aggregates");
  await refreshAggregates(client).catch((error: Error) => {
    throw new UserError(`the rows are imported, but the aggregates are not refreshed: ${error.message}`, {
      fix: "put right what the message says, then: CALL refresh_continuous_aggregate('NAME', NULL, NULL) for each",
      exitCode: ExitCode.failed,
      cause: error,
    });
  });
  return true;
}
