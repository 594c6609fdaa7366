// The official installer, kept from hanging and from leaving anything behind: a process of its own, which is
// stopped when nothing has arrived for a while, in a folder that counts only once it is complete.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../log";
import { runProgram } from "./processes";
import { draftOf } from "./toolCache";

/**
 * @param patienceMs without a new byte for so long, the installer is given up.
 * @returns whether `target`/bin/pulumi is there now.
 */
export async function tryInstaller(
  target: string,
  version: string,
  log: Log,
  signal: AbortSignal | undefined,
  patienceMs = 10_000,
): Promise<boolean> {
  const draft = draftOf(target);
  const temp = join(draft, "tmp");
  mkdirSync(temp);
  const stop = new AbortController();
  const relay = () => stop.abort();
  signal?.addEventListener("abort", relay);
  const watch = setInterval(watchdog(draft, patienceMs, relay), 500);
  try {
    log.info(`Asking the official installer for Pulumi ${version} …`);
    const script = `
      const { PulumiCommand } = require(${JSON.stringify(require.resolve("@pulumi/pulumi/automation"))});
      const version = require("semver").parse(${JSON.stringify(version)});
      PulumiCommand.install({ root: ${JSON.stringify(draft)}, version, skipVersionCheck: true }).catch((error) => {
        console.error(error.message);
        process.exit(1);
      });`;
    const run = await runProgram(process.execPath, ["-e", script], {
      // `semver` is the SDK's own, found from where the SDK is.
      cwd: join(require.resolve("@pulumi/pulumi/automation"), ".."),
      env: { ...process.env, TMPDIR: temp },
      signal: stop.signal,
    });
    if (run.code !== 0 || !existsSync(join(draft, "bin", "pulumi"))) {
      const reason = run.output.trim().split("\n").at(-1) ?? "";
      log.info(`The installer cannot be used here (${stop.signal.aborted ? "nothing arrived" : reason}).`);
      return false;
    }
    rmSync(temp, { recursive: true, force: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
    return true;
  } finally {
    clearInterval(watch);
    signal?.removeEventListener("abort", relay);
    rmSync(draft, { recursive: true, force: true });
  }
}

function watchdog(folder: string, patienceMs: number, giveUp: () => void): () => void {
  let size = 0;
  let changed = Date.now();
  return () => {
    const now = sizeOf(folder);
    if (now !== size) changed = Date.now();
    size = now;
    if (Date.now() - changed > patienceMs) giveUp();
  };
}

function sizeOf(folder: string): number {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.reduce((total, entry) => {
      return total + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0);
    }, 0);
  } catch {
    // The installer removed a folder while we looked into it; the next look tells.
    return 0;
  }
}
