import { collector } from "../collector";
import { sample } from "../metrics";
import { joinChunks, relations } from "./relations";

interface ChunksRow {
  readonly hypertable: string;
  readonly kind: string;
  readonly as_rows: number;
  readonly as_columns: number;
  /** null without chunks. */
  readonly oldest_start: number | null;
  readonly newest_end: number | null;
  readonly interval_seconds: number;
}

export const chunks = collector<ChunksRow>({
  name: "chunks",
  sql: `WITH ${relations}
    SELECT r.hypertable, r.kind, extract(epoch FROM d.time_interval)::float8 AS interval_seconds,
           (count(*) FILTER (WHERE NOT k.is_compressed))::float8 AS as_rows,
           (count(*) FILTER (WHERE k.is_compressed))::float8 AS as_columns,
           extract(epoch FROM min(k.range_start))::float8 AS oldest_start,
           extract(epoch FROM max(k.range_end))::float8 AS newest_end
      FROM relations r
      JOIN timescaledb_information.dimensions d
        ON d.hypertable_schema = r.storage_schema AND d.hypertable_name = r.storage_name AND d.dimension_number = 1
      ${joinChunks}
     GROUP BY r.hypertable, r.kind, d.time_interval`,
  samples: (rows) =>
    rows.flatMap(({ hypertable, kind, ...row }) => {
      const of = { hypertable, kind };
      return [
        ...sample("timescaledb_hypertable_chunks", { ...of, store: "rows" }, row.as_rows),
        ...sample("timescaledb_hypertable_chunks", { ...of, store: "columns" }, row.as_columns),
        ...sample("timescaledb_hypertable_oldest_chunk_start_timestamp_seconds", of, row.oldest_start),
        ...sample("timescaledb_hypertable_newest_chunk_end_timestamp_seconds", of, row.newest_end),
        ...sample("timescaledb_hypertable_chunk_interval_seconds", of, row.interval_seconds),
      ];
    }),
});
