/**
 * `node --require tsx/cjs ops/standins/main.ts NAME` serves one stand-in provider and prints its port as the
 * first line of stdout, for `PULUMI_DEBUG_PROVIDERS=NAME:PORT`. It ends with its parent: when stdin closes (so
 * stdin must be a pipe that the parent holds), on SIGTERM and on SIGINT, after answering what is under way:
 * an object that was made and not reported would be lost to the state.
 */
import { ExitCode } from "../../infra/errors";
import { postgresql } from "./postgresql";
import { type StandIn, serve } from "./provider";
import { random } from "./random";
import { tls } from "./tls";

const standIns: Record<string, StandIn> = { random, tls, postgresql };

/** Milliseconds an operation under way gets to finish when the process is told to end. */
const graceMs = 10_000;

async function main(name: string | undefined): Promise<void> {
  const standIn = name === undefined ? undefined : standIns[name];
  if (standIn === undefined) {
    process.stderr.write(`usage: main.ts ${Object.keys(standIns).join("|")} (found ${name ?? "nothing"})\n`);
    process.exitCode = ExitCode.refused;
    return;
  }
  const served = await serve(standIn);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void served.stop(graceMs).then(() => process.exit(ExitCode.ok));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdin.on("close", stop);
  process.stdin.resume();
  process.stdout.write(`${served.port}\n`);
}

void main(process.argv[2]);
