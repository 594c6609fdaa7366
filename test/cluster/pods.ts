// Pods as the host sees them: on which node, under what address, in which cgroup, on what disks.
import { readFileSync } from "node:fs";
import { ask } from "./apiServer";
import { cgroupsBelow, processesIn } from "./cgroups";
import { inMachine, pidOf } from "./machine";
import { type ClusterPlan, type NodePlan, nodeOf } from "./plan";
import { mountPoint } from "./volumes/disk";

/** What has to be known of a pod while the API server may be away. */
export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly address: string;
  readonly node: NodePlan;
  /** Names of its persistent volumes, by the names the pod gives them. */
  readonly volumes: Readonly<Record<string, string>>;
}

interface Pod {
  readonly metadata: { readonly uid: string };
  readonly spec: {
    readonly nodeName: string;
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
  };
  readonly status: { readonly podIP: string };
}

/** @throws Error when there is no such pod, or it has no node yet */
export async function findPod(plan: ClusterPlan, namespace: string, name: string): Promise<PodPlace> {
  const { metadata, spec, status } = await get<Pod>(plan, `namespaces/${namespace}/pods/${name}`);
  const volumes: Record<string, string> = {};
  for (const { name: volume, persistentVolumeClaim } of spec.volumes ?? []) {
    if (persistentVolumeClaim === undefined) continue;
    const claim = await get<{ spec: { volumeName: string } }>(
      plan,
      `namespaces/${namespace}/persistentvolumeclaims/${persistentVolumeClaim.claimName}`,
    );
    volumes[volume] = claim.spec.volumeName;
  }
  const node = nodeOf(plan, spec.nodeName);
  return { namespace, name, uid: metadata.uid, address: status.podIP, node, volumes };
}

async function get<T>(plan: ClusterPlan, path: string): Promise<T> {
  const answer = await ask(plan.kubeconfig, `/api/v1/${path}`);
  if (answer?.status !== 200) throw new Error(`${path}: ${answer?.body ?? "the API server does not answer"}`);
  return JSON.parse(answer.body) as T;
}

/** cgroups of the pod and of its containers. */
export async function cgroupsOfPod({ node, uid }: PodPlace): Promise<string[]> {
  const [pod] = await cgroupsBelow(node.cgroup, new RegExp(`^pod${uid}$`));
  if (pod === undefined) return [];
  return [pod, ...(await cgroupsBelow(pod, /./))];
}

export interface Process {
  /** As the host sees it. */
  readonly pid: number;
  /** With its arguments, separated by spaces. */
  readonly command: string;
}

export async function processesOfPod(pod: PodPlace): Promise<Process[]> {
  const [cgroup] = await cgroupsOfPod(pod);
  return cgroup === undefined ? [] : processesOf(cgroup);
}

/** Those that haven't ended while we looked. */
export function processesOf(cgroup: string): Process[] {
  return processesIn(cgroup).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return command === "" ? [] : [{ pid, command }];
    } catch {
      return [];
    }
  });
}

/** The device of one of its volumes, `MAJOR:MINOR`. */
export async function deviceOf(pod: PodPlace, volume: string): Promise<string> {
  const name = pod.volumes[volume];
  if (name === undefined) throw new Error(`pod ${pod.name} has no volume ${volume}`);
  const command = ["findmnt", "--noheadings", "--output", "MAJ:MIN", mountPoint(name)];
  return (await inMachine(pidOf(pod.node), command)).trim();
}
