import { Argument, type Command } from "commander";
import { runBench } from "../bench";
import { writeIntoDocument } from "../bench/document";
import { type BenchName, benchNames, type Report, toMarkdown, toTable } from "../bench/report";
import { createLog } from "../log";
import { registerFailover } from "./benchFailover";
import { registerMonitoring } from "./benchMonitoring";
import { registerRestore } from "./benchRestore";
import { wholeNumber } from "./wholeNumber";

interface Options {
  readonly json: boolean;
  readonly write: boolean;
  readonly rows: number;
  readonly runs: number;
}

const warmUps = 1;

/** `bench ingest|query|compression|schema|all [--rows N] [--runs N] [--write] [--json]`, and `bench failover`, `bench monitoring`, `bench restore` */
export function register(program: Command): void {
  const command = program
    // What follows the name of a benchmark with options of its own is that one's: both parents have to leave it alone.
    .enablePositionalOptions()
    .command("bench")
    .enablePositionalOptions()
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
  registerFailover(command);
  registerMonitoring(command);
  registerRestore(command);
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
    if (options.write) writeIntoDocument(report.name, toMarkdown(report));
  }
  if (options.json) {
    const [only] = reports;
    process.stdout.write(`${JSON.stringify(name === "all" ? { reports } : only)}\n`);
  }
}

function commandOf(name: BenchName, { rows, runs }: Options): string {
  return `npm run bench -- ${name} --rows ${rows} --runs ${runs}`;
}
