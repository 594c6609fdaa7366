/**
 * What the embedded TimescaleDB cannot bear: statements that commit in the middle of their work. Its catalogue is
 * damaged for good by `CREATE|DROP|REINDEX … CONCURRENTLY` ("tuple concurrently updated", afterwards the table can
 * neither be dropped nor read) and by `timescaledb.transaction_per_chunk`. With one session there is nobody to be
 * concurrent with, so the plain form of the statement does the same there.
 */
import type { Client } from "../postgres";
import type { Statement } from "./statements";

/** True on the embedded database: the only PostgreSQL there is that was compiled to WebAssembly. */
export async function isEmbeddedBuild(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ embedded: boolean }>("SELECT version() ~ 'emcc' AS embedded");
  return rows[0]?.embedded === true;
}

/** The statement in its plain form; as long as before, so that error positions stay true. */
export function withoutOwnCommits(statement: Statement): string {
  const { text, words } = statement;
  const makesIndex = ["CREATE", "DROP", "REINDEX"].includes(words[0] ?? "");
  if (!makesIndex) return text;
  const blank = (match: string): string => " ".repeat(match.length);
  const plain = text.replace(/\bWITH\s*\(\s*timescaledb\.transaction_per_chunk[^,)]*\)/i, blank);
  return words.includes("CONCURRENTLY") ? plain.replace(/\bCONCURRENTLY\b/i, blank) : plain;
}
