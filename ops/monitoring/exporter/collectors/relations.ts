import { telemetrySchema } from "../../../../infra/schema/catalogue";

/**
 * CTE `relations`: the hypertables and continuous aggregates of the telemetry schema, with the name each goes by in labels, its
 * kind, and where its chunks hang: for an aggregate on a hypertable that TimescaleDB has named.
 */
export const relations = `
  relations AS (
    SELECT hypertable_name::text AS hypertable, 'table' AS kind,
           hypertable_schema AS storage_schema, hypertable_name AS storage_name
      FROM timescaledb_information.hypertables WHERE hypertable_schema = '${telemetrySchema}'
    UNION ALL
    SELECT aggregate, 'aggregate', storage_schema, storage_name FROM monitoring.aggregates())`;

/** A join that adds the storage's oid. By the catalogue: a cast to regclass would need the right to use the schema. */
export const joinStorage = `
  JOIN pg_namespace n ON n.nspname = r.storage_schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r.storage_name`;

/**
 * A join that adds the jobs `j` of a relation. TimescaleDB names an aggregate's jobs by the aggregate or by its storage, depending
 * on the version.
 */
export const joinJobs = `
  JOIN timescaledb_information.jobs j
    ON (j.hypertable_schema, j.hypertable_name) IN
       ((r.storage_schema, r.storage_name), ('${telemetrySchema}'::name, r.hypertable::name))`;

/** A join that adds the chunks `k` of a relation; the relation stays without any. */
export const joinChunks = `
  LEFT JOIN timescaledb_information.chunks k
    ON k.hypertable_schema = r.storage_schema AND k.hypertable_name = r.storage_name`;
