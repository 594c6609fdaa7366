import type { Queryable } from "../../queryable";

export type Edition = "community" | "apache";

/** Which edition of TimescaleDB the server runs. Apache has hypertables and retention by hand, and nothing else of this. */
export async function readEdition(client: Queryable): Promise<Edition> {
  const { rows } = await client.query<{ license: string | null }>(
    "SELECT current_setting('timescaledb.license', true) AS license",
  );
  return rows[0]?.license === "apache" ? "apache" : "community";
}

/** What an answer says on the Apache edition instead of failing. */
export const needsCommunity =
  "this server runs TimescaleDB's Apache edition, which has no columnstore, no continuous aggregates and no policies";

/** Whether the login may read rows of a table. @param regclass quoted and schema-qualified */
export async function maySelect(client: Queryable, regclass: string): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    "SELECT has_table_privilege($1::regclass, 'SELECT') AS may",
    [regclass],
  );
  return rows[0]?.may === true;
}
