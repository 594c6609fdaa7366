// From flows to NetworkPolicies: each namespace of ours denies everything in both directions, and each pair of parties
// that talks has one policy at each end that is ours, named after the pair. Taking one away stops that pair alone.
import { isIPv6 } from "node:net";
import type { input } from "@pulumi/kubernetes/types";
import { UserError } from "../errors";
import { type Addresses, type Flow, type Party, parties, type Workload } from "./flows";
import { type NamespaceKey, namespaceNames } from "./namespaceNames";

type Spec = input.networking.v1.NetworkPolicySpec;
type Peer = input.networking.v1.NetworkPolicyPeer;
type Port = input.networking.v1.NetworkPolicyPort;

export type PolicyPlan = PolicyName &
  // Only what has addresses in it depends on the cluster: which policies there are is known without one.
  ({ readonly spec: Spec } | { readonly specWith: (addresses: Addresses) => Spec });

interface PolicyName {
  readonly namespace: NamespaceKey;
  /** Unique in its namespace. */
  readonly name: string;
  /** For whoever finds the policy in the cluster. */
  readonly why: string;
}

/** The whole policy. */
export function specOf(plan: PolicyPlan, addresses: Addresses): Spec {
  return "spec" in plan ? plan.spec : plan.specWith(addresses);
}

/** The policies of these flows, in the namespaces that are there. */
export function networkPolicies(flows: readonly Flow[], namespaces: readonly NamespaceKey[]): PolicyPlan[] {
  const denials = namespaces.map(defaultDeny);
  return [...denials, ...pairsOf(flows).flatMap(allowances)];
}

/** The flows that share both ends. */
interface Pair {
  readonly name: string;
  /** Name of the listener's policy where it would be in one namespace with the sender's. */
  readonly answer: string;
  readonly from: Party;
  readonly to: Party;
  readonly flows: Flow[];
}

function pairsOf(flows: readonly Flow[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const flow of flows) {
    const [sender, listener] = [kebabCase(flow.from), kebabCase(flow.to)];
    const name = `${sender}-to-${listener}`;
    const known = {
      name,
      answer: `${listener}-from-${sender}`,
      from: parties[flow.from],
      to: parties[flow.to],
    };
    const pair: Pair = pairs.get(name) ?? { ...known, flows: [] };
    pair.flows.push(flow);
    pairs.set(name, pair);
  }
  return [...pairs.values()];
}

function defaultDeny(namespace: NamespaceKey): PolicyPlan {
  return {
    namespace,
    name: "default-deny",
    why: "what no other policy allows is dropped, also for pods nobody thought of",
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  };
}

/** A workload that talks to its like has one policy for both directions. */
function allowances(pair: Pair): PolicyPlan[] {
  const { from, to } = pair;
  if (from === to && isWorkload(from)) return [allowance(pair, from, ["Ingress", "Egress"])];
  const together = isWorkload(from) && isWorkload(to) && from.namespace === to.namespace;
  return [
    ...(isWorkload(from) ? [allowance(pair, from, ["Egress"])] : []),
    ...(isWorkload(to) ? [allowance(together ? { ...pair, name: pair.answer } : pair, to, ["Ingress"])] : []),
  ];
}

function allowance(pair: Pair, subject: Workload, policyTypes: ("Ingress" | "Egress")[]): PolicyPlan {
  const { namespace } = subject;
  const specWith = (addresses: Addresses): Spec => {
    const ports = pair.flows.flatMap((flow) => portsOf(flow, pair.to, addresses));
    const peersOf = (party: Party) => peers(party, namespace, addresses);
    return {
      podSelector: { matchLabels: subject.pods },
      policyTypes,
      ...(policyTypes.includes("Ingress") && { ingress: [{ from: peersOf(pair.from), ports }] }),
      ...(policyTypes.includes("Egress") && { egress: [{ to: peersOf(pair.to), ports }] }),
    };
  };
  const isFixed = [pair.from, pair.to].every((party) => !("address" in party));
  return {
    namespace,
    name: pair.name,
    why: pair.flows.map(({ port, why }) => (port === "given" ? why : `${port}: ${why}`)).join("; "),
    ...(isFixed ? { spec: specWith(notAsked) } : { specWith }),
  };
}

/** Where neither party is an address. */
const notAsked: Addresses = { apiServer: { addresses: [], port: 0 } };

/** A party as seen from a policy in `namespace`. */
function peers(party: Party, namespace: NamespaceKey, addresses: Addresses): Peer[] {
  if ("address" in party) return blocks(party.address, addresses);
  const podSelector = party.pods && { podSelector: { matchLabels: party.pods } };
  if (!isWorkload(party)) return [{ namespaceSelector: { matchLabels: party.namespaces }, ...podSelector }];
  if (party.namespace === namespace) return [{ ...podSelector }];
  const matchLabels = { "kubernetes.io/metadata.name": namespaceNames[party.namespace] };
  return [{ namespaceSelector: { matchLabels }, ...podSelector }];
}

function blocks(name: keyof Addresses, addresses: Addresses): Peer[] {
  const known = addresses[name]?.addresses ?? [];
  // A rule without peers would allow every address there is.
  if (known.length === 0) {
    throw new UserError(`no address is known of ${name}, so that no policy can name it`, {
      fix: "see that `kubectl get endpointslice kubernetes -n default` shows an address, and that the addresses of backups.storage and monitoring are set",
    });
  }
  return known.map((address) => ({ ipBlock: blockOf(address) }));
}

/** RFC 1918 and link-local: what has a public address is in none of them. */
const notPublic = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"];

function blockOf(address: string): { cidr: string; except?: string[] } {
  if (address === "0.0.0.0/0") return { cidr: address, except: notPublic };
  return { cidr: address.includes("/") ? address : `${address}/${isIPv6(address) ? 128 : 32}` };
}

function portsOf(flow: Flow, to: Party, addresses: Addresses): Port[] {
  const port = flow.port === "given" && "address" in to ? (addresses[to.address]?.port ?? 0) : flow.port;
  return flow.protocols.map((protocol) => ({ port, protocol }));
}

function isWorkload(party: Party): party is Workload {
  return "namespace" in party;
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
