// GET /configuration: policies as the database has them, and the settings that matter for them.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { keepMs, type RouteGroup } from "../context";
import type { PoolCounts } from "../database";
import { readInstalled } from "../installed";
import { configSeconds, jobOfRelation, telemetrySchema, withRelations } from "../relations";
import { accessProblems, bearer, noParameters, relationKind, seconds } from "../schemas";

/** Nothing that says where the server stands, or what it runs outside of itself. */
const shownSettings = [
  "autovacuum",
  "checkpoint_timeout",
  "effective_cache_size",
  "effective_io_concurrency",
  "jit",
  "maintenance_work_mem",
  "max_connections",
  "max_parallel_workers",
  "max_wal_size",
  "max_worker_processes",
  "random_page_cost",
  "server_version",
  "shared_buffers",
  "synchronous_commit",
  "timescaledb.license",
  "timescaledb.max_background_workers",
  "wal_compression",
  "wal_level",
  "work_mem",
];

const relation = z.object({
  name: z.string(),
  kind: relationKind,
  chunkIntervalSeconds: seconds.nullable(),
  columnstoreAfterSeconds: seconds.nullable(),
  segmentBy: z.array(z.string()),
  orderBy: z.array(z.string()).describe('For example "ts DESC"'),
  retentionSeconds: seconds.nullable(),
  refresh: z
    .object({
      startOffsetSeconds: seconds.nullable(),
      endOffsetSeconds: seconds.nullable(),
      scheduleSeconds: seconds,
    })
    .nullable(),
});
type Relation = z.infer<typeof relation>;

const pool = z.object({
  most: z.number().int(),
  open: z.number().int(),
  idle: z.number().int(),
  waiting: z.number().int().describe("Requests that wait for a connection"),
}) satisfies z.ZodType<PoolCounts>;

const body = z.object({
  hypertables: z.array(relation),
  settings: z.record(z.string(), z.string()),
  pools: z.object({ monitor: pool, telemetry: pool }).describe("Connections of this service"),
});

export const configuration: RouteGroup =
  ({ monitor, telemetry, shared }) =>
  async (app) => {
    app.get(
      "/configuration",
      {
        config: { access: "admin" },
        schema: {
          summary: "Policies and settings as the database has them",
          security: bearer,
          querystring: noParameters,
          response: { ...accessProblems, 200: body },
        },
      },
      async () => ({
        ...(await shared.get("configuration", keepMs, () => monitor.read(readConfiguration))),
        pools: { monitor: monitor.counts(), telemetry: telemetry.counts() },
      }),
    );
  };

export async function readConfiguration(
  client: Queryable,
): Promise<{ hypertables: Relation[]; settings: Record<string, string> }> {
  const { rows: settings } = await client.query<{ name: string; value: string | null }>(
    "SELECT name, current_setting(name, true) AS value FROM unnest($1::text[]) AS name",
    [shownSettings],
  );
  return {
    hypertables: await readRelations(client),
    settings: Object.fromEntries(
      settings.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])),
    ),
  };
}

interface Row {
  readonly name: string;
  readonly kind: "table" | "aggregate";
  readonly chunk: number | null;
  readonly segment: string | null;
  readonly ordering: string | null;
  readonly columnstore: number | null;
  readonly retention: number | null;
  readonly schedule: number | null;
  readonly start_offset: number | null;
  readonly end_offset: number | null;
}

async function readRelations(client: Queryable): Promise<Relation[]> {
  const installed = await readInstalled(client);
  if (installed === undefined) return [];
  // The view came with 2.18, and only the Community edition fills it.
  const columnstore =
    installed.edition === "community"
      ? `LEFT JOIN timescaledb_information.hypertable_columnstore_settings s ON s.hypertable = r.oid::regclass`
      : "LEFT JOIN (SELECT NULL::text AS segmentby, NULL::text AS orderby) s ON false";
  const job = (proc: string, columns: string) =>
    `LEFT JOIN LATERAL (SELECT ${columns} FROM timescaledb_information.jobs j
                         WHERE j.proc_name = '${proc}' AND ${jobOfRelation} LIMIT 1)`;
  const { rows } = await client.query<Row>(
    `${withRelations}
     SELECT r.name, r.kind, extract(epoch FROM d.time_interval)::float8 AS chunk, s.segmentby AS segment,
            s.orderby AS ordering, c.after AS columnstore, k.after AS retention, f.schedule, f.start_offset, f.end_offset
       FROM relations r
       LEFT JOIN timescaledb_information.dimensions d
         ON d.hypertable_schema = r.schema_name AND d.hypertable_name = r.table_name AND d.dimension_number = 1
       ${columnstore}
       ${job("policy_compression", `${configSeconds("compress_after")} AS after`)} c ON true
       ${job("policy_retention", `${configSeconds("drop_after")} AS after`)} k ON true
       ${job(
         "policy_refresh_continuous_aggregate",
         `extract(epoch FROM j.schedule_interval)::float8 AS schedule, ${configSeconds("start_offset")} AS start_offset,
          ${configSeconds("end_offset")} AS end_offset`,
       )} f ON true
      ORDER BY r.kind DESC, r.name`,
    [telemetrySchema],
  );
  return rows.map((row) => ({
    name: row.name,
    kind: row.kind,
    chunkIntervalSeconds: row.chunk,
    columnstoreAfterSeconds: row.columnstore,
    segmentBy: list(row.segment),
    orderBy: list(row.ordering),
    retentionSeconds: row.retention,
    refresh:
      row.schedule === null
        ? null
        : {
            startOffsetSeconds: row.start_offset,
            endOffsetSeconds: row.end_offset,
            scheduleSeconds: row.schedule,
          },
  }));
}

/** The view separates columns by a bare comma. */
function list(text: string | null): string[] {
  return text === null || text === "" ? [] : text.split(",").map((part) => part.trim());
}
