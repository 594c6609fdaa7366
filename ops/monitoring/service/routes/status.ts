// GET /status/timescaledb: what there is, for everybody who has a token.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { firstOwnJobId } from "../../jobName";
import { keepMs, type RouteGroup } from "../context";
import { readInstalled } from "../installed";
import { telemetrySchema, withRelations } from "../relations";
import { accessProblems, bearer, bytes, noParameters, ratio } from "../schemas";

const body = z.object({
  installed: z.boolean(),
  version: z.string().nullable(),
  edition: z.enum(["community", "apache"]).nullable(),
  license: z.string().nullable(),
  hypertables: z.number().int(),
  aggregates: z.number().int(),
  jobs: z.object({ total: z.number().int(), failing: z.number().int() }),
  sizeBytes: bytes.describe("Bytes of the whole database"),
  columnstore: z
    .object({ beforeBytes: bytes, afterBytes: bytes, savedRatio: ratio.nullable() })
    .nullable()
    .describe("Of the chunks that are columns; null in the Apache edition"),
});
type Body = z.infer<typeof body>;

export const status: RouteGroup =
  ({ monitor, shared }) =>
  async (app) => {
    app.get(
      "/status/timescaledb",
      {
        config: { access: "authenticated" },
        schema: {
          summary: "What kind of TimescaleDB this is, and how much is in it",
          security: bearer,
          querystring: noParameters,
          response: { ...accessProblems, 200: body },
        },
      },
      () => shared.get("status/timescaledb", keepMs, () => monitor.read(readStatus)),
    );
  };

/** @returns share of the bytes that is saved; null where nothing is compressed */
export function savedRatio(beforeBytes: number, afterBytes: number): number | null {
  return beforeBytes > 0 ? 1 - afterBytes / beforeBytes : null;
}

export async function readStatus(client: Queryable): Promise<Body> {
  const installed = await readInstalled(client);
  const size = await client.query<{ size: number }>(
    "SELECT pg_database_size(current_database())::float8 AS size",
  );
  const sizeBytes = size.rows[0]?.size ?? 0;
  if (installed === undefined) {
    const nothing = {
      version: null,
      edition: null,
      license: null,
      hypertables: 0,
      aggregates: 0,
      columnstore: null,
    };
    return { installed: false, ...nothing, jobs: { total: 0, failing: 0 }, sizeBytes };
  }
  const counts = await client.query<{
    hypertables: number;
    aggregates: number;
    total: number;
    failing: number;
  }>(
    `${withRelations}
     SELECT (SELECT count(*) FROM relations WHERE kind = 'table')::int AS hypertables,
            (SELECT count(*) FROM relations WHERE kind = 'aggregate')::int AS aggregates,
            (SELECT count(*) FROM timescaledb_information.jobs)::int AS total,
            (SELECT count(DISTINCT job_id) FROM timescaledb_information.job_stats
              WHERE last_run_status = 'Failed' AND job_id >= ${firstOwnJobId})::int AS failing`,
    [telemetrySchema],
  );
  const { hypertables = 0, aggregates = 0, total = 0, failing = 0 } = counts.rows[0] ?? {};
  return {
    installed: true,
    ...installed,
    hypertables,
    aggregates,
    jobs: { total, failing },
    sizeBytes,
    columnstore: installed.edition === "community" ? await readColumnstore(client) : null,
  };
}

async function readColumnstore(client: Queryable): Promise<NonNullable<Body["columnstore"]>> {
  const { rows } = await client.query<{ before: number; after: number }>(
    `${withRelations}
     SELECT coalesce(sum(s.before_compression_total_bytes), 0)::float8 AS before,
            coalesce(sum(s.after_compression_total_bytes), 0)::float8 AS after
       FROM relations r, LATERAL hypertable_columnstore_stats(r.oid::regclass) s`,
    [telemetrySchema],
  );
  const { before: beforeBytes = 0, after: afterBytes = 0 } = rows[0] ?? {};
  return { beforeBytes, afterBytes, savedRatio: savedRatio(beforeBytes, afterBytes) };
}
