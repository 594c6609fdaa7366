/** The part of the schema dump that comes from PostgreSQL's own catalogue. */
import type { Client } from "../postgres";

/** Something with a name, its lines in the dump and, under `key` in `readGrants`, its grants. */
export interface CatalogObject {
  readonly key: string;
  readonly schema: string;
  readonly lines: readonly string[];
}

export interface CatalogRelation extends CatalogObject {
  /** Quoted as needed, with schema. */
  readonly name: string;
}

export interface CatalogSchema {
  readonly key: string;
  readonly name: string;
  readonly lines: readonly string[];
}

/** What an extension made is the extension's. `oid` and `catalog` are SQL expressions. */
export const notOfExtension = (oid: string, catalog: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = ${oid} AND e.classid = '${catalog}'::regclass AND e.deptype = 'e')`;

/** Schemas of people: not PostgreSQL's, an extension's or the ledger's; `public` only when something of theirs is in it. */
export async function ownSchemas(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT n.nspname AS name FROM pg_namespace n
    WHERE n.nspname !~ '^(pg_|_timescaledb_|information_schema$|ms5$)' AND ${notOfExtension("n.oid", "pg_namespace")}
      AND (n.nspname <> 'public'
        OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND ${notOfExtension("c.oid", "pg_class")})
        OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid AND ${notOfExtension("p.oid", "pg_proc")}))
    ORDER BY n.nspname COLLATE "C"`);
  return rows.map(({ name }) => name);
}

/** Names only: versions differ between deployments and are the image's business. */
export async function readExtensions(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `SELECT format('CREATE EXTENSION %I;', extname) AS line FROM pg_extension
     WHERE extname <> 'plpgsql' ORDER BY extname COLLATE "C"`,
  );
  return rows.map(({ line }) => line);
}

export async function readSchemas(client: Client, schemas: readonly string[]): Promise<CatalogSchema[]> {
  const { rows } = await client.query<CatalogSchema>(
    `SELECT 'pg_namespace/' || n.oid AS key, n.nspname AS name,
            array_remove(ARRAY[
              format('CREATE SCHEMA %I AUTHORIZATION %I;', n.nspname, pg_get_userbyid(n.nspowner)),
              format('COMMENT ON SCHEMA %I IS %L;', n.nspname, obj_description(n.oid, 'pg_namespace'))
            ], format('COMMENT ON SCHEMA %I IS NULL;', n.nspname)) AS lines
     FROM pg_namespace n WHERE n.nspname = ANY ($1) ORDER BY n.nspname COLLATE "C"`,
    [schemas],
  );
  return rows;
}

/** Enumerations, domains and stand-alone composite types. */
export async function readTypes(client: Client, schemas: readonly string[]): Promise<CatalogObject[]> {
  const { rows } = await client.query<CatalogObject & { comment: string | null; name: string }>(
    `SELECT 'pg_type/' || t.oid AS key, n.nspname AS schema, format('%I.%I', n.nspname, t.typname) AS name,
            ARRAY[CASE t.typtype
              WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s);', n.nspname, t.typname,
                (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
              WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s%s%s%s;', n.nspname, t.typname,
                format_type(t.typbasetype, t.typtypmod), ' DEFAULT ' || t.typdefault,
                CASE WHEN t.typnotnull THEN ' NOT NULL' END,
                (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), '' ORDER BY conname COLLATE "C")
                 FROM pg_constraint WHERE contypid = t.oid AND contype = 'c'))
              ELSE format('CREATE TYPE %I.%I AS (%s);', n.nspname, t.typname,
                (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
                 FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped))
            END, format('ALTER TYPE %I.%I OWNER TO %I;', n.nspname, t.typname, pg_get_userbyid(t.typowner))] AS lines,
            obj_description(t.oid, 'pg_type') AS comment
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     LEFT JOIN pg_class c ON c.oid = t.typrelid
     WHERE n.nspname = ANY ($1) AND (t.typtype IN ('e', 'd') OR (t.typtype = 'c' AND c.relkind = 'c'))
       AND ${notOfExtension("t.oid", "pg_type")}
     ORDER BY n.nspname COLLATE "C", t.typname COLLATE "C"`,
    [schemas],
  );
  return rows.map(({ comment, name, ...type }) => ({
    ...type,
    lines: [...type.lines, ...(comment === null ? [] : [`COMMENT ON TYPE ${name} IS ${literal(comment)};`])],
  }));
}

