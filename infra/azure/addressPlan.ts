/** Which addresses go to what: subnets cut from the virtual network, and whether everything fits. */
import { addressText, type Network, networkText, overlaps, parseNetwork } from "./ipv4";

/** Addresses of each subnet that Azure keeps for itself ("Azure Virtual Network FAQ"). */
const reservedBySubnet = 5;

/** With Azure CNI Overlay each node has a /24 of the pods' network ("Azure CNI Overlay networking"). */
const podPrefixOfNode = 24;

/** Blob storage, key vault and registry, and room for as many again. */
const endpoints = 8;

/** A private API server has its address among the nodes. */
const apiServerAddresses = 1;

/** Subnets cannot be changed while they are in use: room for more nodes, and for a second cluster beside the first. */
const growth = 4;

export interface AddressDemand {
  readonly addressSpace: string;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  /** At most, all pools together, with those that an upgrade adds for a while. */
  readonly nodes: number;
}

export interface AddressPlan {
  readonly nodeSubnet: string;
  readonly endpointSubnet: string;
  /** The tenth address of the services' network: AKS wants one inside it that is not the first. */
  readonly dnsServiceAddress: string;
}

export interface AddressProblem {
  readonly setting: "addressSpace" | "podNetwork" | "serviceNetwork";
  readonly problem: string;
  readonly example: string;
}

/** The plan, or everything that is in its way. */
export function addressPlan(demand: AddressDemand): AddressPlan | { readonly problems: AddressProblem[] } {
  const space = parseNetwork(demand.addressSpace);
  const pods = parseNetwork(demand.podNetwork);
  const services = parseNetwork(demand.serviceNetwork);
  if (space === undefined || pods === undefined || services === undefined) {
    return { problems: notNetworks(demand) };
  }
  const problems = [
    ...overlapProblems(demand, { addressSpace: space, podNetwork: pods, serviceNetwork: services }),
    ...podProblems(demand, pods),
    ...serviceProblems(services),
  ];
  const { nodes } = demand;
  const nodePrefix = prefixFor(growth * nodes + apiServerAddresses + reservedBySubnet);
  const endpointPrefix = prefixFor(endpoints + reservedBySubnet);
  // The larger one first: so both begin where their size wants them to.
  const nodeSubnet = networkAt(space.first, nodePrefix);
  const endpointSubnet = networkAt(nodeSubnet.last + 1, endpointPrefix);
  if (endpointSubnet.last > space.last) {
    const needed = prefixFor(endpointSubnet.last - space.first + 1);
    problems.push({
      setting: "addressSpace",
      problem: `has ${addresses(space)} addresses, too few for ${nodes} nodes with room to grow (a /${nodePrefix}) and private endpoints (a /${endpointPrefix})`,
      example: exampleNetwork(space, needed),
    });
  }
  if (problems.length > 0) return { problems };
  return {
    nodeSubnet: networkText(nodeSubnet),
    endpointSubnet: networkText(endpointSubnet),
    dnsServiceAddress: addressText(services.first + 10),
  };
}

/** The longest prefix with at least this many addresses. */
function prefixFor(count: number): number {
  return 32 - Math.ceil(Math.log2(count));
}

function networkAt(first: number, prefix: number): Network {
  const size = 2 ** (32 - prefix);
  const start = Math.ceil(first / size) * size;
  return { first: start, last: start + size - 1, prefix };
}

function addresses({ first, last }: Network): number {
  return last - first + 1;
}

function exampleNetwork({ first }: Network, prefix: number): string {
  const size = 2 ** (32 - prefix);
  return networkText({ first: Math.floor(first / size) * size, last: 0, prefix });
}

function notNetworks(demand: AddressDemand): AddressProblem[] {
  const examples = {
    addressSpace: "10.40.0.0/22",
    podNetwork: "10.244.0.0/16",
    serviceNetwork: "10.96.0.0/16",
  };
  return (["addressSpace", "podNetwork", "serviceNetwork"] as const)
    .filter((setting) => parseNetwork(demand[setting]) === undefined)
    .map((setting) => ({
      setting,
      problem: "is no network: address bits beyond the prefix must be 0",
      example: examples[setting],
    }));
}

type Setting = AddressProblem["setting"];

function overlapProblems(demand: AddressDemand, networks: Record<Setting, Network>): AddressProblem[] {
  const pairs: readonly (readonly [Setting, Setting])[] = [
    ["podNetwork", "addressSpace"],
    ["serviceNetwork", "addressSpace"],
    ["serviceNetwork", "podNetwork"],
  ];
  return pairs
    .filter(([one, other]) => overlaps(networks[one], networks[other]))
    .map(([setting, other]) => ({
      setting,
      problem: `overlaps ${other} (${demand[other]}): packets would go to the wrong one`,
      example: freeNetwork(Object.values({ ...networks, [setting]: undefined })),
    }));
}

const candidates = ["10.244.0.0/16", "10.96.0.0/16", "172.20.0.0/16", "172.24.0.0/16", "192.168.0.0/16"];

/** A usual choice that none of these overlaps; there are more candidates than networks to avoid. */
function freeNetwork(taken: readonly (Network | undefined)[]): string {
  const isFree = (candidate: Network) => taken.every((one) => one === undefined || !overlaps(one, candidate));
  const free = candidates.find((text) => {
    const candidate = parseNetwork(text);
    return candidate !== undefined && isFree(candidate);
  });
  return free ?? "192.168.0.0/16";
}

function podProblems({ nodes }: AddressDemand, pods: Network): AddressProblem[] {
  const room = pods.prefix > podPrefixOfNode ? 0 : 2 ** (podPrefixOfNode - pods.prefix);
  if (nodes <= room) return [];
  return [
    {
      setting: "podNetwork",
      problem: `has room for ${room} nodes, a /${podPrefixOfNode} each; ${nodes} are needed with those of an upgrade`,
      example: exampleNetwork(pods, podPrefixOfNode - Math.ceil(Math.log2(nodes))),
    },
  ];
}

/** AKS refuses service networks larger than a /12; the tenth address is that of DNS. */
function serviceProblems(services: Network): AddressProblem[] {
  if (services.prefix >= 12 && services.prefix <= 24) return [];
  return [
    {
      setting: "serviceNetwork",
      problem: "must be between a /12 and a /24",
      example: exampleNetwork(services, Math.min(Math.max(services.prefix, 12), 24)),
    },
  ];
}
