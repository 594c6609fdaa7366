// GET /health: for load balancers and people without a login. It says whether, never why.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { firstOwnJobId } from "../../jobName";
import { statuses, worst } from "../checks";
import type { RouteGroup, ServiceContext } from "../context";
import { DatabaseUnavailable } from "../database";
import { readInstalled } from "../installed";
import { commonProblems, instant, noParameters } from "../schemas";

const body = z.object({
  status: z.enum(statuses),
  checks: z.array(
    z.object({
      name: z.enum(["database", "timescaledb", "jobs"]),
      status: z.enum(statuses),
      detail: z.string().optional(),
    }),
  ),
  at: instant,
  version: z.string(),
});
type Health = z.infer<typeof body>;

/** ms: the answer comes within two seconds, and is not older than that. */
const limitMs = 1_500;
const keepMs = 2_000;

export const health: RouteGroup = (context) => async (app) => {
  app.get(
    "/health",
    {
      config: { access: "public" },
      schema: {
        summary: "Overall health",
        querystring: noParameters,
        response: { ...commonProblems, 200: body, 503: body.describe("Unhealthy") },
      },
    },
    async (request, reply) => {
      const found = await context.shared.get("health", keepMs, () =>
        look(context, (error) => request.log.warn({ err: error }, "the database is not healthy")),
      );
      return reply.code(found.status === "unhealthy" ? 503 : 200).send(found);
    },
  );
};

async function look(context: ServiceContext, tell: (error: unknown) => void): Promise<Health> {
  const checks = await context.health
    .read(readHealthChecks, limitMs)
    .catch((error: unknown): Health["checks"] => {
      tell(error);
      // Busy is our own queue: the database works, and too much at that.
      const busy = error instanceof DatabaseUnavailable && error.why === "busy";
      return [
        busy
          ? { name: "database", status: "degraded", detail: "busy" }
          : { name: "database", status: "unhealthy" },
      ];
    });
  return { status: worst(checks), checks, at: new Date().toISOString(), version: context.settings.version };
}

export async function readHealthChecks(client: Queryable): Promise<Health["checks"]> {
  const installed = await readInstalled(client);
  if (installed === undefined) {
    return [
      { name: "database", status: "healthy" },
      { name: "timescaledb", status: "unhealthy" },
    ];
  }
  const { rows } = await client.query<{ failing: number }>(
    `SELECT count(DISTINCT job_id)::int AS failing FROM timescaledb_information.job_stats
      WHERE last_run_status = 'Failed' AND job_id >= ${firstOwnJobId}`,
  );
  const failing = rows[0]?.failing ?? 0;
  return [
    { name: "database", status: "healthy" },
    { name: "timescaledb", status: "healthy" },
    failing > 0
      ? { name: "jobs", status: "degraded", detail: `${failing} failing` }
      : { name: "jobs", status: "healthy" },
  ];
}
