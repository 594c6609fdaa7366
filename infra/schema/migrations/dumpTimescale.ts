/**
 * The part of the schema dump that only TimescaleDB knows, from `timescaledb_information` alone: hypertables,
 * columnstore, continuous aggregates and jobs. Empty without the extension; on the Apache edition hypertables only.
 */
import type { Client } from "../postgres";

export interface ContinuousAggregate {
  readonly definition: string;
  /** Of its materialisation, worded as if they were on the aggregate. */
  readonly indexes: readonly string[];
}

/** Keys are quoted names with schema. */
export interface TimescaleFacts {
  /** What stands beside a table or an aggregate, as comments. */
  readonly notes: ReadonlyMap<string, readonly string[]>;
  readonly aggregates: ReadonlyMap<string, ContinuousAggregate>;
  /** Jobs that belong to no table: user-defined actions. */
  readonly jobs: string[];
}

/** `schemas` limits the jobs that belong to no table, by where their procedure is. */
export async function readTimescale(client: Client, schemas: readonly string[]): Promise<TimescaleFacts> {
  const { rows } = await client.query<{ license: string | null }>(
    `SELECT current_setting('timescaledb.license', true) AS license
     WHERE to_regclass('timescaledb_information.hypertables') IS NOT NULL`,
  );
  const license = rows[0]?.license;
  if (license === undefined) return { notes: new Map(), aggregates: new Map(), jobs: [] };

  const notes = new Map<string, string[]>();
  const note = (name: string, line: string): void => {
    notes.set(name, [...(notes.get(name) ?? []), `-- ${line}`]);
  };
  for (const { name, line } of await hypertables(client)) note(name, line);
  if (license === "apache") return { notes, aggregates: new Map(), jobs: [] };

  const aggregates = await continuousAggregates(client);
  for (const { name, line } of await columnstores(client)) note(name, line);
  const loose: string[] = [];
  for (const job of await readJobs(client)) {
    if (job.name !== null) note(job.name, job.line);
    else if (schemas.includes(job.procSchema)) loose.push(`-- ${job.line}`);
  }
  return { notes, aggregates, jobs: loose };
}

/** The table people see for a hypertable: the aggregate, where it is an aggregate's materialisation. */
const visibleName = `
  SELECT h.schema, h.table, format('%I.%I', coalesce(a.view_schema, h.schema), coalesce(a.view_name, h.table)) AS name
  FROM (SELECT DISTINCT hypertable_schema AS schema, hypertable_name AS table FROM timescaledb_information.dimensions) h
  LEFT JOIN timescaledb_information.continuous_aggregates a
    ON a.materialization_hypertable_schema = h.schema AND a.materialization_hypertable_name = h.table`;

async function hypertables(client: Client): Promise<{ name: string; line: string }[]> {
  const { rows } = await client.query<{ name: string; line: string }>(`
    SELECT v.name, format('hypertable: %s', string_agg(
             CASE WHEN d.num_partitions IS NULL
                  THEN format('%I in chunks of %s', d.column_name, coalesce(d.time_interval::text, d.integer_interval::text))
                  ELSE format('%I hashed into %s partitions', d.column_name, d.num_partitions) END,
             ', ' ORDER BY d.dimension_number)) AS line
    FROM timescaledb_information.dimensions d
    JOIN (${visibleName}) v ON v.schema = d.hypertable_schema AND v.table = d.hypertable_name
    GROUP BY v.name`);
  return rows;
}

