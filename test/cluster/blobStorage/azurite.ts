// Azurite, Microsoft's stand-in for Azure Storage: an npm package with 300 others, kept apart from the project's own.
import { spawn } from "node:child_process";
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../../../infra/errors";
import { draftOf, pinnedFolder, toolchainFolder, withToolLock } from "../../../ops/engine/toolCache";
import type { Log } from "../../../ops/log";

/** Azurite's program, installed when it is not there yet: 15 s, 190 MB. @throws UserError (environment) when npm fails */
export async function ensureAzurite(log: Log): Promise<string> {
  const folder = pinnedFolder("azurite");
  const program = join(folder, "node_modules/azurite/dist/src/blob/main.js");
  if (existsSync(program)) return program;
  await withToolLock(folder, "Azurite", log, undefined, async () => {
    if (existsSync(program)) return;
    log.info("Installing Azurite …");
    const draft = draftOf(folder);
    cpSync(toolchainFolder("azurite"), draft, { recursive: true });
    const code = await new Promise<number | null>((resolve, reject) => {
      const npm = spawn("npm", ["ci", "--ignore-scripts", "--omit=optional"], {
        cwd: draft,
        // Its progress is nobody's result.
        stdio: ["ignore", "ignore", "inherit"],
      });
      npm.once("error", reject).once("exit", resolve);
    });
    if (code !== 0) {
      throw new UserError("Azurite cannot be installed: npm ci failed", {
        fix: "see what npm says above; run it again",
        exitCode: ExitCode.environment,
      });
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  });
  return program;
}
