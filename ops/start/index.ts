// `npm start`: from nothing to a TimescaleDB with schema, policies and telemetry, and a report about it.

import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { StackConfig } from "../../infra/config";
import { ExitCode, UserError } from "../../infra/errors";
import { migrationsFolder } from "../../infra/schema/handlers/migrations";
import { serverFacts } from "../../infra/schema/handlers/server";
import { readMigrations } from "../../infra/schema/migrations/files";
import { plan } from "../../infra/schema/migrations/runner";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { type EmbeddedDatabase, startEmbedded } from "../embedded";
import { lockStart } from "../embedded/startLock";
import { runWatched } from "../engine/deploy";
import { catchInterrupts, type Interrupts } from "../engine/signals";
import { requireTelemetry } from "../ingest";
import { createLog, type Log } from "../log";
import { localFolder } from "../paths";
import { defaultStack as stack, stackConfig } from "../stackConfig";
import { embeddedDataDir } from "../stackTarget";
import { validate } from "../validate";
import { readHighlights } from "./highlights";
import { aggregateRows, analyze, compression, refreshAggregates, runColumnstoreJobs } from "./maintenance";
import type { StatusPage } from "./page";
import { type ReportInput, startReport } from "./report";
import type { StartResult } from "./result";
import { loadTelemetry } from "./telemetry";

export interface StartOptions {
  /** Files to ingest; none: the generated packaging line. */
  readonly telemetry: readonly string[];
  /** Exit after the report. */
  readonly once: boolean;
  /** One JSON object on stdout instead of the report. */
  readonly json: boolean;
}

/**
 * Runs the main job and, unless `once`, stays up until Ctrl-C.
 *
 * @returns the exit code: 0 only if validation has no failure
 * @throws UserError when another `npm start` is at work here, or anything it needs is missing
 */
export async function start(options: StartOptions): Promise<ExitCode> {
  const started = performance.now();
  const log = createLog({ quiet: options.json });
  const config = await stackConfig(stack, log);
  const { target } = config.database;
  if (config.database.kind !== "embedded" || target === undefined) {
    throw new UserError(
      `npm start runs the embedded database, but stack "${stack}" is configured for a server`,
      {
        fix: `remove database.kind and database.host from Pulumi.${stack}.yaml, or use npm run up -- ${stack}`,
      },
    );
  }
  await requireTelemetry(options.telemetry);
  const lock = lockStart(localFolder, log);
  lock.describe(connectionString(target));
  const interrupts = catchInterrupts(log);
  let database: EmbeddedDatabase | undefined;
  let page: StatusPage | undefined;
  try {
    log.info("Starting the embedded TimescaleDB");
    database = await startEmbedded({
      dataDir: embeddedDataDir,
      port: target.port,
      log,
      signal: interrupts.gentle,
    });
    const worked = await work({ options, config, target, log, interrupts });
    if (worked === undefined) return ExitCode.interrupted;
    const staysUp = !options.once && !interrupts.gentle.aborted;
    if (staysUp) page = await openPage(target, log);
    const { highlights, findings, ...measured } = worked;
    const result: StartResult = {
      ...measured,
      page: page?.url ?? null,
      seconds: Math.round(performance.now() - started) / 1_000,
    };
    const connection = `psql ${connectionString(target)}`;
    tell(options, { result, highlights, findings, connection, once: options.once });
    if (staysUp) await untilStopped(database, interrupts);
    return result.validation.failed === 0 ? ExitCode.ok : ExitCode.failed;
  } catch (error) {
    if (interrupts.gentle.aborted && !(error instanceof UserError)) return ExitCode.interrupted;
    throw error;
  } finally {
    try {
      // It asks the database.
      await page?.close();
    } finally {
      await database?.stop();
      interrupts.release();
      lock.release();
    }
  }
}

/** Loaded on demand: who goes at once needs no web server. */
async function openPage(target: ConnectionTarget, log: Log): Promise<StatusPage | undefined> {
  const { startPage } = await import("./page");
  return startPage(target, join(localFolder, "page"), log);
}

function tell({ json }: StartOptions, report: ReportInput): void {
  process.stdout.write(json ? `${JSON.stringify(report.result)}\n` : startReport(report));
}

interface Work {
  readonly options: StartOptions;
  readonly config: StackConfig;
  readonly target: ConnectionTarget;
  readonly log: Log;
  readonly interrupts: Interrupts;
}

type Worked = Omit<StartResult, "page" | "seconds"> & Pick<ReportInput, "highlights" | "findings">;

/** @returns undefined when it was interrupted */
async function work({ options, config, target, log, interrupts }: Work): Promise<Worked | undefined> {
  log.info("Deploying stack local");
  const { result: deployed } = await runWatched("up", stack, { json: options.json, interrupts });
  if (deployed.result !== "succeeded") {
    for (const { severity, message } of deployed.diagnostics) if (severity === "error") log.warn(message);
    if (deployed.result === "interrupted") return undefined;
    throw new UserError("stack local could not be deployed; see above", {
      fix: "what was done is recorded: run it again when the cause is gone",
      exitCode: ExitCode.failed,
    });
  }
  log.info(options.telemetry.length === 0 ? "Loading a generated packaging line" : "Ingesting telemetry");
  const telemetry = await loadTelemetry({
    target,
    config,
    files: options.telemetry,
    log,
    signal: interrupts.gentle,
  });
  log.info("Refreshing aggregates and turning old chunks into columns");
  await withClient(target, refreshAggregates);
  await withClient(target, runColumnstoreJobs);
  await withClient(target, analyze);
  interrupts.gentle.throwIfAborted();
  log.info("Validating");
  const validation = await validate(target, config);
  const facts = await withClient(target, async (client) => {
    const database = await serverFacts(client);
    if (database === undefined) throw new Error("TimescaleDB is gone from the database");
    const { applied, pending } = await plan(client, await readMigrations(migrationsFolder));
    return {
      database,
      migrations: { applied: applied.length, pending: pending.length },
      compression: await compression(client),
      aggregates: await aggregateRows(client),
      highlights: await readHighlights(client),
    };
  });
  return {
    engine: deployed.engine,
    resources: deployed.resources,
    telemetry,
    ...facts,
    validation: { checks: validation.checks, failed: validation.failed },
    findings: validation.findings,
  };
}

function connectionString({ user, host, port, database }: ConnectionTarget): string {
  return `postgres://${user}@${host}:${port}/${database}`;
}

async function untilStopped(database: EmbeddedDatabase, { gentle }: Interrupts): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (gentle.aborted) resolve();
    gentle.addEventListener("abort", () => resolve(), { once: true });
  });
  const died = database.exited.then(() => {
    if (gentle.aborted) return;
    throw new UserError("the embedded database died", {
      fix: "run npm start again; its data is kept",
      exitCode: ExitCode.failed,
    });
  });
  await Promise.race([stopped, died]);
  // The message about stopping has been written; let it appear before the shell's prompt.
  await delay(0);
}
