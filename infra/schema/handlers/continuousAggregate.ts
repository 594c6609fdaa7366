import { createHash } from "node:crypto";
import { type Client, escapeLiteral, quoteName } from "../postgres";
import type { Common, Handler } from "./handler";

/** An aggregate that TimescaleDB keeps up to date. */
export interface ContinuousAggregateInputs extends Common {
  /** Schema-qualified name of the view. */
  name: string;
  /** The SELECT it is made of. */
  query: string;
  /** Whether queries add what is not refreshed yet. */
  realtime: boolean;
  /** Whether its chunks may become columns. */
  columnstore: boolean;
}

/** PostgreSQL rewrites a view's text, so the comment remembers which text it came from. */
function queryMark(query: string): string {
  return `ms5 query ${createHash("sha256").update(query).digest("hex").slice(0, 16)}`;
}

export const continuousAggregate: Handler<ContinuousAggregateInputs> = {
  replaceOn: ["name", "query"],
  deleteBeforeReplace: true,
  id: ({ name }) => name,

  async apply({ client }, inputs) {
    const existing = await find(client, inputs.name);
    if (existing === undefined) {
      // WITH NO DATA: what is there already is aggregated by the refresh policy, not inside this statement.
      await client.query(
        `CREATE MATERIALIZED VIEW ${quoteName(inputs.name)}
           WITH (timescaledb.continuous, timescaledb.materialized_only = ${!inputs.realtime})
           AS ${inputs.query} WITH NO DATA`,
      );
      await client.query(
        `COMMENT ON VIEW ${quoteName(inputs.name)} IS ${escapeLiteral(queryMark(inputs.query))}`,
      );
    } else if (existing.comment !== queryMark(inputs.query)) {
      throw new Error(
        `${inputs.name} exists with another query. Making it anew would erase the history it keeps beyond the ` +
          "retention of the rows it was made from, so that is left to you: give the new query a new name " +
          `(sql/aggregates/), or, when the history may go, DROP MATERIALIZED VIEW ${inputs.name} CASCADE and run up again`,
      );
    }
    const live = await find(client, inputs.name);
    if (live?.realtime !== inputs.realtime) {
      await client.query(
        `ALTER MATERIALIZED VIEW ${quoteName(inputs.name)} SET (timescaledb.materialized_only = ${!inputs.realtime})`,
      );
    }
    if (live?.columnstore !== inputs.columnstore) {
      await client.query(
        `ALTER MATERIALIZED VIEW ${quoteName(inputs.name)} SET (timescaledb.enable_columnstore = ${inputs.columnstore})`,
      );
    }
  },

  async live({ client }, inputs) {
    const found = await find(client, inputs.name);
    if (found === undefined) return undefined;
    return {
      ...inputs,
      realtime: found.realtime,
      columnstore: found.columnstore,
      query: found.comment === queryMark(inputs.query) ? inputs.query : found.definition,
    };
  },

  async remove({ client, config }, { name }) {
    // Aggregates outlive the rows they were made from, so they are telemetry as much as those.
    if (config.destroy.dropTelemetry)
      await client.query(`DROP MATERIALIZED VIEW IF EXISTS ${quoteName(name)} CASCADE`);
  },
};

interface Found {
  readonly realtime: boolean;
  readonly columnstore: boolean;
  readonly definition: string;
  readonly comment: string | null;
}

async function find(client: Client, name: string): Promise<Found | undefined> {
  const [schema, view] = name.split(".");
  const { rows } = await client.query<Found>(
    `SELECT NOT materialized_only AS realtime, compression_enabled AS columnstore, view_definition AS definition,
            obj_description(to_regclass($3), 'pg_class') AS comment
       FROM timescaledb_information.continuous_aggregates WHERE view_schema = $1 AND view_name = $2`,
    [schema, view, name],
  );
  return rows[0];
}
