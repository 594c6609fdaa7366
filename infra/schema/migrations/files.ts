/**
 * The folder of migrations: `NNNN-name.sql` brings the schema forward, `NNNN-name.undo.sql` takes it back.
 *
 * Everything that can be known without a database is checked here, so that a pull request fails before a
 * deployment does. Numbers may have gaps: they order the files and nothing else, two branches can reserve
 * theirs, and closing a gap would mean renaming files that are applied somewhere.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../../errors";
import { positionAt, type Statement, splitStatements, UnfinishedSql } from "./statements";

/** One file as it was read. */
export interface SqlFile {
  /** File name without folder. */
  readonly file: string;
  /** As read, with line ends normalised to `\n` and without a byte order mark. */
  readonly sql: string;
  /** Of `sql`, hex: the same on a Windows checkout. */
  readonly sha256: string;
  /** False with the header `-- ms5: no-transaction`; such a file holds exactly one statement. */
  readonly transaction: boolean;
  /** Undo files only, header `-- ms5: drops schema.table, …`: tables whose rows or columns are lost. */
  readonly drops: readonly string[];
}

export interface Migration {
  readonly number: number;
  readonly forward: SqlFile;
  /**
   * Not part of the checksum: a mistake in an undo file may be corrected after its forward file was applied.
   * What was run is in the log with its own sha256.
   */
  readonly undo: SqlFile;
}

export interface FolderEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

const fileName = /^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*(\.undo)?\.sql$/;
const header = /^--[ \t]*ms5:[ \t]*(.*?)[ \t]*$/;
const tableName = /^[a-z_][a-z0-9_$]*\.[a-z_][a-z0-9_$]*$/;
const nameRule = "names are four digits, a hyphen and lower-case words: 0007-energy-by-shift.sql";

/**
 * Reads and checks a migrations folder.
 *
 * @throws UserError (refused) that lists everything wrong with the folder at once.
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  try {
    const found = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isOther(name));
    const entries = await Promise.all(
      found.map(async (entry) => ({
        name: entry.name,
        content: entry.isDirectory() ? new Uint8Array() : await readFile(join(folder, entry.name)),
      })),
    );
    return parseMigrations(entries, basename(folder));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read the migrations folder ${folder}: ${(error as Error).message}`, {
      fix: "run this in a complete checkout of the repository",
      cause: error,
    });
  }
}

/** Files of an editor, a file manager or a reader. Anything else that is no migration is a mistyped one. */
function isOther(name: string): boolean {
  return name.startsWith(".") || name === "README.md";
}

/**
 * The migrations in a folder's entries, by number. Pure.
 *
 * @throws UserError (refused) that lists everything wrong with the folder at once.
 */
export function parseMigrations(entries: readonly FolderEntry[], folder: string): Migration[] {
  const problems: string[] = [];
  const forwards = new Map<number, SqlFile>();
  const undos = new Map<number, SqlFile>();

  for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const match = fileName.exec(entry.name);
    const number = Number(match?.[1]);
    if (match === null || number === 0) {
      problems.push(`${entry.name}: not a migration's name (${nameRule})`);
      continue;
    }
    const isUndo = match[2] !== undefined;
    const files = isUndo ? undos : forwards;
    const other = files.get(number);
    if (other !== undefined) {
      problems.push(
        `${other.file} and ${entry.name}: two files of one number; renumber the one that is newer`,
      );
      continue;
    }
    const parsed = parseFile(entry, isUndo);
    problems.push(...parsed.problems);
    files.set(number, parsed.file);
  }

  const migrations: Migration[] = [];
  for (const [number, forward] of forwards) {
    const undo = undos.get(number);
    const undoName = forward.file.replace(/\.sql$/, ".undo.sql");
    if (undo === undefined) problems.push(`${forward.file}: no undo file ${undoName}`);
    else if (undo.file !== undoName)
      problems.push(`${undo.file}: should be called ${undoName}, after ${forward.file}`);
    else migrations.push({ number, forward, undo });
  }
  for (const [number, undo] of undos) {
    if (!forwards.has(number)) problems.push(`${undo.file}: undoes nothing, there is no forward file`);
  }

  if (problems.length > 0) {
    throw new UserError(
      [`the migrations in ${folder}/ cannot be used:`, ...problems.map((problem) => `  ${problem}`)].join(
        "\n",
      ),
      { fix: "correct the files named above; nothing was changed in any database" },
    );
  }
  return migrations.sort((a, b) => a.number - b.number);
}

