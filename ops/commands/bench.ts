import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { runBench } from "../bench";
import { replaceBetweenMarkers } from "../bench/document";
import { type BenchName, benchNames, type Report, toMarkdown, toTable } from "../bench/report";
import { createLog } from "../log";
import { projectRoot } from "../paths";

interface Options {
  readonly json: boolean;
  readonly write: boolean;
  readonly rows: number;
  readonly runs: number;
}

const warmUps = 1;
const documentPath = join(projectRoot, "docs", "benchmarks.md");

/** `bench ingest|query|compression|schema|all [--rows N] [--runs N] [--write] [--json]` */
export function register(program: Command): void {
  program
    .command("bench")
    .description("measure, on a throw-away embedded database, what docs/benchmarks.md says")
    .addArgument(new Argument("<name>").choices([...benchNames, "all"]))
    .option(
      "--rows <n>",
      "samples of the synthetic factory, about",
      wholeNumber(50_000, 20_000_000),
      3_000_000,
    )
    .option("--runs <n>", "how often each case is measured", wholeNumber(1, 100), 5)
    .option("--write", "put the tables into docs/benchmarks.md", false)
    .option("--json", "print one JSON object on stdout: of each benchmark, when all are run", false)
    .action(bench);
}

async function bench(name: BenchName | "all", options: Options): Promise<void> {
  const log = createLog({ quiet: options.json });
  const { rows, runs } = options;
  const reports: Report[] = [];
  for (const one of name === "all" ? benchNames : [name]) {
    log.info(`bench ${one}`);
    const report = await runBench(one, commandOf(one, options), { log, rows, runs, warmUps });
    reports.push(report);
    if (!options.json) process.stdout.write(`${toTable(report)}\n\n`);
    if (options.write) writeDocument(report);
  }
  if (options.json) {
    const [only] = reports;
    process.stdout.write(`${JSON.stringify(name === "all" ? { reports } : only)}\n`);
  }
}

function commandOf(name: BenchName, { rows, runs }: Options): string {
  return `npm run bench -- ${name} --rows ${rows} --runs ${runs}`;
}

/** Only what stands between the markers: why a goal is missed is written by hand below. */
function writeDocument(report: Report): void {
  const text = existsSync(documentPath) ? readFileSync(documentPath, "utf8") : "";
  writeFileSync(documentPath, replaceBetweenMarkers(text, report.name, toMarkdown(report)));
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}`);
  };
}
