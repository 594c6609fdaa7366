/**
 * Splits SQL text into its statements, as psql does, without a database.
 *
 * The runner sends one statement at a time: only so can an error that carries no position ("relation already
 * exists") still name the line it came from, and only so can a file be refused, before anything runs, that
 * would end the runner's own transaction.
 */

export interface Statement {
  /** From the first character that is no space or comment to before the semicolon. */
  readonly text: string;
  /** Where `text` starts in the source, as a JavaScript string offset. */
  readonly offset: number;
  /** The first words, upper case, one space apart: what kind of statement this is (`CREATE INDEX CONCURRENTLY`). */
  readonly words: readonly string[];
}

export interface Position {
  /** Both count from 1; the column counts characters (code points), as editors do. */
  readonly line: number;
  readonly column: number;
}

/** The text ends inside a string, a quoted name, a comment or parentheses. */
export class UnfinishedSql extends Error {
  override readonly name = "UnfinishedSql";

  constructor(
    /** What was opened, e.g. `a string`. */
    readonly what: string,
    /** Where it was opened. */
    readonly offset: number,
  ) {
    super(`${what} is opened and never closed`);
  }
}

/** How many leading words tell one kind of statement from another; the longest we ask for has five. */
const wordsKept = 6;

const identifierStart = /[A-Za-z_\u0080-\uffff]/;
const identifierRest = /[A-Za-z0-9_$\u0080-\uffff]*/y;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;

/**
 * The statements of `sql`, in order, without empty ones.
 *
 * Knows strings (also `E'…'`), quoted names, dollar quotes, nested comments, parentheses (`CREATE RULE … (a; b)`)
 * and the `BEGIN ATOMIC … END` bodies of SQL functions. Assumes `standard_conforming_strings = on`, the default.
 *
 * @throws UnfinishedSql
 */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = [];
  let start = -1;
  let words: string[] = [];
  let lastWord = "";
  let parentheses: number[] = [];
  // Semicolons inside BEGIN ATOMIC … END belong to the function; CASE … END nests within.
  let blocks: number[] = [];
  let at = 0;

  const finish = (end: number): void => {
    if (start >= 0) statements.push({ text: sql.slice(start, end).trimEnd(), offset: start, words });
    start = -1;
    words = [];
    lastWord = "";
    parentheses = [];
    blocks = [];
  };

  while (at < sql.length) {
    const character = sql.charAt(at);
    if (/\s/.test(character)) {
      at++;
      continue;
    }
    const comment = endOfComment(sql, at);
    if (comment !== undefined) {
      at = comment;
      continue;
    }
    if (character === ";" && parentheses.length === 0 && blocks.length === 0) {
      finish(at);
      at++;
      continue;
    }
    if (start < 0) start = at;

    if (identifierStart.test(character)) {
      const end = endOfMatch(identifierRest, sql, at);
      const word = sql.slice(at, end).toUpperCase();
      if (word === "E" && sql.charAt(end) === "'") {
        at = endOfQuoted(sql, end, { backslashes: true });
        lastWord = "";
        continue;
      }
      if (words.length < wordsKept) words.push(word);
      if (word === "ATOMIC" && lastWord === "BEGIN") blocks.push(at);
      else if (word === "CASE" && blocks.length > 0) blocks.push(at);
      else if (word === "END" && blocks.length > 0) blocks.pop();
      lastWord = word;
      at = end;
      continue;
    }
    lastWord = "";
    if (character === "'" || character === '"') at = endOfQuoted(sql, at, { backslashes: false });
    else if (character === "$") at = endOfDollarQuoted(sql, at);
    // A number may run into letters (0x1F): they are no words of ours.
    else if (/[0-9]/.test(character)) at = endOfMatch(identifierRest, sql, at);
    else {
      if (character === "(") parentheses.push(at);
      if (character === ")") parentheses.pop();
      at++;
    }
  }
  const open = parentheses.at(-1);
  if (open !== undefined) throw new UnfinishedSql("a parenthesis", open);
  const block = blocks.at(-1);
  if (block !== undefined) throw new UnfinishedSql("a BEGIN ATOMIC body", block);
  finish(sql.length);
  return statements;
}

/** Line and column of a string offset. */
export function positionAt(sql: string, offset: number): Position {
  const before = sql.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: [...before.slice(lineStart)].length + 1 };
}

/**
 * The string offset of the `position` PostgreSQL reports for an error: characters counted from 1, where
 * JavaScript counts a character outside the basic plane twice.
 */
export function offsetOfErrorPosition(statement: string, position: number): number {
  return [...statement].slice(0, position - 1).join("").length;
}

/** Where the comment that starts at `at` ends, or undefined when none does. */
function endOfComment(sql: string, at: number): number | undefined {
  if (sql.startsWith("--", at)) {
    const end = sql.indexOf("\n", at);
    return end < 0 ? sql.length : end + 1;
  }
  if (!sql.startsWith("/*", at)) return undefined;
  let depth = 1;
  let next = at + 2;
  while (depth > 0) {
    const open = sql.indexOf("/*", next);
    const close = sql.indexOf("*/", next);
    if (close < 0) throw new UnfinishedSql("a comment", at);
    const opensFirst = open >= 0 && open < close;
    depth += opensFirst ? 1 : -1;
    next = (opensFirst ? open : close) + 2;
  }
  return next;
}

function endOfQuoted(sql: string, at: number, options: { backslashes: boolean }): number {
  const quote = sql.charAt(at);
  let next = at + 1;
  while (next < sql.length) {
    const character = sql.charAt(next);
    if (options.backslashes && character === "\\") next += 2;
    else if (character !== quote) next++;
    else if (sql.charAt(next + 1) === quote) next += 2;
    else return next + 1;
  }
  throw new UnfinishedSql(quote === "'" ? "a string" : "a quoted name", at);
}

/** A `$` that opens no dollar quote (`$1`) is one character long. */
function endOfDollarQuoted(sql: string, at: number): number {
  const bodyStart = endOfMatch(dollarTag, sql, at);
  if (bodyStart === at) return at + 1;
  const tag = sql.slice(at, bodyStart);
  const close = sql.indexOf(tag, bodyStart);
  if (close < 0) throw new UnfinishedSql(`a ${tag} string`, at);
  return close + tag.length;
}

function endOfMatch(sticky: RegExp, sql: string, at: number): number {
  sticky.lastIndex = at;
  return sticky.test(sql) ? sticky.lastIndex : at;
}
