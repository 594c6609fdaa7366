import { createHash } from "node:crypto";
import { type Client, escapeLiteral, quoteName, withTransaction } from "../postgres";
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

/** The comment's end until the aggregate holds what was there when it was made. */
const unfilled = " (not filled yet)";

function commentOn(name: string, comment: string): string {
  return `COMMENT ON VIEW ${quoteName(name)} IS ${escapeLiteral(comment)}`;
}

function otherQuery(name: string): string {
  return (
    `${name} exists with another query. Making it anew would erase the history it keeps beyond the ` +
    "retention of the rows it was made from, so that is left to you: give the new query a new name " +
    `(sql/aggregates/), or, when the history may go, DROP MATERIALIZED VIEW ${name} after the aggregates made from it, ` +
    "run refresh, then up"
  );
}

/** PostgreSQL rewrites a view's text, so the comment remembers which text it came from. */
function queryMark(query: string): string {
  return `ms5 query ${createHash("sha256").update(query).digest("hex").slice(0, 16)}`;
}

export const continuousAggregate: Handler<ContinuousAggregateInputs> = {
  replaceOn: ["name", "query"],
  deleteBeforeReplace: true,
  id: ({ name }) => name,

  async check(olds, news) {
    const changed = olds.name === news.name && olds.query !== undefined && olds.query !== news.query;
    return changed ? [{ property: "query", reason: otherQuery(news.name) }] : [];
  },

  async apply({ client }, inputs) {
    const mark = queryMark(inputs.query);
    const existing = await find(client, inputs.name);
    if (existing === undefined) {
      await withTransaction(client, async () => {
        await client.query(
          `CREATE MATERIALIZED VIEW ${quoteName(inputs.name)}
             WITH (timescaledb.continuous, timescaledb.materialized_only = ${!inputs.realtime})
             AS ${inputs.query} WITH NO DATA`,
        );
        await client.query(commentOn(inputs.name, `${mark}${unfilled}`));
      });
    } else if (existing.comment !== mark && existing.comment !== `${mark}${unfilled}`) {
      throw new Error(otherQuery(inputs.name));
    }
    if (existing?.comment !== mark) {
      // A refresh policy looks back some days only: without this, older rows would never get in. It has no history to
      // lose yet. Not in the transaction above: TimescaleDB refuses a refresh in one.
      await client.query("CALL refresh_continuous_aggregate($1::regclass, NULL, NULL)", [inputs.name]);
      await client.query(commentOn(inputs.name, mark));
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
      await client.query(`DROP MATERIALIZED VIEW IF EXISTS ${quoteName(name)}`);
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
