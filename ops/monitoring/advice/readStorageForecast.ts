import type { Queryable } from "../../queryable";
import { readChunks } from "./chunks";
import { readRelations } from "./relations";
import {
  forecastStorage,
  type StorageFacts,
  type StorageForecast,
  type StorageForecastInput,
} from "./storageForecast";

export async function readStorageFacts(client: Queryable, at: Date): Promise<StorageFacts> {
  const tables = [];
  for (const relation of await readRelations(client)) {
    const { name, chunkSeconds, columnstoreAfterSeconds, retentionSeconds } = relation;
    const chunks = await readChunks(client, relation);
    tables.push({ name, chunkSeconds, columnstoreAfterSeconds, retentionSeconds, chunks });
  }
  const { rows } = await client.query<{ bytes: number }>(
    "SELECT pg_database_size(current_database())::float8 AS bytes",
  );
  return { tables, databaseBytes: rows[0]?.bytes ?? 0, at: at.getTime() / 1_000 };
}

/** Needs USAGE on the telemetry schema and CONNECT; reads catalogues only. Works on both editions. */
export async function readStorageForecast(
  client: Queryable,
  input: StorageForecastInput,
  at: Date,
): Promise<StorageForecast> {
  return forecastStorage(await readStorageFacts(client, at), input);
}
