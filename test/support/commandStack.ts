// A stack on a test's database, driven like a person does it: by the command line, in a process of its own.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { LoginRole } from "../../infra/schema/roleNames";
import { findPulumi } from "../../ops/engine/cli";
import type { StackResult } from "../../ops/engine/stack";
import { projectRoot } from "../../ops/paths";

export interface CommandResult {
  /** null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The most memory the process itself has had (resident), in MB of 1024 x 1024 bytes. */
  readonly peakMemoryMb: number;
}

/** Config keys by their environment variables, e.g. `{ MS5_ROLES_PASSWORD_VERSION: "2" }`. */
export type Overrides = Readonly<Record<`MS5_${string}`, string>>;

/** A stack of this checkout with its state and everything else in a temp folder. */
export class CommandStack {
  private readonly env: NodeJS.ProcessEnv;

  /**
   * @param config keys by their environment variables
   * @param folder stands for `.local/`
   */
  constructor(
    private readonly name: "local" | "dev" | "cluster",
    config: Overrides,
    readonly folder: string = mkdtempSync(join(tmpdir(), "ms5-stack-")),
  ) {
    this.env = { ...isolatedEnvironment(this.folder), MS5_LOCAL_DIR: this.folder, ...config };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `ms5 ARGS…` with the stack's config; `kill` ends it by SIGKILL. */
  command(args: readonly string[], overrides: Overrides = {}, kill?: AbortSignal): Promise<CommandResult> {
    const { node, options } = this.program(args, overrides);
    return run(process.execPath, node, { ...options, kill });
  }

  /** The same, for a program that stays up: its output is a pipe, and ending it is the caller's. */
  begin(args: readonly string[], overrides: Overrides = {}): ChildProcessByStdio<null, Readable, Readable> {
    const { node, options } = this.program(args, overrides);
    return spawn(process.execPath, node, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  }

  private program(args: readonly string[], overrides: Overrides) {
    return {
      node: [join(projectRoot, "ops", "main.cjs"), ...args],
      options: { cwd: projectRoot, env: { ...this.env, ...overrides } },
    };
  }

  /** An operation of the engine; whether it has to succeed is for the caller to say, by `result`. */
  async deploy(
    operation: "preview" | "up" | "refresh" | "destroy",
    overrides: Overrides = {},
  ): Promise<StackResult> {
    const confirm = operation === "destroy" ? ["--yes"] : [];
    const { stdout, stderr } = await this.command([operation, this.name, "--json", ...confirm], overrides);
    try {
      return JSON.parse(stdout);
    } catch {
      throw new Error(`${operation} gave no result:\n${stdout}${stderr}`);
    }
  }

  /** The generated passwords, by the command that a person gets them with. */
  async passwords(): Promise<Record<LoginRole, string>> {
    const { command } = await findPulumi({ log: { info: () => undefined, warn: () => undefined } });
    const { code, stdout, stderr } = await run(
      command.command,
      ["stack", "output", "passwords", "--show-secrets", "--json", "--stack", this.name],
      {
        cwd: join(this.folder, "engine"),
        env: {
          ...this.env,
          PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
          PULUMI_CONFIG_PASSPHRASE_FILE: join(this.folder, "passphrase"),
        },
      },
    );
    if (code !== 0) throw new Error(`pulumi stack output failed: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** The state as it is stored, where secrets are encrypted. */
  state(): string {
    return readFileSync(join(this.folder, "state/.pulumi/stacks/ms5-timescale", `${this.name}.json`), "utf8");
  }
}

/** Ours without what would point a stack at the person's own state or database. */
export function isolatedEnvironment(folder: string): NodeJS.ProcessEnv {
  const ours = Object.entries(process.env).filter(
    ([name]) => name === "MS5_CACHE_DIR" || !/^(MS5|PULUMI|PG[A-Z]+$)/.test(name),
  );
  return { ...Object.fromEntries(ours), PULUMI_CREDENTIALS_PATH: join(folder, "credentials") };
}

async function run(
  program: string,
  args: readonly string[],
  { kill, ...options }: { cwd: string; env: NodeJS.ProcessEnv; kill?: AbortSignal | undefined },
): Promise<CommandResult> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  kill?.addEventListener("abort", () => child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let peakMemoryMb = 0;
  const watch = setInterval(() => {
    peakMemoryMb = peakMemory(child.pid) ?? peakMemoryMb;
  }, 100);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  clearInterval(watch);
  return { code, stdout, stderr, peakMemoryMb };
}

/** The kernel's own high-water mark, so that nothing between two looks is missed. */
function peakMemory(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    // It has just ended.
    return undefined;
  }
}
