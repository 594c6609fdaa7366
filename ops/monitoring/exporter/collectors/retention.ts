import { collector } from "../collector";
import { sample } from "../metrics";
import { joinChunks, joinJobs, relations } from "./relations";

interface RetentionRow {
  readonly hypertable: string;
  readonly kind: string;
  readonly retention: number;
  /** null without chunks. */
  readonly overdue: number | null;
}

export const retention = collector<RetentionRow>({
  name: "retention",
  communityOnly: true,
  // Months have no length of their own, so what is overdue is counted in the calendar.
  sql: `WITH ${relations}
    SELECT r.hypertable, r.kind, extract(epoch FROM p.drop_after)::float8 AS retention,
           extract(epoch FROM now() - p.drop_after - min(k.range_end))::float8 AS overdue
      FROM relations r ${joinJobs} AND j.proc_name = 'policy_retention' AND j.config ? 'drop_after'
     CROSS JOIN LATERAL (SELECT (j.config->>'drop_after')::interval AS drop_after) p
      ${joinChunks}
     GROUP BY r.hypertable, r.kind, p.drop_after`,
  samples: (rows) =>
    rows.flatMap(({ hypertable, kind, retention, overdue }) => [
      ...sample("timescaledb_retention_seconds", { hypertable, kind }, retention),
      ...sample("timescaledb_retention_overdue_seconds", { hypertable, kind }, overdue),
    ]),
});
