// Folders with Debian packages in them, made once and kept in the cache.
//
// The packages are unpacked, not installed: nothing of them runs while the folder is made, so nothing has to be
// mounted, and no service of theirs starts.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ExitCode, UserError } from "../../infra/errors";
import { runProgram } from "../../ops/engine/processes";
import { cacheFolder, draftOf } from "../../ops/engine/toolCache";
import type { Log } from "../../ops/log";

const suite = "trixie";

/** A folder to make. */
export interface DebianRoot {
  /** Part of its name in the cache. */
  readonly name: string;
  /** Their dependencies come by themselves. */
  readonly packages: readonly string[];
  /** Raise it when what `complete` does changes. */
  readonly recipe: number;
  /** What the packages' own scripts would have done, as far as it is needed. */
  complete(folder: string): Promise<void>;
}

/** Where chroot and mmdebstrap are, also for users whose PATH lacks the folders for administrators. */
export const toolPath = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Where the folder is kept: other packages make another one. */
export function debianFolder({ name, packages, recipe }: DebianRoot): string {
  const key = createHash("sha256").update(JSON.stringify({ suite, packages, recipe }));
  return join(cacheFolder(), `${suite}-${name}-${key.digest("hex").slice(0, 16)}`);
}

/**
 * The folder, made when it is not there yet: 15 s to a minute, and a few hundred MB.
 *
 * @throws UserError (environment) where mmdebstrap or Debian's archive can't be had. The caller has seen to it that
 * this is Linux and we are root.
 */
export async function ensureDebian(root: DebianRoot, log: Log): Promise<string> {
  const folder = debianFolder(root);
  if (existsSync(folder)) return folder;
  await ensureHostTool("mmdebstrap", "mmdebstrap", log);
  log.info(`Making ${folder} from Debian ${suite} packages (${root.packages.join(", ")}) …`);
  const draft = draftOf(folder);
  try {
    await unpack(root, draft, await mirror(), log);
    await mkdir(join(draft, "tmp"), { recursive: true });
    await chmod(join(draft, "tmp"), 0o1777);
    await root.complete(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Two runs at once: the other one was faster, and its folder is as good as ours.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/**
 * Sees to it that `command` is on this machine, by the package that has it.
 *
 * @throws UserError (environment) when it is not, and the package can't be installed.
 */
export async function ensureHostTool(command: string, debianPackage: string, log: Log): Promise<void> {
  const folders = toolPath.split(":").filter((folder) => folder !== "");
  if (folders.some((folder) => existsSync(join(folder, command)))) return;
  log.info(`Installing ${debianPackage} …`);
  const updated = await run("apt-get", ["update"]);
  const installed = await run("apt-get", ["install", "-y", "--no-install-recommends", debianPackage]);
  if (installed.code === 0) return;
  throw new UserError(
    `${debianPackage} cannot be installed:\n${lastLines(updated.code === 0 ? installed.output : updated.output)}`,
    { fix: `install it by hand: apt-get install ${debianPackage}`, exitCode: ExitCode.environment },
  );
}

/** The Debian archive that this machine gets its own packages from. */
async function mirror(): Promise<string> {
  const { output } = await run("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI) $(LABEL)",
    "Created-By: Packages",
    "Origin: Debian",
  ]);
  const uri = output
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, label]) => label === "Debian")?.[0];
  if (uri !== undefined) return uri;
  throw new UserError("this machine has no package source of Debian's", {
    fix: "run the e2e tests on Debian, after apt-get update",
    exitCode: ExitCode.environment,
  });
}

async function unpack(root: DebianRoot, folder: string, uri: string, log: Log): Promise<void> {
  // draftOf makes the folder for its owner alone; what runs in it as another user has to look into it.
  await chmod(folder, 0o755);
  const said: string[] = [];
  const child = spawn(
    "mmdebstrap",
    ["--mode=root", "--variant=extract", `--include=${root.packages.join(",")}`, suite, folder, uri],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, PATH: toolPath } },
  );
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    if (line.startsWith("I: ")) log.info(`  ${line.slice(3)}`);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (code === 0) return;
  throw new UserError(`mmdebstrap cannot make a Debian ${suite}:\n${lastLines(said.join("\n"))}`, {
    fix: "see that the package source is reachable and debian-archive-keyring is up to date: apt-get install debian-archive-keyring",
    exitCode: ExitCode.environment,
  });
}

function run(command: string, args: string[]) {
  return runProgram(command, args, {
    env: { ...process.env, PATH: toolPath, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
  });
}

function lastLines(text: string): string {
  return text
    .trim()
    .split("\n")
    .slice(-8)
    .map((line) => `  ${line}`)
    .join("\n");
}
