import type { StackConfig } from "../../infra/config";
import type { ConnectionTarget } from "../../infra/schema/postgres";
import { ingestFiles } from "../ingest";
import { allowedTimes } from "../ingest/records";
import type { Log } from "../log";
import { generateLine } from "../telemetry/generator";
import { type LineDay, loadLine } from "../telemetry/loadLine";
import type { TelemetryResult } from "./result";

/**
 * The generated line of `npm start`. A chunk of 30 days that ended more than the columnstore's 7 days ago can have ended
 * 37 days ago, so it takes more days than that to always see one become columns.
 */
const generated = { seed: 5, days: 40, intervalSeconds: 600 };
const dayMs = 86_400_000;

export interface TelemetryOptions {
  readonly target: ConnectionTarget;
  readonly config: StackConfig;
  /** None: the generator. */
  readonly files: readonly string[];
  readonly log: Log;
  readonly signal: AbortSignal;
}

export async function loadTelemetry(options: TelemetryOptions): Promise<TelemetryResult> {
  return options.files.length === 0 ? loadGenerated(options) : loadFiles(options);
}

async function loadFiles({ target, config, files, log, signal }: TelemetryOptions): Promise<TelemetryResult> {
  const {
    perFile: _,
    seconds: __,
    ...result
  } = await ingestFiles({
    target,
    files,
    allowed: allowedTimes(config.ingest),
    log,
    signal,
  });
  return result;
}

async function loadGenerated({ target, signal }: TelemetryOptions): Promise<TelemetryResult> {
  const { rows, duplicates, seconds } = await loadLine({ target, days: generatedDays(new Date()), signal });
  return { files: 0, rows, rejected: 0, duplicates, rowsPerSecond: Math.round(rows / seconds) };
}

/** Whole days (UTC) up to the last midnight: the same ones all day, so a second start adds nothing. */
export function generatedDays(now: Date): LineDay[] {
  const { seed, days, intervalSeconds } = generated;
  const midnight = Math.floor(now.getTime() / dayMs) * dayMs;
  return Array.from({ length: days }, (_, index) => {
    const start = new Date(midnight - (days - index) * dayMs);
    return {
      name: `generated line, seed ${seed}, every ${intervalSeconds} s, ${start.toISOString().slice(0, 10)}`,
      line: generateLine({ seed, start, end: new Date(start.getTime() + dayMs), intervalSeconds }),
    };
  });
}
