// A folder with Debian trixie's PostgreSQL 17 and TimescaleDB (Apache edition) in it, made once and kept in the cache.
//
// The packages are unpacked, not installed: nothing of them runs while the folder is made, so nothing has to be
// mounted, and no service of theirs starts.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ExitCode, UserError } from "../../../infra/errors";
import { runProgram } from "../../../ops/engine/processes";
import { cacheFolder, draftOf } from "../../../ops/engine/toolCache";
import type { Log } from "../../../ops/log";

const suite = "trixie";

/** `dash` for what initdb asks of a shell, `util-linux` for setpriv. Dependencies come by themselves. */
const packages = [
  "base-files",
  "dash",
  "libc-bin",
  "openssl",
  "postgresql-17",
  "postgresql-17-timescaledb",
  "util-linux",
] as const;

/** Raise it when what is done to the folder after unpacking changes. */
const recipe = 1;

/** The user the servers run as: not root, and no user of the machine. */
export const serverUser = { name: "postgres", id: 64_017 } as const;

/** Where chroot and mmdebstrap are, also for users whose PATH lacks the folders for administrators. */
export const toolPath = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Where the folder is kept: other packages make another one. */
export function rootFolder(): string {
  const key = createHash("sha256").update(JSON.stringify({ suite, packages, recipe }));
  return join(cacheFolder(), `${suite}-postgres-${key.digest("hex").slice(0, 16)}`);
}

/**
 * The folder, made when it is not there yet: about 15 s and 450 MB.
 *
 * @throws UserError (environment) where it cannot be made: not Linux, not root, no Debian packages.
 */
export async function ensureRoot(log: Log): Promise<string> {
  requireMachine();
  const root = rootFolder();
  if (existsSync(root)) return root;
  await ensureMmdebstrap(log);
  log.info(`Making ${root} from Debian ${suite} packages (${packages.join(", ")}) …`);
  const draft = draftOf(root);
  try {
    await unpack(draft, await mirror(), log);
    await complete(draft);
    await rename(draft, root);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Two runs at once: the other one was faster, and its folder is as good as ours.
    if (!existsSync(root)) throw error;
  }
  return root;
}

function requireMachine(): void {
  const lacks =
    process.platform !== "linux"
      ? `needs Linux, and this is ${process.platform}`
      : process.getuid?.() !== 0
        ? "needs root, for chroot and for a server user of its own"
        : undefined;
  if (lacks === undefined) return;
  throw new UserError(`the e2e tests start a real PostgreSQL from Debian packages: that ${lacks}`, {
    fix: "run them as root on a Debian machine or in a Debian container: sudo npm run e2e",
    exitCode: ExitCode.environment,
  });
}

async function ensureMmdebstrap(log: Log): Promise<void> {
  if ((await run("mmdebstrap", ["--version"])).code === 0) return;
  log.info("Installing mmdebstrap …");
  const updated = await run("apt-get", ["update"]);
  const installed = await run("apt-get", ["install", "-y", "--no-install-recommends", "mmdebstrap"]);
  if (installed.code === 0) return;
  throw new UserError(
    `mmdebstrap cannot be installed:\n${lastLines(updated.code === 0 ? installed.output : updated.output)}`,
    { fix: "install it by hand: apt-get install mmdebstrap", exitCode: ExitCode.environment },
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

async function unpack(folder: string, uri: string, log: Log): Promise<void> {
  // draftOf makes the folder for its owner alone; the servers' user has to look into it.
  await chmod(folder, 0o755);
  const said: string[] = [];
  const child = spawn(
    "mmdebstrap",
    ["--mode=root", "--variant=extract", `--include=${packages.join(",")}`, suite, folder, uri],
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

/** What the packages' own scripts would have done and PostgreSQL needs. */
async function complete(root: string): Promise<void> {
  const { name, id } = serverUser;
  await writeFile(join(root, "etc/passwd"), `root:x:0:0::/:/bin/sh\n${name}:x:${id}:${id}::/:/bin/sh\n`);
  await writeFile(join(root, "etc/group"), `root:x:0:\n${name}:x:${id}:\n`);
  await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
  await mkdir(join(root, "tmp"), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);
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
