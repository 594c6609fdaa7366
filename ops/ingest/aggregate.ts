import { metricAggregateNames, qualified } from "../../infra/schema/catalogue";
import {
  type Client,
  type ConnectionTarget,
  escapeIdentifier,
  withClient,
} from "../../infra/schema/postgres";
import { refreshStatements } from "../../infra/schema/refresh";
import { ownerRole } from "../../infra/schema/roleNames";
import type { Log } from "../log";

/**
 * Brings what files have added into the aggregates. Refresh policies look back some days only, and what is older and
 * not refreshed is missing for good: a real-time aggregate adds raw rows above its watermark, not below. The ledger
 * knows which files are still to do, so one that was interrupted is made up for by the next ingest.
 *
 * Refreshing is the owner's to do. Who may not act as the owner is told what is to be done.
 */
export async function aggregateIngested(target: ConnectionTarget, log: Log): Promise<void> {
  await withClient(target, async (client) => {
    if (!(await haveAggregates(client))) return;
    const { rows } = await client.query<{ files: string[]; from: Date | null; to: Date | null }>(
      `SELECT coalesce(array_agg(fingerprint), '{}') AS files, min(first_ts) AS from,
              max(last_ts) + INTERVAL '1 millisecond' AS to
         FROM factory_telemetry.ingest_files WHERE NOT aggregated AND rows_written > 0`,
    );
    const [todo] = rows;
    if (todo === undefined || todo.from === null || todo.to === null) return;
    const window = { from: todo.from, to: todo.to };
    const statements = await refreshStatements(client, metricAggregateNames, window);
    if (!(await actsAsOwner(client))) {
      log.warn(
        `the aggregates hold nothing of ${todo.files.length} ingested files that is older than their refresh policies look ` +
          `back. Ask the owner of the schema to run: ${statements.join("; ")}`,
      );
      return;
    }
    log.info(`Refreshing aggregates from ${day(todo.from)} to ${day(todo.to)}`);
    for (const statement of statements) await client.query(statement);
    await client.query(
      "UPDATE factory_telemetry.ingest_files SET aggregated = true WHERE fingerprint = ANY ($1)",
      [todo.files],
    );
  });
}

async function haveAggregates(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>("SELECT to_regclass($1) IS NOT NULL AS present", [
    qualified("metric_minute_aggregate"),
  ]);
  return rows[0]?.present === true;
}

async function actsAsOwner(client: Client): Promise<boolean> {
  try {
    await client.query(`SET ROLE ${escapeIdentifier(ownerRole)}`);
    return true;
  } catch {
    return false;
  }
}

function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}
