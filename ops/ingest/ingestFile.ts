import { setTimeout as sleep } from "node:timers/promises";
import { type Client, type ConnectionTarget, withClient, withTransaction } from "../../infra/schema/postgres";
import type { Log } from "../log";
import type { Batch } from "./batch";
import { batchesOf } from "./batches";
import { ensureNames } from "./dictionary";
import {
  advanceLedger,
  finishLedger,
  lockLedger,
  Overtaken,
  openLedger,
  type Progress,
  reopenLedger,
} from "./ledger";
import { linesOf } from "./lines";
import { Names } from "./names";
import type { FilePlan } from "./plan";
import { type AllowedTimes, createRecordReader } from "./records";
import { RejectFile, rejectPath } from "./rejects";
import { readText } from "./source";
import type { Writer } from "./writers";

/** What happened to one file. Samples of a wide file are counted one by one, rejected records as a whole. */
export interface FileResult {
  readonly file: string;
  /** Records dealt with, over all runs. */
  readonly records: number;
  /** Samples that this run added. */
  readonly rows: number;
  /** Samples that were there already, from this file or another. */
  readonly duplicates: number;
  /** Records that cannot be read, over all runs; they are in `rejectFile`. */
  readonly rejected: number;
  readonly rejectFile?: string;
  /** Samples that the next run of the retention policy drops. */
  readonly beyondRetention: number;
}

