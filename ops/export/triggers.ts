import { type Client, quoteName } from "../../infra/schema/postgres";

/**
 * Takes people's triggers off tables, inside a transaction, and returns what puts them back as they were: rows that
 * come back are no changes for an audit to record. Dropped rather than disabled, because TimescaleDB refuses to disable
 * a hypertable's; whoever reads the tables meanwhile waits for the transaction anyway.
 *
 * @param tables schema-qualified, unquoted
 */
export async function takeTriggersOff(
  client: Client,
  tables: readonly string[],
): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ drop: string; create: string[] }>(
    `SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) AS drop,
            array_remove(ARRAY[
              pg_get_triggerdef(t.oid),
              CASE WHEN t.tgenabled <> 'O' THEN
                format('ALTER TABLE %s %s TRIGGER %I', t.tgrelid::regclass,
                  CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END, t.tgname) END,
              'COMMENT ON TRIGGER ' || quote_ident(t.tgname) || ' ON ' || t.tgrelid::regclass || ' IS '
                || quote_literal(obj_description(t.oid, 'pg_trigger'))
            ], NULL) AS create
     FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
     WHERE t.tgrelid = ANY ($1::regclass[]) AND NOT t.tgisinternal
       -- TimescaleDB's own plumbing.
       AND pn.nspname !~ '^_timescaledb_'`,
    [tables.map(quoteName)],
  );
  for (const trigger of rows) await client.query(trigger.drop);
  return async () => {
    for (const trigger of rows) for (const statement of trigger.create) await client.query(statement);
  };
}
