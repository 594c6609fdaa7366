/**
 * `node --require tsx/cjs ops/standins/main.ts NAME…` serves stand-in providers and prints `NAME:PORT,…`, the value of
 * `PULUMI_DEBUG_PROVIDERS`, as the first line of stdout. One process for all, because starting one takes a second. It ends with its parent: when stdin closes (so
 * stdin must be a pipe that the parent holds), on SIGTERM and on SIGINT, after answering what is under way:
 * an object that was made and not reported would be lost to the state.
 */
import { ExitCode } from "../../infra/errors";
import { serveAzureNative } from "./azureNative/service";
import type { Served } from "./grpc";
import { serveKubernetes } from "./kubernetes/service";
import { postgresql } from "./postgresql";
import { serve } from "./provider";
import { random } from "./random";
import { tls } from "./tls";

const standIns: Readonly<Record<string, () => Promise<Served>>> = {
  "azure-native": serveAzureNative,
  kubernetes: serveKubernetes,
  postgresql: () => serve(postgresql),
  random: () => serve(random),
  tls: () => serve(tls),
};

/** Milliseconds an operation under way gets to finish when the process is told to end. */
const graceMs = 10_000;

async function main(names: readonly string[]): Promise<void> {
  const wanted = names.map((name) => standIns[name]).filter((standIn) => standIn !== undefined);
  if (wanted.length === 0 || wanted.length < names.length) {
    process.stderr.write(
      `usage: main.ts NAME… of ${Object.keys(standIns).join(", ")} (found ${names.join(" ") || "nothing"})\n`,
    );
    process.exitCode = ExitCode.refused;
    return;
  }
  const served = await Promise.all(wanted.map((start) => start()));
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void Promise.all(served.map((one) => one.stop(graceMs))).then(() => process.exit(ExitCode.ok));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdin.on("close", stop);
  process.stdin.resume();
  process.stdout.write(`${served.map(({ port }, index) => `${names[index]}:${port}`).join(",")}\n`);
}

void main(process.argv.slice(2));
