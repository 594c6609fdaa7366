/**
 * Ingest: files of telemetry into `factory_telemetry.metric_hist`.
 *
 * Every file is read through and understood before the first one is written, so that a bad file stops the command while
 * nothing has happened yet. Bad records stop nothing: they go to a reject file. What has been ingested is recorded in
 * `factory_telemetry.ingest_files` together with each batch, so that an interrupted ingest carries on and a repeated
 * one adds nothing.
 */
import { join } from "node:path";
import { ExitCode, UserError } from "../../infra/errors";
import { qualified } from "../../infra/schema/catalogue";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { retentionCutoff } from "../../infra/schema/retention";
import type { Log } from "../log";
import { localFolder } from "../paths";
import { readDictionary } from "./dictionary";
import { type FileProgress, type FileResult, ingestFile } from "./ingestFile";
import type { Layout } from "./layout";
import { type FilePlan, planFile, type Reading, readLayout } from "./plan";
import type { AllowedTimes } from "./records";
import { inspectFile, type SourceFile } from "./source";
import { createWriter } from "./writers";

export type { FileProgress, FileResult } from "./ingestFile";

export interface IngestOptions {
  readonly target: ConnectionTarget;
  readonly files: readonly string[];
  /** The machine of all files; without it a column of the file, else the folder the file is in. */
  readonly machine?: string;
  /** Zone of times that carry none: IANA name or offset. Without it the machine's own, else UTC. */
  readonly timezone?: string;
  readonly allowed: AllowedTimes;
  /** Folder for rejected records. @default `.local/rejects` */
  readonly rejects?: string;
  readonly log: Log;
  /** Stops the ingest between two batches; what is committed stays. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FileProgress) => void;
}

/** Sums over all files; `rows` and `duplicates` count samples, `rejected` counts records. */
export interface IngestResult {
  readonly files: number;
  readonly rows: number;
  readonly rejected: number;
  readonly duplicates: number;
  /** Added samples per second, of the whole run. */
  readonly rowsPerSecond: number;
  readonly seconds: number;
  readonly perFile: readonly FileResult[];
}

/**
 * Ingests files one after the other.
 *
 * @throws UserError, exit code 2 when a file cannot be read (before anything is written), 130 when stopped by the
 *   signal, 1 when the database fails on the way. Whatever was committed until then stays and is not repeated.
 */
export async function ingestFiles(options: IngestOptions): Promise<IngestResult> {
  const { target, files, log, signal } = options;
  const started = performance.now();
  const reading: Reading = {
    ...(options.machine === undefined ? {} : { machine: options.machine }),
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
  };
  const perFile: FileResult[] = [];
  let current = files[0] ?? "";
  try {
    const inspected: Inspected[] = [];
    for (const file of files) {
      current = file;
      inspected.push(await inspect(file, reading, signal));
    }
    const { plans, cutoff } = await withClient(target, async (client) => {
      const dictionary = await readDictionary(client);
      return {
        plans: inspected.map(({ source, layout }) => planFile(source, layout, reading, dictionary)),
        cutoff: (await retentionCutoff(client, qualified("metric_hist")))?.getTime(),
      };
    });
    const context = {
      target,
      writer: createWriter(target),
      allowed: options.allowed,
      rejects: options.rejects ?? join(localFolder, "rejects"),
      newMachineTimezone: namedZone(options.timezone),
      retentionCutoff: cutoff === undefined ? undefined : cutoff * 1_000,
      log,
      signal,
      onProgress: options.onProgress,
    };
    for (const plan of plans) {
      current = plan.source.path;
      for (const note of plan.layout.notes) log.warn(`${current}: ${note}`);
      const result = await ingestFile(plan, context);
      report(plan, result, log);
      perFile.push(result);
    }
  } catch (error) {
    throw forPeople(error, current, perFile.length, signal);
  }
  const sum = (count: (result: FileResult) => number) =>
    perFile.reduce((total, file) => total + count(file), 0);
  const seconds = (performance.now() - started) / 1000;
  const rows = sum((file) => file.rows);
  return {
    files: perFile.length,
    rows,
    rejected: sum((file) => file.rejected),
    duplicates: sum((file) => file.duplicates),
    rowsPerSecond: Math.round(rows / seconds),
    seconds,
    perFile,
  };
}

interface Inspected {
  readonly source: SourceFile;
  readonly layout: Layout;
}

async function inspect(file: string, reading: Reading, signal?: AbortSignal): Promise<Inspected> {
  const source = await inspectFile(file, signal);
  return { source, layout: readLayout(source, reading) };
}

/**
 * For commands with much to do before their ingest: refuses now what it would refuse.
 *
 * @throws UserError for a file that is missing or no telemetry
 */
export async function requireTelemetry(files: readonly string[], signal?: AbortSignal): Promise<void> {
  for (const file of files) await inspect(file, {}, signal);
}

/** A machine's zone is an IANA name; an offset on the command line is about these files alone. */
function namedZone(timezone: string | undefined): string | undefined {
  return timezone !== undefined && /^[A-Za-z]/.test(timezone) ? timezone : undefined;
}

function report(plan: FilePlan, result: FileResult, log: Log): void {
  log.info(
    `${result.file}: ${result.rows} samples added, ${result.duplicates} there already; ${plan.machineNote}`,
  );
  if (result.records === 0) log.warn(`${result.file}: has a header and no records`);
  if (result.rejected > 0)
    log.warn(
      `${result.file}: ${result.rejected} of ${result.records} records rejected, see ${result.rejectFile}`,
    );
  if (result.beyondRetention > 0)
    log.warn(
      `${result.file}: ${result.beyondRetention} samples are older than the table's retention; the next run of the policy drops them`,
    );
}

function forPeople(error: unknown, file: string, finished: number, signal: AbortSignal | undefined): unknown {
  if (error instanceof UserError) return error;
  if (signal?.aborted === true)
    return new UserError(`stopped while reading ${file}; ${finished} files are complete`, {
      fix: "run the same command again: it carries on behind the last batch that was committed",
      exitCode: ExitCode.interrupted,
      cause: error,
    });
  const code = (error as { code?: string }).code;
  if (code === "42P01")
    return new UserError("the database has no telemetry schema yet", {
      fix: "deploy the stack first: `npm run up -- STACK`",
      exitCode: ExitCode.failed,
      cause: error,
    });
  return new UserError(
    `the ingest of ${file} failed: ${error instanceof Error ? error.message : String(error)}`,
    {
      fix: "what was committed stays and is recorded; put the cause right and run the same command again",
      exitCode: ExitCode.failed,
      cause: error,
    },
  );
}
