/**
 * Applies and undoes migrations over one connection.
 *
 * A file and its ledger row are one transaction. A file that cannot run in one (header `no-transaction`) holds a
 * single statement, framed by a `started` and a `finished` row, so that dying in between is seen by the next run.
 *
 * Every function expects a session of its own, outside a transaction, and leaves it as it was: same role and
 * settings, no transaction, no lock.
 */
import { UserError } from "../../errors";
import { type Client, withTransaction } from "../postgres";
import { makeRestorePoint, migrationPoint } from "../restorePoint";
import { FileRun, type FileRunOptions, type FinishedFile } from "./fileRun";
import type { Migration } from "./files";
import { refuseRows, tablesWithRows } from "./guard";
import {
  appendLog,
  createLedger,
  ledgerInconsistencies,
  readLedger,
  removeFromLedger,
  setLedgerState,
} from "./ledger";
import { lockHolder, withMigrationLock } from "./lock";
import { comparePlan, type MigrationPlan, type MigrationProblem, refuseProblems } from "./plan";

/** `lockTimeoutMs` is also how long to wait for another runner. */
export interface RunOptions extends Omit<FileRunOptions, "dropData"> {
  /** Called when a file starts and when it has succeeded. */
  readonly onFile?: (progress: FileProgress) => void;
}

export interface UndoOptions extends RunOptions, FileRunOptions {}

export type FileProgress =
  | { readonly event: "started"; readonly file: string }
  | ({ readonly event: "finished" } & FinishedFile);

/** Short for locks, so that a migration never queues in front of the factory's writers; generous for work. */
export const defaultTimeouts = { lockTimeoutMs: 10_000, statementTimeoutMs: 15 * 60_000 } as const;

/** What is applied, what would run, and what forbids it. Reads only: works on a replica and without a ledger. */
export async function plan(client: Client, migrations: readonly Migration[]): Promise<MigrationPlan> {
  const ledger = await readLedger(client);
  const somethingOpen = ledger.some((row) => row.state !== "applied");
  return comparePlan(ledger, migrations, somethingOpen ? await lockHolder(client) : undefined);
}

/**
 * `plan`, and whether the ledger is consistent with its own audit log, which is still append-only.
 * Pending files are no problem.
 */
export async function verify(client: Client, migrations: readonly Migration[]): Promise<MigrationPlan> {
  const found = await plan(client, migrations);
  const inconsistencies = await ledgerInconsistencies(client);
  return {
    ...found,
    problems: [
      ...found.problems,
      ...inconsistencies.map(
        (message): MigrationProblem => ({
          kind: "ledger",
          message,
          fix: "someone changed the ledger by hand: compare it with ms5.migration_log and the server's log, and put it right",
        }),
      ),
    ],
  };
}

/**
 * Applies the pending files in order and returns them; none when there is nothing to do.
 *
 * @throws UserError: refused (nothing changed) for a problem of `plan` or a read-only server; failed when a file
 * fails: that file is rolled back and logged, the ones before it stay applied.
 */
export async function up(
  client: Client,
  migrations: readonly Migration[],
  options: RunOptions,
): Promise<FinishedFile[]> {
  await requireWritable(client);
  const glance = await plan(client, migrations);
  if (glance.pending.length === 0 && glance.problems.length === 0) return [];

  return withMigrationLock(client, options.lockTimeoutMs, async () => {
    await createLedger(client);
    // Read again under the lock: another runner may have been at work until a moment ago.
    const { pending, problems } = await plan(client, migrations);
    refuseProblems(problems);
    return runAll(client, "up", pending, { ...options, dropData: false });
  });
}

/**
 * Takes the newest `count` applied files back, newest first, and returns the undo files that ran.
 *
 * An undo drops tables or columns only when its header names the table (`-- ms5: drops schema.table`), and tables
 * that hold rows only with `dropData`. Files edited or added since do not stand in the way.
 *
 * @throws UserError: refused (nothing changed) when rows would be lost, a file is missing, fewer than `count` are
 * applied or the server is read-only; failed when a file fails, as in `up`.
 */
