// Label selectors, and which pods a peer of a NetworkPolicy means.
import type { V1LabelSelector, V1Namespace, V1NetworkPolicyPeer } from "@kubernetes/client-node";
import type { PolicedPod } from "./pods";

type Labels = Readonly<Record<string, string>>;

/** An empty selector selects everything. */
export function selects(selector: V1LabelSelector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => holds(labels[key], operator, values))
  );
}

function holds(value: string | undefined, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      throw new Error(`a label selector cannot have the operator ${operator}`);
  }
}

/** The pods that a peer in a policy of `namespace` means; none for an ipBlock. */
export function podsOfPeer(
  peer: V1NetworkPolicyPeer,
  namespace: string,
  pods: readonly PolicedPod[],
  namespaces: readonly V1Namespace[],
): PolicedPod[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (ipBlock) return [];
  const inside = namespaceSelector
    ? new Set(
        namespaces
          .filter(({ metadata }) => selects(namespaceSelector, metadata?.labels ?? {}))
          .map(({ metadata }) => metadata?.name),
      )
    : new Set([namespace]);
  return pods.filter((pod) => inside.has(pod.namespace) && selects(podSelector ?? {}, pod.labels));
}
