import { collector } from "../collector";
import { sample } from "../metrics";
import { joinChunks, joinJobs, joinStorage, relations } from "./relations";

interface ColumnstoreRow {
  readonly hypertable: string;
  readonly kind: string;
  readonly before: number;
  readonly after: number;
}

export const columnstoreBytes = collector<ColumnstoreRow>({
  name: "columnstore_bytes",
  communityOnly: true,
  // TimescaleDB notes both when it turns a chunk into columns, so this adds up rows and looks at no file.
  sql: `WITH ${relations}
    SELECT r.hypertable, r.kind, coalesce(s.before_compression_total_bytes, 0)::float8 AS before,
           coalesce(s.after_compression_total_bytes, 0)::float8 AS after
      FROM relations r ${joinStorage} LEFT JOIN LATERAL hypertable_columnstore_stats(c.oid) s ON true`,
  samples: (rows) =>
    rows.flatMap(({ hypertable, kind, before, after }) => [
      ...sample("timescaledb_columnstore_before_bytes", { hypertable, kind }, before),
      ...sample("timescaledb_columnstore_after_bytes", { hypertable, kind }, after),
    ]),
});

interface PolicyRow {
  readonly hypertable: string;
  readonly kind: string;
  readonly after: number;
  readonly overdue: number;
}

export const columnstorePolicies = collector<PolicyRow>({
  name: "columnstore_policies",
  communityOnly: true,
  sql: `WITH ${relations}
    SELECT r.hypertable, r.kind, extract(epoch FROM p.after)::float8 AS after,
           (count(*) FILTER (WHERE NOT k.is_compressed AND k.range_end < now() - p.after))::float8 AS overdue
      FROM relations r ${joinJobs} AND j.proc_name = 'policy_compression' AND j.config ? 'compress_after'
     CROSS JOIN LATERAL (SELECT (j.config->>'compress_after')::interval AS after) p
      ${joinChunks}
     GROUP BY r.hypertable, r.kind, p.after`,
  samples: (rows) =>
    rows.flatMap(({ hypertable, kind, after, overdue }) => [
      ...sample("timescaledb_columnstore_after_seconds", { hypertable, kind }, after),
      ...sample("timescaledb_columnstore_overdue_chunks", { hypertable, kind }, overdue),
    ]),
});
