import { escapeIdentifier } from "../../../infra/schema/postgres";
import type { Queryable } from "../../queryable";
import { type Chunk, sum } from "./chunks";
import { maySelect } from "./client";
import type { Relation } from "./relations";

/**
 * Rows of some chunks. Chunks that are rows and analysed know their own; for all others the bytes of a row of such a chunk
 * count. Where none is analysed, one chunk is counted, if the login may.
 *
 * @param of the chunks to tell about, all of them of one hypertable
 * @param all chunks of that hypertable
 * @returns null when nothing tells how large a row is
 */
export async function estimateRows(
  client: Queryable,
  relation: Relation,
  of: readonly Chunk[],
  all: readonly Chunk[],
): Promise<number | null> {
  if (of.length === 0) return 0;
  const perRow = bytesPerAnalysedRow(all) ?? (await bytesPerCountedRow(client, relation, smallest(of)));
  if (perRow === null) return null;
  return Math.round(
    sum(of.map(({ analysedRows, columns, rowBytes }) => (!columns && analysedRows) || rowBytes / perRow)),
  );
}

function bytesPerAnalysedRow(chunks: readonly Chunk[]): number | null {
  const analysed = chunks.filter(({ columns, analysedRows }) => !columns && analysedRows !== null);
  const rows = sum(analysed.map(({ analysedRows }) => analysedRows ?? 0));
  return rows > 0 ? sum(analysed.map(({ bytes }) => bytes)) / rows : null;
}

function smallest(chunks: readonly Chunk[]): Chunk | undefined {
  return chunks.toSorted((a, b) => a.rowBytes - b.rowBytes)[0];
}

async function bytesPerCountedRow(
  client: Queryable,
  { storage, timeColumn }: Relation,
  chunk: Chunk | undefined,
): Promise<number | null> {
  if (chunk === undefined || !(await maySelect(client, storage.regclass))) return null;
  const time = escapeIdentifier(timeColumn);
  const { rows } = await client.query<{ rows: number }>(
    `SELECT count(*)::float8 AS rows FROM ${storage.regclass} WHERE ${time} >= to_timestamp($1) AND ${time} < to_timestamp($2)`,
    [chunk.from, chunk.to],
  );
  const count = rows[0]?.rows ?? 0;
  return count > 0 ? chunk.rowBytes / count : null;
}
