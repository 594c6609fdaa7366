// What rules need to know of a pod.
import type { V1Pod } from "@kubernetes/client-node";

export interface PolicedPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  /** IPv4 and IPv6. */
  readonly addresses: readonly string[];
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

/**
 * The pods that have an address of their own now: not those on the host's network, which no policy covers, nor those
 * that have ended, whose addresses may be another's. Of two that claim the same address the younger has it.
 */
export function policedPods(pods: readonly V1Pod[]): PolicedPod[] {
  const owners = new Map<string, V1Pod>();
  const living = pods.filter(
    ({ spec, status }) => !spec?.hostNetwork && !["Succeeded", "Failed"].includes(status?.phase ?? ""),
  );
  for (const pod of [...living].sort((a, b) => created(a) - created(b)))
    for (const { ip } of pod.status?.podIPs ?? []) owners.set(ip, pod);
  return living
    .map((pod) => ({
      namespace: pod.metadata?.namespace ?? "",
      name: pod.metadata?.name ?? "",
      node: pod.spec?.nodeName ?? "",
      labels: pod.metadata?.labels ?? {},
      addresses: (pod.status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => owners.get(ip) === pod),
      ports: namedPorts(pod),
    }))
    .filter(({ addresses }) => addresses.length > 0)
    .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
}

function namedPorts({ spec }: V1Pod): PolicedPod["ports"] {
  // Sidecars are init containers.
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return containers
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ name, protocol = "TCP", containerPort }) =>
      name === undefined ? [] : [{ name, protocol, port: containerPort }],
    );
}

function created({ metadata }: V1Pod): number {
  return new Date(metadata?.creationTimestamp ?? 0).getTime();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
