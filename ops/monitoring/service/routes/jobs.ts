// GET /jobs: policies and other jobs, and how their runs went.
import type { Queryable } from "../../../queryable";
import { type Jobs, jobsOutput, readJobs } from "../../advice/jobs";
import { keepMs, type RouteGroup } from "../context";
import { readInstalled } from "../installed";
import { accessProblems, bearer, noParameters } from "../schemas";

export const jobs: RouteGroup =
  ({ monitor, shared }) =>
  async (app) => {
    app.get(
      "/jobs",
      {
        config: { access: "admin" },
        schema: {
          summary: "Jobs, and how their runs went",
          security: bearer,
          querystring: noParameters,
          response: { ...accessProblems, 200: jobsOutput },
        },
      },
      () => shared.get("jobs", keepMs, () => monitor.read(readAllJobs)),
    );
  };

/** None in a database without TimescaleDB. */
export async function readAllJobs(client: Queryable): Promise<Jobs> {
  if ((await readInstalled(client)) === undefined) return { jobs: [], total: 0, failing: 0, paused: 0 };
  return readJobs(client);
}
