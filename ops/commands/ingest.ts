import type { Command } from "commander";
import { type FileProgress, type IngestResult, ingestFiles } from "../ingest";
import { aggregateIngested } from "../ingest/aggregate";
import { progressLine } from "../ingest/progressLine";
import { allowedTimes } from "../ingest/records";
import { createLog, type Log } from "../log";
import { defaultStack } from "../stackConfig";
import { stackTarget } from "../stackTarget";

interface Options {
  readonly stack: string;
  readonly machine?: string;
  readonly timezone?: string;
  readonly rejects?: string;
  readonly json: boolean;
}

/** `ingest FILE… [--stack S] [--machine M] [--timezone TZ] [--rejects DIR] [--json]` */
export function register(program: Command): void {
  program
    .command("ingest <files...>")
    .description(
      "load telemetry from CSV files (wide or long, plain or .gz); the same file twice adds nothing",
    )
    .option("--stack <stack>", "the stack whose database takes it", defaultStack)
    .option(
      "--machine <code>",
      "the machine of all files (default: a column of the file, else its folder's name)",
    )
    .option(
      "--timezone <zone>",
      "zone of times that carry none, e.g. Europe/Berlin or +02:00 (default: the machine's)",
    )
    .option("--rejects <folder>", "where records that cannot be read are kept (default: .local/rejects)")
    .option("--json", "print one JSON object on stdout instead of a report", false)
    .action(ingest);
}

async function ingest(files: string[], options: Options): Promise<void> {
  const line = liveLine(options.json);
  const log = line.around(createLog({ quiet: options.json }));
  const stopping = new AbortController();
  // Once: a second Ctrl-C ends the process at once, which loses no committed batch either.
  const stop = () => stopping.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const { target, config, close } = await stackTarget(options.stack, log);
  try {
    const result = await ingestFiles({
      target,
      files,
      ...(options.machine === undefined ? {} : { machine: options.machine }),
      ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
      ...(options.rejects === undefined ? {} : { rejects: options.rejects }),
      allowed: allowedTimes(config.ingest),
      log,
      signal: stopping.signal,
      onProgress: line.show,
    });
    line.clear();
    await aggregateIngested(target, log);
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${summary(result)}\n`);
  } finally {
    line.clear();
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await close();
  }
}

function summary(result: IngestResult): string {
  const count = (n: number, what: string) => `${n.toLocaleString("en-US")} ${what}`;
  return [
    count(result.files, result.files === 1 ? "file" : "files"),
    count(result.rows, "samples added"),
    count(result.duplicates, "there already"),
    count(result.rejected, "records rejected"),
    `${count(result.rowsPerSecond, "samples/s")} in ${result.seconds.toFixed(1)} s`,
  ].join(", ");
}

/** One line on a terminal that is written over as the ingest goes on; nothing where stderr is a file or a pipe. */
function liveLine(quiet: boolean) {
  const live = process.stderr.isTTY === true && !quiet;
  const clear = () => {
    if (live) process.stderr.write("\r\x1b[K");
  };
  let file = "";
  let started = 0;
  return {
    clear,
    show(progress: FileProgress): void {
      if (!live) return;
      if (progress.file !== file) {
        file = progress.file;
        started = performance.now();
      }
      process.stderr.write(`\r\x1b[K${progressLine(progress, (performance.now() - started) / 1000)}`);
    },
    around: (log: Log): Log => ({
      info(text) {
        clear();
        log.info(text);
      },
      warn(text) {
        clear();
        log.warn(text);
      },
    }),
  };
}
