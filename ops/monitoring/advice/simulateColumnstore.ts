/** What an earlier or later columnstore would save, by what the table's own columns have saved. */
import { z } from "zod";
import { interval } from "../../../infra/units";
import type { Queryable } from "../../queryable";
import { type Chunk, columnRatio, readChunks, sum } from "./chunks";
import { needsCommunity, readEdition } from "./client";
import { findRelation, type Relation } from "./relations";

export interface ColumnstoreInput {
  /** Table or aggregate, without its schema. */
  readonly hypertable: string;
  /** Age of a chunk's end from which on it is columns. */
  readonly afterSeconds: number;
}

export const columnstoreSimulationOutput = z.strictObject({
  unavailable: z.string().nullable(),
  hypertable: z.string(),
  afterSeconds: z.number().positive(),
  /** Chunks that are rows and would be columns. */
  chunks: z.number().int().nonnegative(),
  rowBytes: z.number().nonnegative(),
  /** null: the table has no columns to go by. */
  columnBytes: z.number().nonnegative().nullable(),
  savedBytes: z.number().nonnegative().nullable(),
  ratio: z.number().nonnegative().nullable(),
  /** Chunks that the ratio was measured on. */
  measuredChunks: z.number().int().nonnegative(),
  warnings: z.array(z.string()),
});
export type ColumnstoreSimulation = z.infer<typeof columnstoreSimulationOutput>;

/** Catalogues only. @throws UserError when there is no such hypertable */
export async function simulateColumnstore(
  client: Queryable,
  { hypertable, afterSeconds, at }: ColumnstoreInput & { readonly at: Date },
): Promise<ColumnstoreSimulation> {
  const relation = await findRelation(client, hypertable);
  const apache = (await readEdition(client)) === "apache";
  const chunks = apache ? [] : await readChunks(client, relation);
  return {
    unavailable: apache ? needsCommunity : null,
    ...simulate(relation, chunks, afterSeconds, at.getTime() / 1_000),
  };
}

/** Pure. @param at seconds since 1970 */
export function simulate(
  relation: Relation,
  chunks: readonly Chunk[],
  afterSeconds: number,
  at: number,
): Omit<ColumnstoreSimulation, "unavailable"> {
  const early = chunks.filter(({ columns, to }) => !columns && to + afterSeconds <= at);
  const measured = chunks.filter(({ columns }) => columns);
  const ratio = columnRatio(chunks);
  const rowBytes = sum(early.map((chunk) => chunk.rowBytes));
  const columnBytes = ratio === null ? null : Math.round(rowBytes * ratio);
  return {
    hypertable: relation.name,
    afterSeconds,
    chunks: early.length,
    rowBytes,
    columnBytes,
    savedBytes: columnBytes === null ? null : Math.max(0, rowBytes - columnBytes),
    ratio,
    measuredChunks: measured.length,
    warnings: warnings(relation, afterSeconds, ratio, measured, at),
  };
}

function warnings(
  { columnstoreAfterSeconds, retentionSeconds, refresh }: Relation,
  afterSeconds: number,
  ratio: number | null,
  measured: readonly Chunk[],
  at: number,
): string[] {
  const after = interval(afterSeconds).text;
  const told: string[] = [];
  if (ratio === null)
    told.push("no chunk of this hypertable is columns yet: what they would take isn't known");
  else if (measured.length < 3)
    told.push(`the ratio comes from ${measured.length === 1 ? "one chunk" : "two chunks"} only`);
  if (retentionSeconds !== null && afterSeconds >= retentionSeconds)
    told.push(
      `chunks are deleted after ${interval(retentionSeconds).text}, before they would become columns`,
    );
  if (refresh !== null && afterSeconds < (refresh.startSeconds ?? Number.POSITIVE_INFINITY))
    told.push("refreshes would keep writing to columns, which is slow: the config refuses that");
  if (columnstoreAfterSeconds !== null && afterSeconds > columnstoreAfterSeconds) {
    const younger = measured.filter(({ to }) => to + afterSeconds > at).length;
    if (younger > 0)
      told.push(`${younger} chunks are columns already and younger than ${after}: they would stay columns`);
  }
  return told;
}