async function columnstores(client: Client): Promise<{ name: string; line: string }[]> {
  const { rows } = await client.query<{ name: string; line: string }>(`
    SELECT v.name, concat('columnstore: segment by ', coalesce(s.segmentby, 'nothing'), '; order by ', coalesce(s.orderby, 'the default'),
             '; chunks merged up to ' || s.compress_interval_length, '; sparse indexes ' || (to_jsonb(s) ->> 'index')) AS line
    FROM timescaledb_information.hypertable_columnstore_settings s
    JOIN pg_class c ON c.oid = s.hypertable JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN (${visibleName}) v ON v.schema = n.nspname AND v.table = c.relname
    WHERE EXISTS (SELECT FROM timescaledb_information.hypertables h
                  WHERE h.hypertable_schema = n.nspname AND h.hypertable_name = c.relname AND h.compression_enabled)
       OR EXISTS (SELECT FROM timescaledb_information.continuous_aggregates a
                  WHERE a.materialization_hypertable_schema = n.nspname AND a.materialization_hypertable_name = c.relname
                    AND a.compression_enabled)`);
  return rows;
}

async function continuousAggregates(client: Client): Promise<Map<string, ContinuousAggregate>> {
  const { rows } = await client.query<{
    name: string;
    internal: string;
    materializedOnly: boolean;
    definition: string;
    indexes: string[];
  }>(`
    SELECT format('%I.%I', view_schema, view_name) AS name, materialization_hypertable_name AS internal,
           materialized_only AS "materializedOnly", view_definition AS definition,
           ARRAY(SELECT i.indexdef FROM pg_indexes i WHERE i.schemaname = materialization_hypertable_schema
                 AND i.tablename = materialization_hypertable_name) AS indexes
    FROM timescaledb_information.continuous_aggregates`);
  const plainNames = new Map(rows.map((row) => [row.internal, row.name]));
  /** An aggregate over an aggregate is defined over the internal table of the lower one. */
  const withoutInternals = (sql: string): string =>
    sql.replaceAll(
      /(?:_timescaledb_internal\.)?(_materialized_hypertable_\d+)/g,
      (whole, internal: string) => {
        const name = plainNames.get(internal) ?? whole;
        return whole.startsWith("_timescaledb_internal.") ? name : (name.split(".").at(-1) ?? name);
      },
    );
  return new Map(
    rows.map((row) => [
      row.name,
      {
        definition: `CREATE MATERIALIZED VIEW ${row.name} WITH (timescaledb.continuous, materialized_only = ${row.materializedOnly}) AS\n${withoutInternals(row.definition)}`,
        indexes: row.indexes.map((index) => `${withoutInternals(index)};`).sort(),
      },
    ]),
  );
}

/** Ids that a job's configuration carries inside. */
const internalKeys = new Set(["hypertable_id", "mat_hypertable_id"]);

async function readJobs(
  client: Client,
): Promise<{ name: string | null; procSchema: string; line: string }[]> {
  const { rows } = await client.query<{
    name: string | null;
    procSchema: string;
    proc: string;
    schedule: string;
    owner: string;
    scheduled: boolean;
    config: Record<string, unknown> | null;
  }>(`
    SELECT coalesce(v.name, quote_ident(j.hypertable_schema) || '.' || quote_ident(j.hypertable_name)) AS name,
           CASE WHEN j.proc_schema ~ '^_timescaledb_' THEN j.proc_name ELSE format('%I.%I', j.proc_schema, j.proc_name) END AS proc,
           j.proc_schema AS "procSchema", j.schedule_interval::text AS schedule, j.owner::text AS owner, j.scheduled, j.config
    FROM timescaledb_information.jobs j
    LEFT JOIN (${visibleName}) v ON v.schema = j.hypertable_schema AND v.table = j.hypertable_name
    -- Below 1000 are TimescaleDB's own.
    WHERE j.job_id >= 1000`);
  return rows
    .map(({ name, procSchema, proc, schedule, owner, scheduled, config }) => {
      const settings = Object.entries(config ?? {})
        .filter(([key]) => !internalKeys.has(key))
        .map(([key, value]) => `${key} = ${typeof value === "string" ? value : JSON.stringify(value)}`)
        .sort();
      const line = [
        `job: ${proc} every ${schedule}${scheduled ? "" : " (paused)"} as ${owner}`,
        ...settings,
      ].join(", ");
      return { name, procSchema, line };
    })
    .sort((a, b) => (a.line < b.line ? -1 : 1));
}
