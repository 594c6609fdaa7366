// Provider plugins: the official ones where they are installed or can be, our stand-ins otherwise.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { projectRoot } from "../paths";
import type { FoundPulumi } from "./cli";
import { runProgram } from "./processes";
import { writeShims } from "./shims";
import { cacheFolder, compileCache } from "./toolCache";

/** Milliseconds for fetching a plugin before a stand-in takes its place. */
const installTimeoutMs = 5_000;
/** Milliseconds during which a plugin that could not be fetched is not tried again. */
const rememberFailureMs = 24 * 60 * 60 * 1000;
/** Milliseconds the stand-ins have for saying their ports. */
const startTimeoutMs = 30_000;
/** Stand-ins that show what would be done, and do none of it. */
const planOnly: ReadonlySet<string> = new Set(["azure-native"]);

export interface Providers {
  /** What the engine needs in its environment to find them. */
  readonly env: Readonly<Record<string, string>>;
  /** The names that a stand-in serves. */
  readonly standIns: readonly string[];
  stop(): Promise<void>;
}

export interface ProviderOptions {
  readonly log: Log;
  readonly cli: FoundPulumi;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the providers of these names available to an engine: `random`, `tls`, `postgresql`, `kubernetes`,
 * `azure-native`.
 *
 * @throws UserError when a stand-in is needed and does not start.
 */
export async function startProviders(names: readonly string[], options: ProviderOptions): Promise<Providers> {
  const official = await Promise.all(names.map((name) => haveOfficial(name, options)));
  const standIns = names.filter((_, index) => !official[index]);
  const running = standIns.length === 0 ? undefined : await startStandIns(standIns);
  for (const line of introductions(standIns)) options.log.info(line);
  return {
    env: {
      PATH: [writeShims(), process.env.PATH ?? ""].join(delimiter),
      MS5_ROOT: projectRoot,
      ...compileCache(),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // What can be fetched has been; the engine must not start waiting for the network on its own.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ...(running && { PULUMI_DEBUG_PROVIDERS: running.providers }),
    },
    standIns,
    stop: async () => running?.stop(),
  };
}

function introductions(standIns: readonly string[]): string[] {
  const introduce = (names: readonly string[], what: string): string[] =>
    names.length === 0
      ? []
      : [`Stand-ins serve ${names.join(", ")}: the official plugins cannot be installed here. They ${what}.`];
  return [
    ...introduce(
      standIns.filter((name) => !planOnly.has(name)),
      "do the real thing",
    ),
    ...introduce(
      standIns.filter((name) => planOnly.has(name)),
      "only plan: a preview shows what would be made, and an up is refused",
    ),
  ];
}

/**
 * Refuses an operation in which a stand-in would have to do what it can only plan.
 *
 * @param state of the stack, where the operation is about what is deployed; without it, about all the program asks for
 * @throws UserError with the plugin to install
 */
export function refusePlanOnly(operation: string, standIns: readonly string[], state?: unknown): void {
  const deployed = state as { readonly resources?: readonly { readonly type: string }[] } | undefined;
  const isNeeded = (name: string): boolean =>
    state === undefined || (deployed?.resources ?? []).some(({ type }) => type.startsWith(`${name}:`));
  const name = standIns.find((one) => planOnly.has(one) && isNeeded(one));
  if (name === undefined) return;
  throw new UserError(
    `${operation} needs the official ${name} plugin, and here a stand-in serves in its place that only plans; nothing has been changed`,
    {
      fix: `run \`pulumi plugin install resource ${name} ${sdkVersion(name)}\`, on a machine that can fetch it; preview works without it`,
      exitCode: ExitCode.environment,
    },
  );
}

async function haveOfficial(name: string, options: ProviderOptions): Promise<boolean> {
  const version = sdkVersion(name);
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const installed = join(home, "plugins", `resource-${name}-v${version}`);
  if (existsSync(installed) && !existsSync(`${installed}.partial`)) return true;
  if (isOnPath(`pulumi-resource-${name}`)) return true;
  const failures = new RememberedFailures(join(cacheFolder(), "plugin-failures.json"));
  const plugin = `${name} ${version}`;
  if (failures.has(plugin)) return false;
  options.log.info(`Fetching the official ${name} plugin ${version} …`);
  const timeout = AbortSignal.timeout(installTimeoutMs);
  const run = await runProgram(
    options.cli.command.command,
    ["plugin", "install", "resource", name, version],
    {
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
    },
  );
  if (run.code === 0) return true;
  if (!options.signal?.aborted) failures.add(plugin);
  return false;
}

/** The plugin version that goes with the SDK package in use. */
function sdkVersion(name: string): string {
  const manifest = readFileSync(join(projectRoot, "node_modules", "@pulumi", name, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function isOnPath(executable: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, executable), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}

/** Which plugins could not be fetched lately, so that offline work doesn't wait for them on each run. */
class RememberedFailures {
  constructor(private readonly file: string) {}

  has(plugin: string): boolean {
    const at = this.read()[plugin];
    return at !== undefined && Date.now() - at < rememberFailureMs;
  }

  add(plugin: string): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify({ ...this.read(), [plugin]: Date.now() }));
  }

  private read(): Record<string, number> {
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as Record<string, number>;
    } catch {
      // None yet, or half-written by a run that was killed: forgetting costs one more attempt.
      return {};
    }
  }
}

interface StandIns {
  /** `NAME:PORT,…` */
  readonly providers: string;
  stop(): Promise<void>;
}

async function startStandIns(names: readonly string[]): Promise<StandIns> {
  const child = spawn(
    process.execPath,
    ["--require", require.resolve("tsx/cjs"), join(projectRoot, "ops", "standins", "main.ts"), ...names],
    {
      cwd: projectRoot,
      env: { ...process.env, ...compileCache() },
      // It ends when its stdin does, so it cannot outlive us. A group of its own keeps Ctrl-C for the engine.
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    },
  );
  child.stdin.on("error", () => undefined);
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const providers = await firstLine(child);
  if (providers === undefined) {
    await stopChild(child);
    const installs = names.map((name) => `\`pulumi plugin install resource ${name} ${sdkVersion(name)}\``);
    throw new UserError(
      `the stand-in providers for ${names.join(", ")} did not start: ${complaint.trim() || "no reason given"}`,
      {
        fix: `install the official plugins with ${installs.join(" and ")}, or run \`npm ci\` again`,
        exitCode: ExitCode.environment,
      },
    );
  }
  return { providers, stop: () => stopChild(child) };
}

/** The first line of its output; undefined when it ends or keeps silent instead. */
function firstLine(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), startTimeoutMs);
    const settle = (line: string | undefined) => {
      clearTimeout(timer);
      resolve(line);
    };
    child.once("exit", () => settle(undefined));
    child.once("error", () => settle(undefined));
    if (child.stdout === null) return settle(undefined);
    createInterface({ input: child.stdout }).once("line", settle);
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.stdin?.end();
  child.kill("SIGTERM");
  // Longer than the grace it gives itself for an operation under way.
  const insist = setTimeout(() => child.kill("SIGKILL"), 11_000);
  await gone;
  clearTimeout(insist);
}
