import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Command } from "commander";
import { createLog, type Log } from "../log";
import { projectRoot } from "../paths";
import { affectedStacks, deployedEnvironments } from "./affectedStacks";

const run = promisify(execFile);

/** `affected [--base REF] [--json]`: the environments that workflows preview and deploy. */
export function register(program: Command): void {
  program
    .command("affected")
    .description("list the environments that the commits since REF concern")
    .option("--base <ref>", "where the change begins; without it all environments are listed", "")
    .option("--json", "print a JSON list on stdout instead of lines", false)
    .action(async ({ base, json }: { base: string; json: boolean }) => {
      const stacks = await since(base, createLog({ quiet: json }));
      process.stdout.write(
        json ? `${JSON.stringify(stacks)}\n` : stacks.map((stack) => `${stack}\n`).join(""),
      );
    });
}

/**
 * What the commits since `base` concern. All environments without a base, and with one that is not in this clone (the first
 * push of a branch, a rewritten history): one too many costs a minute, one too few is not deployed.
 *
 * @param changed paths of files, by git
 */
export async function since(base: string, log: Log, changed = changedSince): Promise<readonly string[]> {
  if (base === "") return deployedEnvironments;
  try {
    return affectedStacks(await changed(base));
  } catch (error) {
    log.warn(
      `git cannot tell what changed since ${base}, so all environments are listed: ${(error as Error).message}`,
    );
    return deployedEnvironments;
  }
}

async function changedSince(base: string): Promise<string[]> {
  // Of a renamed file both names; the names as they are, not quoted.
  const args = ["diff", "--name-only", "--no-renames", "-z", "--end-of-options", `${base}...HEAD`];
  const { stdout } = await run("git", args, { cwd: projectRoot, maxBuffer: 64 * 2 ** 20 });
  return stdout.split("\0").filter((path) => path !== "");
}
