// What kind of TimescaleDB this is: the queries of the others ask for nothing that it lacks.
import type { Queryable } from "../../queryable";
import { Problem } from "./problem";

export interface Installed {
  readonly version: string;
  readonly license: string;
  /** The Apache edition has no columnstore, no aggregates and no policies. */
  readonly edition: "community" | "apache";
}

/** @returns undefined in a database without TimescaleDB */
export async function readInstalled(client: Queryable): Promise<Installed | undefined> {
  const { rows } = await client.query<{ version: string; license: string | null }>(
    `SELECT extversion AS version, current_setting('timescaledb.license', true) AS license
       FROM pg_extension WHERE extname = 'timescaledb'`,
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const license = row.license ?? "unknown";
  return { version: row.version, license, edition: license === "timescale" ? "community" : "apache" };
}

/** For what is of no use without it. @throws Problem 503 */
export async function requireInstalled(client: Queryable): Promise<void> {
  if ((await readInstalled(client)) === undefined) {
    throw new Problem(503, "there is no TimescaleDB in the database", { "retry-after": "60" });
  }
}
