/** Runs one migration file in one direction and keeps ledger, log and session true, however it ends. */
import { type Client, withTransaction } from "../postgres";
import type { Actor } from "./actor";
import { isEmbeddedBuild, withoutOwnCommits } from "./embeddedBuild";
import { isConnectionLoss, migrationFailure } from "./failure";
import type { Migration, SqlFile } from "./files";
import { listColumns, lockTables, refuseRows, refuseUndeclared, tablesWithRows } from "./guard";
import { addToLedger, appendLog, type LogEntry, removeFromLedger, setLedgerState } from "./ledger";
import { type Statement, splitStatements } from "./statements";

export interface FileRunOptions {
  /** For the audit log. */
  readonly actor: Actor;
  /** How long each statement may wait for a lock on a table. */
  readonly lockTimeoutMs: number;
  /** How long one statement may take; 0 is without limit. Does nothing on the embedded database. */
  readonly statementTimeoutMs: number;
  /** Allows an undo to drop tables that hold rows. */
  readonly dropData: boolean;
}

export interface FinishedFile {
  /** Name of the file that ran. */
  readonly file: string;
  readonly durationMs: number;
}

export class FileRun {
  readonly file: SqlFile;
  private startedAt = 0;
  /** The one that runs at the moment: where to point when it fails. */
  private statement: Statement | undefined;
  /** Outside a transaction only: the ledger says that the file was started. */
  private announced = false;
  /** Tables whose rows the undo drops. */
  private dropped: readonly string[] = [];

  constructor(
    private readonly client: Client,
    private readonly direction: "up" | "undo",
    private readonly migration: Migration,
    private readonly options: FileRunOptions,
  ) {
    this.file = direction === "up" ? migration.forward : migration.undo;
  }

  /**
   * @param done files of the same run that succeeded before, for the error's text.
   * @throws UserError as `migrationFailure` words it; the failure is in the log then, unless the connection is lost.
   */
  async execute(done: readonly string[]): Promise<FinishedFile> {
    this.startedAt = performance.now();
    try {
      if (this.file.transaction) await this.inTransaction();
      else await this.outsideTransaction();
      return { file: this.file.file, durationMs: this.elapsedMs() };
    } catch (error) {
      // What went wrong with the file matters more than what goes wrong with writing it down.
      const leftovers = isConnectionLoss(error) ? [] : await this.recordFailure(error).catch(() => []);
      throw migrationFailure(error, {
        file: this.file,
        statement: this.statement,
        done,
        direction: this.direction,
        lockTimeoutMs: this.options.lockTimeoutMs,
        statementTimeoutMs: this.options.statementTimeoutMs,
        invalidIndexes: leftovers,
      });
    }
  }

  private async inTransaction(): Promise<void> {
    const { client, migration } = this;
    const role = await this.currentRole();
    await withTransaction(client, async () => {
      await this.setLimits({ local: true });
      if (this.direction === "up") await this.runStatements();
      else {
        await lockTables(client, this.file.drops);
        await this.guardRows();
        const before = await listColumns(client);
        await this.runStatements();
        refuseUndeclared(this.file, before, await listColumns(client));
      }
      // SET LOCAL ROLE may be in force; the ledger belongs to the role that the runner was started with.
      await client.query("SELECT set_config('role', $1, true)", [role]);
      if (this.direction === "up")
        await addToLedger(client, {
          number: migration.number,
          file: this.file,
          state: "applied",
          actor: this.options.actor,
          durationMs: this.elapsedMs(),
        });
      else await removeFromLedger(client, migration.number);
      await this.logSuccess();
    });
  }

  private async outsideTransaction(): Promise<void> {
    const { client, migration } = this;
    await this.guardRows();
    await withTransaction(client, async () => {
      if (this.direction === "up")
        await addToLedger(client, {
          number: migration.number,
          file: this.file,
          state: "applying",
          actor: this.options.actor,
        });
      else await setLedgerState(client, migration.number, "undoing");
      await this.log("started");
    });
    this.announced = true;
    const embedded = await isEmbeddedBuild(client);
    await this.setLimits({ local: false });
    try {
      await this.runStatements(embedded ? withoutOwnCommits : undefined);
    } finally {
      // Fails only when the connection is lost, and then there is no session to restore.
      await client.query("RESET lock_timeout; RESET statement_timeout").catch(() => undefined);
    }
    await withTransaction(client, async () => {
      if (this.direction === "up")
        await setLedgerState(client, migration.number, "applied", this.elapsedMs());
      else await removeFromLedger(client, migration.number);
      await this.logSuccess();
    });
  }

  private async guardRows(): Promise<void> {
    if (this.direction === "up") return;
    const holding = await tablesWithRows(this.client, this.file.drops);
    if (!this.options.dropData) refuseRows(holding);
    this.dropped = holding;
  }

  private async runStatements(wording = (statement: Statement): string => statement.text): Promise<void> {
    for (const statement of splitStatements(this.file.sql)) {
      this.statement = statement;
      await this.client.query(wording(statement));
    }
    this.statement = undefined;
  }

  /** Returns the indexes that the failed statement left invalid. */
  private async recordFailure(error: unknown): Promise<string[]> {
    const { client, migration } = this;
    await withTransaction(client, async () => {
      if (this.announced && this.direction === "up") await removeFromLedger(client, migration.number);
      if (this.announced && this.direction === "undo")
        await setLedgerState(client, migration.number, "applied");
      await this.log("failed", error instanceof Error ? error.message : String(error));
    });
    if (!this.announced) return [];
    const { rows } = await client.query<{ name: string }>(
      "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid ORDER BY name",
    );
    return rows.map(({ name }) => name);
  }

  private async logSuccess(): Promise<void> {
    await this.log(
      this.direction === "up" ? "applied" : "undone",
      this.dropped.length === 0 ? undefined : `dropped the rows of ${this.dropped.join(", ")}`,
    );
  }

  private async log(result: LogEntry["result"], detail?: string): Promise<void> {
    await appendLog(this.client, this.options.actor, {
      direction: this.direction,
      result,
      number: this.migration.number,
      file: this.file.file,
      sha256: this.file.sha256,
      ...(result === "started" ? {} : { durationMs: this.elapsedMs() }),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  private async setLimits(scope: { local: boolean }): Promise<void> {
    await this.client.query(
      "SELECT set_config('lock_timeout', $1, $3), set_config('statement_timeout', $2, $3)",
      [`${this.options.lockTimeoutMs}ms`, `${this.options.statementTimeoutMs}ms`, scope.local],
    );
  }

  private async currentRole(): Promise<string> {
    const { rows } = await this.client.query<{ role: string }>("SELECT current_setting('role') AS role");
    return rows[0]?.role ?? "none";
  }

  private elapsedMs(): number {
    return Math.round(performance.now() - this.startedAt);
  }
}
