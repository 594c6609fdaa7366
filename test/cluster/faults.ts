// What can go wrong with machines, networks, disks and processes, done to a running cluster, and undone again.
//
// Nothing here asks the API server, so everything works while that is away: find the pods before (pods.ts). Doing or
// undoing something twice is fine.
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { controlFile, setFrozen } from "./cgroups";
import { clockFile, clockLibrary } from "./images/database";
import { holdFile } from "./init";
import { inMachine, pidOf } from "./machine";
import { type ClusterPlan, type MachineName, machinesOf, type NodePlan, network, nodeOf } from "./plan";
import { cgroupsOfPod, deviceOf, type PodPlace, type Process, processesOf, processesOfPod } from "./pods";

/**
 * Stops every process of a machine where it is: kubelet, containerd, proxy and all pods of a node, or the whole control
 * plane. Its kernel goes on: connections stay open, and new ones are accepted until the queues are full.
 */
export function freezeMachine(plan: ClusterPlan, name: MachineName): Promise<void> {
  return setFrozen(cgroupOf(plan, name), true);
}

export function thawMachine(plan: ClusterPlan, name: MachineName): Promise<void> {
  return setFrozen(cgroupOf(plan, name), false);
}

function cgroupOf(plan: ClusterPlan, name: MachineName): string {
  return machinesOf(plan).find((machine) => machine.name === name)?.cgroup ?? "";
}

/** Takes the node off the network, both ways and without a word, as if its cable were cut. Its own pods see each other. */
export function cutNode(plan: ClusterPlan, name: string): Promise<void> {
  const { name: wire } = nodeOf(plan, name);
  return drop(plan, "bridge", `node_${wire}`, {
    prerouting: [`iifname ${quoted(wire)}`],
    postrouting: [`oifname ${quoted(wire)}`],
  });
}

export function healNode(plan: ClusterPlan, name: string): Promise<void> {
  return undrop(plan, "bridge", `node_${nodeOf(plan, name).name}`);
}

/** Drops everything between the API server and a node with all its pods, or one pod alone. The rest goes on. */
export function cutFromApiServer(plan: ClusterPlan, who: NodePlan | PodPlace): Promise<void> {
  const { id, addresses } = partyOf(who);
  return drop(plan, "inet", `api_${id}`, {
    input: [`tcp dport ${network.apiPort} ip saddr { ${addresses.join(", ")} }`],
    output: [`tcp sport ${network.apiPort} ip daddr { ${addresses.join(", ")} }`],
  });
}

export function healToApiServer(plan: ClusterPlan, who: NodePlan | PodPlace): Promise<void> {
  return undrop(plan, "inet", `api_${partyOf(who).id}`);
}

function partyOf(who: NodePlan | PodPlace): { id: string; addresses: readonly string[] } {
  if ("podSubnet" in who) return { id: who.name, addresses: [who.address, who.podSubnet] };
  return { id: who.uid, addresses: [who.address] };
}

/** Kills the API server; it stays away, refusing connections, until started. */
export async function stopApiServer(plan: ClusterPlan): Promise<void> {
  await writeFile(holdFile(plan.control.folder, "kube-apiserver"), "");
  for (const { pid, command } of processesOf(plan.control.cgroup)) {
    if (command.startsWith("kube-apiserver ")) process.kill(pid, "SIGKILL");
  }
}

export async function startApiServer(plan: ClusterPlan): Promise<void> {
  await rm(holdFile(plan.control.folder, "kube-apiserver"), { force: true });
}

/**
 * Sends a signal to those of the pod's processes whose command line matches.
 *
 * @returns how many there were
 */
export async function killInPod(pod: PodPlace, command: RegExp, signal: NodeJS.Signals): Promise<number> {
  const victims = (await processesOfPod(pod)).filter((one) => command.test(one.command));
  for (const { pid } of victims) process.kill(pid, signal);
  return victims.length;
}

/** Lets the pod's containers write to one of its volumes no more than so many times a second, however much at a time. */
export async function slowDisk(pod: PodPlace, volume: string, writesPerSecond: number): Promise<void> {
  await throttle(pod, volume, writesPerSecond);
}

export async function healDisk(pod: PodPlace, volume: string): Promise<void> {
  // 0 is the kernel's word for no limit.
  await throttle(pod, volume, 0);
}

async function throttle(pod: PodPlace, volume: string, writesPerSecond: number): Promise<void> {
  const device = await deviceOf(pod, volume);
  // In version 1 a limit holds for the processes of its own cgroup, not for those below.
  for (const cgroup of await cgroupsOfPod(pod)) {
    const file = controlFile("blkio", cgroup, "blkio.throttle.write_iops_device");
    await writeFile(file, `${device} ${writesPerSecond}`);
  }
}

/**
 * Sets the clock of what runs in the pod, within a second or two: so much ahead of the real one, or behind it. Only the
 * time of day jumps, as when somebody sets it; time-outs run on.
 *
 * @throws Error when none of the pod's containers is of the image that can do that (`clockTag`)
 */
export async function jumpClock(pod: PodPlace, seconds: number): Promise<void> {
  const containers = (await cgroupsOfPod(pod)).filter((cgroup) => processesOf(cgroup).some(hasSettableClock));
  // The first is the pod itself.
  const roots = containers.slice(1).map((cgroup) => `${containerFolder}/${basename(cgroup)}/rootfs`);
  if (roots.length === 0) throw new Error(`pod ${pod.name} runs no image whose clock can be set`);
  const offset = `${seconds < 0 ? "" : "+"}${seconds}`;
  for (const root of roots) {
    // To its containers their root is read-only, not to the node.
    await inMachine(pidOf(pod.node), ["sh", "-ec", 'echo "$2" >"$1"', "sh", `${root}${clockFile}`, offset]);
  }
}

const containerFolder = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";

function hasSettableClock({ pid }: Process): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").includes(clockLibrary);
  } catch {
    return false;
  }
}

/** Undoes everything of this file that may have been done to the cluster, but for slow disks and clocks. */
export async function healEverything(plan: ClusterPlan): Promise<void> {
  for (const { name } of machinesOf(plan)) await thawMachine(plan, name);
  await startApiServer(plan);
  await nft(plan, "flush ruleset");
}

type Chains = Readonly<Record<string, readonly string[]>>;

/** Drops what matches, in the control machine's network, through which everything between nodes goes. */
async function drop(plan: ClusterPlan, family: string, id: string, chains: Chains): Promise<void> {
  await undrop(plan, family, id);
  const table = `${family} ${tableName(id)}`;
  const body = Object.entries(chains).map(
    ([hook, matches]) =>
      `chain ${hook} { type filter hook ${hook} priority -300; ${matches.map((match) => `${match} drop;`).join(" ")} };`,
  );
  await nft(plan, `table ${table} { ${body.join(" ")} }`);
}

async function undrop(plan: ClusterPlan, family: string, id: string): Promise<void> {
  await nft(plan, `destroy table ${family} ${tableName(id)}`);
}

function tableName(id: string): string {
  return `fault_${id.replaceAll("-", "_")}`;
}

function quoted(name: string): string {
  return `"${name}"`;
}

async function nft(plan: ClusterPlan, command: string): Promise<void> {
  await inMachine(pidOf(plan.control), ["nft", command]);
}
