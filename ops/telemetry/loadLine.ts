import { createHash } from "node:crypto";
import { type Client, type ConnectionTarget, withClient, withTransaction } from "../../infra/schema/postgres";
import type { Samples } from "../ingest/batch";
import { advanceLedger, finishLedger, lockLedger, openLedger } from "../ingest/ledger";
import { createWriter } from "../ingest/writers";
import { addReferenceData, type Ids } from "./referenceData";
import { addSlowRows } from "./slowRows";
import type { Line } from "./types";

/** One day of a generated line, loaded like a file: with a ledger entry of its own, so that it is loaded once. */
export interface LineDay {
  /** What makes it the same day again: seed, day, sampling interval. */
  readonly name: string;
  readonly line: Line;
}

export interface LoadOptions {
  readonly target: ConnectionTarget;
  readonly days: readonly LineDay[];
  /** Stops between two batches; what is committed stays, and the next load carries on there. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: { rows: number; total: number }) => void;
}

export interface LoadResult {
  /** Samples that were new, and samples that were there already. */
  readonly rows: number;
  readonly duplicates: number;
  readonly seconds: number;
}

/** Loads a generated packaging line: samples, the slower tables and the reference data they point at. */
export async function loadLine({ target, days, signal, onProgress }: LoadOptions): Promise<LoadResult> {
  const started = performance.now();
  const total = days.reduce((sum, { line }) => sum + line.sampleCount, 0);
  let rows = 0;
  let duplicates = 0;
  for (const day of days) {
    signal?.throwIfAborted();
    const loaded = await withClient(target, (client) =>
      loadDay(client, day, target, signal, (more) => onProgress?.({ rows: rows + more, total })),
    );
    rows += loaded;
    duplicates += day.line.sampleCount - loaded;
  }
  return { rows, duplicates, seconds: (performance.now() - started) / 1000 };
}

async function loadDay(
  client: Client,
  { name, line }: LineDay,
  target: ConnectionTarget,
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void,
): Promise<number> {
  const fingerprint = createHash("sha256").update(name).digest("hex");
  const ledger = await openLedger(client, fingerprint, name);
  if (ledger.finished) return 0;
  const ids = await withTransaction(client, () => addReferenceData(client, line));
  const writer = createWriter(target);
  let done = 0;
  let rows = 0;
  for (const samples of line.samples(writer.batchSamples)) {
    signal?.throwIfAborted();
    // An interrupted load left off between two batches, and batches are the same each time.
    if (done >= ledger.records) rows += await writeBatch(client, fingerprint, done, samples, ids, writer);
    done += samples.length;
    onRows(rows);
  }
  await withTransaction(client, async () => {
    await addSlowRows(client, line, ids);
    await finishLedger(client, fingerprint);
  });
  return rows;
}

async function writeBatch(
  client: Client,
  fingerprint: string,
  done: number,
  samples: Samples,
  ids: Ids,
  writer: ReturnType<typeof createWriter>,
): Promise<number> {
  return withTransaction(client, async () => {
    await lockLedger(client, fingerprint, done);
    const written = await writer.write(client, { samples, machineIds: ids.machines, metricIds: ids.metrics });
    await advanceLedger(
      client,
      fingerprint,
      {
        records: samples.length,
        rows: written,
        rejected: 0,
      },
      samples,
    );
    return written;
  });
}
