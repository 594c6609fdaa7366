import type { Client } from "./postgres";

/** A named place in the log. */
export interface RestorePoint {
  readonly name: string;
  readonly lsn: string;
}

/**
 * Names this moment, so that a restore can end at it, and records it in audit.restore_points where that table is.
 *
 * @param name unique is best: a restore ends at the first of its name after the backup it begins with
 * @param why for people: `before migration 0010-….sql`
 * @returns undefined where nothing is archived, so that no restore could go there: everywhere but on a cluster with backups
 */
export async function makeRestorePoint(
  client: Client,
  name: string,
  why: string,
): Promise<RestorePoint | undefined> {
  const { rows } = await client.query<{ archiving: boolean; role: string; recorded: boolean }>(
    `SELECT current_setting('archive_mode') <> 'off'
              AND has_function_privilege(session_user, 'pg_create_restore_point(text)', 'EXECUTE') AS archiving,
            current_setting('role') AS role,
            to_regclass('audit.restore_points') IS NOT NULL AS recorded`,
  );
  const state = rows[0];
  if (state?.archiving !== true) return undefined;
  // The right is the login's, not the owner's that it may be acting as.
  await client.query("SET ROLE NONE");
  let lsn: string;
  try {
    const point = await client.query<{ lsn: string }>("SELECT pg_create_restore_point($1) AS lsn", [name]);
    lsn = point.rows[0]?.lsn ?? "";
  } finally {
    await client.query("SELECT set_config('role', $1, false)", [state.role]);
  }
  if (state.recorded) {
    await client.query("INSERT INTO audit.restore_points (name, lsn, why) VALUES ($1, $2, $3)", [
      name,
      lsn,
      why,
    ]);
  }
  return { name, lsn };
}

/** The name of the point before a migration: `before-0010-20261122t101500z`. */
export function migrationPoint(number: number, now: Date): string {
  const moment = now
    .toISOString()
    .replace(/[-:]|\.\d+/g, "")
    .toLowerCase();
  return `before-${String(number).padStart(4, "0")}-${moment}`;
}
