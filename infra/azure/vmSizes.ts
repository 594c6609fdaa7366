// Sizes of nodes: what they have, what of it Kubernetes leaves for pods, and which disk holds their operating system.
import { UserError } from "../errors";
import table from "./data/vmSizes.json";
import { nearest } from "./nearest";

export interface VmSize {
  /** As Azure writes it: `Standard_E4ads_v5`. */
  readonly name: string;
  /** General-purpose has 4 GiB a CPU, memory-optimised 8; burstable has its CPUs for minutes only. */
  readonly family: "general" | "memory" | "burstable";
  readonly vcpus: number;
  readonly memoryGib: number;
  /** Most disks that can be attached. */
  readonly dataDisks: number;
  /** One local disk, which can hold the OS disk; 0: none. */
  readonly localGib: number;
  /** Whether Azure sells what is left over. */
  readonly spot: boolean;
}

/** What of a node is left for pods, those that AKS runs on every node among them. */
export interface Allocatable {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

type Row = Readonly<Omit<VmSize, "name" | "family" | "spot"> & { spot?: boolean }>;

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

const families: Readonly<Record<VmSize["family"], Readonly<Record<string, Row>>>> = table.families;

const sizes: ReadonlyMap<string, VmSize> = new Map(
  (["general", "memory", "burstable"] as const).flatMap((family) =>
    Object.entries(families[family]).map(
      ([name, row]) => [name, { spot: true, ...row, name, family }] as const,
    ),
  ),
);

export const vmSizes: readonly VmSize[] = [...sizes.values()];

/** undefined for a size that is not in the table, and so has no price either. */
export function findVmSize(name: string): VmSize | undefined {
  return sizes.get(name);
}

/** @throws UserError for a size that is not in the table */
export function requireVmSize(name: string): VmSize {
  const size = findVmSize(name);
  if (size !== undefined) return size;
  throw new UserError(`VM size "${name}" is not in infra/azure/data/vmSizes.json`, {
    fix: `take one that is, for example ${nearest(name, sizes.keys()).join(", ")}; or add it there, and its price in prices.json`,
  });
}

/**
 * What AKS 1.29 and later keeps back ("Node resource reservations in Azure Kubernetes Service (AKS)", Microsoft Learn): CPU
 * by a table; memory 20 MB for each possible pod and 50 MB, or a quarter where that is less; and 100 MiB that are never
 * given away.
 *
 * @param maxPods of the node pool. AKS's own default with Azure CNI Overlay, 250, costs 5 GB
 */
export function allocatable({ vcpus, memoryGib }: VmSize, maxPods: number): Allocatable {
  // A node never sees all of what its size says: firmware and kernel take some, and no page says how much. 2 to 3 % are usual.
  const seen = memoryGib * gibibyte * 0.97;
  const forKubernetes = Math.min((20 * maxPods + 50) * mebibyte, memoryGib * gibibyte * 0.25);
  return {
    cpuMillis: 1000 * vcpus - reservedCpuMillis(vcpus),
    memoryBytes: Math.floor(seen - forKubernetes - 100 * mebibyte),
  };
}

function reservedCpuMillis(vcpus: number): number {
  const reserved = [
    [1, 60],
    [2, 100],
    [4, 140],
    [8, 180],
    [16, 260],
    [32, 420],
  ] as const;
  return reserved.find(([cpus]) => vcpus <= cpus)?.[1] ?? 740;
}

/** AKS's own default for nodes of up to 7 CPUs without a local disk that is large enough. */
const usualOsDiskGib = 128;
/** Holds the node image and the images of a few dozen pods. */
const smallOsDiskGib = 64;

/**
 * A local disk where one is large enough: faster, free of charge, and new with every node, which holds nothing of ours
 * ("Concepts - Storage in Azure Kubernetes Service (AKS)", Microsoft Learn).
 *
 * @throws UserError for a size that is not in the table
 */
export function osDisk(size: string) {
  const { localGib } = requireVmSize(size);
  const local = [usualOsDiskGib, smallOsDiskGib].find((gib) => gib <= localGib);
  return local === undefined
    ? ({ osDiskType: "Managed", osDiskSizeGB: usualOsDiskGib } as const)
    : ({ osDiskType: "Ephemeral", osDiskSizeGB: local } as const);
}

/** Why AKS does not support a size for its own pods ("Use System Node Pools in Azure Kubernetes Service (AKS)", Microsoft Learn, 2026). */
export function systemPoolProblem({ name, family, vcpus, memoryGib }: VmSize): string | undefined {
  if (family === "burstable") return `${name} is burstable, which AKS does not support for system nodes`;
  if (vcpus < 4 || memoryGib < 4) {
    return `${name} has ${vcpus} CPUs and ${memoryGib} GiB; system nodes need 4 CPUs and 4 GiB`;
  }
  return undefined;
}
