import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { projectRoot } from "../paths";
import { isAlive } from "./processes";

/** The module files that pin what we build: a folder of `toolchain/`. */
export function toolchainFolder(name: string): string {
  return join(projectRoot, "toolchain", name);
}

/** Where tools are kept for all checkouts of this user. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.MS5_CACHE_DIR ?? join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ms5-timescale");
}

/**
 * For the Node processes that an operation starts, several each time: with what V8 has compiled kept here they spend a
 * tenth less on loading the same SDKs again.
 */
export function compileCache(): { readonly NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(cacheFolder(), "compiled") };
}

/**
 * Where what `toolchain/NAME` pins is kept: another pin is another folder, so that checkouts don't disturb each other.
 * What we wrote ourselves there (`*.go`) counts too.
 */
export function pinnedFolder(name: string, cache: string = cacheFolder()): string {
  const folder = toolchainFolder(name);
  const pin = createHash("sha256");
  for (const file of readdirSync(folder).sort()) pin.update(readFileSync(join(folder, file)));
  return join(cache, `${name}-${pin.digest("hex").slice(0, 16)}`);
}

/** The folder of the pinned Pulumi CLI. */
export function pulumiFolder(cache: string = cacheFolder()): string {
  return pinnedFolder("pulumi", cache);
}

/** The version of `module` that `toolchain/NAME` pins, e.g. `3.256.0`. */
export function pinnedVersionOf(name: string, module: string): string {
  const file = join(toolchainFolder(name), "go.mod");
  const line = readFileSync(file, "utf8")
    .split("\n")
    .map((text) =>
      text
        .replace(/^require /, "")
        .trim()
        .split(" "),
    )
    .find(([path]) => path === module);
  const version = line?.[1]?.replace(/^v/, "");
  if (version === undefined) throw new Error(`${file} pins no ${module}`);
  return version;
}

const cliModule = "github.com/pulumi/pulumi/pkg/v3";

/** The pinned version of the Pulumi CLI, e.g. `3.256.0`. */
export function pinnedVersion(): string {
  return pinnedVersionOf("pulumi", cliModule);
}

/** A folder to work in next to `target`, to be renamed onto it; those of dead processes are swept away. */
export function draftOf(target: string): string {
  const folder = join(target, "..");
  mkdirSync(folder, { recursive: true });
  const prefix = `${target.slice(folder.length + 1)}.draft-`;
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(prefix)) continue;
    if (!isAlive(Number(entry.slice(prefix.length))))
      rmSync(join(folder, entry), { recursive: true, force: true });
  }
  const draft = `${target}.draft-${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  return draft;
}

/** @param what with its article, e.g. `the Pulumi CLI` */
export function interruptedSearch(what: string): UserError {
  return new UserError(`interrupted while getting ${what}`, {
    fix: "run the same command again",
    exitCode: ExitCode.interrupted,
  });
}

/**
 * Runs `work` while no other process of this user does the same; a lock whose owner died is taken over.
 *
 * @param what for the message to who waits, with its article, e.g. `the Pulumi CLI`
 */
export async function withToolLock<T>(
  target: string,
  what: string,
  log: Log,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const lock = `${target}.lock`;
  mkdirSync(join(target, ".."), { recursive: true });
  let told = false;
  while (!takeLock(lock)) {
    if (signal?.aborted) throw interruptedSearch(what);
    const owner = lockOwner(lock);
    if (owner !== undefined && !isAlive(owner)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) log.info(`Another process (pid ${owner ?? "unknown"}) is getting ${what}; waiting for it …`);
    told = true;
    await sleep(250);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function lockOwner(lock: string): number | undefined {
  if (!existsSync(lock)) return undefined;
  const pid = Number(readFileSync(lock, "utf8"));
  return pid > 0 ? pid : undefined;
}