export async function undo(
  client: Client,
  migrations: readonly Migration[],
  count: number | "all",
  options: UndoOptions,
): Promise<FinishedFile[]> {
  await requireWritable(client);
  return withMigrationLock(client, options.lockTimeoutMs, async () => {
    const { applied, problems } = await plan(client, migrations);
    refuseProblems(problems.filter(({ kind }) => kind === "unfinished" || kind === "running"));
    if (count !== "all" && count > applied.length)
      throw new UserError(`cannot undo ${count} migrations: ${applied.length} are applied`, {
        fix: "see them with npm run ops -- migrate status, or undo all",
      });
    const chosen = new Set((count === "all" ? applied : applied.slice(-count)).map((row) => row.file));
    refuseProblems(
      problems.filter(
        ({ kind, file }) =>
          (kind === "missing" || kind === "renamed") && file !== undefined && chosen.has(file),
      ),
    );
    const newestFirst = migrations.filter(({ forward }) => chosen.has(forward.file)).reverse();
    // All of them before the first one runs: better to refuse than to stop half-way.
    if (!options.dropData)
      refuseRows(
        await tablesWithRows(
          client,
          newestFirst.flatMap(({ undo: file }) => file.drops),
        ),
      );
    return runAll(client, "undo", newestFirst, options);
  });
}

/**
 * Records what a person found out about a file whose run was cut off outside a transaction.
 *
 * @throws UserError (refused) when that file is not in doubt.
 */
export async function resolve(
  client: Client,
  number: number,
  outcome: "applied" | "not-applied",
  options: Pick<RunOptions, "actor" | "lockTimeoutMs">,
): Promise<void> {
  await requireWritable(client);
  await withMigrationLock(client, options.lockTimeoutMs, async () => {
    const row = (await readLedger(client)).find((candidate) => candidate.number === number);
    if (row === undefined || row.state === "applied")
      throw new UserError(
        `migration ${number} is not in doubt: ${row === undefined ? "it is not applied" : `${row.file} is applied`}`,
        { fix: "see the state of each file with npm run ops -- migrate status" },
      );
    await withTransaction(client, async () => {
      if (outcome === "applied") await setLedgerState(client, number, "applied");
      else await removeFromLedger(client, number);
      await appendLog(client, options.actor, {
        direction: "resolve",
        result: outcome === "applied" ? "applied" : "undone",
        number,
        file: row.file,
        sha256: row.sha256,
        detail: `was ${row.state} since ${row.since} by ${row.actor}`,
      });
    });
  });
}

async function requireWritable(client: Client): Promise<void> {
  const { rows } = await client.query<{ replica: boolean; readOnly: boolean }>(
    `SELECT pg_is_in_recovery() AS replica, current_setting('transaction_read_only')::boolean AS "readOnly"`,
  );
  const state = rows[0];
  if (state?.replica === true)
    throw new UserError("this server is a read-only replica: migrations run on the primary", {
      fix: "connect to the primary (the read-write service); after a failover, refresh the stack's outputs first",
    });
  if (state?.readOnly === true)
    throw new UserError("this session is read-only (default_transaction_read_only is on)", {
      fix: "use the migrator's login, or look why the database was made read-only: a cutover or a full disk may be under way",
    });
}

/** Runs the files one after another and stops at the first that fails. */
async function runAll(
  client: Client,
  direction: "up" | "undo",
  migrations: readonly Migration[],
  options: UndoOptions,
): Promise<FinishedFile[]> {
  const done: FinishedFile[] = [];
  for (const migration of migrations) {
    const run = new FileRun(client, direction, migration, options);
    options.onFile?.({ event: "started", file: run.file.file });
    await makeRestorePoint(
      client,
      migrationPoint(migration.number, new Date()),
      `${direction === "up" ? "before migration" : "before the undo of"} ${migration.forward.file}`,
    );
    const finished = await run.execute(done.map(({ file }) => file));
    options.onFile?.({ event: "finished", ...finished });
    done.push(finished);
  }
  return done;
}
