import type { Command } from "commander";
import { ExitCode } from "../../infra/errors";
import { writeIntoDocument } from "../bench/document";
import { createLog } from "../log";

interface Options {
  readonly stack: string;
  readonly alerts: boolean;
  readonly write: boolean;
  readonly json: boolean;
}

/** `bench monitoring [--stack NAME] [--no-alerts] [--write] [--json]` */
export function registerMonitoring(bench: Command): void {
  bench
    .command("monitoring")
    .description(
      "measure how fast the monitoring API answers, what scrapes cost, and how long after a fault somebody is told",
    )
    .option("--stack <stack>", "a watched cluster with backups, on the test cluster", "cluster")
    .option("--no-alerts", "cause no faults: any watched cluster with backups, and minutes instead of hours")
    .option("--write", "put the tables into docs/benchmarks.md", false)
    .option("--json", "print one JSON object on stdout", false)
    .action(run);
}

async function run({ stack, alerts, write, json }: Options): Promise<void> {
  // It takes hours: whoever reads the JSON wants to see on stderr that it goes on.
  const log = createLog({ quiet: false });
  // The client library of Kubernetes takes a third of a second to load: not for another benchmark.
  const { benchMonitoring } = await import("../bench/monitoring");
  const { toMarkdown, toTables } = await import("../bench/monitoring/report");
  const { catchInterrupts } = await import("../engine/signals");
  const interrupts = catchInterrupts(log);
  // A second Ctrl-C leaves the cluster as it is.
  interrupts.hard.addEventListener("abort", () => process.exit(ExitCode.interrupted));
  try {
    const report = await benchMonitoring({ stack, alerts, log, signal: interrupts.gentle });
    process.stdout.write(`${json ? JSON.stringify(report) : toTables(report)}\n`);
    for (const line of report.notTold) log.warn(line);
    if (write) writeIntoDocument(report.name, toMarkdown(report));
    if (report.notTold.length > 0) process.exitCode = ExitCode.failed;
  } catch (error) {
    if (!interrupts.gentle.aborted) throw error;
    process.exitCode = ExitCode.interrupted;
  } finally {
    interrupts.release();
  }
}