/** Functions, procedures and (by signature alone) aggregates. */
export async function readFunctions(client: Client, schemas: readonly string[]): Promise<CatalogObject[]> {
  const { rows } = await client.query<CatalogObject & { comment: string | null; signature: string }>(
    `SELECT 'pg_proc/' || p.oid AS key, n.nspname AS schema, s.signature, obj_description(p.oid, 'pg_proc') AS comment,
            ARRAY[CASE WHEN p.prokind = 'a' THEN 'CREATE ' || s.signature || ';'
                       ELSE rtrim(pg_get_functiondef(p.oid), E'\\n') || ';' END,
                  format('ALTER %s OWNER TO %I;', s.signature, pg_get_userbyid(p.proowner))] AS lines
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
     LATERAL (SELECT format('%s %I.%I(%s)',
                CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
                n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS signature) s
     WHERE n.nspname = ANY ($1) AND ${notOfExtension("p.oid", "pg_proc")}
     ORDER BY n.nspname COLLATE "C", p.proname COLLATE "C", s.signature COLLATE "C"`,
    [schemas],
  );
  return rows.map(({ comment, signature, ...routine }) => ({
    ...routine,
    lines: [
      ...routine.lines,
      ...(comment === null ? [] : [`COMMENT ON ${signature} IS ${literal(comment)};`]),
    ],
  }));
}

interface RelationRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly unlogged: boolean;
  readonly owner: string;
  readonly comment: string | null;
  readonly options: string | null;
  readonly rowSecurity: string | null;
  readonly partitionKey: string | null;
  /** Of a view or a sequence. */
  readonly body: string | null;
}

const relationKinds: Record<string, string> = {
  r: "TABLE",
  p: "TABLE",
  f: "FOREIGN TABLE",
  v: "VIEW",
  m: "MATERIALIZED VIEW",
  S: "SEQUENCE",
};

/** Tables, views and sequences, with their columns, constraints, indexes, triggers and row policies. */
export async function readRelations(client: Client, schemas: readonly string[]): Promise<CatalogRelation[]> {
  const { rows } = await client.query<RelationRow>(
    `SELECT c.oid::text, n.nspname AS schema, format('%I.%I', n.nspname, c.relname) AS name, c.relkind AS kind,
            c.relpersistence = 'u' AS unlogged, pg_get_userbyid(c.relowner) AS owner,
            obj_description(c.oid, 'pg_class') AS comment, array_to_string(c.reloptions, ', ') AS options,
            CASE WHEN c.relforcerowsecurity THEN 'FORCE' WHEN c.relrowsecurity THEN 'ENABLE' END AS "rowSecurity",
            CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS "partitionKey",
            CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid, true)
                 WHEN c.relkind = 'S' THEN (
                   SELECT format('AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s', format_type(seqtypid, NULL),
                                 seqstart, seqincrement, seqmin, seqmax, seqcache, CASE WHEN seqcycle THEN ' CYCLE' END)
                   FROM pg_sequence WHERE seqrelid = c.oid)
            END AS body
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relkind = ANY ($2) AND c.relpersistence <> 't'
       AND ${notOfExtension("c.oid", "pg_class")}
       -- The sequence of an identity column is part of the column.
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
                       AND d.deptype = 'i' AND c.relkind = 'S')
     ORDER BY n.nspname COLLATE "C", array_position(ARRAY['S','r','p','f','v','m'], c.relkind::text), c.relname COLLATE "C"`,
    [schemas, Object.keys(relationKinds)],
  );
  const columns = await linesByRelation(client, columnLines, schemas);
  const constraints = await linesByRelation(client, constraintLines, schemas);
  const details = await linesByRelation(client, detailLines, schemas);
  return rows.map((row) => ({
    key: `pg_class/${row.oid}`,
    schema: row.schema,
    name: row.name,
    lines: [
      headLine(row, [...(columns.get(row.oid) ?? []), ...(constraints.get(row.oid) ?? [])]),
      ...(row.comment === null
        ? []
        : [`COMMENT ON ${relationKinds[row.kind]} ${row.name} IS ${literal(row.comment)};`]),
      ...(details.get(row.oid) ?? []),
      ...(row.rowSecurity === null ? [] : [`ALTER TABLE ${row.name} ${row.rowSecurity} ROW LEVEL SECURITY;`]),
      `ALTER ${relationKinds[row.kind]} ${row.name} OWNER TO ${row.owner};`,
    ],
  }));
}

