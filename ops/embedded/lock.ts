/** A lock file that only one living process holds: of a folder, of a data directory. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const holderSchema = z.object({
  pid: z.number().int().positive(),
  /** Tells the process from a later one that got the same pid. */
  identity: z.string(),
  /** ISO time at which the lock was taken. */
  since: z.string(),
  /** For the person who finds it held, e.g. a connection string without password. */
  note: z.string(),
});
export type LockHolder = z.infer<typeof holderSchema>;

/** Held by this process until `release`, or until the process is gone. */
export interface Lock {
  /** Who held it last without releasing it, if it was taken over from a process that is gone. */
  readonly takenOverFrom: LockHolder | undefined;
  /** Changes what others read about the holder. */
  describe(note: string): void;
  release(): void;
}

export class LockHeldError extends Error {
  override readonly name = "LockHeldError";
  constructor(
    readonly file: string,
    readonly holder: LockHolder,
  ) {
    super(`${file} is held by process ${holder.pid} since ${holder.since}`);
  }
}

/**
 * When a process started, as the system tells it (with the boot, so that it differs after one);
 * `undefined` when there is no such process.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      // Fields 3 and 22, counted after the command, which may itself hold spaces and brackets.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [state, started] = [fields[0], fields[19]];
      // Where PID 1 does not bury its dead, e.g. in a container, a killed process stays listed for good.
      if (state === "Z" || state === "X") return undefined;
      return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${started}`;
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Who holds a lock file now; `undefined` when nobody does or its holder is gone. */
export function lockHolder(file: string): LockHolder | undefined {
  const content = read(file);
  const holder = content === undefined ? undefined : parse(content);
  return holder !== undefined && isAlive(holder) ? holder : undefined;
}

/**
 * Takes the lock, also from a process that is gone.
 * @throws LockHeldError when a living process, this one included, holds it.
 */
export function acquireLock(file: string, note: string): Lock {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  const self: LockHolder = {
    pid: process.pid,
    identity: processIdentity(process.pid) ?? "",
    since: new Date().toISOString(),
    note,
  };
  let takenOverFrom: LockHolder | undefined;
  for (;;) {
    writeFileSync(mine, JSON.stringify(self));
    try {
      // A link appears whole or not at all, and only if there was none.
      linkSync(mine, file);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    const content = read(file);
    if (content === undefined) continue;
    const holder = parse(content);
    if (holder !== undefined && isAlive(holder)) throw new LockHeldError(file, holder);
    if (removeStale(file, content)) takenOverFrom = holder;
  }
  const write = (holder: LockHolder): void => {
    writeFileSync(mine, JSON.stringify(holder));
    renameSync(mine, file);
  };
  return {
    takenOverFrom,
    describe: (changed) => write({ ...self, note: changed }),
    release: () => {
      if (lockHolder(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
}

/** Removes the file if it still is what was read; another process may have taken it over meanwhile. */
function removeStale(file: string, content: string): boolean {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return false;
  }
  try {
    if (read(aside) === content) return true;
    linkSync(aside, file);
    return false;
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function parse(content: string): LockHolder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(content)).data;
  } catch {
    return undefined;
  }
}

function isAlive(holder: LockHolder): boolean {
  return processIdentity(holder.pid) === holder.identity;
}
