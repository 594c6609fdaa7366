// A volume on a node: a file of exactly its size with a filesystem, mounted. It fills like a disk does.
//
// XFS, since growing a mounted ext4 takes a right (CAP_SYS_RESOURCE) that root in a container seldom has.
import { existsSync } from "node:fs";
import { mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inMachine, pidOf } from "../machine";
import type { ClusterPlan, NodePlan } from "../plan";
import { machineMount } from "../tools";

/** Where the volume is mounted, as the node sees it. */
export function mountPoint(name: string): string {
  return `${machineMount}/volumes/${name}`;
}

/** The file's name says which cluster it belongs to: seen from the host that is all that is left of its path. */
function imageName(plan: ClusterPlan, name: string): string {
  return `volumes/${plan.cgroup}-${name}.img`;
}

/** Makes and mounts it; one that is there stays as it is. */
export async function createDisk(
  plan: ClusterPlan,
  node: NodePlan,
  name: string,
  mebibytes: number,
): Promise<void> {
  const pid = pidOf(node);
  const file = join(node.folder, imageName(plan, name));
  if (!existsSync(file)) {
    await mkdir(join(node.folder, "volumes", name), { recursive: true });
    const draft = `${file}.draft`;
    await writeFile(draft, "");
    await truncate(draft, mebibytes * 2 ** 20);
    await inMachine(pid, ["mkfs.xfs", "-q", "-K", `${machineMount}/${imageName(plan, name)}.draft`]);
    await rename(draft, file);
  }
  const inside = `${machineMount}/${imageName(plan, name)}`;
  await inMachine(pid, [
    "sh",
    "-ec",
    'mountpoint -q "$2" || mount -o loop "$1" "$2"',
    "sh",
    inside,
    mountPoint(name),
  ]);
}

/** Makes the volume larger while it is in use. Smaller it can't get. */
export async function growDisk(
  plan: ClusterPlan,
  node: NodePlan,
  name: string,
  mebibytes: number,
): Promise<void> {
  await truncate(join(node.folder, imageName(plan, name)), mebibytes * 2 ** 20);
  const grow = 'losetup --set-capacity "$(findmnt --noheadings --output SOURCE "$1")"; xfs_growfs -d "$1"';
  await inMachine(pidOf(node), ["sh", "-ec", grow, "sh", mountPoint(name)]);
}

/** @throws Error while a pod still has it */
export async function removeDisk(plan: ClusterPlan, node: NodePlan, name: string): Promise<void> {
  await inMachine(pidOf(node), [
    "sh",
    "-ec",
    'if mountpoint -q "$1"; then umount "$1"; fi',
    "sh",
    mountPoint(name),
  ]);
  await rm(join(node.folder, imageName(plan, name)), { force: true });
  await rm(join(node.folder, "volumes", name), { recursive: true, force: true });
}
