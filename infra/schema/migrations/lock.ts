/**
 * Only one runner at a time in one database: a session-level advisory lock, which the server releases by itself
 * when the runner dies. Needs a session of its own, so never go through a transaction-mode pooler.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode, UserError } from "../../errors";
import type { Client } from "../postgres";

/** "ms5" in ASCII, and a number for this use of it. */
const lockKey = [0x6d7335, 1] as const;

/** How often a waiting runner tries again. */
const pollMs = 200;

/** A server session. Roles without pg_read_all_stats see no `since` of others' sessions. */
export interface LockHolder {
  readonly pid: number;
  readonly user: string;
  readonly applicationName: string;
  /** ISO 8601, UTC: when the session was opened. */
  readonly since: string | undefined;
}

/**
 * Runs `work` as the only migration runner in the database.
 *
 * On the embedded database all clients share one session, to which the lock is always granted; there the one
 * connection at a time does the excluding.
 *
 * @throws UserError (failed) when another runner holds the lock for longer than `timeoutMs`, naming it.
 */
export async function withMigrationLock<T>(
  client: Client,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (!(await tryLock(client))) {
    if (Date.now() >= deadline) throw lockHeld(await lockHolder(client), timeoutMs);
    await sleep(Math.min(pollMs, Math.max(deadline - Date.now(), 1)));
  }
  try {
    return await work();
  } finally {
    // Fails only when the connection is lost, and then the lock is gone with it.
    await client.query("SELECT pg_advisory_unlock($1, $2)", [...lockKey]).catch(() => undefined);
  }
}

async function tryLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>("SELECT pg_try_advisory_lock($1, $2) AS locked", [
    ...lockKey,
  ]);
  return rows[0]?.locked === true;
}

/** Another session that holds the migration lock now. */
export async function lockHolder(client: Client): Promise<LockHolder | undefined> {
  const { rows } = await client.query<{
    pid: number;
    user: string | null;
    application_name: string | null;
    since: Date | null;
  }>(
    `SELECT l.pid, a.usename AS user, a.application_name, a.backend_start AS since
     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = $1 AND l.objid = $2
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.pid <> pg_backend_pid()`,
    [...lockKey],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  return {
    pid: row.pid,
    user: row.user ?? "unknown",
    applicationName: row.application_name ?? "",
    since: row.since?.toISOString(),
  };
}

export function describeHolder({ pid, user, applicationName, since }: LockHolder): string {
  const application = applicationName === "" ? "" : `, application ${applicationName}`;
  return `server process ${pid} (user ${user}${application}${since === undefined ? "" : `, connected since ${since}`})`;
}

function lockHeld(holder: LockHolder | undefined, timeoutMs: number): UserError {
  const who =
    holder === undefined
      ? "another runner, which has just finished"
      : `another runner, ${describeHolder(holder)}`;
  return new UserError(`waited ${timeoutMs / 1000} s for the migration lock; it is held by ${who}`, {
    fix:
      holder === undefined
        ? "run this again"
        : `wait until it has finished and run this again; if it hangs, end it with SELECT pg_terminate_backend(${holder.pid})`,
    exitCode: ExitCode.failed,
  });
}
