// GET /metrics/hypertables: size, chunks and age of every hypertable and aggregate.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { keepMs, type RouteGroup } from "../context";
import { readInstalled } from "../installed";
import { telemetrySchema, withRelations } from "../relations";
import { accessProblems, bearer, bytes, instant, noParameters, relationKind, seconds } from "../schemas";

const hypertable = z.object({
  name: z.string(),
  kind: relationKind,
  rows: z.number().nullable().describe("An estimate from statistics; null before the first ANALYZE"),
  sizeBytes: bytes,
  chunks: z.number().int(),
  columnChunks: z.number().int().describe("Chunks that are columns"),
  chunkIntervalSeconds: seconds.nullable(),
  oldest: instant.nullable().describe("Start of the oldest chunk"),
  newest: instant.nullable().describe("End of the newest chunk"),
  newestRow: instant.nullable().describe("null for aggregates, and where the service may not ask"),
});
type Hypertable = z.infer<typeof hypertable>;

export const hypertables: RouteGroup =
  ({ monitor, shared }) =>
  async (app) => {
    app.get(
      "/metrics/hypertables",
      {
        config: { access: "admin" },
        schema: {
          summary: "Size, chunks and age of every hypertable and aggregate",
          security: bearer,
          querystring: noParameters,
          response: { ...accessProblems, 200: z.object({ hypertables: z.array(hypertable) }) },
        },
      },
      async () => ({
        hypertables: await shared.get("metrics/hypertables", keepMs, () => monitor.read(readHypertables)),
      }),
    );
  };

type Row = Omit<Hypertable, "oldest" | "newest" | "newestRow"> & { oldest: Date | null; newest: Date | null };

export async function readHypertables(client: Queryable): Promise<Hypertable[]> {
  if ((await readInstalled(client)) === undefined) return [];
  const { rows } = await client.query<Row>(
    // No statistics give an estimate of 0, which for a relation that has chunks is no estimate.
    `${withRelations}
     SELECT r.name, r.kind, nullif(approximate_row_count(r.oid::regclass), CASE WHEN s.chunks > 0 THEN 0 END)::float8 AS rows,
            hypertable_size(r.oid::regclass)::float8 AS "sizeBytes", s.chunks, s."columnChunks",
            extract(epoch FROM d.time_interval)::float8 AS "chunkIntervalSeconds", s.oldest, s.newest
       FROM relations r
       JOIN LATERAL (SELECT count(*)::int AS chunks, count(*) FILTER (WHERE is_compressed)::int AS "columnChunks",
                            min(range_start) AS oldest, max(range_end) AS newest
                       FROM timescaledb_information.chunks c
                      WHERE c.hypertable_schema = r.schema_name AND c.hypertable_name = r.table_name) s ON true
       LEFT JOIN timescaledb_information.dimensions d
         ON d.hypertable_schema = r.schema_name AND d.hypertable_name = r.table_name AND d.dimension_number = 1
      ORDER BY r.kind DESC, r.name`,
    [telemetrySchema],
  );
  const newest = await readNewestRows(client);
  return rows.map((row) => ({
    ...row,
    oldest: row.oldest?.toISOString() ?? null,
    newest: row.newest?.toISOString() ?? null,
    newestRow: newest.get(row.name)?.toISOString() ?? null,
  }));
}

/** By a function of the owner's, since the monitor's role sees no telemetry; empty where it is not there or not granted. */
async function readNewestRows(client: Queryable): Promise<ReadonlyMap<string, Date>> {
  const { rows: functions } = await client.query<{ usable: boolean }>(
    `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE') AS usable
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = 'monitoring' AND p.proname = 'newest_rows' AND p.pronargs = 0`,
  );
  if (functions[0]?.usable !== true) return new Map();
  const { rows } = await client.query<{ hypertable: string; newest: Date | null }>(
    "SELECT hypertable, newest FROM monitoring.newest_rows()",
  );
  return new Map(
    rows.flatMap(({ hypertable: name, newest }) => (newest === null ? [] : [[name, newest] as const])),
  );
}
