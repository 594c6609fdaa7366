/** A table's rows of a time, brought back from a restored clone into the database that has lost them. */
import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import { UserError } from "../../infra/errors";
import {
  type Client,
  type ConnectionTarget,
  describeTarget,
  quoteName,
  withClient,
  withTransaction,
} from "../../infra/schema/postgres";
import { exportedSchemas, readTables, requireTimescale } from "../export/catalogue";
import { columnList, copyOut, selectRows, setSession } from "../export/copy";
import { explainFailure } from "../export/failure";
import { parseRange } from "../export/range";
import { differingColumns, type Table } from "../export/tables";

export interface CopyBackOptions {
  /** Schema-qualified, unquoted. */
  readonly table: string;
  /** From (inclusive) and to (exclusive), with a zone; open where missing. A table that is no hypertable is copied whole. */
  readonly from?: string;
  readonly to?: string;
}

export interface CopyBackResult {
  /** Rows of the source in the range. */
  readonly read: number;
  readonly inserted: number;
  /** Those whose key, or who themselves where the table has none, the destination has. They stay as they are. */
  readonly alreadyThere: number;
}

/** Of the connections, for whoever looks at the servers meanwhile. */
const name = "ms5 copy back";

/** How long to wait for a lock that a writer of the destination's schema holds. */
const lockTimeoutMs = 30_000;

/**
 * Copies rows from `source` into the same table of `destination`, in one transaction there. Doing it twice adds nothing.
 * Nothing of the destination is changed or removed, and its triggers see the rows come.
 *
 * The login has to be allowed what the table's owner is, as the stack's administrator is.
 *
 * @param tell gets a line for each step
 * @throws UserError: refused for a table or a range that is not there, for differing columns and for the embedded
 * database; failed when a database fails meanwhile, and then the destination has none of the rows.
 */
export async function copyBack(
  source: ConnectionTarget,
  destination: ConnectionTarget,
  { table, from, to }: CopyBackOptions,
  tell: (line: string) => void,
): Promise<CopyBackResult> {
  if (destination.singleSession)
    throw new UserError("the embedded database takes no copy: the COPY it would need ends it", {
      fix: "copy into a server's database",
    });
  const range = parseRange(from, to);
  const inBoth = <T>(work: (reader: Client, writer: Client) => Promise<T>): Promise<T> =>
    withClient(source, (reader) => withClient(destination, (writer) => work(reader, writer), name), name);
  return inBoth(async (reader, writer) => {
    const [here, there] = [await find(reader, source, table), await find(writer, destination, table)];
    refuseDifference(here, there);
    const [wanted, present] = [selectRows(here, range), selectRows(there, range)];
    return explainFailure("nothing was copied", () =>
      withTransaction(writer, async () => {
        await setSession(writer, lockTimeoutMs);
        await oneAtATime(writer, table);
        tell(`Reading ${table} from ${describeTarget(source)}`);
        const read = await stage(reader, writer, here, wanted);
        tell(`${read.toLocaleString("en-US")} rows read; adding those that are missing`);
        const inserted = await insertMissing(writer, there, present);
        return { read, inserted, alreadyThere: read - inserted };
      }),
    );
  });
}

function refuseDifference(here: Table, there: Table): void {
  const differing = differingColumns(here.columns, there.columns);
  if (differing.length === 0) return;
  throw new UserError(
    `${here.name} has other columns in the source than in the destination: ${differing.join(", ")}`,
    { fix: "bring both to the same migrations first" },
  );
}

async function find(client: Client, target: ConnectionTarget, table: string): Promise<Table> {
  await requireTimescale(client);
  const found = (await readTables(client, await exportedSchemas(client))).find(({ name }) => name === table);
  if (found !== undefined) return found;
  throw new UserError(`there is no table ${table} in ${describeTarget(target)}`, {
    fix: "name it with its schema, e.g. factory_telemetry.metric_hist",
  });
}

/** Two copies of a table without a key would not see each other's rows. Writers are not held up. */
async function oneAtATime(client: Client, table: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('ms5 copy back ' || $1, 0))", [table]);
}

const staged = "pg_temp.ms5_copy_back";

/** Streams rows into a temporary table. Binary: both sides have the same types, and no value is worded anew. */
async function stage(reader: Client, writer: Client, table: Table, select: string): Promise<number> {
  const columns = columnList(table.columns);
  await writer.query(
    `CREATE TEMPORARY TABLE ms5_copy_back ON COMMIT DROP AS SELECT ${columns} FROM ${quoteName(table.name)} WITH NO DATA`,
  );
  return withTransaction(reader, async () => {
    await setSession(reader, lockTimeoutMs);
    const rows = writer.query(copyFrom(`COPY ${staged} (${columns}) FROM STDIN (FORMAT binary)`));
    await copyOut(reader, `COPY (${select}) TO STDOUT (FORMAT binary)`, (from) => pipeline(from, rows));
    return rows.rowCount;
  });
}

/**
 * Of a table without a key, as many of equal rows as the source has more.
 *
 * @param present selects what the destination has of the range
 */
async function insertMissing(client: Client, table: Table, present: string): Promise<number> {
  // Looking for keys in the columnstore turns columns back into rows; by default not many.
  await client.query("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0");
  const columns = columnList(table.columns);
  const but = (await hasKey(client, table)) ? "" : ` EXCEPT ALL ${present}`;
  const { rowCount } = await client.query(
    `INSERT INTO ${quoteName(table.name)} (${columns}) OVERRIDING SYSTEM VALUE
     SELECT ${columns} FROM ${staged}${but} ON CONFLICT DO NOTHING`,
  );
  return rowCount ?? 0;
}

/** Whether the server itself keeps every row from being there twice. */
async function hasKey(client: Client, { name }: Table): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_index WHERE indrelid = $1::regclass AND indisunique AND indisvalid AND indpred IS NULL
       -- NULLs differ from each other, and an expression may yield one.
       AND NOT EXISTS (SELECT FROM unnest(indkey) AS k (attnum) LEFT JOIN pg_attribute a
                       ON a.attrelid = indrelid AND a.attnum = k.attnum WHERE a.attnotnull IS NOT TRUE)`,
    [quoteName(name)],
  );
  return (rowCount ?? 0) > 0;
}
