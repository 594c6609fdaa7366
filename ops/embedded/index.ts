/** A TimescaleDB in a process of our own, on loopback: for local work and tests, never for a factory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ExitCode, UserError } from "../../infra/errors";
import type { ConnectionTarget } from "../../infra/schema/postgres";
import { compileCache } from "../engine/toolCache";
import type { Log } from "../log";
import { projectRoot } from "../paths";
import { loopback } from "./loopback";
import { type ServerArguments, type ServerLine, serverLine } from "./protocol";

export { isAnswering } from "./loopback";

/** Milliseconds for the last statement and a clean shutdown; the data survives a kill after that. */
const stopMs = 15_000;

export interface EmbeddedDatabase {
  readonly target: ConnectionTarget;
  /** Of the server process. */
  readonly pid: number;
  /** The database was created by this start. */
  readonly firstStart: boolean;
  /** Resolves when the server process is gone, whether stopped or dead. */
  readonly exited: Promise<void>;
  /** Stops it cleanly; harmless when it is gone already. */
  stop(): Promise<void>;
}

/** How clients log in. The embedded database checks neither user nor password, hence loopback only. */
export function embeddedTarget(port: number): ConnectionTarget {
  return {
    host: loopback,
    port,
    database: "template1",
    user: "postgres",
    tls: "disable",
    singleSession: true,
  };
}

/**
 * Starts the embedded TimescaleDB and waits until it serves.
 *
 * @param options.dataDir absolute path whose parent folder is ours alone (it gets `format.json` and a lock), or
 *   `memory`.
 * @param options.port 0 takes any free one.
 * @param options.signal stops a start that is under way.
 * @throws UserError (exit code `environment`) when the port is taken, the data directory is in use, damaged or of
 *   another version, or the disk is full. Existing data is never deleted.
 */
export async function startEmbedded(options: {
  dataDir: string;
  port: number;
  log: Log;
  signal?: AbortSignal;
}): Promise<EmbeddedDatabase> {
  const { dataDir, port, log, signal } = options;
  const serverArguments: ServerArguments = { dataDir, port };
  const child = spawn(
    process.execPath,
    [
      // Functions are compiled when they are first called: half the CPU of a start, and most of PostgreSQL never runs.
      "--wasm-lazy-compilation",
      "--require",
      require.resolve("tsx/cjs"),
      join(projectRoot, "ops/embedded/server.ts"),
      JSON.stringify(serverArguments),
    ],
    // Its own process group: Ctrl-C reaches us alone, and we decide when the database may go.
    {
      cwd: projectRoot,
      env: { ...process.env, ...compileCache() },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    },
  );
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  child.stdin.on("error", () => undefined);
  createInterface({ input: child.stderr }).on("line", (line) => log.warn(line));

  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
    await exited;
    clearTimeout(timer);
  };
  const abort = (): void => {
    child.kill("SIGKILL");
  };
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted) abort();
    const outcome = await startOutcome(child.stdout, exited, log);
    if (signal?.aborted) throw interrupted();
    if (outcome === undefined || child.pid === undefined) {
      throw new UserError("the embedded database died while it was starting", {
        fix: `run it again; its data in ${dataDir} is kept`,
        exitCode: ExitCode.environment,
      });
    }
    if (outcome.kind === "failed") {
      throw new UserError(outcome.message, { fix: outcome.fix, exitCode: ExitCode.environment });
    }
    return {
      target: embeddedTarget(outcome.port),
      pid: child.pid,
      firstStart: outcome.firstStart,
      exited,
      stop,
    };
  } catch (error) {
    abort();
    await exited;
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function interrupted(): UserError {
  return new UserError("interrupted while the embedded database was starting", {
    fix: "run it again",
    exitCode: ExitCode.interrupted,
  });
}

/** How the start ended; `undefined` when the process went without saying. */
async function startOutcome(
  stdout: NodeJS.ReadableStream,
  exited: Promise<void>,
  log: Log,
): Promise<Exclude<ServerLine, { kind: "note" }> | undefined> {
  const lines = createInterface({ input: stdout });
  return new Promise((resolve) => {
    lines.on("line", (text) => {
      const line = serverLine.parse(JSON.parse(text));
      if (line.kind === "note") log.info(line.text);
      else resolve(line);
    });
    // Lines that were written before the exit are read first.
    void Promise.all([exited, once(lines, "close")]).then(() => resolve(undefined));
  });
}
