/**
 * What the database itself remembers about migrations, in schema `ms5`:
 *
 * - `ms5.migrations` is the truth about now: one row for each file that is applied. A transactional file and its
 *   row are committed together, so they cannot disagree.
 * - `ms5.migration_log` is the audit: one row for each thing that happened, never changed. A trigger refuses
 *   update, delete and truncate, also to the owner; who disables the trigger is a superuser or the owner and
 *   leaves it disabled or has to change it back, which `migrate verify` and the server's DDL log show.
 */
import { DatabaseError } from "pg";
import { UserError } from "../../errors";
import { type Client, withTransaction } from "../postgres";
import type { Actor } from "./actor";
import type { SqlFile } from "./files";

/**
 * `applying` and `undoing` belong to files that run outside a transaction: they are there before the statement
 * starts and are replaced when it ends, so one that is left over means the runner died in between.
 */
export type LedgerState = "applied" | "applying" | "undoing";

export interface LedgerRow {
  readonly number: number;
  readonly file: string;
  readonly sha256: string;
  readonly state: LedgerState;
  /** ISO 8601, UTC: when the file was applied; while `applying` or `undoing`, when that was started. */
  readonly since: string;
  /** `user@host` of the run that did. */
  readonly actor: string;
  /** Whole milliseconds the forward file took; undefined while `applying` and after `migrate resolve`. */
  readonly durationMs: number | undefined;
}

export interface LogEntry {
  readonly direction: "up" | "undo" | "resolve";
  readonly result: "started" | "applied" | "undone" | "failed";
  readonly number: number;
  readonly file: string;
  readonly sha256: string;
  readonly durationMs?: number;
  /** Why it failed, or which tables' rows an undo dropped. */
  readonly detail?: string;
}

const createStatements = [
  "CREATE SCHEMA ms5",
  "COMMENT ON SCHEMA ms5 IS 'Ledger of schema migrations, kept by the migration runner'",
  `CREATE TABLE ms5.migrations (
    number      integer     PRIMARY KEY,
    file        text        NOT NULL,
    sha256      text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('applied', 'applying', 'undoing')),
    since       timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor       text        NOT NULL,
    duration_ms integer
  )`,
  "COMMENT ON TABLE ms5.migrations IS 'Migration files that are applied now'",
  `CREATE TABLE ms5.migration_log (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    direction     text        NOT NULL CHECK (direction IN ('up', 'undo', 'resolve')),
    result        text        NOT NULL CHECK (result IN ('started', 'applied', 'undone', 'failed')),
    number        integer     NOT NULL,
    file          text        NOT NULL,
    sha256        text        NOT NULL,
    duration_ms   integer,
    detail        text,
    database_user text        NOT NULL DEFAULT session_user,
    actor         text        NOT NULL,
    host          text        NOT NULL
  )`,
  "COMMENT ON TABLE ms5.migration_log IS 'Everything that was done to the schema by migrations; append-only'",
  `CREATE FUNCTION ms5.refuse_log_change() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
   BEGIN
     RAISE EXCEPTION 'ms5.migration_log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
   END $$`,
  `CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ms5.migration_log
   FOR EACH STATEMENT EXECUTE FUNCTION ms5.refuse_log_change()`,
  // ALWAYS: also in sessions with session_replication_role = replica, which skip ordinary triggers.
  "ALTER TABLE ms5.migration_log ENABLE ALWAYS TRIGGER append_only",
];

/** Creates the ledger unless it is there. Call with the migration lock held. */
export async function createLedger(client: Client): Promise<void> {
  if (await ledgerExists(client)) return;
  await withTransaction(client, async () => {
    for (const statement of createStatements) await client.query(statement);
  });
}

export async function ledgerExists(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('ms5.migrations') IS NOT NULL AS exists",
  );
  return rows[0]?.exists === true;
}

/**
 * The ledger's rows by number; none when no ledger is there yet. Reads only.
 *
 * @throws UserError when the login may not read it.
 */
