import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { projectRoot } from "../paths";
import { isAlive } from "./processes";

/** The module files that pin what we build. */
export const toolchainFolder = join(projectRoot, "toolchain", "pulumi");

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

/** The folder of the pinned CLI: another pin is another folder, so that checkouts don't disturb each other. */
export function pulumiFolder(cache: string = cacheFolder()): string {
  const pin = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) pin.update(readFileSync(join(toolchainFolder, file)));
  return join(cache, `pulumi-${pin.digest("hex").slice(0, 16)}`);
}

/** The pinned version of the CLI, e.g. `3.256.0`. */
export function pinnedVersion(): string {
  const goMod = readFileSync(join(toolchainFolder, "go.mod"), "utf8");
  const version = /github\.com\/pulumi\/pulumi\/pkg\/v3 v([0-9.]+)/.exec(goMod)?.[1];
  if (version === undefined)
    throw new Error(`${toolchainFolder}/go.mod pins no github.com/pulumi/pulumi/pkg/v3`);
  return version;
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

export function interruptedSearch(): UserError {
  return new UserError("interrupted while getting the Pulumi CLI", {
    fix: "run the same command again",
    exitCode: ExitCode.interrupted,
  });
}

/** Runs `work` while no other process of this user does the same; a lock whose owner died is taken over. */
export async function withToolLock<T>(
  target: string,
  log: Log,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const lock = `${target}.lock`;
  mkdirSync(join(target, ".."), { recursive: true });
  let told = false;
  while (!takeLock(lock)) {
    if (signal?.aborted) throw interruptedSearch();
    const owner = lockOwner(lock);
    if (owner !== undefined && !isAlive(owner)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told)
      log.info(`Another process (pid ${owner ?? "unknown"}) is getting the Pulumi CLI; waiting for it …`);
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
