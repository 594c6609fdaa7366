import { expect, it } from "vitest";
import { jobNames } from "../../../ops/monitoring/jobName";

it("jobs have names that are readable and one's own", () => {
  const of = (id: number, proc: string, hypertable: string | null = null) => ({ id, proc, hypertable });
  const names = jobNames([
    of(1015, "policy_refresh_continuous_aggregate", "metric_hourly_aggregate"),
    of(1012, "policy_refresh_continuous_aggregate", "metric_hourly_aggregate"),
    of(1000, "policy_compression", "metric_hist"),
    of(1001, "policy_retention", "metric_hist"),
    of(1002, "policy_reorder", "metric_hist"),
    of(3, "policy_job_stat_history_retention"),
    of(1020, "tidy"),
    of(1021, "tidy"),
  ]);
  expect(Object.fromEntries(names)).toEqual({
    1012: "refresh:metric_hourly_aggregate",
    1015: "refresh:metric_hourly_aggregate:1015",
    1000: "columnstore:metric_hist",
    1001: "retention:metric_hist",
    1002: "reorder:metric_hist",
    3: "job_stat_history_retention:3",
    1020: "tidy:1020",
    1021: "tidy:1021",
  });
});
