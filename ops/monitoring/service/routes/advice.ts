// GET /advice/...: how large the database will be, and what to set otherwise. It changes nothing.
import { totalmem } from "node:os";
import { z } from "zod";
import type { Queryable } from "../../../queryable";
import { chunkIntervalInput, chunkIntervalOutput, readChunkIntervals } from "../../advice/chunkIntervals";
import { columnstoreAdviceOutput } from "../../advice/columnstoreAdvice";
import { readColumnstoreAdvice } from "../../advice/readColumnstoreAdvice";
import { readStorageForecast } from "../../advice/readStorageForecast";
import { storageForecastInput, storageForecastOutput } from "../../advice/storageForecast";
import { keepMs, type RouteGroup, slow } from "../context";
import { requireInstalled } from "../installed";
import { accessProblems, bearer, noParameters } from "../schemas";

const chunkIntervalParameters = z.strictObject({
  memoryBytes: chunkIntervalInput.shape.memoryBytes
    .optional()
    .describe("Memory of one database server; default: four times its shared_buffers"),
});

export const advice: RouteGroup =
  ({ monitor, telemetry, shared, settings }) =>
  async (app) => {
    const common = { config: { access: "admin" } } as const;
    app.get(
      "/advice/storage",
      {
        ...common,
        schema: {
          summary: "How large the database will be in the next 90 days, and when a volume is full",
          security: bearer,
          querystring: storageForecastInput,
          response: { ...accessProblems, 200: storageForecastOutput },
        },
      },
      ({ query }) =>
        shared.get(`advice/storage ${JSON.stringify(query)}`, keepMs, () =>
          monitor.read(async (client) => {
            await requireInstalled(client);
            const { volumeBytes = settings.volumeBytes } = query;
            return readStorageForecast(client, volumeBytes === undefined ? {} : { volumeBytes }, new Date());
          }),
        ),
    );
    app.get(
      "/advice/columnstore",
      {
        ...common,
        schema: {
          summary: "What to change so that columns save more",
          security: bearer,
          querystring: noParameters,
          response: { ...accessProblems, 200: columnstoreAdviceOutput },
        },
      },
      () =>
        shared.get("advice/columnstore", slow.keepMs, () =>
          telemetry.read(async (client) => {
            await requireInstalled(client);
            return readColumnstoreAdvice(client, new Date());
          }, slow.limitMs),
        ),
    );
    app.get(
      "/advice/chunk-interval",
      {
        ...common,
        schema: {
          summary: "The chunk interval that each hypertable should have",
          security: bearer,
          querystring: chunkIntervalParameters,
          response: { ...accessProblems, 200: chunkIntervalOutput },
        },
      },
      ({ query }) =>
        shared.get(`advice/chunk-interval ${JSON.stringify(query)}`, slow.keepMs, () =>
          telemetry.read(async (client) => {
            await requireInstalled(client);
            const memoryBytes =
              query.memoryBytes ?? (settings.local ? totalmem() : await readServerMemory(client));
            return readChunkIntervals(client, { memoryBytes });
          }, slow.limitMs),
        ),
    );
  };

/** A server does not tell its memory; ours have a quarter of it as shared_buffers (infra/database/memory.ts). */
export async function readServerMemory(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    "SELECT pg_size_bytes(current_setting('shared_buffers'))::float8 AS bytes",
  );
  const bytes = rows[0]?.bytes;
  if (bytes === undefined) throw new Error("no answer to the question for shared_buffers");
  return 4 * bytes;
}