/** Where a file's ingest stands; `bytes` of `totalBytes` have been read. */
export interface FileProgress {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface IngestContext {
  readonly target: ConnectionTarget;
  readonly writer: Writer;
  readonly allowed: AllowedTimes;
  readonly rejects: string;
  /** The zone that machines get which the ingest adds. */
  readonly newMachineTimezone: string | undefined;
  /** Microseconds since 1970; see infra/schema/retention.ts. */
  readonly retentionCutoff: number | undefined;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
}

/** The embedded database has one session for everybody: it is given back this often. Milliseconds. */
const sliceMs = 1_000;
/** An ingest of the same file elsewhere that has not moved for so long has died. Milliseconds. */
const stalledMs = 15_000;
const pollMs = 250;

/**
 * Ingests one file from where the ledger says, batch by batch; each batch is a transaction together with its progress.
 *
 * @throws AbortError when the signal fires, between two batches.
 */
export async function ingestFile(plan: FilePlan, context: IngestContext): Promise<FileResult> {
  const { fingerprint, source } = plan;
  const { target, signal } = context;
  let rows = 0;
  let beyondRetention = 0;
  let progress = await withClient(target, async (client) => {
    const found = await openLedger(client, fingerprint, source.path);
    if (!found.finished || found.rejected === 0) return found;
    await reopenLedger(client, fingerprint);
    return openLedger(client, fingerprint, source.path);
  });
  while (!progress.finished) {
    const run = createRun(plan, context, progress);
    try {
      await run.toEnd();
      progress = await withClient(target, async (client) => {
        await finishLedger(client, fingerprint);
        return openLedger(client, fingerprint, source.path);
      });
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      context.log.info(`${source.path}: another ingest is at work on this file; waiting for it`);
      progress = await waitForOther(target, plan, signal);
    } finally {
      rows += run.rows();
      beyondRetention += run.beyondRetention();
    }
  }
  return {
    file: source.path,
    records: progress.records,
    rows,
    duplicates: progress.rows + progress.duplicates - rows,
    rejected: progress.rejected,
    ...(progress.rejected === 0 ? {} : { rejectFile: rejectPath(context.rejects, source.path, fingerprint) }),
    beyondRetention,
  };
}

/** One reading of a file from `start` on. */
function createRun(plan: FilePlan, context: IngestContext, start: Progress) {
  const { fingerprint, layout, source } = plan;
  const { allowed, target, writer, signal } = context;
  const machines = new Names();
  const metrics = new Names();
  const machineIds: number[] = [];
  const metricIds: number[] = [];
  const rejects = new RejectFile(rejectPath(context.rejects, source.path, fingerprint), start.rejected);
  const text = readText(source);
  let rows = 0;
  let beyondRetention = 0;

  async function resolveNames(client: Client): Promise<void> {
    const newMachines = machines.list.slice(machineIds.length);
    const newMetrics = metrics.list.slice(metricIds.length);
    if (newMachines.length === 0 && newMetrics.length === 0) return;
    const { added, ...ids } = await ensureNames(client, {
      machines: newMachines,
      metrics: newMetrics,
      timezone: context.newMachineTimezone,
    });
    machineIds.push(...newMachines.map((name) => ids.machines.get(name) ?? 0));
    metricIds.push(...newMetrics.map((name) => ids.metrics.get(name) ?? 0));
    if (added.length > 0) context.log.info(`${source.path}: added ${listed(added)}`);
  }

  async function writeBatch(client: Client, batch: Batch): Promise<void> {
    await resolveNames(client);
    await withTransaction(client, async () => {
      await lockLedger(client, fingerprint, batch.firstRecord);
      // Late samples may fall into compressed chunks; a limit meant for careless updates must not refuse them.
      await client.query("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0");
      await rejects.append(batch.rejects);
      const written =
        batch.length === 0 ? 0 : await writer.write(client, { samples: batch, machineIds, metricIds });
      await advanceLedger(
        client,
        fingerprint,
        {
          records: batch.records,
          rows: written,
          rejected: batch.rejects.length,
        },
        batch,
      );
      return written;
    }).then((written) => {
      rows += written;
    });
    const cutoff = context.retentionCutoff;
    if (cutoff !== undefined)
      for (let i = 0; i < batch.length; i += 1) if ((batch.times[i] ?? 0) < cutoff) beyondRetention += 1;
    context.onProgress?.({ file: source.path, rows, bytes: text.position(), totalBytes: source.bytes });
  }

  async function toEnd(): Promise<void> {
    const read = createRecordReader({
      layout,
      allowed,
      machines,
      metrics,
      machine: plan.machine,
      zoneOf: plan.zoneOf,
    });
    const batches = batchesOf(linesOf(text.chunks), {
      headerLine: layout.headerLine,
      done: start.records,
      samples: writer.batchSamples,
      read,
    });
    // The next batch is read while the database writes this one. A fault in it surfaces when its turn comes.
    const ahead = () => {
      const next = batches.next();
      next.catch(() => undefined);
      return next;
    };
    let coming = ahead();
    try {
      for (let more = true; more; ) {
        more = await withClient(target, async (client) => {
          const until = performance.now() + (target.singleSession ? sliceMs : Number.POSITIVE_INFINITY);
          while (performance.now() < until) {
            signal?.throwIfAborted();
            const { done, value } = await coming;
            if (done === true) return false;
            coming = ahead();
            await writeBatch(client, value);
          }
          return true;
        });
      }
    } finally {
      await batches.return(undefined);
    }
  }

  return { toEnd, rows: () => rows, beyondRetention: () => beyondRetention };
}

/** Follows the ledger until the other ingest has finished, or has not moved for so long that it must have died. */
async function waitForOther(
  target: ConnectionTarget,
  plan: FilePlan,
  signal: AbortSignal | undefined,
): Promise<Progress> {
  let records = -1;
  let movedAt = performance.now();
  for (;;) {
    const progress = await withClient(target, (client) =>
      openLedger(client, plan.fingerprint, plan.source.path),
    );
    if (progress.finished || performance.now() - movedAt > stalledMs) return progress;
    if (progress.records !== records) movedAt = performance.now();
    records = progress.records;
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
  }
}

function listed(items: readonly string[]): string {
  return items.length <= 12
    ? items.join(", ")
    : `${items.slice(0, 12).join(", ")} and ${items.length - 12} more`;
}
