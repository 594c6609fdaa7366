/** Exports: a database's schema and rows, all as they were at one moment, as files that a manifest vouches for. */
import { UserError } from "../../infra/errors";
import type { ServerFacts } from "../../infra/schema/handlers/server";
import { type Client, type ConnectionTarget, quoteName, withClient } from "../../infra/schema/postgres";
import { bytes } from "../advise/chunkInterval";
import type { Log } from "../log";
import {
  appliedMigrations,
  exportedSchemas,
  readSequences,
  readTables,
  refuseUnsupported,
  requireTimescale,
} from "./catalogue";
import { copyToFile, requireZstd, selectRows, setSession } from "./copy";
import { explainFailure } from "./failure";
import { prepareFolder, writeText, writeWhole } from "./folder";
import {
  createManifest,
  type ExportKind,
  type Manifest,
  manifestName,
  type SequenceValue,
  type StoredTable,
} from "./manifest";
import { patiently } from "./patiently";
import { parseRange, type TimeRange } from "./range";
import { readSchema } from "./schemaSql";
import { chooseTables, type Table } from "./tables";

export interface ExportOptions {
  /** For the manifest. */
  readonly stack: string;
  readonly folder: string;
  readonly kind: ExportKind;
  /** Of kind `hypertable`: which one, and the times from (inclusive) and to (exclusive) that its rows are of. */
  readonly table?: string;
  readonly from?: string;
  readonly to?: string;
  /** How long to wait for the locks that keep tables and chunks from being dropped meanwhile. */
  readonly lockTimeoutMs: number;
  readonly log: Log;
}