function headLine(row: RelationRow, body: readonly string[]): string {
  const kind = relationKinds[row.kind] ?? row.kind;
  const options = row.options === null ? "" : ` WITH (${row.options})`;
  if (row.kind === "S") return `CREATE SEQUENCE ${row.name} ${row.body ?? ""};`;
  if (row.kind === "v" || row.kind === "m")
    return `CREATE ${kind} ${row.name}${options} AS\n${row.body ?? ""}`;
  const partitioned = row.partitionKey === null ? "" : ` PARTITION BY ${row.partitionKey}`;
  return `CREATE ${row.unlogged ? "UNLOGGED " : ""}${kind} ${row.name} (\n${body.map((line) => `  ${line}`).join(",\n")}\n)${partitioned}${options};`;
}

/** Each query yields (relation oid, line) in the order of the dump. */
async function linesByRelation(
  client: Client,
  query: string,
  schemas: readonly string[],
): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ oid: string; line: string }>(query, [schemas]);
  const lines = new Map<string, string[]>();
  for (const { oid, line } of rows) lines.set(oid, [...(lines.get(oid) ?? []), line]);
  return lines;
}

const columnLines = `
  SELECT c.oid::text, concat(quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || quote_ident(l.collname) END,
           CASE WHEN a.attnotnull THEN ' NOT NULL' END,
           CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' END,
           CASE WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
                ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END) AS line
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY c.oid, a.attnum`;

/** Primary key first; NOT NULL stands at its column. */
const constraintLines = `
  SELECT k.conrelid::text AS oid, format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)) AS line
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1) AND k.contype IN ('p', 'u', 'f', 'c', 'x')
  ORDER BY k.conrelid, array_position(ARRAY['p','u','x','f','c'], k.contype::text), k.conname COLLATE "C"`;

/** Column comments, indexes, triggers and row policies, in this order. */
const detailLines = `
  SELECT details.oid::text, line FROM (
    SELECT c.oid, 1 AS part, a.attnum::text AS place,
           format('COMMENT ON COLUMN %I.%I.%I IS %L;', n.nspname, c.relname, a.attname, col_description(c.oid, a.attnum)) AS line
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1) AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NOT NULL
    UNION ALL
    SELECT i.indrelid, 2, x.relname,
           pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN ';' ELSE '; -- INVALID' END
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1)
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT t.tgrelid, 3, t.tgname,
           pg_get_triggerdef(t.oid, true) || ';' ||
           CASE t.tgenabled WHEN 'D' THEN ' -- DISABLED' WHEN 'A' THEN ' -- ENABLE ALWAYS' WHEN 'R' THEN ' -- ENABLE REPLICA' ELSE '' END
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
    WHERE n.nspname = ANY ($1) AND NOT t.tgisinternal
      -- TimescaleDB's own plumbing.
      AND pn.nspname !~ '^_timescaledb_'
    UNION ALL
    SELECT p.polrelid, 4, p.polname,
           format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s%s%s;', p.polname, n.nspname, c.relname,
                  CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                  (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', '
                                     ORDER BY pg_get_userbyid(r) COLLATE "C") FROM unnest(p.polroles) r),
                  ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                  ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1)
  ) AS details
  ORDER BY details.oid, part, CASE part WHEN 1 THEN lpad(place, 5, '0') ELSE place END COLLATE "C"`;

