/**
 * The schema as SQL that makes it again in an empty TimescaleDB, by `import` or by `psql -1 -f schema.sql`.
 *
 * The wording of each object is the schema dump's. What is added is what a dump for readers can do without: an order
 * in which things can be made, hypertables, roles that own them, and grants that pass over roles which are not there
 * yet. Login roles are left to the stack, which cannot take over ones it has not made.
 */
import {
  type CatalogObject,
  type CatalogRelation,
  type CatalogSchema,
  readDefaultPrivileges,
  readExtensions,
  readFunctions,
  readGrants,
  readRelations,
  readSchemas,
  readTypes,
} from "../../infra/schema/migrations/dumpCatalog";
import { type Client, escapeIdentifier, escapeLiteral } from "../../infra/schema/postgres";
import { loadOrder, type Table } from "./tables";

/** Everything that `schema.sql` is made of. */
export interface SchemaParts {
  readonly extensions: readonly string[];
  readonly owners: readonly string[];
  readonly schemas: readonly CatalogSchema[];
  readonly types: readonly CatalogObject[];
  readonly functions: readonly CatalogObject[];
  /** Sequences, then tables behind those they refer to, then views behind those they read. */
  readonly relations: readonly CatalogRelation[];
  /** Statements by the quoted name of the table that they make a hypertable of. */
  readonly hypertables: ReadonlyMap<string, readonly string[]>;
  /** Statements that the dump has no line for. */
  readonly rest: readonly string[];
  /** By object key. */
  readonly grants: ReadonlyMap<string, readonly string[]>;
  readonly defaultPrivileges: readonly string[];
}

const settings = [
  "-- A logical export's schema. Roles that log in, policies and continuous aggregates are made by the stack's next up.",
  "SELECT pg_catalog.set_config('search_path', '', false);",
  "-- Functions come before the tables they speak of.",
  "SET check_function_bodies = off;",
];

