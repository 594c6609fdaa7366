import type { Client } from "pg";

/** What the server is; decides which collectors are asked. */
export interface ServerFacts {
  /** e.g. `17.5` */
  readonly postgres: string;
  /** e.g. `2.29.2`; null where the extension is not in the database. */
  readonly timescaledb: string | null;
  readonly edition: "community" | "apache";
}

/** @throws Error of `pg` when the server does not answer */
export async function readServerFacts(client: Client): Promise<ServerFacts> {
  const { rows } = await client.query<{
    postgres: string;
    timescaledb: string | null;
    license: string | null;
  }>(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS postgres,
            (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
            current_setting('timescaledb.license', true) AS license`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the server does not say what it is");
  const { postgres, timescaledb, license } = row;
  return { postgres, timescaledb, edition: license === "timescale" ? "community" : "apache" };
}
