/** Keeps an undo from taking telemetry with it: which tables hold rows, and which tables a file really took. */
import { UserError } from "../../errors";
import { type Client, quoteName } from "../postgres";
import type { SqlFile } from "./files";

/** Those of `tables` that exist, with quoted names. */
async function existing(client: Client, tables: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS t (name, place) WHERE to_regclass(name) IS NOT NULL ORDER BY place",
    [tables.map(quoteName)],
  );
  return rows.map(({ name }) => name);
}

/** The continuous aggregates over a table, and those over them: they go with it, and may hold what it no longer does. */
async function aggregatesOver(client: Client, tables: readonly string[]): Promise<string[]> {
  const views = await existing(client, ["timescaledb_information.continuous_aggregates"]);
  if (views.length === 0) return [];
  const { rows } = await client.query<{ name: string }>(
    `WITH RECURSIVE aggregate AS (
       SELECT quote_ident(hypertable_schema) || '.' || quote_ident(hypertable_name) AS source,
              quote_ident(materialization_hypertable_schema) || '.' || quote_ident(materialization_hypertable_name) AS store,
              quote_ident(view_schema) || '.' || quote_ident(view_name) AS name
       FROM timescaledb_information.continuous_aggregates
     ), above AS (
       SELECT name, store FROM aggregate WHERE source = ANY ($1)
       UNION
       -- The source of an aggregate over an aggregate is given as the lower one's store or view, by version.
       SELECT aggregate.name, aggregate.store FROM aggregate JOIN above ON aggregate.source IN (above.store, above.name)
     )
     SELECT name FROM above ORDER BY name COLLATE "C"`,
    [tables],
  );
  return rows.map(({ name }) => name);
}

/** Those of `tables` (schema.table), and of the aggregates over them, that exist and hold at least one row. */
export async function tablesWithRows(client: Client, tables: readonly string[]): Promise<string[]> {
  const holding: string[] = [];
  for (const table of [...(await existing(client, tables)), ...(await aggregatesOver(client, tables))]) {
    const { rows } = await client.query<{ any: boolean }>(`SELECT EXISTS (SELECT FROM ${table}) AS any`);
    if (rows[0]?.any === true) holding.push(table.replaceAll('"', ""));
  }
  return holding;
}

/** Keeps writers out of the tables until the transaction ends, so that "holds no rows" stays true. */
export async function lockTables(client: Client, tables: readonly string[]): Promise<void> {
  for (const table of await existing(client, tables))
    await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
}

/** @throws UserError (refused) when `tables` is not empty. */
export function refuseRows(tables: readonly string[]): void {
  if (tables.length === 0) return;
  throw new UserError(
    `undoing would drop rows: ${tables.join(", ")} ${tables.length === 1 ? "holds" : "hold"} data`,
    { fix: "back the data up, then add --drop-data if it may go" },
  );
}

/** Every column of every table that holds people's data, as `table oid/column number` → schema.table. */
export type Columns = ReadonlyMap<string, string>;

export async function listColumns(client: Client): Promise<Columns> {
  const { rows } = await client.query<{ key: string; name: string }>(`
    SELECT c.oid || '/' || a.attnum AS key, n.nspname || '.' || c.relname AS name
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|_timescaledb_|ms5$)'`);
  return new Map(rows.map(({ key, name }) => [key, name]));
}

/**
 * Holds an undo file to what its header says: a table it drops, or drops columns of, without naming it would be
 * dropped without anyone having looked for rows.
 *
 * @throws UserError naming the tables.
 */
export function refuseUndeclared(file: SqlFile, before: Columns, after: Columns): void {
  const declared = new Set(file.drops);
  const undeclared = new Set<string>();
  for (const [key, table] of before) if (!after.has(key) && !declared.has(table)) undeclared.add(table);
  if (undeclared.size === 0) return;
  const names = [...undeclared].sort().join(", ");
  throw new UserError(`${file.file} drops ${names}, or columns of it, without saying so in its header`, {
    fix: `add the line \`-- ms5: drops ${names}\` to ${file.file}, so that rows are looked for first`,
  });
}
