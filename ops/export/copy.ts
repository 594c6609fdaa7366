/** Rows between a table and a compressed file, with as much memory for a billion of them as for one. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { ExitCode, UserError } from "../../infra/errors";
import { type Client, escapeIdentifier, quoteName } from "../../infra/schema/postgres";
import type { StoredTable } from "./manifest";
import { type TimeRange, whereInRange } from "./range";
import type { Column, Table } from "./tables";

/**
 * How values are written and read as text, the same on both sides and exactly; and that a table whose rows the login
 * sees only in part is an error, not a smaller table. Long work is no fault here, so no timeout of the server's applies.
 *
 * @param lockTimeoutMs how long to wait for each lock
 */
export async function setSession(client: Client, lockTimeoutMs: number): Promise<void> {
  await client.query(
    `SELECT set_config(name, value, true) FROM (VALUES
       ('search_path', ''), ('quote_all_identifiers', 'off'),
       ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'), ('extra_float_digits', '1'),
       ('row_security', 'off'), ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
       ('lock_timeout', $1)) AS setting (name, value)`,
    [String(lockTimeoutMs)],
  );
}

/** zstd, because gzip would be slower than the database. @throws UserError where this Node.js has none */
export function requireZstd(): void {
  if (typeof createZstdCompress === "function") return;
  throw new UserError(`Node.js ${process.versions.node} has no zstd, in which exports are stored`, {
    fix: "use npm run ops, which brings Node.js 24, or Node.js 22.15 or later",
    exitCode: ExitCode.environment,
  });
}

export function columnList(columns: readonly Column[]): string {
  return columns.map(({ name }) => escapeIdentifier(name)).join(", ");
}

/** The SELECT of a table's rows. Of a hypertable it reads the chunks, which COPY of the table itself would not. */
export function selectRows(table: Table, range: TimeRange): string {
  return `SELECT ${columnList(table.columns)} FROM ${quoteName(table.name)}${whereInRange(table, range)}`;
}

/**
 * Runs a COPY … TO STDOUT and lets `take` have what it yields; returns the number of rows.
 *
 * When `take` fails the connection is ended: the rest of the answer would stand before every other.
 */
export async function copyOut(
  client: Client,
  copy: string,
  take: (rows: Readable) => Promise<void>,
): Promise<number> {
  const rows = client.query(copyTo(copy));
  try {
    await take(rows);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  // The rows end before the server has said how many they were: the next answer is behind that.
  await client.query("SELECT");
  return rows.rowCount;
}

/** Writes what `select` yields to a file that must not exist yet, and on to the disk. */
export async function copyToFile(
  client: Client,
  select: string,
  path: string,
): Promise<Pick<StoredTable, "rows" | "bytes" | "sha256">> {
  const hash = createHash("sha256");
  const file = createWriteStream(path, { flags: "wx", flush: true });
  const rows = await copyOut(client, `COPY (${select}) TO STDOUT (FORMAT csv, HEADER true)`, (from) =>
    pipeline(
      from,
      createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      file,
    ),
  );
  return { rows, bytes: file.bytesWritten, sha256: hash.digest("hex") };
}

/** Adds a file's rows to its table. */
export async function copyFromFile(client: Client, stored: StoredTable, path: string): Promise<void> {
  const into = `${quoteName(stored.table)} (${columnList(stored.columns)})`;
  // MATCH: that the file's columns are those of the manifest is for the server to see, too.
  const rows = client.query(copyFrom(`COPY ${into} FROM STDIN (FORMAT csv, HEADER match)`));
  await pipeline(createReadStream(path), createZstdDecompress(), rows);
}
