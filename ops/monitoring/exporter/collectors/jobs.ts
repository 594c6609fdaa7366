import { firstOwnJobId, jobNames } from "../../jobName";
import { collector } from "../collector";
import { sample } from "../metrics";

export interface JobRow {
  readonly job_id: number;
  readonly proc_name: string;
  /** Table or aggregate, without schema; null where the job is of none. */
  readonly hypertable: string | null;
  readonly scheduled: boolean;
  readonly running: boolean;
  readonly runs: number;
  readonly failures: number;
  /** `Success` or `Failed`; null before the first run and while one is under way. */
  readonly last_status: string | null;
  /** Seconds since 1970; -Infinity before the first success. */
  readonly last_success: number | null;
  readonly last_duration: number | null;
  readonly schedule_interval: number;
  /** Seconds since 1970; null while it is paused or has never run, -Infinity while it runs. */
  readonly next_start: number | null;
  /** Seconds since 1970, by the server's clock. */
  readonly now: number;
}

/** Seconds since a run should have begun that has not; 0 when none should have. */
export function jobLag({ running, next_start, now }: JobRow): number {
  if (running || next_start === null || !Number.isFinite(next_start)) return 0;
  return Math.max(0, now - next_start);
}

function jobSamples(job: JobRow, name: string) {
  const of = { job: name };
  const told = job.last_status !== null && job.job_id >= firstOwnJobId;
  const lastRun = told ? Number(job.last_status === "Success") : null;
  return [
    ...sample("timescaledb_job_info", { ...of, proc: job.proc_name, hypertable: job.hypertable ?? "" }, 1),
    ...sample("timescaledb_job_scheduled", of, Number(job.scheduled)),
    ...sample("timescaledb_job_runs_total", of, job.runs),
    ...sample("timescaledb_job_failures_total", of, job.failures),
    ...sample("timescaledb_job_last_run_success", of, lastRun),
    ...sample("timescaledb_job_last_success_timestamp_seconds", of, job.last_success),
    ...sample("timescaledb_job_last_duration_seconds", of, job.last_duration),
    ...sample("timescaledb_job_schedule_interval_seconds", of, job.schedule_interval),
    ...sample("timescaledb_job_lag_seconds", of, jobLag(job)),
  ];
}

export const jobs = collector<JobRow>({
  name: "jobs",
  // The view names an aggregate's job by the aggregate or by the hypertable that holds it, depending on the version. A job that
  // runs is found by its session's name, so with parallel workers its statistics are there more than once.
  sql: `
    SELECT DISTINCT ON (j.job_id) j.job_id, j.proc_name::text, coalesce(a.aggregate, j.hypertable_name) AS hypertable, j.scheduled,
           s.job_status = 'Running' AS running,
           coalesce(s.total_runs, 0)::float8 AS runs, coalesce(s.total_failures, 0)::float8 AS failures,
           s.last_run_status AS last_status, extract(epoch FROM s.last_successful_finish)::float8 AS last_success,
           extract(epoch FROM s.last_run_duration)::float8 AS last_duration,
           extract(epoch FROM j.schedule_interval)::float8 AS schedule_interval,
           extract(epoch FROM s.next_start)::float8 AS next_start, extract(epoch FROM clock_timestamp())::float8 AS now
      FROM timescaledb_information.jobs j
      JOIN timescaledb_information.job_stats s USING (job_id)
      LEFT JOIN monitoring.aggregates() a ON a.storage_schema = j.hypertable_schema AND a.storage_name = j.hypertable_name
     ORDER BY j.job_id, s.job_status = 'Running' DESC`,
  samples: (rows) => {
    const names = jobNames(
      rows.map(({ job_id: id, proc_name: proc, hypertable }) => ({ id, proc, hypertable })),
    );
    return rows.flatMap((row) => jobSamples(row, names.get(row.job_id) ?? ""));
  },
});
