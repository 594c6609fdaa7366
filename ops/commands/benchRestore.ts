import type { Command } from "commander";
import { ExitCode } from "../../infra/errors";
import { writeIntoDocument } from "../bench/document";
import { toMarkdown, toTable } from "../bench/report";
import { createLog } from "../log";
import { wholeNumber } from "./wholeNumber";

interface Options {
  readonly stack: string;
  readonly points: number;
  readonly rows: number;
  readonly seed: number;
  readonly write: boolean;
  readonly json: boolean;
}

/** `bench restore [--stack NAME] [--points N] [--rows N] [--seed N] [--write] [--json]` */
export function registerRestore(bench: Command): void {
  bench
    .command("restore")
    .description(
      "back a cluster up and restore it to random points in time under load, and compare row by row",
    )
    .option(
      "--stack <stack>",
      "a cluster with backups, and room for three copies in backups.cloneVolume",
      "cluster",
    )
    .option("--points <n>", "points in time that are restored", wholeNumber(1, 1_000), 20)
    .option("--rows <n>", "samples put into the database before", wholeNumber(10_000, 200_000_000), 3_000_000)
    .option("--seed <n>", "the same seed waits the same times between points", wholeNumber(0, 2 ** 31), 1)
    .option("--write", "put the table into docs/benchmarks.md", false)
    .option("--json", "print one JSON object on stdout", false)
    .action(run);
}

async function run(options: Options): Promise<void> {
  // It takes a quarter of an hour: whoever reads the JSON wants to see on stderr that it goes on.
  const log = createLog({ quiet: false });
  const { benchRestore } = await import("../bench/restore");
  const { report, wrong } = await benchRestore({ ...options, log });
  process.stdout.write(`${options.json ? JSON.stringify({ ...report, wrong }) : toTable(report)}\n`);
  for (const line of wrong) log.warn(line);
  if (options.write) writeIntoDocument("restore", toMarkdown(report));
  if (wrong.length > 0) process.exitCode = ExitCode.failed;
}
