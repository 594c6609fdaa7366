/** The hypertables and continuous aggregates there are, with what their policies say. */
import { UserError } from "../../../infra/errors";
import { telemetrySchema } from "../../../infra/schema/catalogue";
import type { Queryable } from "../../queryable";

export interface Relation {
  /** Without its schema. */
  readonly name: string;
  readonly kind: "table" | "aggregate";
  /** Quoted and schema-qualified, for `::regclass`: what a person names. */
  readonly regclass: string;
  /** The hypertable that holds the rows; an aggregate's has a name of TimescaleDB's own. */
  readonly storage: { readonly schema: string; readonly name: string; readonly regclass: string };
  readonly timeColumn: string;
  readonly chunkSeconds: number;
  /** null: no policy. */
  readonly columnstoreAfterSeconds: number | null;
  readonly retentionSeconds: number | null;
  /** Aggregates only; null without a policy. An offset of null is open: from the beginning, or up to now. */
  readonly refresh: {
    readonly startSeconds: number | null;
    readonly endSeconds: number | null;
    readonly scheduleSeconds: number;
  } | null;
}

/** @throws what the server says; the login needs USAGE on the telemetry schema, and SELECT on nothing */
export async function readRelations(client: Queryable): Promise<Relation[]> {
  const { rows } = await client.query<Row>(relationsQuery, [telemetrySchema]);
  return rows.map((row) => ({
    name: row.name,
    kind: row.kind,
    regclass: row.regclass,
    storage: { schema: row.storage_schema, name: row.storage_name, regclass: row.storage_regclass },
    timeColumn: row.time_column,
    chunkSeconds: row.chunk_seconds,
    columnstoreAfterSeconds: row.columnstore_after,
    retentionSeconds: row.retention,
    refresh:
      row.refresh_schedule === null
        ? null
        : {
            startSeconds: row.refresh_start,
            endSeconds: row.refresh_end,
            scheduleSeconds: row.refresh_schedule,
          },
  }));
}

/** @throws UserError naming the hypertables there are */
export async function findRelation(client: Queryable, name: string): Promise<Relation> {
  const relations = await readRelations(client);
  const found = relations.find((relation) => relation.name === name);
  if (found !== undefined) return found;
  throw new UserError(`there is no hypertable or continuous aggregate "${name}" in ${telemetrySchema}`, {
    fix: `name one of: ${relations.map((relation) => relation.name).join(", ") || "there is none yet"}`,
  });
}

interface Row {
  readonly name: string;
  readonly kind: "table" | "aggregate";
  readonly regclass: string;
  readonly storage_schema: string;
  readonly storage_name: string;
  readonly storage_regclass: string;
  readonly time_column: string;
  readonly chunk_seconds: number;
  readonly columnstore_after: number | null;
  readonly retention: number | null;
  readonly refresh_start: number | null;
  readonly refresh_end: number | null;
  readonly refresh_schedule: number | null;
}

/** Versions of TimescaleDB differ in what a job of an aggregate names: the view, or the hypertable behind it. */
const relationsQuery = `
  WITH relation AS (
    SELECT h.hypertable_name AS name, 'table' AS kind, h.hypertable_schema AS schema,
           h.hypertable_schema AS storage_schema, h.hypertable_name AS storage_name
      FROM timescaledb_information.hypertables h
     WHERE h.hypertable_schema = $1
    UNION ALL
    SELECT a.view_name, 'aggregate', a.view_schema,
           a.materialization_hypertable_schema, a.materialization_hypertable_name
      FROM timescaledb_information.continuous_aggregates a
     WHERE a.view_schema = $1
  )
  SELECT r.name, r.kind, format('%I.%I', r.schema, r.name) AS regclass,
         r.storage_schema, r.storage_name, format('%I.%I', r.storage_schema, r.storage_name) AS storage_regclass,
         d.column_name AS time_column, extract(epoch FROM d.time_interval)::float8 AS chunk_seconds,
         policy.columnstore_after, policy.retention, policy.refresh_start, policy.refresh_end, policy.refresh_schedule
    FROM relation r
    JOIN timescaledb_information.dimensions d
      ON d.hypertable_schema = r.storage_schema AND d.hypertable_name = r.storage_name AND d.dimension_number = 1
   CROSS JOIN LATERAL (
      SELECT max(extract(epoch FROM (j.config->>'compress_after')::interval))::float8 AS columnstore_after,
             max(extract(epoch FROM (j.config->>'drop_after')::interval))::float8 AS retention,
             max(extract(epoch FROM (j.config->>'start_offset')::interval))::float8 AS refresh_start,
             max(extract(epoch FROM (j.config->>'end_offset')::interval))::float8 AS refresh_end,
             max(extract(epoch FROM j.schedule_interval))
               FILTER (WHERE j.proc_name = 'policy_refresh_continuous_aggregate')::float8 AS refresh_schedule
        FROM timescaledb_information.jobs j
       WHERE j.proc_name IN ('policy_compression', 'policy_retention', 'policy_refresh_continuous_aggregate')
         AND (j.hypertable_schema, j.hypertable_name) IN ((r.schema, r.name), (r.storage_schema, r.storage_name))
   ) AS policy
   ORDER BY r.kind DESC, r.name`;
