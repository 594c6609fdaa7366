import { collector } from "../collector";
import { sample } from "../metrics";
import { joinStorage, relations } from "./relations";

interface SizeRow {
  readonly hypertable: string;
  readonly kind: string;
  readonly bytes: number;
}

export const sizes = collector<SizeRow>({
  name: "sizes",
  sql: `WITH ${relations}
    SELECT r.hypertable, r.kind, hypertable_size(c.oid)::float8 AS bytes FROM relations r ${joinStorage}`,
  samples: (rows) =>
    rows.flatMap(({ hypertable, kind, bytes }) =>
      sample("timescaledb_hypertable_size_bytes", { hypertable, kind }, bytes),
    ),
});

interface CountRow {
  readonly hypertable: string;
  readonly kind: string;
  readonly rows: number;
}

export const rowCounts = collector<CountRow>({
  name: "rows",
  sql: `WITH ${relations}
    SELECT r.hypertable, r.kind, approximate_row_count(c.oid)::float8 AS rows FROM relations r ${joinStorage}`,
  samples: (counts) =>
    counts.flatMap(({ hypertable, kind, rows }) =>
      sample("timescaledb_hypertable_rows", { hypertable, kind }, rows),
    ),
});

export const databaseSize = collector<{ readonly bytes: number }>({
  name: "database_size",
  sql: "SELECT pg_database_size(current_database())::float8 AS bytes",
  samples: (rows) => rows.flatMap(({ bytes }) => sample("timescaledb_database_size_bytes", {}, bytes)),
});
