import { UserError } from "../../infra/errors";
import { type ConnectionTarget, quoteName } from "../../infra/schema/postgres";
import { asOwner } from "../asOwner";

/** Rows of each table, by its name. @throws UserError for one that is not there */
export async function countRows(
  target: ConnectionTarget,
  tables: readonly string[],
): Promise<Record<string, number>> {
  return asOwner(target, async (client) => {
    const counts: Record<string, number> = {};
    for (const table of tables) {
      const there = await client.query("SELECT FROM pg_class WHERE oid = to_regclass($1)", [
        quoteName(table),
      ]);
      if ((there.rowCount ?? 0) === 0) {
        throw new UserError(`there is no table ${table}`, {
          fix: "name it with its schema, e.g. factory_telemetry.metric_hist",
        });
      }
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${quoteName(table)}`);
      counts[table] = Number(rows[0]?.count);
    }
    return counts;
  });
}
