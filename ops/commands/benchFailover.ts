import { type Command, InvalidArgumentError } from "commander";
import { ExitCode, UserError } from "../../infra/errors";
import { writeIntoDocument } from "../bench/document";
import { type Kind, kindNames } from "../bench/failover/kinds";
import { createLog, type Log } from "../log";
import { wholeNumber } from "./wholeNumber";

interface Options {
  readonly seed: number;
  readonly count: number;
  readonly kinds?: readonly Kind[];
  readonly apiServerDown: number;
  readonly write: boolean;
  readonly json: boolean;
}

/** The stack whose database is broken: the only one whose nodes are this machine's to break. */
const stack = "cluster";

/** `bench failover [--seed N] [--count N] [--kinds A,B] [--api-server-down SECONDS] [--write] [--json]` */
export function registerFailover(bench: Command): void {
  bench
    .command("failover")
    .description(`break the test cluster under stack ${stack} again and again, and measure how writes go on`)
    .option("--seed <n>", "the same seed makes the same faults", wholeNumber(0, 2 ** 31), 1)
    .option("--count <n>", "how many faults", wholeNumber(1, 10_000), 100)
    .option("--kinds <list>", `only some of ${kindNames.join(", ")}`, kindList)
    .option("--api-server-down <seconds>", "how long the API server is away", wholeNumber(5, 600), 60)
    .option("--write", "put the tables into docs/benchmarks.md", false)
    .option("--json", "print one JSON object on stdout", false)
    .action(run);
}

function kindList(text: string): Kind[] {
  const wrong = text.split(",").find((name) => !(kindNames as string[]).includes(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is none of ${kindNames.join(", ")}`);
  return text.split(",") as Kind[];
}

async function run(options: Options): Promise<void> {
  // It takes an hour: whoever reads the JSON wants to see on stderr that it goes on.
  const log = createLog({ quiet: false });
  // The client library of Kubernetes takes a third of a second to load: not for another benchmark.
  const { benchFailover } = await import("../bench/failover");
  const { toMarkdown, toTables } = await import("../bench/failover/report");
  const { catchInterrupts } = await import("../engine/signals");
  const interrupts = catchInterrupts(log);
  // A second Ctrl-C leaves the cluster as it is.
  interrupts.hard.addEventListener("abort", () => process.exit(ExitCode.interrupted));
  try {
    const report = await benchFailover({
      kubeconfig: await kubeconfigOf(log),
      seed: options.seed,
      count: options.count,
      kinds: options.kinds ?? kindNames,
      apiServerDownSeconds: options.apiServerDown,
      log,
      signal: interrupts.gentle,
    });
    process.stdout.write(`${options.json ? JSON.stringify(report) : toTables(report)}\n`);
    if (options.write) writeIntoDocument(report.name, toMarkdown(report));
    if (interrupts.gentle.aborted) process.exitCode = ExitCode.interrupted;
    else if (report.stopped !== undefined) process.exitCode = ExitCode.failed;
  } finally {
    interrupts.release();
  }
}

async function kubeconfigOf(log: Log): Promise<string> {
  const { stackConfig } = await import("../stackConfig");
  const { kubernetes } = await stackConfig(stack, log);
  if (kubernetes?.kubeconfig !== undefined) return kubernetes.kubeconfig;
  throw new UserError(`stack ${stack} names no kubeconfig`, {
    fix: "see what `npm run cluster -- status` says, and: pulumi config set --path ms5-timescale:kubernetes.kubeconfig FILE",
  });
}
