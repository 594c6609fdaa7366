/**
 * The process of the embedded database: its memory is its own, and it can die without taking anything along.
 * It lives as long as its stdin is open, so it never outlives the process that started it.
 */
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode, UserError } from "../../infra/errors";
import { beginDataDir, completeDataDir, inspectDataDir, requireDiskSpace, unusable } from "./dataDir";
import { type Engine, openEngine } from "./engine";
import { Frontend } from "./frontend";
import { acquireLock, type Lock, LockHeldError } from "./lock";
import { isAnswering, loopback } from "./loopback";
import { type ServerLine, serverArguments } from "./protocol";
import { engineVersion } from "./version";

/** Milliseconds that a predecessor which lost its parent gets for finishing its last statement. */
const predecessorMs = 15_000;

function tell(line: ServerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(): Promise<void> {
  const { dataDir, port } = serverArguments.parse(JSON.parse(process.argv[2] ?? "{}"));
  const directory = dataDir === "memory" ? undefined : dataDir;
  if (directory !== undefined) requireDiskSpace(directory);
  const lock = directory === undefined ? undefined : await lockDataDir(directory);
  process.once("exit", () => lock?.release());

  let started: (engine: Promise<Engine>) => void = () => undefined;
  const engine = new Promise<Engine>((resolve) => {
    started = resolve;
  });
  // The port comes first: a taken one must be found before anything is created.
  const frontend = await Frontend.listen(port, engine, died).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE" ? portTaken(port) : error;
  });
  lock?.describe(`${loopback}:${frontend.port}`);

  const opening = open(directory);
  started(opening.then((opened) => opened.engine));
  const { engine: running, firstStart } = await opening;

  // Also of a shutdown that fails, e.g. on a full disk: the log is replayed at the next start.
  process.on("uncaughtException", died);
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await frontend.close();
    await running.close();
    process.exit(ExitCode.ok);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdin.on("end", stop);
  process.stdin.on("error", stop);
  process.stdin.resume();
  tell({ kind: "ready", port: frontend.port, firstStart });
}

async function open(directory: string | undefined): Promise<{ engine: Engine; firstStart: boolean }> {
  if (directory === undefined) return { engine: await openEngine(undefined, true), firstStart: true };
  const state = inspectDataDir(directory, engineVersion);
  if (state === "ready") {
    const engine = await openEngine(directory, false).catch((error: unknown) => {
      throw unusable(
        directory,
        `the database in ${directory} is damaged: opening it ended with "${reason(error)}"`,
      );
    });
    return { engine, firstStart: false };
  }
  if (state === "interrupted") {
    tell({ kind: "note", text: "the first start was interrupted before there was any data; starting over" });
  }
  beginDataDir(directory, engineVersion);
  const engine = await openEngine(directory, true);
  completeDataDir(directory, engineVersion);
  return { engine, firstStart: true };
}

/** Two processes in one data directory would destroy it. */
async function lockDataDir(directory: string): Promise<Lock> {
  const file = join(dirname(directory), "database.lock");
  const giveUp = Date.now() + predecessorMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return acquireLock(file, "starting");
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error;
      const { pid, note } = error.holder;
      // One that still answers a moment later is not on its way out.
      const staying = attempt > 5 && (await isAnswering(Number(note.split(":")[1]), 1_000));
      if (staying || Date.now() > giveUp) {
        throw new UserError(`the database in ${directory} is in use by process ${pid} (${note})`, {
          fix: `use it there, or stop it: kill ${pid}`,
          exitCode: ExitCode.environment,
        });
      }
      if (attempt === 5) tell({ kind: "note", text: `waiting for process ${pid} to let go of ${directory}` });
      await sleep(100);
    }
  }
}

function portTaken(port: number): UserError {
  return new UserError(`port ${port} on ${loopback} is taken`, {
    fix: "choose another one with MS5_DATABASE_PORT or the stack's `database.port`, or stop the program that listens there",
    exitCode: ExitCode.environment,
  });
}

/** The WASM backend cannot be revived inside a process; its files recover when they are opened again. */
function died(error: unknown): void {
  process.stderr.write(`the embedded database died: ${reason(error)}; its data is kept\n`);
  process.exit(ExitCode.failed);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().catch((error: unknown) => {
  const told =
    error instanceof UserError
      ? error
      : new UserError(`the embedded database did not start: ${reason(error)}`, {
          fix: "run it again; if it stays so, report it with this message",
        });
  tell({ kind: "failed", message: told.message, fix: told.fix });
  process.exitCode = ExitCode.environment;
  process.stdin.destroy();
});