/**
 * What is granted, or revoked from what PostgreSQL grants by default, by object key. So a grant and the lack of it
 * read the same whether the access list was never touched or is back at its default.
 */
export async function readGrants(client: Client, schemas: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ key: string; line: string }>(
    `WITH object AS (
       SELECT 'pg_namespace/' || n.oid AS key, format('SCHEMA %I', n.nspname) AS label, 'n' AS kind,
              n.nspacl AS acl, n.nspowner AS owner, NULL AS col
       FROM pg_namespace n WHERE n.nspname = ANY ($1)
       UNION ALL
       SELECT 'pg_class/' || c.oid, format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname),
              CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END, c.relacl, c.relowner, NULL
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1) AND c.relkind IN ('r','p','f','v','m','S')
       UNION ALL
       SELECT 'pg_class/' || c.oid, format('TABLE %I.%I', n.nspname, c.relname), 'c', a.attacl, c.relowner, quote_ident(a.attname)
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = ANY ($1) AND a.attacl IS NOT NULL AND NOT a.attisdropped
       UNION ALL
       SELECT 'pg_proc/' || p.oid, format('ROUTINE %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
              'f', p.proacl, p.proowner, NULL
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY ($1)
       UNION ALL
       SELECT 'pg_type/' || t.oid, format('TYPE %I.%I', n.nspname, t.typname), 'T', t.typacl, t.typowner, NULL
       FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ANY ($1)
     ), change AS (
       SELECT o.key, o.label, o.col, 'GRANT' AS verb, e.* FROM object o, LATERAL (
         SELECT grantee, privilege_type, is_grantable FROM aclexplode(coalesce(o.acl, acldefault(o.kind::"char", o.owner)))
         EXCEPT SELECT grantee, privilege_type, is_grantable FROM aclexplode(acldefault(o.kind::"char", o.owner))) e
       UNION ALL
       SELECT o.key, o.label, o.col, 'REVOKE', e.* FROM object o, LATERAL (
         SELECT grantee, privilege_type, is_grantable FROM aclexplode(acldefault(o.kind::"char", o.owner))
         EXCEPT SELECT grantee, privilege_type, is_grantable FROM aclexplode(coalesce(o.acl, acldefault(o.kind::"char", o.owner)))) e
     )
     SELECT key, format('%s %s ON %s %s %s%s;', verb,
              string_agg(privilege_type || coalesce(' (' || col || ')', ''), ', ' ORDER BY privilege_type COLLATE "C", col COLLATE "C"),
              label, CASE verb WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END,
              CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
              CASE WHEN is_grantable AND verb = 'GRANT' THEN ' WITH GRANT OPTION' END) AS line
     FROM change GROUP BY key, label, verb, grantee, is_grantable`,
    [schemas],
  );
  const grants = new Map<string, string[]>();
  for (const { key, line } of rows) grants.set(key, [...(grants.get(key) ?? []), line].sort());
  return grants;
}

/** What roles get on objects that are made later, in these schemas or anywhere. */
export async function readDefaultPrivileges(client: Client, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s GRANT %s ON %s TO %s%s;', pg_get_userbyid(d.defaclrole),
             ' IN SCHEMA ' || quote_ident(n.nspname), string_agg(e.privilege_type, ', ' ORDER BY e.privilege_type COLLATE "C"),
             CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END,
             CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END,
             CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END) AS line
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, LATERAL aclexplode(d.defaclacl) e
    WHERE n.nspname IS NULL OR n.nspname = ANY ($1)
    GROUP BY d.defaclrole, n.nspname, d.defaclobjtype, e.grantee, e.is_grantable`,
    [schemas],
  );
  return rows.map(({ line }) => line).sort();
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
