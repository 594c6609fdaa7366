import { type TableName, telemetrySchema } from "../../infra/schema/catalogue";
import { quoteName } from "../../infra/schema/postgres";
import type { Queryable } from "../queryable";
import type { Rate } from "./chunkInterval";

/** What recent chunks say about a hypertable's rate; `rate` is undefined when they hold too little to say. */
export interface MeasuredRate {
  readonly rows: number;
  readonly days: number;
  readonly rate: Rate | undefined;
}

/** Newest chunks that are looked at: what comes in today, not what came in a year ago. */
const recentChunks = 3;
/** Fewer rows leave most of a chunk's pages empty, so that bytes a row say nothing. */
const leastRows = 1_000;
const leastSeconds = 3_600;

/**
 * Measures rows a day and bytes a row of the newest chunks. Chunks that are columns count with the bytes they had as
 * rows.
 */
export async function measureRate(
  client: Queryable,
  table: TableName,
  segmentBy: readonly string[],
): Promise<MeasuredRate> {
  const relation = `${telemetrySchema}.${table}`;
  const { rows: chunks } = await client.query<Chunk>(chunksQuery, [telemetrySchema, table, recentChunks]);
  const [newest, oldest] = [chunks[0], chunks.at(-1)];
  if (newest === undefined || oldest === undefined) return { rows: 0, days: 0, rate: undefined };
  const { rows: counted } = await client.query<Counted>(
    `SELECT count(*)::float8 AS rows, extract(epoch FROM max(ts) - min(ts))::float8 AS seconds,
            count(DISTINCT (${segmentBy.map(quoteName).join(", ")}))::float8 AS series
       FROM ${quoteName(relation)} WHERE ts >= $1 AND ts < $2`,
    [oldest.range_start, newest.range_end],
  );
  const { rows, seconds, series } = counted[0] ?? { rows: 0, seconds: 0, series: 0 };
  const days = (seconds ?? 0) / 86_400;
  const bytes = chunks.reduce((total, chunk) => total + chunk.bytes, 0);
  const enough = rows >= leastRows && (seconds ?? 0) >= leastSeconds && bytes > 0;
  return {
    rows,
    days,
    rate: enough ? { rowsPerDay: rows / days, bytesPerRow: bytes / rows, series } : undefined,
  };
}

interface Chunk {
  readonly range_start: string;
  readonly range_end: string;
  readonly bytes: number;
}

interface Counted {
  readonly rows: number;
  /** null without rows. */
  readonly seconds: number | null;
  readonly series: number;
}

/** Times as text: a Date would lose the microseconds of a border. */
const chunksQuery = `
  SELECT c.range_start::text, c.range_end::text, coalesce(s.before_compression_total_bytes, d.total_bytes)::float8 AS bytes
    FROM timescaledb_information.chunks c
    JOIN chunks_detailed_size(format('%I.%I', $1::text, $2::text)::regclass) d USING (chunk_schema, chunk_name)
    LEFT JOIN chunk_columnstore_stats(format('%I.%I', $1::text, $2::text)::regclass) s USING (chunk_schema, chunk_name)
   WHERE c.hypertable_schema = $1 AND c.hypertable_name = $2
   ORDER BY c.range_start DESC
   LIMIT $3`;
