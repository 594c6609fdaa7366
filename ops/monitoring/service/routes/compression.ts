// GET /metrics/compression: what the columnstore saves, by relation.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { keepMs, type RouteGroup } from "../context";
import { readInstalled } from "../installed";
import { configSeconds, jobOfRelation, telemetrySchema, withRelations } from "../relations";
import { accessProblems, bearer, bytes, noParameters, ratio, relationKind, seconds } from "../schemas";
import { savedRatio } from "./status";

const saved = {
  beforeBytes: bytes,
  afterBytes: bytes,
  savedRatio: ratio.nullable().describe("null: nothing is compressed"),
};
const relation = z.object({
  name: z.string(),
  kind: relationKind,
  enabled: z.boolean().describe("Chunks may become columns"),
  afterSeconds: seconds.nullable().describe("Age at which the policy does it; null without a policy"),
  ...saved,
  overdueChunks: z.number().int().describe("Older than that, and still rows"),
});
const body = z.object({ hypertables: z.array(relation), totals: z.object(saved) });
type Body = z.infer<typeof body>;

export const compression: RouteGroup =
  ({ monitor, shared }) =>
  async (app) => {
    app.get(
      "/metrics/compression",
      {
        config: { access: "admin" },
        schema: {
          summary: "What the columnstore saves",
          description:
            "Bytes are those of chunks that are columns now: as rows, and as columns. Empty in the Apache edition.",
          security: bearer,
          querystring: noParameters,
          response: { ...accessProblems, 200: body },
        },
      },
      () => shared.get("metrics/compression", keepMs, () => monitor.read(readCompression)),
    );
  };

export async function readCompression(client: Queryable): Promise<Body> {
  const installed = await readInstalled(client);
  if (installed?.edition !== "community") {
    return { hypertables: [], totals: { beforeBytes: 0, afterBytes: 0, savedRatio: null } };
  }
  const { rows } = await client.query<Omit<Body["hypertables"][number], "savedRatio">>(
    `${withRelations}
     SELECT r.name, r.kind,
            EXISTS (SELECT FROM timescaledb_information.hypertable_columnstore_settings s
                     WHERE s.hypertable = r.oid::regclass) AS enabled,
            p.after AS "afterSeconds",
            coalesce(s.before_compression_total_bytes, 0)::float8 AS "beforeBytes",
            coalesce(s.after_compression_total_bytes, 0)::float8 AS "afterBytes",
            (SELECT count(*) FROM timescaledb_information.chunks c
              WHERE c.hypertable_schema = r.schema_name AND c.hypertable_name = r.table_name AND NOT c.is_compressed
                AND extract(epoch FROM now() - c.range_end) > p.after)::int AS "overdueChunks"
       FROM relations r
       LEFT JOIN LATERAL hypertable_columnstore_stats(r.oid::regclass) s ON true
       LEFT JOIN LATERAL (SELECT ${configSeconds("compress_after")} AS after
                            FROM timescaledb_information.jobs j
                           WHERE j.proc_name = 'policy_compression' AND ${jobOfRelation} LIMIT 1) p ON true
      ORDER BY r.kind DESC, r.name`,
    [telemetrySchema],
  );
  const total = (key: "beforeBytes" | "afterBytes") => rows.reduce((sum, row) => sum + row[key], 0);
  const [beforeBytes, afterBytes] = [total("beforeBytes"), total("afterBytes")];
  return {
    hypertables: rows.map((row) => ({ ...row, savedRatio: savedRatio(row.beforeBytes, row.afterBytes) })),
    totals: { beforeBytes, afterBytes, savedRatio: savedRatio(beforeBytes, afterBytes) },
  };
}
