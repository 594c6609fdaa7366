// From NetworkPolicies to the nftables rules of one node, as text for `nft -f`.
//
// Each node polices its own pods: what they send where it leaves them, what they get where it reaches them. Both happen
// where packets are forwarded, which is after a Service's address was replaced by a pod's. What the node itself sends
// to its pods (probes of the kubelet) is never forwarded, so it always passes.
//
// Where agents differ, the stricter way is taken, so that what works here works under any of them:
// - Every packet of a connection is judged, but for its replies: a policy that goes or comes also cuts connections that
//   are open (as with Cilium; Calico lets them be).
// - An ipBlock never means a pod, whatever addresses it spans (as with Cilium).
import type {
  V1IPBlock,
  V1Namespace,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1Pod,
} from "@kubernetes/client-node";
import { type PolicedPod, policedPods } from "./pods";
import type { NetworkPolicy } from "./policy";
import { podsOfPeer, selects } from "./selectors";

export interface ClusterState {
  readonly pods: readonly V1Pod[];
  readonly namespaces: readonly V1Namespace[];
  readonly policies: readonly NetworkPolicy[];
}

export const tableName = "ms5-network-policy";

type Direction = "Ingress" | "Egress";

/** Which end of a packet is the policed pod, and which its peer. */
const ends = {
  Ingress: { own: "daddr", peer: "saddr" },
  Egress: { own: "saddr", peer: "daddr" },
} as const;

/** `has` takes addresses and CIDRs. */
const families = [
  { protocol: "ip", type: "ipv4_addr", pods: "pods4", has: (address: string) => !address.includes(":") },
  { protocol: "ip6", type: "ipv6_addr", pods: "pods6", has: (address: string) => address.includes(":") },
] as const;

/** What a rule is made in view of. */
interface Context {
  readonly direction: Direction;
  readonly subject: PolicedPod;
  /** Of the policy. */
  readonly namespace: string;
  readonly pods: readonly PolicedPod[];
  readonly namespaces: readonly V1Namespace[];
}

/** Replaces the node's whole table in one step: no packet meets half of it. */
export function ruleset(node: string, state: ClusterState): string {
  const pods = policedPods(state.pods);
  const own = pods.filter((pod) => pod.node === node);
  const egress = chains("Egress", own, pods, state);
  const ingress = chains("Ingress", own, pods, state);
  return `table inet ${tableName}
delete table inet ${tableName}
table inet ${tableName} {
${families.map(({ pods: name, type, has }) => set(name, type, addressesOf(pods).filter(has))).join("")}${[...egress, ...ingress].map(chainText).join("")}  chain forward {
    type filter hook forward priority filter; policy accept;
${lines([...unpoliced, ...toThemselves(own), ...dispatch("Egress", egress), ...dispatch("Ingress", ingress)])}  }
  chain input {
    type filter hook input priority filter; policy accept;
${lines([...unpoliced, ...dispatch("Egress", egress)])}  }
}
`;
}

const unpoliced = [
  // Only a connection whose packets passed has any.
  "ct direction reply accept",
  "ct state related accept",
  // Without these IPv6 finds nobody; they have no part in connections.
  "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
];

/** No policy can keep a pod from itself; through a Service it meets itself here. */
function toThemselves(own: readonly PolicedPod[]): string[] {
  return families.flatMap(({ protocol, has }) => {
    const pairs = addressesOf(own)
      .filter(has)
      .map((address) => `${address} . ${address}`);
    return pairs.length === 0 ? [] : [`${protocol} saddr . ${protocol} daddr { ${pairs.join(", ")} } accept`];
  });
}

/** The rules of one isolated pod in one direction: return is a pass. */
interface Chain {
  readonly name: string;
  readonly pod: PolicedPod;
  readonly rules: readonly string[];
}

function chains(
  direction: Direction,
  own: readonly PolicedPod[],
  pods: readonly PolicedPod[],
  { namespaces, policies }: ClusterState,
): Chain[] {
  return own.flatMap((subject, index) => {
    const isolating = policies.filter((policy) => isolates(policy, direction, subject)).sort(byName);
    if (isolating.length === 0) return [];
    const rules = isolating.flatMap((policy) => {
      const namespace = policy.metadata?.namespace ?? "";
      const context = { direction, subject, namespace, pods, namespaces };
      const comment = quoted(`${policy.metadata?.name}`);
      return matches(policy, context).map((match) => `${match} return comment ${comment}`.trimStart());
    });
    return [{ name: `${direction.toLowerCase()}-${index}`, pod: subject, rules }];
  });
}

/** The API server lists in an order of its own: the same policies must make the same text. */
function byName(a: NetworkPolicy, b: NetworkPolicy): number {
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}

