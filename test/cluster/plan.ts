// Where everything of a cluster is: names, addresses, folders. Pure.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../../ops/engine/toolCache";

export const nodeNames = ["node-1", "node-2", "node-3"] as const;
export type NodeName = (typeof nodeNames)[number];
export type MachineName = NodeName | "control";

/** A set of namespaces that stands for a machine: network, mounts, processes, host name, IPC. */
export interface MachinePlan {
  readonly name: MachineName;
  /** On the network between the machines. */
  readonly address: string;
  /** What it keeps; seen from inside as /machine. */
  readonly folder: string;
  /** Below each controller of /sys/fs/cgroup. */
  readonly cgroup: string;
}

export interface NodePlan extends MachinePlan {
  readonly name: NodeName;
  readonly zone: string;
  readonly podSubnet: string;
}

export interface ClusterPlan {
  readonly name: string;
  /** All that the cluster keeps while it is up; `down` removes it. */
  readonly folder: string;
  readonly cgroup: string;
  readonly kubeconfig: string;
  /** The only thing of the cluster that the host's network sees: a link to the machine of the API server. */
  readonly hostLink: { readonly name: string; readonly host: string; readonly cluster: string };
  readonly control: MachinePlan;
  readonly nodes: readonly NodePlan[];
}

export const network = {
  /** Network between the machines; nothing outside sees it, nor the two below. */
  machines: "10.209.0.0/24",
  pods: "10.208.0.0/16",
  services: "10.210.0.0/16",
  /** First address of the services, by Kubernetes' own rule. */
  apiService: "10.210.0.1",
  dnsService: "10.210.0.10",
  clusterDomain: "cluster.local",
  apiPort: 6443,
} as const;

/** The cluster that `npm run cluster` and the e2e tests share. */
export const mainCluster = "main";

/** @param name another name is another cluster, beside the others on the same machine. At most 9 characters */
export function planCluster(name: string = mainCluster): ClusterPlan {
  const folder = join(cacheFolder(), "clusters", name);
  // Two checkouts with caches of their own may run clusters of the same name.
  const key = createHash("sha256").update(folder).digest();
  const cgroup = `ms5-${name}-${key.toString("hex").slice(0, 6)}`;
  const machine = <N extends MachineName>(machineName: N, host: number) => ({
    name: machineName,
    address: `10.209.0.${host}`,
    folder: join(folder, machineName),
    cgroup: `${cgroup}/${machineName}`,
  });
  // A /30 of the link-local range, away from 169.254.169.254 and its like.
  const third = 200 + (key.readUInt8(0) % 50);
  const fourth = (key.readUInt8(1) % 64) * 4;
  return {
    name,
    folder,
    cgroup,
    kubeconfig: join(folder, "kubeconfig"),
    hostLink: {
      name: cgroup.slice(0, 15),
      host: `169.254.${third}.${fourth + 1}`,
      cluster: `169.254.${third}.${fourth + 2}`,
    },
    control: machine("control", 10),
    nodes: nodeNames.map((node, index) => ({
      ...machine(node, 11 + index),
      zone: `zone-${index + 1}`,
      podSubnet: `10.208.${index + 1}.0/24`,
    })),
  };
}

export function machinesOf(plan: ClusterPlan): readonly MachinePlan[] {
  return [plan.control, ...plan.nodes];
}

/** @throws Error for a name that no node has */
export function nodeOf(plan: ClusterPlan, name: string): NodePlan {
  const node = plan.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
}