export async function readLedger(client: Client): Promise<LedgerRow[]> {
  try {
    if (!(await ledgerExists(client))) return [];
    const { rows } = await client.query<{
      number: number;
      file: string;
      sha256: string;
      state: LedgerState;
      since: Date;
      actor: string;
      duration_ms: number | null;
    }>(`
      SELECT m.number, m.file, m.sha256, m.state, m.duration_ms,
             coalesce(undo.at, m.since) AS since, coalesce(undo.actor || '@' || undo.host, m.actor) AS actor
      FROM ms5.migrations m LEFT JOIN LATERAL (
        SELECT at, actor, host FROM ms5.migration_log
        WHERE number = m.number AND direction = 'undo' AND result = 'started' AND m.state = 'undoing'
        ORDER BY id DESC LIMIT 1
      ) undo ON true
      ORDER BY m.number`);
    return rows.map(({ duration_ms, since, ...row }) => ({
      ...row,
      since: since.toISOString(),
      durationMs: duration_ms ?? undefined,
    }));
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== "42501") throw error;
    throw new UserError(`this login may not read the migration ledger: ${error.message}`, {
      fix: "log in as the role that runs the migrations, or grant it USAGE on schema ms5 and SELECT on its tables",
      cause: error,
    });
  }
}

export async function addToLedger(
  client: Client,
  row: { number: number; file: SqlFile; state: "applied" | "applying"; actor: Actor; durationMs?: number },
): Promise<void> {
  await client.query(
    "INSERT INTO ms5.migrations (number, file, sha256, state, actor, duration_ms) VALUES ($1, $2, $3, $4, $5, $6)",
    [
      row.number,
      row.file.file,
      row.file.sha256,
      row.state,
      `${row.actor.user}@${row.actor.host}`,
      row.durationMs ?? null,
    ],
  );
}

/** With `durationMs`, the file has just been applied; without, only the state changes. */
export async function setLedgerState(
  client: Client,
  number: number,
  state: LedgerState,
  durationMs?: number,
): Promise<void> {
  await client.query(
    `UPDATE ms5.migrations SET state = $2, duration_ms = coalesce($3::integer, duration_ms),
            since = CASE WHEN $3::integer IS NULL THEN since ELSE clock_timestamp() END
     WHERE number = $1`,
    [number, state, durationMs ?? null],
  );
}

export async function removeFromLedger(client: Client, number: number): Promise<void> {
  await client.query("DELETE FROM ms5.migrations WHERE number = $1", [number]);
}

export async function appendLog(client: Client, actor: Actor, entry: LogEntry): Promise<void> {
  await client.query(
    `INSERT INTO ms5.migration_log (direction, result, number, file, sha256, duration_ms, detail, actor, host)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      entry.direction,
      entry.result,
      entry.number,
      entry.file,
      entry.sha256,
      entry.durationMs ?? null,
      entry.detail ?? null,
      actor.user,
      actor.host,
    ],
  );
}

/** Where table and log disagree, or the log is no longer protected: signs of a hand in the ledger. One sentence each. */
export async function ledgerInconsistencies(client: Client): Promise<string[]> {
  if (!(await ledgerExists(client))) return [];
  const { rows } = await client.query<{ text: string }>(`
    WITH last AS (
      SELECT DISTINCT ON (number) number, file, result, CASE WHEN direction = 'up' THEN sha256 END AS sha256
      FROM ms5.migration_log WHERE result IN ('applied', 'undone') ORDER BY number, id DESC
    )
    SELECT format('%s is in ms5.migrations as applied, but the log %s', m.file,
                  coalesce('says ' || last.result || ' last', 'does not know it')) AS text
    FROM ms5.migrations m LEFT JOIN last USING (number)
    WHERE m.state = 'applied' AND last.result IS DISTINCT FROM 'applied'
    UNION ALL
    SELECT format('%s is recorded with another sha256 in ms5.migrations (%s) than in the log (%s)',
                  m.file, left(m.sha256, 12), left(last.sha256, 12))
    FROM ms5.migrations m JOIN last USING (number)
    WHERE m.state = 'applied' AND last.result = 'applied' AND m.sha256 <> last.sha256
    UNION ALL
    SELECT format('%s was applied by the log and never undone, but is not in ms5.migrations', last.file)
    FROM last LEFT JOIN ms5.migrations m USING (number)
    WHERE last.result = 'applied' AND m.number IS NULL
    UNION ALL
    SELECT 'the trigger that keeps ms5.migration_log append-only is missing or disabled'
    WHERE NOT EXISTS (
      SELECT FROM pg_trigger
      WHERE tgrelid = 'ms5.migration_log'::regclass AND tgname = 'append_only' AND tgenabled = 'A'
    )
    ORDER BY text`);
  return rows.map((row) => row.text);
}