/** `schema.sql`, pure. */
export function composeSchema(parts: SchemaParts): string {
  const grants = (key: string): string[] => (parts.grants.get(key) ?? []).map(whereRoleIsThere);
  const blocks = [
    settings,
    parts.extensions.map((line) => line.replace(/^CREATE EXTENSION /, "CREATE EXTENSION IF NOT EXISTS ")),
    parts.owners.map(createOwner),
    ...parts.schemas.map(({ key, lines }) => [
      ...lines.map((line) => line.replace(/^CREATE SCHEMA /, "CREATE SCHEMA IF NOT EXISTS ")),
      ...grants(key),
    ]),
    ...[...parts.types, ...parts.functions].map(({ key, lines }) => [...lines, ...grants(key)]),
    ...parts.relations.map(({ key, name, lines }) => [
      ...lines,
      ...(parts.hypertables.get(name) ?? []),
      ...grants(key),
    ]),
    parts.rest,
    parts.defaultPrivileges.map(whereRoleIsThere),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** Without LOGIN: the stack gives it, and a role that no stack knows must not be able to log in. */
function createOwner(role: string): string {
  const [name, literal] = [escapeIdentifier(role), escapeLiteral(role)];
  return `DO $ms5$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${literal}) THEN CREATE ROLE ${name} NOLOGIN; END IF;
  IF NOT pg_catalog.pg_has_role(${literal}, 'SET') THEN GRANT ${name} TO CURRENT_USER; END IF;
END $ms5$;`;
}

function whereRoleIsThere(grant: string): string {
  return `DO $ms5$ BEGIN ${grant} EXCEPTION WHEN undefined_object THEN RAISE NOTICE '%', SQLERRM; END $ms5$;`;
}

export interface ExportedSchema {
  readonly sql: string;
  /** Quoted names of what is left out, as the manifest says why. */
  readonly continuousAggregates: readonly string[];
  readonly views: readonly string[];
}

/** Reads the schema; inside a transaction whose search_path is empty, so that every name carries its schema. */
export async function readSchema(
  client: Client,
  schemas: readonly string[],
  tables: readonly Table[],
): Promise<ExportedSchema> {
  const views = await readViews(client, schemas);
  const sql = composeSchema({
    extensions: await readExtensions(client),
    owners: await readOwners(client, schemas),
    schemas: await readSchemas(client, schemas),
    types: await readTypes(client, schemas),
    functions: await readFunctions(client, schemas),
    relations: inOrder(
      await readRelations(client, schemas),
      loadOrder(tables).map(({ name }) => name),
      views.filter(({ kind }) => kind === "view").map(({ name }) => name),
    ),
    hypertables: await readHypertables(client),
    rest: await readRest(client, schemas),
    grants: await readGrants(client, schemas),
    defaultPrivileges: await readDefaultPrivileges(client, schemas),
  });
  return {
    sql,
    continuousAggregates: views.filter(({ kind }) => kind === "aggregate").map(({ name }) => name),
    views: views.filter(({ kind }) => kind === "above an aggregate").map(({ name }) => name),
  };
}

/** @param tables,views names without quotes */
function inOrder(
  relations: readonly CatalogRelation[],
  tables: readonly string[],
  views: readonly string[],
): CatalogRelation[] {
  const byName = new Map(relations.map((relation) => [relation.name.replaceAll('"', ""), relation]));
  const named = [...tables, ...views].map((name) => {
    const relation = byName.get(name);
    if (relation === undefined) throw new Error(`the catalogue has no lines for ${name}`);
    return relation;
  });
  return [...relations.filter(({ lines }) => lines[0]?.startsWith("CREATE SEQUENCE ")), ...named];
}

interface View {
  /** Without quotes. */
  readonly name: string;
  readonly kind: "view" | "aggregate" | "above an aggregate";
}

/** In the order they were made: a view can only read what was there before. */
async function readViews(client: Client, schemas: readonly string[]): Promise<View[]> {
  const { rows } = await client.query<View>(
    `WITH RECURSIVE aggregate AS (
       SELECT c.oid FROM timescaledb_information.continuous_aggregates a
       JOIN pg_namespace n ON n.nspname = a.view_schema
       JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = a.view_name
     ), above AS (
       SELECT oid FROM aggregate
       UNION
       SELECT r.ev_class FROM above
       JOIN pg_depend d ON d.refobjid = above.oid AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass
       JOIN pg_rewrite r ON r.oid = d.objid
     )
     SELECT concat(n.nspname, '.', c.relname) AS name,
            CASE WHEN c.oid IN (SELECT oid FROM aggregate) THEN 'aggregate'
                 WHEN c.oid IN (SELECT oid FROM above) THEN 'above an aggregate' ELSE 'view' END AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relkind IN ('v', 'm')
       AND NOT EXISTS (SELECT FROM pg_depend e
                       WHERE e.objid = c.oid AND e.classid = 'pg_class'::regclass AND e.deptype = 'e')
     ORDER BY c.oid`,
    [schemas],
  );
  return rows;
}

async function readOwners(client: Client, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM (
       SELECT nspowner AS owner FROM pg_namespace WHERE nspname = ANY ($1)
       UNION SELECT relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = ANY ($1)
       UNION SELECT proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = ANY ($1)
       UNION SELECT typowner FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE nspname = ANY ($1)
     ) owners
     -- PostgreSQL's own (pg_database_owner) are everywhere.
     WHERE pg_get_userbyid(owner) !~ '^pg_' ORDER BY owner`,
    [schemas],
  );
  return rows.map(({ owner }) => owner);
}

/** By the name that the schema dump gives the table. Chunk intervals are the last ones set, as for new chunks. */
async function readHypertables(client: Client): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ table: string; statements: string[] }>(
    `SELECT t.name AS table, array_agg(format(
              CASE WHEN d.dimension_number = 1
                   THEN 'SELECT %1$I.create_hypertable(%2$L, %1$I.%3$s, create_default_indexes => false);'
                   ELSE 'SELECT %1$I.add_dimension(%2$L, %1$I.%3$s);' END,
              n.nspname, t.name, CASE WHEN d.num_partitions IS NULL
                THEN format('by_range(%L, %s)', d.column_name,
                            coalesce('INTERVAL ' || quote_literal(d.time_interval::text), d.integer_interval || '::bigint'))
                ELSE format('by_hash(%L, %s)', d.column_name, d.num_partitions) END)
              ORDER BY d.dimension_number) AS statements
     FROM timescaledb_information.dimensions d
     JOIN pg_extension e ON e.extname = 'timescaledb' JOIN pg_namespace n ON n.oid = e.extnamespace,
     LATERAL (SELECT format('%I.%I', d.hypertable_schema, d.hypertable_name) AS name) t
     GROUP BY t.name`,
  );
  return new Map(rows.map(({ table, statements }) => [table, statements]));
}

/** Triggers that are not simply enabled, and what is said of triggers, constraints and indexes. */
async function readRest(client: Client, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `WITH ours AS (
       SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1)
     )
     SELECT format('ALTER TABLE %s %s TRIGGER %I;', c.name,
                   CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END, t.tgname) AS line
     FROM pg_trigger t JOIN ours c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgenabled <> 'O'
     UNION ALL
     SELECT format('COMMENT ON TRIGGER %I ON %s IS %L;', t.tgname, c.name, d.description)
     FROM pg_trigger t JOIN ours c ON c.oid = t.tgrelid
     JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_trigger'::regclass
     UNION ALL
     SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L;', k.conname, c.name, d.description)
     FROM pg_constraint k JOIN ours c ON c.oid = k.conrelid
     JOIN pg_description d ON d.objoid = k.oid AND d.classoid = 'pg_constraint'::regclass
     UNION ALL
     SELECT format('COMMENT ON INDEX %s IS %L;', c.name, d.description)
     FROM ours c JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
     WHERE c.relkind = 'i'
     ORDER BY line`,
    [schemas],
  );
  return rows.map(({ line }) => line);
}