function isolates({ metadata, spec }: NetworkPolicy, direction: Direction, pod: PolicedPod): boolean {
  if (spec === undefined || metadata?.namespace !== pod.namespace) return false;
  const assumed = ["Ingress", ...((spec.egress ?? []).length > 0 ? ["Egress"] : [])];
  const types = spec.policyTypes?.length ? spec.policyTypes : assumed;
  return types.includes(direction) && selects(spec.podSelector ?? {}, pod.labels);
}

function matches({ spec }: NetworkPolicy, context: Context): string[] {
  const rules =
    context.direction === "Ingress"
      ? (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      : (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  return rules.flatMap(({ peers, ports }) =>
    orAny(peers).flatMap((peer) => orAny(ports).flatMap((port) => match(peer, port, context))),
  );
}

/** No list, or an empty one, is no restriction. */
function orAny<T>(list: readonly T[] | undefined): readonly (T | undefined)[] {
  return list === undefined || list.length === 0 ? [undefined] : list;
}

function match(
  peer: V1NetworkPolicyPeer | undefined,
  port: V1NetworkPolicyPort | undefined,
  context: Context,
): string[] {
  if (typeof port?.port !== "string")
    return addressMatches(peer, context).map((it) => join(it, portMatch(port)));
  const { protocol = "TCP", port: name } = port;
  // A name means what the pod that listens calls so.
  if (context.direction === "Ingress") {
    return numbersOf(context.subject, name, protocol).flatMap((number) =>
      addressMatches(peer, context).map((it) => join(it, portMatch({ protocol, port: number }))),
    );
  }
  const listeners = peer === undefined ? context.pods : peerPods(peer, context);
  const numbers = new Set(listeners.flatMap((pod) => numbersOf(pod, name, protocol)));
  return [...numbers].flatMap((number) => {
    const those = listeners.filter((pod) => numbersOf(pod, name, protocol).includes(number));
    return podMatches(those, "daddr").map((it) => join(it, portMatch({ protocol, port: number })));
  });
}

function numbersOf(pod: PolicedPod, name: string, protocol: string): number[] {
  return pod.ports.filter((it) => it.name === name && it.protocol === protocol).map(({ port }) => port);
}

function portMatch(port: V1NetworkPolicyPort | undefined): string {
  if (port === undefined) return "";
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  if (port.port === undefined) return `meta l4proto ${protocol}`;
  return `${protocol} dport ${port.endPort === undefined ? port.port : `${port.port}-${port.endPort}`}`;
}

function addressMatches(peer: V1NetworkPolicyPeer | undefined, context: Context): string[] {
  if (peer === undefined) return [""];
  const end = ends[context.direction].peer;
  return peer.ipBlock ? [blockMatch(peer.ipBlock, end)] : podMatches(peerPods(peer, context), end);
}

function peerPods(peer: V1NetworkPolicyPeer, { namespace, pods, namespaces }: Context): PolicedPod[] {
  return podsOfPeer(peer, namespace, pods, namespaces);
}

function podMatches(pods: readonly PolicedPod[], end: "saddr" | "daddr"): string[] {
  return families.flatMap(({ protocol, has }) => {
    const addresses = addressesOf(pods).filter(has);
    return addresses.length === 0 ? [] : [`${protocol} ${end} { ${addresses.join(", ")} }`];
  });
}

function blockMatch({ cidr, except = [] }: V1IPBlock, end: "saddr" | "daddr"): string {
  const { protocol, pods } = families.find(({ has }) => has(cidr)) ?? families[0];
  // One by one: the parts of an nftables set must not overlap.
  return [cidr, ...except.map((part) => `!= ${part}`), `!= @${pods}`]
    .map((part) => `${protocol} ${end} ${part}`)
    .join(" ");
}

/** To each address's chain. */
function dispatch(direction: Direction, chains: readonly Chain[]): string[] {
  return families.flatMap(({ protocol, has }) => {
    const targets = chains.flatMap(({ name, pod }) =>
      pod.addresses.filter(has).map((address) => `${address} : jump ${name}`),
    );
    return targets.length === 0 ? [] : [`${protocol} ${ends[direction].own} vmap { ${targets.join(", ")} }`];
  });
}

function set(name: string, type: string, addresses: readonly string[]): string {
  const elements = addresses.length === 0 ? "" : ` elements = { ${addresses.join(", ")} }`;
  return `  set ${name} { type ${type};${elements} }\n`;
}

function chainText({ name, pod, rules }: Chain): string {
  const comment = `comment ${quoted(`${pod.namespace}/${pod.name}`)}`;
  return `  chain ${name} {\n${lines([comment, ...rules, "drop"])}  }\n`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `    ${text}\n`).join("");
}

/** nftables takes comments of 128 bytes; names in Kubernetes hold nothing to escape. */
function quoted(text: string): string {
  return `"${text.slice(0, 127)}"`;
}

function join(...parts: string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

function addressesOf(pods: readonly PolicedPod[]): string[] {
  return pods.flatMap(({ addresses }) => addresses);
}
