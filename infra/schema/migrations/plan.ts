/** Compares the migration files with the ledger: what is applied, what would run, and what forbids it. Pure. */
import { UserError } from "../../errors";
import type { Migration } from "./files";
import type { LedgerRow } from "./ledger";
import type { LockHolder } from "./lock";
import { describeHolder } from "./lock";

export interface MigrationProblem {
  readonly kind: "edited" | "missing" | "renamed" | "out-of-order" | "unfinished" | "running" | "ledger";
  /** Name of the forward file it is about; none for a problem of the ledger as a whole. */
  readonly file?: string;
  /** What is wrong, naming the file. */
  readonly message: string;
  readonly fix: string;
}

export interface MigrationPlan {
  /** By number. */
  readonly applied: readonly LedgerRow[];
  /** By number: the order in which they would run. */
  readonly pending: readonly Migration[];
  /** While there is one, nothing may run. */
  readonly problems: readonly MigrationProblem[];
}

/** `holder` is who holds the migration lock at the moment, if anyone does. */
export function comparePlan(
  ledger: readonly LedgerRow[],
  migrations: readonly Migration[],
  holder: LockHolder | undefined,
): MigrationPlan {
  const byNumber = new Map(migrations.map((migration) => [migration.number, migration]));
  const inLedger = new Set(ledger.map((row) => row.number));
  const newest = ledger.at(-1);
  const pending = migrations.filter((migration) => !inLedger.has(migration.number));

  const problems = ledger.flatMap((row, index) => {
    if (row.state !== "applied") return [holder === undefined ? unfinished(row) : running(row, holder)];
    const migration = byNumber.get(row.number);
    if (migration === undefined) return [missing(row)];
    if (migration.forward.file !== row.file) return [renamed(row, migration)];
    if (migration.forward.sha256 !== row.sha256) return [edited(row, migration, ledger.length - index)];
    return [];
  });
  if (newest !== undefined) {
    for (const { number, forward } of pending)
      if (number < newest.number) problems.push(outOfOrder(forward.file, newest));
  }
  return { applied: ledger.filter((row) => row.state === "applied"), pending, problems };
}

function edited(row: LedgerRow, migration: Migration, undoCount: number): MigrationProblem {
  return {
    kind: "edited",
    file: row.file,
    message: `${row.file} was edited after it was applied (applied ${when(row)} with sha256 ${short(row.sha256)}, the file now has ${short(migration.forward.sha256)})`,
    fix: `put ${row.file} back as it was (git log -- sql/migrations/${row.file}) and make the change in a new file; if it is still in the making and no one else has it: npm run ops -- migrate undo ${undoCount}, then up`,
  };
}

function missing(row: LedgerRow): MigrationProblem {
  return {
    kind: "missing",
    file: row.file,
    message: `${row.file} is applied (${when(row)}, sha256 ${short(row.sha256)}) but not in sql/migrations/`,
    fix: "put the file back from version control; perhaps this checkout is older than the database or on another branch",
  };
}

function renamed(row: LedgerRow, migration: Migration): MigrationProblem {
  const found = migration.forward;
  const content = found.sha256 === row.sha256 ? "the same content" : "other content";
  return {
    kind: "renamed",
    file: row.file,
    message: `${row.file} is applied (${when(row)}), but number ${row.number} in sql/migrations/ is ${found.file}, with ${content}`,
    fix:
      found.sha256 === row.sha256
        ? `rename ${found.file} back to ${row.file}`
        : `put ${row.file} back from version control and give ${found.file} a number above the newest`,
  };
}

function outOfOrder(file: string, newest: LedgerRow): MigrationProblem {
  return {
    kind: "out-of-order",
    file,
    message: `${file} is new, but its number is below ${newest.file}, which is applied already (${when(newest)})`,
    fix: `renumber ${file} above ${String(newest.number).padStart(4, "0")}: files run in the same order everywhere`,
  };
}

function unfinished(row: LedgerRow): MigrationProblem {
  const undoing = row.state === "undoing";
  return {
    kind: "unfinished",
    file: row.file,
    message: `${undoing ? "the undo of " : ""}${row.file} was started at ${row.since} by ${row.actor} outside a transaction and did not finish: its work may be done, undone or half done`,
    fix: `look in the database whether what ${row.file} makes is there, complete (an index left INVALID is not: drop it), then say so: npm run ops -- migrate resolve ${row.number} applied|not-applied`,
  };
}

function running(row: LedgerRow, holder: LockHolder): MigrationProblem {
  return {
    kind: "running",
    file: row.file,
    message: `${row.file} is being ${row.state === "undoing" ? "undone" : "applied"} since ${row.since} by ${row.actor}: ${describeHolder(holder)}`,
    fix: "wait until it has finished and run this again",
  };
}

/** @throws UserError (refused) with every problem and its fix, if there is one. */
export function refuseProblems(problems: readonly MigrationProblem[]): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  if (more.length === 0) throw new UserError(first.message, { fix: first.fix });
  throw new UserError(
    [
      `${problems.length} problems with the migrations, nothing was changed:`,
      ...problems.map((problem) => `  ${problem.message}\n    → ${problem.fix}`),
    ].join("\n"),
    { fix: "do what stands at each arrow" },
  );
}

function when(row: LedgerRow): string {
  return `${row.since} by ${row.actor}`;
}

function short(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}
