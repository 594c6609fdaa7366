/**
 * A text of what migrations and resources have made of a database, for people who review it and for tests that
 * compare it: `sql/schema.sql` is what the migrations alone make, `ops schema dump` shows a whole stack.
 *
 * It reads like SQL, with what has no plain SQL (chunks, columnstore, policies) as comments beside its table, but
 * is made for reading and not for restoring. Same schema, same text: names sorted, columns in their order, and
 * nothing that differs from one deployment to the next (ids, chunks, times, versions).
 *
 * Left out: roles and their memberships, grants on the database itself, rows, and storage settings of columns.
 */
import type { Client } from "../postgres";
import {
  type CatalogRelation,
  ownSchemas,
  readDefaultPrivileges,
  readExtensions,
  readFunctions,
  readGrants,
  readRelations,
  readSchemas,
  readTypes,
} from "./dumpCatalog";
import { readTimescale, type TimescaleFacts } from "./dumpTimescale";

/**
 * Dumps `schemas`, or all schemas that belong neither to PostgreSQL nor to an extension nor to the migration
 * ledger. Reads only the catalogue and `timescaledb_information`.
 */
export async function dumpSchema(client: Client, schemas?: readonly string[]): Promise<string> {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  try {
    // Everything that changes how the server words its definitions.
    await client.query(
      `SELECT set_config(name, value, true) FROM (VALUES ('search_path', ''), ('IntervalStyle', 'postgres'),
       ('DateStyle', 'ISO, YMD'), ('TimeZone', 'UTC'), ('quote_all_identifiers', 'off')) AS setting (name, value)`,
    );
    return await dump(client, schemas ?? (await ownSchemas(client)));
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
}

async function dump(client: Client, names: readonly string[]): Promise<string> {
  const extensions = await readExtensions(client);
  const schemas = await readSchemas(client, names);
  const types = await readTypes(client, names);
  const timescale = await readTimescale(client, names);
  const relations = await readRelations(client, names);
  const functions = await readFunctions(client, names);
  const grants = await readGrants(client, names);
  const defaultPrivileges = await readDefaultPrivileges(client, names);

  const blocks: string[][] = [extensions];
  const block = (key: string, ...lines: string[]): void => {
    blocks.push([...lines, ...(grants.get(key) ?? [])]);
  };
  for (const schema of schemas) {
    block(schema.key, `-- ${"-".repeat(20)} ${schema.name}`, ...schema.lines);
    for (const type of types) if (type.schema === schema.name) block(type.key, ...type.lines);
    for (const routine of functions) if (routine.schema === schema.name) block(routine.key, ...routine.lines);
    for (const relation of relations)
      if (relation.schema === schema.name) block(relation.key, ...relationLines(relation, timescale));
  }
  blocks.push(defaultPrivileges, timescale.jobs);
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function relationLines(relation: CatalogRelation, timescale: TimescaleFacts): string[] {
  const aggregate = timescale.aggregates.get(relation.name);
  const [head, ...rest] = relation.lines;
  return [
    aggregate === undefined ? (head ?? "") : aggregate.definition,
    ...(timescale.notes.get(relation.name) ?? []),
    ...(aggregate?.indexes ?? []),
    ...rest,
  ];
}
