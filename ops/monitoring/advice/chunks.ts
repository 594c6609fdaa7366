/** The chunk catalogue: what each chunk covers and takes. */
import type { Queryable } from "../../queryable";
import type { Relation } from "./relations";

/** Times are seconds since 1970-01-01 UTC. */
export interface Chunk {
  readonly name: string;
  readonly from: number;
  /** Not included: rows of this instant are in the next one. */
  readonly to: number;
  readonly created: number;
  readonly columns: boolean;
  /** With indexes and TOAST, as it is now. */
  readonly bytes: number;
  /** As rows: the same while it is rows, what was measured when it became columns afterwards. */
  readonly rowBytes: number;
  /** Live rows as the last ANALYZE estimated them; null when nobody knows, as of most chunks that are columns. */
  readonly analysedRows: number | null;
}

/** In order of time. */
export async function readChunks(client: Queryable, { storage }: Relation): Promise<Chunk[]> {
  const { rows } = await client.query<Row>(chunksQuery, [storage.schema, storage.name, storage.regclass]);
  return rows.map(({ name, from, to, created, columns, bytes, before, analysed }) => ({
    name,
    from,
    to,
    created,
    columns,
    bytes,
    rowBytes: columns ? (before ?? bytes) : bytes,
    analysedRows: analysed > 0 ? analysed : null,
  }));
}

/** Bytes as columns for a byte as rows, over the chunks that are columns; null when there is none. */
export function columnRatio(chunks: readonly Pick<Chunk, "columns" | "bytes" | "rowBytes">[]): number | null {
  const converted = chunks.filter(({ columns, rowBytes }) => columns && rowBytes > 0);
  const before = sum(converted.map(({ rowBytes }) => rowBytes));
  return before > 0 ? sum(converted.map(({ bytes }) => bytes)) / before : null;
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

interface Row {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly created: number;
  readonly columns: boolean;
  readonly bytes: number;
  readonly before: number | null;
  readonly analysed: number;
}

const chunksQuery = `
  SELECT format('%I.%I', c.chunk_schema, c.chunk_name) AS name,
         extract(epoch FROM c.range_start)::float8 AS "from", extract(epoch FROM c.range_end)::float8 AS "to",
         extract(epoch FROM c.chunk_creation_time)::float8 AS created, c.is_compressed AS columns,
         d.total_bytes::float8 AS bytes, s.before_compression_total_bytes::float8 AS before,
         coalesce(k.reltuples, -1)::float8 AS analysed
    FROM timescaledb_information.chunks c
    JOIN chunks_detailed_size($3::regclass) d USING (chunk_schema, chunk_name)
    LEFT JOIN chunk_columnstore_stats($3::regclass) s USING (chunk_schema, chunk_name)
    LEFT JOIN pg_class k ON k.oid = to_regclass(format('%I.%I', c.chunk_schema, c.chunk_name))
   WHERE c.hypertable_schema = $1 AND c.hypertable_name = $2
   ORDER BY c.range_start`;