function parseFile(entry: FolderEntry, isUndo: boolean): { file: SqlFile; problems: string[] } {
  const problems: string[] = [];
  const problem = (text: string): void => {
    problems.push(`${entry.name}${text}`);
  };

  let sql = "";
  try {
    sql = new TextDecoder("utf-8", { fatal: true }).decode(entry.content).replaceAll("\r\n", "\n");
  } catch {
    problem(": not UTF-8 text");
  }
  if (sql.includes("\0")) {
    problem(": holds a NUL character, so it is no text");
    sql = "";
  }

  const statements = statementsOf(sql, problem);
  const headers = headersOf(sql, statements?.[0]?.offset ?? sql.length, isUndo, problem);
  if (problems.length === 0 && statements?.length === 0) problem(": empty, it holds no statement");
  if (!headers.transaction && statements !== undefined && statements.length > 1)
    problem(
      `: a no-transaction file must hold exactly one statement, or a failure in between would leave it half applied; it holds ${statements.length}`,
    );
  for (const statement of statements ?? []) checkStatement(sql, statement, problem);

  return {
    file: {
      file: entry.name,
      sql,
      sha256: createHash("sha256").update(sql).digest("hex"),
      ...headers,
    },
    problems,
  };
}

function statementsOf(sql: string, problem: (text: string) => void): Statement[] | undefined {
  try {
    return splitStatements(sql);
  } catch (error) {
    if (!(error instanceof UnfinishedSql)) throw error;
    problem(`:${place(sql, error.offset)}: ${error.message}`);
    return undefined;
  }
}

function headersOf(
  sql: string,
  firstStatement: number,
  isUndo: boolean,
  problem: (text: string) => void,
): { transaction: boolean; drops: string[] } {
  let transaction = true;
  const drops: string[] = [];
  let offset = 0;
  for (const line of sql.split("\n")) {
    const text = header.exec(line)?.[1];
    if (text !== undefined) {
      const where = `:${place(sql, offset)}`;
      const [keyword, ...rest] = text.split(/\s+/);
      const value = rest.join(" ");
      if (offset > firstStatement)
        problem(`${where}: a \`-- ms5:\` header must stand above the first statement`);
      else if (text === "no-transaction") transaction = false;
      else if (keyword === "drops" && isUndo) {
        const tables = value.split(",").map((table) => table.trim());
        const bad = tables.filter((table) => !tableName.test(table));
        if (bad.length > 0)
          problem(`${where}: \`drops\` lists tables as schema.table, not ${JSON.stringify(bad[0])}`);
        drops.push(...tables);
      } else
        problem(
          `${where}: unknown header \`${text}\`; ${isUndo ? "undo files know `no-transaction` and `drops schema.table, …`" : "forward files know `no-transaction`"}`,
        );
    }
    offset += line.length + 1;
  }
  return { transaction, drops };
}

/** First words of statements that would end, or play with, the transaction a file and its ledger row share. */
const transactionControl = new Set([
  "BEGIN",
  "START",
  "COMMIT",
  "END",
  "ROLLBACK",
  "ABORT",
  "SAVEPOINT",
  "RELEASE",
]);

function checkStatement(sql: string, statement: Statement, problem: (text: string) => void): void {
  const where = `:${place(sql, statement.offset)}`;
  const [first = "", second = ""] = statement.words;
  if (transactionControl.has(first) || (first === "PREPARE" && second === "TRANSACTION"))
    problem(
      `${where}: ${first} would break up the transaction that the runner opens for each file; leave it out`,
    );
  const setsForLater = first === "SET" && !["LOCAL", "CONSTRAINTS", "TRANSACTION"].includes(second);
  if (setsForLater || first === "RESET" || first === "DISCARD")
    problem(`${where}: ${first} would last beyond this file and change what the next ones do; use SET LOCAL`);
  if (first === "COPY" && /\bFROM\s+STDIN\b/i.test(statement.text))
    problem(`${where}: COPY … FROM STDIN has no input in a migration; use INSERT … VALUES`);
}

function place(sql: string, offset: number): string {
  const { line, column } = positionAt(sql, offset);
  return `${line}:${column}`;
}
