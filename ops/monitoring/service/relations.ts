// Hypertables and continuous aggregates of the telemetry, by the names people know them by.
import { aggregateNames, tableNames, telemetrySchema } from "../../../infra/schema/catalogue";

/** Every name that a client may ask for. */
export const relationNames = [...tableNames, ...aggregateNames] as const;
export type RelationKind = "table" | "aggregate";

/**
 * Start of a query: relation `relations (name, kind, oid, schema_name, table_name)`; the last three are of the
 * hypertable that holds the rows, which for an aggregate has another name than the view. By oid, because a name would
 * be looked up with the rights of the role, and this one may not look into the telemetry. Takes the schema as `$1`.
 */
export const withRelations = `
  WITH relations AS (
    SELECT r.*, c.oid
      FROM (SELECT hypertable_name::text AS name, 'table' AS kind,
                   hypertable_schema AS schema_name, hypertable_name AS table_name
              FROM timescaledb_information.hypertables WHERE hypertable_schema = $1
            UNION ALL
            SELECT view_name::text, 'aggregate', materialization_hypertable_schema, materialization_hypertable_name
              FROM timescaledb_information.continuous_aggregates WHERE view_schema = $1) AS r
      JOIN pg_namespace n ON n.nspname = r.schema_name
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r.table_name)`;

/** Value of `$1`. */
export { telemetrySchema };

/**
 * Whether job `j` (of timescaledb_information.jobs) is one of relation `r`: newer versions name an aggregate's job by
 * the view, older ones by the hypertable behind it.
 */
export const jobOfRelation = `(
    (j.hypertable_schema = r.schema_name AND j.hypertable_name = r.table_name)
    OR (j.hypertable_schema = $1 AND j.hypertable_name::text = r.name))`;

/** Seconds in a value of a job's config, which is an interval as text. */
export function configSeconds(key: string): string {
  return `extract(epoch FROM (j.config->>'${key}')::interval)::float8`;
}
