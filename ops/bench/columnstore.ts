import type { Client } from "../../infra/schema/postgres";

/** Turns all chunks of a hypertable into columns. */
export async function convertToColumnstore(client: Client, table: string): Promise<void> {
  const { rows } = await client.query<{ chunk: string }>("SELECT show_chunks($1::regclass)::text AS chunk", [
    table,
  ]);
  for (const { chunk } of rows) await client.query("CALL convert_to_columnstore($1::regclass)", [chunk]);
}
