/** Turns what PostgreSQL says about a failed migration into what a person needs: the place, the reason, the next step. */
import { DatabaseError } from "pg";
import { ExitCode, UserError } from "../../errors";
import type { SqlFile } from "./files";
import { offsetOfErrorPosition, positionAt, type Statement } from "./statements";

/** What is known when a file fails. */
export interface FailureContext {
  readonly file: SqlFile;
  /** The statement that failed; undefined when it was the commit, or the ledger's own rows. */
  readonly statement: Statement | undefined;
  /** Files of the same run that succeeded before, in order. */
  readonly done: readonly string[];
  readonly direction: "up" | "undo";
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Names of indexes that a failed statement outside a transaction left INVALID. */
  readonly invalidIndexes: readonly string[];
}

const lossMessages = /^(Connection terminated|Client has encountered a connection error|Client was closed)/;

/** True when the session ended under us: the network, the server's end, or an administrator's command. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: string }).code ?? "";
  if (error instanceof DatabaseError) return /^(08...|57P0[1235])$/.test(code);
  return /^(ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code) || lossMessages.test(error.message);
}

/**
 * @returns the error to throw: for one of the database's, a UserError with exit code `failed` (`environment` when
 * the machine is at fault); a defect of ours is returned as it is.
 */
export function migrationFailure(error: unknown, context: FailureContext): unknown {
  const before =
    context.done.length === 0
      ? "Nothing else was changed."
      : `${context.done.join(", ")} before it ${context.done.length === 1 ? "stays" : "stay"} ${context.direction === "up" ? "applied" : "undone"}.`;
  if (error instanceof UserError)
    return new UserError(`${error.message}\n${context.file.file} was rolled back. ${before}`, {
      fix: error.fix,
      exitCode: error.exitCode,
      cause: error,
    });
  if (isConnectionLoss(error)) return connectionLost(error, context, before);

  if (!(error instanceof DatabaseError)) return error;
  const { file, transaction } = context.file;
  const outcome = transaction
    ? `${file} was rolled back. ${before}`
    : `${file} ran outside a transaction and is not recorded as ${context.direction === "up" ? "applied" : "undone"}. ${before}`;
  return new UserError([describeDatabaseError(error, context), outcome].join("\n"), {
    fix: fixFor(error, context),
    exitCode: error.code === "53100" ? ExitCode.environment : ExitCode.failed,
    cause: error,
  });
}

/** The place, the message and what else PostgreSQL says, on lines of their own. */
export function describeDatabaseError(
  error: DatabaseError,
  { file, statement }: Pick<FailureContext, "file" | "statement">,
): string {
  const lines = [`${error.message} (SQLSTATE ${error.code ?? "unknown"})`];
  if (statement === undefined) lines[0] = `${file.file}: at its end: ${lines[0]}`;
  else {
    const position = Number(error.position);
    const offset = statement.offset + (position > 0 ? offsetOfErrorPosition(statement.text, position) : 0);
    const { line, column } = positionAt(file.sql, offset);
    lines[0] = `${file.file}:${line}:${column}: ${lines[0]}`;
    lines.push(...quoteLine(file.sql, line, column));
  }
  if (error.detail !== undefined) lines.push(`  detail: ${error.detail}`);
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`);
  if (error.where !== undefined) lines.push(`  context: ${error.where.replaceAll("\n", "\n           ")}`);
  return lines.join("\n");
}

function quoteLine(sql: string, line: number, column: number): string[] {
  const text = sql.split("\n")[line - 1] ?? "";
  const number = `${line}`;
  // Tabs stay tabs in the pointer's indent, so that it stands under its character.
  const indent = [...text]
    .slice(0, column - 1)
    .map((character) => (character === "\t" ? "\t" : " "))
    .join("");
  return [`  ${number} | ${text}`, `  ${" ".repeat(number.length)} | ${indent}^`];
}

function connectionLost(error: unknown, context: FailureContext, before: string): UserError {
  const { file, transaction } = context.file;
  const reason = error instanceof Error ? error.message : String(error);
  const outcome = transaction
    ? `The server rolls ${file} back, unless the commit itself had gone through: file and ledger row are one transaction, so the ledger tells.`
    : `${file} ran outside a transaction: the ledger keeps it as started and not finished.`;
  return new UserError(`the connection was lost while ${file} ran: ${reason}\n${outcome} ${before}`, {
    fix: "see what is applied with npm run ops -- migrate status, and run this again when the server is back",
    exitCode: ExitCode.failed,
    cause: error,
  });
}

function fixFor(error: DatabaseError, context: FailureContext): string {
  const { file } = context.file;
  const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;
  switch (error.code) {
    case "25001":
      return `give ${file} the header \`-- ms5: no-transaction\`, with this one statement in it`;
    case "55P03":
      return `another session kept a lock for more than ${seconds(context.lockTimeoutMs)}; run this again when the table is less busy, or end the session that blocks it (SELECT pid, query FROM pg_stat_activity WHERE state <> 'idle')`;
    case "57014":
      return `if it was not cancelled by hand, the statement took more than ${seconds(context.statementTimeoutMs)}: split the work into smaller files or raise the statement timeout`;
    case "42501":
      return "run the migrations as the role that owns these objects, or grant what is missing";
    case "2BP01":
      return "what still depends on it was not made by this file: destroy those resources (continuous aggregates, policies) first, then run this again";
    case "53100":
      return "the server's disk is full: make room, then run this again";
  }
  if (context.invalidIndexes.length > 0)
    return `drop what it left behind (${context.invalidIndexes.map((index) => `DROP INDEX ${index}`).join("; ")}), correct the cause and run this again`;
  return context.file.transaction
    ? `correct ${file} and run this again`
    : `look whether part of its work remains and take that back, correct ${file} and run this again`;
}