export interface ExportResult {
  readonly folder: string;
  readonly kind: ExportKind;
  readonly snapshot: Manifest["snapshot"];
  readonly tables: number;
  readonly rows: number;
  /** Of all files but the manifest. */
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * Writes an export into a new folder. Memory does not grow with the tables.
 *
 * @throws UserError: refused for options that do not fit, a folder in use and what an export cannot hold; failed when
 * the database or the disk fails meanwhile, and then the folder has no manifest.
 */
export async function exportDatabase(
  target: ConnectionTarget,
  options: ExportOptions,
): Promise<ExportResult> {
  requireZstd();
  const range = readRange(options);
  const started = performance.now();
  const manifest = await withClient(
    target,
    async (client) => {
      const facts = await requireTimescale(client);
      const schemas = await exportedSchemas(client);
      await refuseUnsupported(client, schemas);
      const all = await readTables(client, schemas);
      const chosen = chooseTables(all, options.kind, options.table).map(
        (table): Chosen => ({
          table,
          select: selectRows(table, table.name === options.table ? range : {}),
        }),
      );
      if (target.singleSession) await refuseLarge(client, chosen);
      await prepareFolder(options.folder);
      return explainFailure("the export failed; what there is of it has no manifest", async () => {
        const written = await inSnapshot(client, chosen, options.lockTimeoutMs, async (snapshot) => {
          if (JSON.stringify(await readTables(client, schemas)) !== JSON.stringify(all))
            throw tablesChanged();
          return write(client, { facts, schemas, all, chosen, range, snapshot }, options);
        });
        await writeText(options.folder, manifestName, `${JSON.stringify(written, null, 2)}\n`);
        return written;
      });
    },
    "ms5 export",
  );
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return {
    folder: options.folder,
    kind: options.kind,
    snapshot: manifest.snapshot,
    tables: manifest.tables.length,
    rows: sum(manifest.tables.map(({ rows }) => rows)),
    bytes: sum([manifest.schema?.bytes ?? 0, ...manifest.tables.map((table) => table.bytes)]),
    seconds: (performance.now() - started) / 1_000,
  };
}

/** A table, and the SELECT of those of its rows that are wanted. */
interface Chosen {
  readonly table: Table;
  readonly select: string;
}

function readRange({ kind, table, from, to }: ExportOptions): TimeRange {
  const given = Object.entries({ table, from, to }).filter(([, value]) => value !== undefined);
  const [first] = given;
  if (kind !== "hypertable" && first !== undefined)
    throw new UserError(`--${first[0]} is for --kind hypertable, and this is kind ${kind}`, {
      fix: "add --kind hypertable, or leave it out",
    });
  return parseRange(from, to);
}

function tablesChanged(): UserError {
  return new UserError("the tables were changed while the export began", { fix: "run it again" });
}

/** The embedded database keeps the whole answer to a COPY in its memory; one of 2 GB was seen to end it. */
const embeddedLimit = 2 ** 30;

async function refuseLarge(client: Client, chosen: readonly Chosen[]): Promise<void> {
  for (const { table, select } of chosen) {
    const { rows } = await client.query<{ size: number }>(
      `SELECT coalesce(sum(octet_length(rows::text)), 0)::float8 AS size FROM (${select}) AS rows`,
    );
    const size = rows[0]?.size ?? 0;
    if (size > embeddedLimit)
      throw new UserError(
        `${table.name} is ${bytes(size)} of text, and the embedded database can hand out ${bytes(embeddedLimit)} at once`,
        { fix: "export it in parts: --kind hypertable --table … --from … --to …" },
      );
  }
}

/**
 * Runs `work` in a transaction that sees one moment. The locks come before it: a chunk that retention drops behind
 * that moment would be missing from it without a trace. They let everything through but DDL, and so also hold up jobs
 * that drop chunks or turn them into columns.
 */
async function inSnapshot<T>(
  client: Client,
  chosen: readonly Chosen[],
  lockTimeoutMs: number,
  work: (snapshot: Manifest["snapshot"]) => Promise<T>,
): Promise<T> {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  try {
    // Nothing that would take the snapshot may come before the locks: SET does not, SELECT does.
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    const names = chosen.map(({ table }) => quoteName(table.name)).join(", ");
    if (names !== "") await client.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`);
    const { rows } = await client.query<{ at: Date; lsn: string }>(
      `SELECT clock_timestamp() AS at,
              CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS lsn`,
    );
    const [moment] = rows;
    if (moment === undefined) throw new Error("the server does not say where its log stands");
    await setSession(client, lockTimeoutMs);
    return await work({ at: moment.at.toISOString(), lsn: moment.lsn });
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
}

interface Content {
  readonly facts: ServerFacts;
  readonly schemas: readonly string[];
  /** Every table of the database; the schema is always whole. */
  readonly all: readonly Table[];
  readonly chosen: readonly Chosen[];
  readonly range: TimeRange;
  readonly snapshot: Manifest["snapshot"];
}

async function write(client: Client, content: Content, options: ExportOptions): Promise<Manifest> {
  const { kind, folder, log } = options;
  const schema = await readSchema(client, content.schemas, content.all);
  const tables: StoredTable[] = [];
  for (const chosen of content.chosen) tables.push(await writeTable(client, chosen, options));
  log.info(`${tables.length} tables, as they were at ${content.snapshot.at}`);
  return createManifest({
    kind,
    stack: options.stack,
    server: content.facts,
    snapshot: content.snapshot,
    ...(options.table === undefined ? {} : { range: { table: options.table, ...content.range } }),
    ...(kind === "data" ? {} : { schema: await writeText(folder, "schema.sql", schema.sql) }),
    migrations: await appliedMigrations(client),
    tables,
    sequences: (await readSequences(client, content.schemas)).filter((value) => belongs(value, tables, kind)),
    notExported: {
      continuousAggregates: [...schema.continuousAggregates],
      views: [...schema.views],
      why:
        "Continuous aggregates are derived: up makes them again from the rows that are here, and views above them are " +
        "to be made again behind that. What an aggregate remembers of rows that retention has dropped is in no logical " +
        "export; physical backups have it.",
    },
  });
}

async function writeTable(
  client: Client,
  { table, select }: Chosen,
  { folder, log }: ExportOptions,
): Promise<StoredTable> {
  const file = `${encodeURIComponent(table.name)}.csv.zst`;
  const stored = await patiently(log, table.name, () =>
    writeWhole(folder, file, (path) => copyToFile(client, select, path)),
  );
  log.info(`${table.name}: ${stored.rows.toLocaleString("en-US")} rows, ${bytes(stored.bytes)}`);
  return { table: table.name, file, columns: [...table.columns], ...stored };
}

/** A sequence of no column belongs to the database as a whole. */
function belongs({ of }: SequenceValue, tables: readonly StoredTable[], kind: ExportKind): boolean {
  if ("sequence" in of) return kind === "full" || kind === "data";
  return tables.some(({ table }) => table === of.table);
}
