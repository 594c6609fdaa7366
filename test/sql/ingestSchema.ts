import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../../infra/schema/postgres";
import { projectRoot } from "../../ops/paths";

/** The tables that the ingest writes, as the migrations make them. */
export async function createTables(client: Client): Promise<void> {
  const folder = join(projectRoot, "sql/migrations");
  const files = (await readdir(folder)).filter(
    (name) => name.endsWith(".sql") && !name.endsWith(".undo.sql"),
  );
  for (const file of files.sort()) await client.query(await readFile(join(folder, file), "utf8"));
}
