/** What is in a database that an export or an import has to know, from the catalogue alone. */
import { UserError } from "../../infra/errors";
import { type ServerFacts, serverFacts } from "../../infra/schema/handlers/server";
import { notOfExtension, ownSchemas } from "../../infra/schema/migrations/dumpCatalog";
import { ledgerExists, readLedger } from "../../infra/schema/migrations/ledger";
import { type Client, quoteName } from "../../infra/schema/postgres";
import type { Manifest, SequenceValue } from "./manifest";
import type { Column, Table } from "./tables";

/** @throws UserError when the database has no TimescaleDB */
export async function requireTimescale(client: Client): Promise<ServerFacts> {
  const facts = await serverFacts(client);
  if (facts !== undefined) return facts;
  throw new UserError("the database has no TimescaleDB", {
    fix: "name the right database, or run there: CREATE EXTENSION timescaledb",
  });
}

/** Schemas of people, and the migration ledger's. */
export async function exportedSchemas(client: Client): Promise<string[]> {
  return [...(await ownSchemas(client)), ...((await ledgerExists(client)) ? ["ms5"] : [])];
}

/** By number. */
export async function appliedMigrations(client: Client): Promise<Manifest["migrations"]> {
  const rows = await readLedger(client);
  return rows.filter(({ state }) => state === "applied").map(({ file, sha256 }) => ({ file, sha256 }));
}

/** Relations in the schemas $1. */
const ourRelations = `
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1) AND c.relpersistence <> 't' AND ${notOfExtension("c.oid", "pg_class")}`;

/** Ordinary tables and hypertables by name; chunks are read through their hypertable. Needs TimescaleDB. */
export async function readTables(client: Client, schemas: readonly string[]): Promise<Table[]> {
  const { rows } = await client.query<Omit<Table, "time"> & { time: Column | null }>(
    `SELECT concat(n.nspname, '.', c.relname) AS name,
            (SELECT json_build_object('name', d.column_name, 'type', d.column_type)
               FROM timescaledb_information.dimensions d
              WHERE d.hypertable_schema = n.nspname AND d.hypertable_name = c.relname
                AND d.dimension_number = 1) AS time,
            (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
                                      ORDER BY a.attnum), '[]')
               FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
            ARRAY(SELECT DISTINCT concat(rn.nspname, '.', r.relname)
                    FROM pg_constraint k JOIN pg_class r ON r.oid = k.confrelid
                    JOIN pg_namespace rn ON rn.oid = r.relnamespace
                   WHERE k.conrelid = c.oid AND k.contype = 'f' AND r.oid <> c.oid) AS references
     ${ourRelations} AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
    [schemas],
  );
  return rows.map(({ time, ...table }) => ({ ...table, ...(time === null ? {} : { time }) }));
}

/**
 * Where every sequence stands now. Sequences know no snapshots: one that is read behind its table stands at or beyond
 * what the table holds, which is where it has to stand.
 */
export async function readSequences(client: Client, schemas: readonly string[]): Promise<SequenceValue[]> {
  const { rows: sequences } = await client.query<{
    name: string;
    table: string | null;
    column: string | null;
  }>(
    `SELECT concat(n.nspname, '.', c.relname) AS name, owner.table, owner.column
     FROM (SELECT c.oid, c.relname, c.relnamespace ${ourRelations} AND c.relkind = 'S') c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN LATERAL (
       SELECT concat(tn.nspname, '.', t.relname) AS table, a.attname AS column
       FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
       WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'i') owner ON true
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
    [schemas],
  );
  const values: SequenceValue[] = [];
  for (const { name, table, column } of sequences) {
    const { rows } = await client.query<Omit<SequenceValue, "of">>(
      `SELECT last_value::text AS "lastValue", is_called AS "isCalled" FROM ${quoteName(name)}`,
    );
    const of = table === null || column === null ? { sequence: name } : { table, column };
    for (const value of rows) values.push({ of, ...value });
  }
  return values;
}

/**
 * Refuses what would not come back as it was: better no export than one that is found wanting when it is needed.
 *
 * @throws UserError naming each
 */
export async function refuseUnsupported(client: Client, schemas: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ found: string }>(
    `SELECT concat(kind.name, ' ', n.nspname, '.', c.relname) AS found
     FROM (SELECT c.* ${ourRelations}) c JOIN pg_namespace n ON n.oid = c.relnamespace,
     LATERAL (SELECT CASE
       WHEN c.relkind = 'f' THEN 'foreign table'
       WHEN c.relkind = 'p' THEN 'partitioned table'
       WHEN c.relkind = 'r' AND c.relforcerowsecurity THEN 'table with forced row security'
       WHEN c.relkind = 'r' AND (n.nspname ~ '\\.' OR c.relname ~ '\\.') THEN 'table with a dot in its name'
       WHEN c.relkind = 'r' AND EXISTS (
         SELECT FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE i.inhrelid = c.oid AND NOT EXISTS (
           SELECT FROM timescaledb_information.hypertables h
           WHERE h.hypertable_schema = pn.nspname AND h.hypertable_name = p.relname)
           AND pn.nspname !~ '^_timescaledb_') THEN 'inheriting table'
     END AS name) kind
     WHERE kind.name IS NOT NULL
     UNION ALL
     SELECT format('aggregate function %s.%s', n.nspname, p.proname)
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = ANY ($1) AND p.prokind = 'a' AND ${notOfExtension("p.oid", "pg_proc")}
     UNION ALL
     SELECT format('range type %s.%s', n.nspname, t.typname)
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = ANY ($1) AND t.typtype = 'r' AND ${notOfExtension("t.oid", "pg_type")}
     ORDER BY found`,
    [schemas],
  );
  if (rows.length === 0) return;
  throw new UserError(`a logical export cannot hold ${rows.map(({ found }) => found).join(", ")}`, {
    fix: "back the database up physically, or move these to a database of their own",
  });
}
