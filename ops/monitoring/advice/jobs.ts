/** TimescaleDB's jobs: how they went, how long they take, and what comes next. */
import { z } from "zod";
import { telemetrySchema } from "../../../infra/schema/catalogue";
import type { Queryable } from "../../queryable";
import { firstOwnJobId, jobNames } from "../jobName";
import { median } from "./statistics";

const instant = z.iso.datetime();

const job = z.strictObject({
  id: z.number().int(),
  /** "columnstore:metric_hist": what it does, and to what. */
  name: z.string(),
  proc: z.string(),
  hypertable: z.string().nullable(),
  /** false: somebody paused it. */
  scheduled: z.boolean(),
  scheduleSeconds: z.number().nonnegative(),
  lastRun: instant.nullable(),
  /** null: it has never run. */
  lastStatus: z.enum(["success", "failed"]).nullable(),
  lastDurationSeconds: z.number().nonnegative().nullable(),
  lastSuccess: instant.nullable(),
  nextStart: instant.nullable(),
  runs: z.number().int().nonnegative(),
  failures: z.number().int().nonnegative(),
  /** First failure after the last success; null: it doesn't fail, or its history may not be read. */
  failingSince: instant.nullable(),
  lastError: z.string().nullable(),
  /** Middle of the last runs that succeeded, and that as a multiple of the ones before; null: too few are recorded. */
  durationSeconds: z.number().nonnegative().nullable(),
  durationTrend: z.number().nonnegative().nullable(),
});
export type Job = z.infer<typeof job>;

export const jobsOutput = z.strictObject({
  jobs: z.array(job),
  total: z.number().int(),
  /** Without TimescaleDB's own, see {@link firstOwnJobId}. */
  failing: z.number().int(),
  paused: z.number().int(),
});
export type Jobs = z.infer<typeof jobsOutput>;

/** A run as TimescaleDB's history has it. */
export interface Run {
  readonly jobId: number;
  readonly started: Date;
  /** undefined while it runs, or when it crashed. */
  readonly finished: Date | undefined;
  readonly succeeded: boolean;
  readonly error: string | null;
}

/** Runs that are compared with as many before them. */
const trendRuns = 10;
/** The median of fewer is the last one. */
const leastTrendRuns = 3;

/**
 * Queries of catalogues. The history, and with it errors and trends, is only shown to members of the database's
 * owner or of a job's owner: others get null for these.
 */
export async function readJobs(client: Queryable): Promise<Jobs> {
  const { rows } = await client.query<JobRow>(jobsQuery, [telemetrySchema]);
  const { rows: history } = await client.query<RunRow>(historyQuery, [2 * trendRuns]);
  const runs = history.map(({ job_id, started, finished, succeeded, error }) => ({
    jobId: job_id,
    started,
    finished: finished ?? undefined,
    succeeded: succeeded === true,
    error,
  }));
  const names = jobNames(rows);
  const jobs = rows.map((row) => describe(row, names.get(row.id) ?? "", runs));
  return {
    jobs,
    total: jobs.length,
    failing: jobs.filter(({ id, lastStatus }) => lastStatus === "failed" && id >= firstOwnJobId).length,
    paused: jobs.filter(({ scheduled }) => !scheduled).length,
  };
}

/** How long runs take lately. @param runs of one job, newest first */
export function durations(runs: readonly Run[]): Pick<Job, "durationSeconds" | "durationTrend"> {
  const seconds = runs.flatMap(({ succeeded, started, finished }) =>
    succeeded && finished !== undefined ? (finished.getTime() - started.getTime()) / 1_000 : [],
  );
  const [latest, before] = [seconds.slice(0, trendRuns), seconds.slice(trendRuns, 2 * trendRuns)];
  if (latest.length < leastTrendRuns) return { durationSeconds: null, durationTrend: null };
  const now = median(latest);
  const then = before.length < leastTrendRuns ? 0 : median(before);
  return { durationSeconds: now, durationTrend: then > 0 ? now / then : null };
}

