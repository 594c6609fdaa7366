import { collector } from "../collector";
import { sample } from "../metrics";

interface FreshnessRow {
  readonly hypertable: string;
  /** null without rows. */
  readonly newest: number | null;
}

export const freshness = collector<FreshnessRow>({
  name: "freshness",
  sql: "SELECT hypertable, extract(epoch FROM newest)::float8 AS newest FROM monitoring.newest_rows()",
  samples: (rows) =>
    rows.flatMap(({ hypertable, newest }) =>
      sample("timescaledb_hypertable_newest_row_timestamp_seconds", { hypertable }, newest),
    ),
});
