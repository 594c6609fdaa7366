import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from "@kubernetes/client-node";

/**
 * A NetworkPolicy as the API server writes it. The client's own type differs in one name, `_from`, and what a watch
 * brings does not follow it.
 */
export type NetworkPolicy = Pick<V1NetworkPolicy, "metadata"> & {
  readonly spec?: Omit<NonNullable<V1NetworkPolicy["spec"]>, "ingress"> & {
    readonly ingress?: {
      readonly from?: V1NetworkPolicyPeer[];
      readonly ports?: V1NetworkPolicyPort[];
    }[];
  };
};

/** From what the client made of a list. */
export function asWritten({ spec, ...policy }: V1NetworkPolicy): NetworkPolicy {
  if (spec === undefined) return policy;
  const { ingress, ...rest } = spec;
  const rules = ingress?.map(({ _from, ports }) => ({
    ...(_from && { from: _from }),
    ...(ports && { ports }),
  }));
  return { ...policy, spec: { ...rest, ...(rules && { ingress: rules }) } };
}