/** When the failures began that still go on. @param runs of one job, newest first */
export function failingSince(runs: readonly Run[]): string | null {
  const firstSuccess = runs.findIndex(({ succeeded }) => succeeded);
  const failed = runs.slice(0, firstSuccess < 0 ? runs.length : firstSuccess);
  return failed.at(-1)?.started.toISOString() ?? null;
}

function describe(row: JobRow, name: string, history: readonly Run[]): Job {
  // One without an end is still running, unless a later one has begun: then it crashed.
  const own = history.filter(({ jobId }) => jobId === row.id);
  const runs = own.filter(({ finished }, index) => finished !== undefined || index > 0);
  const lastStatus = row.last_status === null ? null : row.last_status === "Success" ? "success" : "failed";
  const failing = lastStatus === "failed";
  return {
    id: row.id,
    name,
    proc: row.proc,
    hypertable: row.hypertable,
    scheduled: row.scheduled,
    scheduleSeconds: row.schedule_seconds,
    lastRun: iso(row.last_run),
    lastStatus,
    lastDurationSeconds: row.last_duration,
    lastSuccess: iso(row.last_success),
    nextStart: iso(row.next_start),
    runs: row.runs,
    failures: row.failures,
    failingSince: failing ? failingSince(runs) : null,
    lastError: failing ? (runs[0]?.error ?? null) : null,
    ...durations(runs),
  };
}

function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

interface JobRow {
  readonly id: number;
  readonly proc: string;
  readonly hypertable: string | null;
  readonly scheduled: boolean;
  readonly schedule_seconds: number;
  readonly last_run: Date | null;
  readonly last_status: string | null;
  readonly last_duration: number | null;
  readonly last_success: Date | null;
  readonly next_start: Date | null;
  readonly runs: number;
  readonly failures: number;
}

interface RunRow {
  readonly job_id: number;
  readonly started: Date;
  readonly finished: Date | null;
  readonly succeeded: boolean | null;
  readonly error: string | null;
}

/**
 * "-infinity" is how TimescaleDB writes never; an aggregate is named by its view. A job that runs is found by its session's
 * name, so with parallel workers its statistics are there more than once.
 */
const jobsQuery = `
  SELECT DISTINCT ON (j.job_id) j.job_id AS id, j.proc_name AS proc, coalesce(a.view_name, j.hypertable_name) AS hypertable, j.scheduled,
         extract(epoch FROM j.schedule_interval)::float8 AS schedule_seconds,
         nullif(s.last_run_started_at, '-infinity') AS last_run, s.last_run_status AS last_status,
         extract(epoch FROM s.last_run_duration)::float8 AS last_duration,
         nullif(s.last_successful_finish, '-infinity') AS last_success,
         CASE WHEN j.scheduled THEN nullif(j.next_start, '-infinity') END AS next_start,
         coalesce(s.total_runs, 0)::float8 AS runs, coalesce(s.total_failures, 0)::float8 AS failures
    FROM timescaledb_information.jobs j
    LEFT JOIN timescaledb_information.job_stats s USING (job_id)
    LEFT JOIN timescaledb_information.continuous_aggregates a
      ON a.view_schema = $1 AND a.materialization_hypertable_schema = j.hypertable_schema
     AND a.materialization_hypertable_name = j.hypertable_name
   ORDER BY j.job_id`;

/** Newest first, of each job. */
const historyQuery = `
  SELECT h.job_id, h.start_time AS started, h.finish_time AS finished, h.succeeded, h.err_message AS error
    FROM (SELECT *, row_number() OVER (PARTITION BY job_id ORDER BY start_time DESC) AS place
            FROM timescaledb_information.job_history) AS h
   WHERE h.place <= $1
   ORDER BY h.job_id, h.start_time DESC`;
