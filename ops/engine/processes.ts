import { execFileSync, spawn } from "node:child_process";

/** Whether a process of this machine is alive; true also when it belongs to another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The program a process runs, e.g. `pulumi`; undefined when it is gone or `ps` is missing. */
export function commandOf(pid: number): string | undefined {
  try {
    return execFileSync("ps", ["-p", String(pid), "-o", "comm="], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined;
  }
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Killed, with everything it started, when aborted. */
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly code: number | undefined;
  readonly output: string;
}

/**
 * Runs a program to its end, in a process group of its own so that stopping it stops what it started, too.
 * Never rejects because of the program: one that cannot be started has no exit code.
 */
export async function runProgram(command: string, args: string[], options: RunOptions): Promise<RunResult> {
  if (options.signal?.aborted) return { code: undefined, output: "" };
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stop = () => killGroup(child.pid);
  // Our own end, by whatever exit there is, must not leave it running.
  process.once("exit", stop);
  options.signal?.addEventListener("abort", stop);
  let output = "";
  let rest = "";
  const read = (text: string) => {
    output += text;
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) options.onLine?.(line);
  };
  child.stdout.setEncoding("utf8").on("data", read);
  child.stderr.setEncoding("utf8").on("data", read);
  const code = await new Promise<number | undefined>((resolve) => {
    child.on("error", (error) => {
      output += error.message;
      resolve(undefined);
    });
    child.on("close", (exitCode) => resolve(exitCode ?? undefined));
  });
  process.off("exit", stop);
  options.signal?.removeEventListener("abort", stop);
  return { code, output };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
