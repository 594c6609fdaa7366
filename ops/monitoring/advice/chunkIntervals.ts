/** The chunk interval that each hypertable should have, by `ops advise`'s own rule, as an answer of the API. */
import { z } from "zod";
import { type TableName, tableNames } from "../../../infra/schema/catalogue";
import { interval } from "../../../infra/units";
import { adviseChunkInterval } from "../../advise/chunkInterval";
import { measureRate } from "../../advise/measureRate";
import type { Queryable } from "../../queryable";
import { type Relation, readRelations } from "./relations";

export const chunkIntervalInput = z.strictObject({
  /** Of one database server: chunks that are written to should fit a quarter of it. */
  memoryBytes: z.coerce.number().positive(),
});
export type ChunkIntervalInput = z.infer<typeof chunkIntervalInput>;

export const chunkIntervalOutput = z.strictObject({
  memoryBytes: z.number().positive(),
  hypertables: z.array(
    z.strictObject({
      name: z.string(),
      /** As it is. */
      chunkIntervalSeconds: z.number().positive(),
      /** As it should be; null: too few rows to say. */
      advisedSeconds: z.number().positive().nullable(),
      rowsPerDay: z.number().nonnegative().nullable(),
      bytesPerRow: z.number().nonnegative().nullable(),
      /** Sentences with the numbers. */
      why: z.array(z.string()),
      /** Key of the stack's config to change, and what to set it to; null: keep what is there. */
      key: z.string().nullable(),
      value: z.string().nullable(),
    }),
  ),
});
export type ChunkIntervalAnswer = z.infer<typeof chunkIntervalOutput>;

/**
 * Counts the rows of the three newest chunks of each hypertable: seconds where they hold millions. Needs SELECT on the
 * tables. Works on both editions; aggregates have no such setting.
 */
export async function readChunkIntervals(
  client: Queryable,
  { memoryBytes }: ChunkIntervalInput,
): Promise<ChunkIntervalAnswer> {
  const hypertables = [];
  for (const relation of await readRelations(client)) {
    if (!isOurs(relation)) continue;
    hypertables.push(await advise(client, relation, memoryBytes));
  }
  return { memoryBytes, hypertables };
}

type OurTable = Relation & { readonly name: TableName };

function isOurs({ name, kind }: Relation): boolean {
  return kind === "table" && (tableNames as readonly string[]).includes(name);
}

async function advise(client: Queryable, relation: Relation, memoryBytes: number) {
  const { name, chunkSeconds, retentionSeconds } = relation as OurTable;
  const current = interval(chunkSeconds);
  const { rows, rate } = await measureRate(client, name, await segmentColumns(client, relation));
  if (rate === undefined)
    return {
      name,
      chunkIntervalSeconds: chunkSeconds,
      advisedSeconds: null,
      rowsPerDay: null,
      bytesPerRow: null,
      why: [`${rows.toLocaleString("en-US")} rows in the newest chunks are too few to advise from`],
      key: null,
      value: null,
    };
  const retention = retentionSeconds === null ? undefined : interval(retentionSeconds);
  const advice = adviseChunkInterval(rate, { memoryBytes, retention });
  const keep = advice.interval.seconds === current.seconds;
  return {
    name,
    chunkIntervalSeconds: chunkSeconds,
    advisedSeconds: advice.interval.seconds,
    rowsPerDay: rate.rowsPerDay,
    bytesPerRow: rate.bytesPerRow,
    why: [...advice.why],
    key: keep ? null : `timescaledb.tables.${name}.chunkInterval`,
    value: keep ? null : advice.interval.text,
  };
}

/** Of the columnstore; the machine where there is none, as all tables have one. */
async function segmentColumns(client: Queryable, { storage }: Relation): Promise<string[]> {
  const { rows } = await client.query<{ segmentby: string | null }>(
    "SELECT segmentby FROM timescaledb_information.hypertable_columnstore_settings WHERE hypertable = $1::regclass",
    [storage.regclass],
  );
  const columns = (rows[0]?.segmentby ?? "").split(",").flatMap((column) => column.trim() || []);
  return columns.length > 0 ? columns : ["machine_id"];
}
