/**
 * The end of a SELECT from jobs `j` of one procedure (`$1`) on a table or continuous aggregate (`$2`, schema-qualified).
 * The view names an aggregate's job by the hypertable that holds the aggregate.
 */
export const jobsOfRelation = `
  FROM timescaledb_information.jobs j
  LEFT JOIN timescaledb_information.continuous_aggregates a
    ON a.materialization_hypertable_schema = j.hypertable_schema
   AND a.materialization_hypertable_name = j.hypertable_name
 WHERE j.proc_name = $1
   AND $2 IN (format('%s.%s', j.hypertable_schema, j.hypertable_name), format('%s.%s', a.view_schema, a.view_name))`;
