// GET /metrics/chunks: chunk by chunk, newest first, a page at a time.
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { keepMs, type RouteGroup } from "../context";
import { type Cursor, readCursor, writeCursor } from "../cursor";
import { readInstalled } from "../installed";
import { telemetrySchema, withRelations } from "../relations";
import { accessProblems, bearer, bytes, instant, relationName } from "../schemas";

const parameters = z.strictObject({
  hypertable: relationName.optional().describe("Table or aggregate; all of them when it is not given"),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  after: z
    .string()
    .max(300)
    .refine((text) => readCursor(text) !== undefined, "must be the `next` of the page before")
    .optional()
    .describe("`next` of the page before"),
});

const chunk = z.object({
  hypertable: z.string(),
  name: z.string(),
  from: instant,
  to: instant,
  sizeBytes: bytes.nullable(),
  rows: z.number().nullable().describe("An estimate from statistics; null when there are none"),
  store: z.enum(["rows", "columns"]),
  beforeBytes: bytes.optional().describe("As rows, for a chunk that is columns now"),
});
const body = z.object({
  chunks: z.array(chunk),
  next: z.string().nullable().describe("Give it as `after` for the next page; null on the last one"),
});

export const chunks: RouteGroup =
  ({ monitor, shared }) =>
  async (app) => {
    app.get(
      "/metrics/chunks",
      {
        config: { access: "admin" },
        schema: {
          summary: "Chunk by chunk, newest first",
          security: bearer,
          querystring: parameters,
          response: { ...accessProblems, 200: body },
        },
      },
      ({ query: { hypertable, limit, after } }) =>
        shared.get(`metrics/chunks ${hypertable} ${limit} ${after}`, keepMs, () =>
          monitor.read((client) =>
            readChunks(client, {
              hypertable,
              limit,
              after: after === undefined ? undefined : readCursor(after),
            }),
          ),
        ),
    );
  };

interface Page {
  readonly hypertable: string | undefined;
  readonly limit: number;
  readonly after: Cursor | undefined;
}

interface Row {
  readonly hypertable: string;
  readonly name: string;
  readonly cursor: string;
  readonly from: Date;
  readonly to: Date;
  readonly size: number | null;
  readonly rows: number | null;
  readonly columns: boolean;
  readonly before: number | null;
}

export async function readChunks(client: Queryable, page: Page): Promise<z.infer<typeof body>> {
  if ((await readInstalled(client)) === undefined) return { chunks: [], next: null };
  const { rows } = await client.query<Row>(
    // Sizes for the hypertables of this page only: each function looks at all chunks of one.
    `${withRelations}, page AS (
       SELECT r.name AS hypertable, r.oid AS hypertable_oid, c.chunk_schema, c.chunk_name, c.range_start, c.range_end,
              c.is_compressed
         FROM relations r
         JOIN timescaledb_information.chunks c
           ON c.hypertable_schema = r.schema_name AND c.hypertable_name = r.table_name
        WHERE ($2::text IS NULL OR r.name = $2)
          AND ($3::timestamptz IS NULL OR (c.range_start, c.chunk_name::text) < ($3, $4::text))
        ORDER BY c.range_start DESC, c.chunk_name::text DESC LIMIT $5),
     shown AS (SELECT DISTINCT hypertable_oid FROM page),
     sizes AS (SELECT d.chunk_schema, d.chunk_name, d.total_bytes
                 FROM shown, LATERAL chunks_detailed_size(hypertable_oid::regclass) d),
     before AS (SELECT s.chunk_schema, s.chunk_name, s.before_compression_total_bytes AS bytes
                  FROM shown, LATERAL chunk_columnstore_stats(hypertable_oid::regclass) s)
     SELECT p.hypertable, p.chunk_name::text AS name, p.range_start::text AS cursor, p.range_start AS from,
            p.range_end AS to, sizes.total_bytes::float8 AS size,
            nullif(approximate_row_count(k.oid::regclass), 0)::float8 AS rows, p.is_compressed AS columns,
            before.bytes::float8 AS before
       FROM page p
       LEFT JOIN sizes USING (chunk_schema, chunk_name)
       LEFT JOIN before USING (chunk_schema, chunk_name)
       LEFT JOIN pg_namespace n ON n.nspname = p.chunk_schema
       LEFT JOIN pg_class k ON k.relnamespace = n.oid AND k.relname = p.chunk_name
      ORDER BY p.range_start DESC, p.chunk_name::text DESC`,
    [
      telemetrySchema,
      page.hypertable ?? null,
      page.after?.from ?? null,
      page.after?.chunk ?? null,
      page.limit + 1,
    ],
  );
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    chunks: shown.map(({ cursor: _, size, columns, before, from, to, ...row }) => ({
      ...row,
      from: from.toISOString(),
      to: to.toISOString(),
      sizeBytes: size,
      store: columns ? "columns" : "rows",
      ...(columns && before !== null ? { beforeBytes: before } : {}),
    })),
    next:
      rows.length > page.limit && last !== undefined
        ? writeCursor({ from: last.cursor, chunk: last.name })
        : null,
  };
}
