import { spawn } from "node:child_process";
import { dirname, isAbsolute } from "node:path";
import type { PulumiCommand } from "@pulumi/pulumi/automation";

/** How a run of the CLI is stopped: `gentle` lets the running step finish and saves the state, `hard` kills it. */
export interface StopSignals {
  readonly gentle?: AbortSignal | undefined;
  readonly hard?: AbortSignal | undefined;
}

/** The CLI ended with an exit code other than 0, or could not be started (`code` undefined). */
export class CliError extends Error {
  override readonly name = "CliError";
  constructor(
    readonly args: readonly string[],
    readonly code: number | undefined,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    super(`pulumi ${args[0] ?? ""} failed (exit code ${code ?? "none"}): ${stderr.trim() || stdout.trim()}`);
  }
}

interface CliResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** A PulumiCommand with the method that LocalWorkspace calls, which the published type leaves out. */
export interface SupervisedCommand extends PulumiCommand {
  run(
    args: string[],
    cwd: string,
    env: Record<string, string>,
    onOutput?: (text: string) => void,
    onError?: (text: string) => void,
  ): Promise<CliResult>;
}

/**
 * The CLI as the Automation API runs it, but in a process group of its own. Otherwise Ctrl-C in a terminal reaches
 * the CLI twice, once from the terminal and once from us, and it takes the second for "terminate immediately".
 */
export function supervised(cli: PulumiCommand, stop: StopSignals): SupervisedCommand {
  const run = async (
    args: string[],
    cwd: string,
    env: Record<string, string>,
    onOutput?: (text: string) => void,
    onError?: (text: string) => void,
  ): Promise<CliResult> => {
    const child = spawn(cli.command, [...args, "--non-interactive"], {
      cwd,
      env: { ...process.env, ...env, PATH: searchPath(cli, env.PATH), PULUMI_AUTOMATION_API: "true" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const interrupt = () => child.kill("SIGINT");
    const kill = () => child.kill("SIGKILL");
    stop.gentle?.addEventListener("abort", interrupt);
    stop.hard?.addEventListener("abort", kill);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      onError?.(text);
    });
    try {
      const code = await new Promise<number | undefined>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (exitCode) => resolve(exitCode ?? undefined));
      });
      if (code !== 0) throw new CliError(args, code, stdout, stderr);
      return { stdout, stderr, code };
    } finally {
      stop.gentle?.removeEventListener("abort", interrupt);
      stop.hard?.removeEventListener("abort", kill);
    }
  };
  return { command: cli.command, version: cli.version, run };
}

/** Our folders come first, then the CLI's own, where the official distribution keeps its bundled plugins. */
function searchPath(cli: PulumiCommand, wanted: string | undefined): string {
  const path = wanted ?? process.env.PATH ?? "";
  return isAbsolute(cli.command) ? `${path}:${dirname(cli.command)}` : path;
}
