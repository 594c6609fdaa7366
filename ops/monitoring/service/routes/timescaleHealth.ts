// GET /health/timescaledb: whether what TimescaleDB does by itself gets done.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { firstOwnJobId, jobNames, type NamedJob } from "../../jobName";
import { check, statuses, type TimescaleFacts, timescaleChecks, worst } from "../checks";
import { keepMs, type RouteGroup } from "../context";
import { readInstalled } from "../installed";
import { configSeconds, jobOfRelation, telemetrySchema, withRelations } from "../relations";
import { accessProblems, bearer, noParameters } from "../schemas";

export const timescaleHealth: RouteGroup =
  ({ monitor, shared, settings }) =>
  async (app) => {
    app.get(
      "/health/timescaledb",
      {
        config: { access: "admin" },
        schema: {
          summary: "Health of TimescaleDB: jobs, aggregates, columnstore and retention on time",
          security: bearer,
          querystring: noParameters,
          response: {
            ...accessProblems,
            200: z.object({ status: z.enum(statuses), checks: z.array(check) }),
          },
        },
      },
      async () => {
        const workers = !settings.monitor.singleSession;
        const facts = await shared.get("health/timescaledb", keepMs, () =>
          monitor.read((client) => readTimescaleFacts(client, workers)),
        );
        const checks = timescaleChecks(facts);
        return { status: worst(checks), checks };
      },
    );
  };

/** Intervals of its schedule that a refresh may be late: one may fail, and the next takes its time. */
const lateAfter = 3;

export async function readTimescaleFacts(client: Queryable, workers: boolean): Promise<TimescaleFacts> {
  const installed = await readInstalled(client);
  if (installed === undefined) {
    return { installed, failing: [], stale: [], columnstoreOverdue: 0, retentionOverdue: 0, workers };
  }
  const { rows: jobs } = await client.query<NamedJob & { failing: boolean }>(
    `SELECT j.job_id AS id, j.proc_name::text AS proc, coalesce(a.view_name, j.hypertable_name)::text AS hypertable,
            j.job_id >= ${firstOwnJobId} AND EXISTS (SELECT FROM timescaledb_information.job_stats s
                     WHERE s.job_id = j.job_id AND s.last_run_status = 'Failed') AS failing
       FROM timescaledb_information.jobs j
       LEFT JOIN timescaledb_information.continuous_aggregates a
         ON a.view_schema = $1 AND a.materialization_hypertable_schema = j.hypertable_schema
        AND a.materialization_hypertable_name = j.hypertable_name
      ORDER BY j.job_id`,
    [telemetrySchema],
  );
  const names = jobNames(jobs);
  const failing = jobs.filter((job) => job.failing).map(({ id }) => names.get(id) ?? String(id));
  const facts = { installed, failing, workers };
  if (installed.edition === "apache")
    return { ...facts, stale: [], columnstoreOverdue: 0, retentionOverdue: 0 };
  const stale = await client.query<{ name: string }>(
    `${withRelations}
     SELECT r.name FROM relations r
       JOIN timescaledb_information.jobs j ON ${jobOfRelation}
       JOIN timescaledb_information.job_stats s USING (job_id)
      WHERE j.proc_name = 'policy_refresh_continuous_aggregate' AND j.scheduled
        AND (s.last_successful_finish IS NULL OR s.last_successful_finish < now() - $2::int * j.schedule_interval)
      ORDER BY r.name`,
    [telemetrySchema, lateAfter],
  );
  // A chunk waits when the policy has not taken it within two of its intervals.
  const overdue = await client.query<{ columnstore: number; retention: number }>(
    `${withRelations}
     SELECT count(*) FILTER (WHERE j.proc_name = 'policy_compression' AND NOT c.is_compressed
              AND c.range_end < now() - (j.config->>'compress_after')::interval - 2 * j.schedule_interval)::int AS columnstore,
            count(*) FILTER (WHERE j.proc_name = 'policy_retention'
              AND extract(epoch FROM now() - c.range_end) > ${configSeconds("drop_after")}
                + 2 * extract(epoch FROM j.schedule_interval))::int AS retention
       FROM relations r
       JOIN timescaledb_information.jobs j ON ${jobOfRelation}
       JOIN timescaledb_information.chunks c ON c.hypertable_schema = r.schema_name AND c.hypertable_name = r.table_name
      WHERE j.proc_name IN ('policy_compression', 'policy_retention')`,
    [telemetrySchema],
  );
  return {
    ...facts,
    stale: stale.rows.map(({ name }) => name),
    columnstoreOverdue: overdue.rows[0]?.columnstore ?? 0,
    retentionOverdue: overdue.rows[0]?.retention ?? 0,
  };
}
