/** What a hypertable's chunks take at any time: as rows first, as columns when they are old enough, then nothing. Pure. */
import { type Chunk, sum } from "./chunks";
import { daySeconds, type ExpectedIntake } from "./intake";

/** A hypertable with what its policies say; ages are counted from a chunk's end, as TimescaleDB does. */
export interface StoredTable {
  readonly name: string;
  readonly chunkSeconds: number;
  readonly columnstoreAfterSeconds: number | null;
  readonly retentionSeconds: number | null;
  readonly chunks: readonly Chunk[];
}

/**
 * Bytes at a time that is past, as the chunks that are there now tell. What retention has deleted since is taken to
 * have been like the oldest chunk that is kept; without that a table long in balance would look as if it had grown.
 *
 * @param at of the catalogue, seconds since 1970
 */
export function sizeThen(table: StoredTable, then: number, at: number): number {
  return sum(table.chunks.map((chunk) => chunkThen(table, chunk, then, at))) + deletedSince(table, then, at);
}

function chunkThen({ columnstoreAfterSeconds }: StoredTable, chunk: Chunk, then: number, at: number): number {
  if (chunk.from >= then) return 0;
  if (chunk.columns && then >= chunk.to + (columnstoreAfterSeconds ?? 0)) return chunk.bytes;
  const end = Math.min(chunk.to, at);
  return chunk.rowBytes * Math.min(1, (then - chunk.from) / Math.max(1, end - chunk.from));
}

function deletedSince({ retentionSeconds, chunks }: StoredTable, then: number, at: number): number {
  const oldest = chunks[0];
  if (retentionSeconds === null || oldest === undefined) return 0;
  // A chunk made after its time was imported: nothing tells that there was one before it.
  const hasDeleted = at - oldest.from >= retentionSeconds && oldest.created <= oldest.to;
  const missing = Math.min(oldest.from - (then - retentionSeconds), retentionSeconds);
  if (!hasDeleted || missing <= 0) return 0;
  return (missing * oldest.bytes) / (oldest.to - oldest.from);
}

/**
 * Bytes `days` after `at` (up to as many as `intake` is asked for), when policies do what they say and `intake` comes.
 *
 * @param ratio of bytes as columns to bytes as rows; null: not known, and none is assumed
 */
export function sizeAfter(
  table: StoredTable,
  at: number,
  days: number,
  ratio: number | null,
  intake: (days: number) => number,
): number {
  const then = at + days * daySeconds;
  const arrived = (time: number) => intake(Math.max(0, Math.min(time, then) - at) / daySeconds);
  const existing = table.chunks.map((chunk) => {
    const filling = chunk.to > at ? arrived(chunk.to) - arrived(Math.max(at, chunk.from)) : 0;
    return chunkAfter(
      table,
      chunk,
      chunk.rowBytes + filling,
      then,
      ratio,
      chunk.columns ? chunk.bytes + filling : undefined,
    );
  });
  return (
    sum(existing) +
    sum(
      newChunks(table, at, then).map((chunk) =>
        chunkAfter(table, chunk, arrived(chunk.to) - arrived(chunk.from), then, ratio, undefined),
      ),
    )
  );
}

/** @param measured bytes of a chunk that is columns already */
function chunkAfter(
  { columnstoreAfterSeconds, retentionSeconds }: StoredTable,
  { to }: Pick<Chunk, "to">,
  rowBytes: number,
  then: number,
  ratio: number | null,
  measured: number | undefined,
): number {
  if (retentionSeconds !== null && then >= to + retentionSeconds) return 0;
  if (measured !== undefined) return measured;
  const isColumns = columnstoreAfterSeconds !== null && then >= to + columnstoreAfterSeconds;
  return rowBytes * (isColumns ? (ratio ?? 1) : 1);
}

/** The chunks that will begin after the newest one and before `then`. */
function newChunks(table: StoredTable, at: number, then: number): { from: number; to: number }[] {
  const newest = table.chunks.at(-1);
  const chunks: { from: number; to: number }[] = [];
  let from = Math.max(newest?.to ?? at, at);
  while (from < then) {
    chunks.push({ from, to: from + table.chunkSeconds });
    from += table.chunkSeconds;
  }
  return chunks;
}

/** The table as its catalogue was at an earlier time, as far as can be told now. */
export function tableAt(table: StoredTable, then: number, at: number): StoredTable {
  const chunks = table.chunks
    .filter(({ from }) => from < then)
    .map((chunk) => {
      const bytes = chunkThen(table, chunk, then, at);
      const columns = chunk.columns && then >= chunk.to + (table.columnstoreAfterSeconds ?? 0);
      return { ...chunk, columns, bytes, rowBytes: columns ? chunk.rowBytes : bytes };
    });
  return { ...table, chunks };
}

/** The band's three sides as what `sizeAfter` takes. */
export function intakeOf(expected: ExpectedIntake | undefined, side: -1 | 0 | 1): (days: number) => number {
  return (days) => (expected === undefined || days <= 0 ? 0 : expected.total(days, side));
}
