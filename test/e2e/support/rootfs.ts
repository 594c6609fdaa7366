// A folder with Debian trixie's PostgreSQL 17 and TimescaleDB (Apache edition) in it, for servers run by chroot.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode, UserError } from "../../../infra/errors";
import type { Log } from "../../../ops/log";
import { type DebianRoot, debianFolder, ensureDebian } from "../../support/debian";

/** The user the servers run as: not root, and no user of the machine. */
export const serverUser = { name: "postgres", id: 64_017 } as const;

const root: DebianRoot = {
  name: "postgres",
  packages: [
    "base-files",
    // What initdb asks of a shell.
    "dash",
    "libc-bin",
    "openssl",
    "postgresql-17",
    "postgresql-17-timescaledb",
    // setpriv.
    "util-linux",
  ],
  recipe: 1,
  async complete(folder) {
    const { name, id } = serverUser;
    await writeFile(join(folder, "etc/passwd"), `root:x:0:0::/:/bin/sh\n${name}:x:${id}:${id}::/:/bin/sh\n`);
    await writeFile(join(folder, "etc/group"), `root:x:0:\n${name}:x:${id}:\n`);
    await writeFile(join(folder, "etc/hosts"), "127.0.0.1 localhost\n");
  },
};

/** Where the folder is kept. */
export function rootFolder(): string {
  return debianFolder(root);
}

/**
 * The folder, made when it is not there yet: about 15 s and 450 MB.
 *
 * @throws UserError (environment) where it cannot be made: not Linux, not root, no Debian packages.
 */
export async function ensureRoot(log: Log): Promise<string> {
  requireMachine();
  return ensureDebian(root, log);
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
