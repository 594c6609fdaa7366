// cgroups (version 1) of the machines. They tell which processes belong to a cluster, also after whoever started them
// was killed; and they freeze a whole machine at once.
import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../infra/errors";

/** Mounted hierarchies: each controller of version 1, and version 2, which most machines have beside them for its tree. */
function hierarchies(): { readonly folder: string; readonly options: readonly string[] }[] {
  return readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, folder = "", , options = ""]) => ({ folder, options: options.split(",") }));
}

/** The folders of the cgroup, one for each hierarchy: processes are in it in all of them, or in none. */
function foldersOf(cgroup: string): string[] {
  return hierarchies().map(({ folder }) => join(folder, cgroup));
}

/** A file of the cgroup for one controller. @throws Error when the controller is not mounted */
export function controlFile(controller: string, cgroup: string, file: string): string {
  const mount = hierarchies().find(({ options }) => options.includes(controller));
  if (mount === undefined) throw new Error(`the cgroup controller ${controller} is not mounted`);
  return join(mount.folder, cgroup, file);
}

/**
 * Makes the cgroup in every hierarchy.
 *
 * @returns the files that a process writes its id into to join
 */
export async function makeCgroup(cgroup: string): Promise<string[]> {
  for (const folder of foldersOf(cgroup)) await mkdir(folder, { recursive: true });
  // A cpuset begins without processors and takes no process until it has some.
  const parts = cgroup.split("/");
  for (const [depth] of parts.entries()) {
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const above = parts.slice(0, depth).join("/");
      const value = await readFile(controlFile("cpuset", above, file), "utf8");
      await writeFile(controlFile("cpuset", parts.slice(0, depth + 1).join("/"), file), value);
    }
  }
  return foldersOf(cgroup).map((folder) => join(folder, "cgroup.procs"));
}

/** Ids, as the host sees them, of the processes in the cgroup and below it. */
export function processesIn(cgroup: string): number[] {
  const pids = foldersOf(cgroup).flatMap((folder) => treeOf(folder).flatMap(pidsOf));
  return [...new Set(pids)];
}

/** The cgroup folders below `folder` and itself, deepest first. */
function treeOf(folder: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    // Not there, or gone while we looked.
    return [];
  }
  return [...entries.flatMap((entry) => treeOf(join(folder, entry))), folder];
}

function pidsOf(folder: string): number[] {
  try {
    return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** cgroups below `cgroup`, as paths from the top, whose name matches. */
export async function cgroupsBelow(cgroup: string, name: RegExp): Promise<string[]> {
  const top = controlFile("freezer", "", "");
  const entries = await readdir(join(top, cgroup), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(top.length));
}

/** Stops every process in the cgroup and below it, where it is, until thawed. Returns when all stand still. */
export async function setFrozen(cgroup: string, frozen: boolean): Promise<void> {
  const file = controlFile("freezer", cgroup, "freezer.state");
  const wanted = frozen ? "FROZEN" : "THAWED";
  const deadline = Date.now() + 5000;
  await writeFile(file, wanted);
  while ((await readFile(file, "utf8")).trim() !== wanted) {
    if (Date.now() > deadline) throw new Error(`${cgroup} does not get ${wanted} within 5 s`);
    await sleep(5);
    // A process in an uninterruptible wait holds it up: writing again is how the kernel is asked to go on.
    await writeFile(file, wanted);
  }
}

/**
 * Kills whatever is in the cgroup and below it, and removes it. A cgroup that is not there is fine.
 *
 * @throws UserError when a process doesn't go within 20 s
 */
export async function removeCgroup(cgroup: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (true) {
    const folders = foldersOf(cgroup).flatMap(treeOf);
    if (folders.length === 0) return;
    // Frozen ones take no signal.
    for (const folder of folders) await thaw(folder);
    const pids = processesIn(cgroup);
    for (const pid of pids) kill(pid);
    for (const folder of folders) removeFolder(folder);
    if (Date.now() > deadline) {
      throw new UserError(`processes of ${cgroup} do not end: ${pids.join(", ")}`, {
        fix: "look at what they wait for: cat /proc/PID/stack; then run the same command again",
      });
    }
    await sleep(10);
  }
}

async function thaw(folder: string): Promise<void> {
  // Only the freezer's folders have it, and any of them may be gone by now.
  await writeFile(join(folder, "freezer.state"), "THAWED", { flag: "r+" }).catch(() => undefined);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Still in use: the next round tries again.
  }
}
