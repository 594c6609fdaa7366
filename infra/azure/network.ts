// infra/azure/network.ts - the virtual network: a subnet for nodes, one for private endpoints, nothing reachable from the
// internet. Pods have an overlay of their own, which this network does not see.
import { NetworkSecurityGroup, Subnet, VirtualNetwork } from "@pulumi/azure-native/network";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import type { AddressPlan } from "./addressPlan";
import { knownId, type Place } from "./place";

/** Resource ids. */
export interface Subnets {
  readonly nodes: pulumi.Output<string>;
  readonly endpoints: pulumi.Output<string>;
  /** Of the network they are in. */
  readonly network: pulumi.Output<string>;
}

export class Network extends pulumi.ComponentResource implements Subnets {
  readonly nodes: pulumi.Output<string>;
  readonly endpoints: pulumi.Output<string>;
  readonly network: pulumi.Output<string>;

  constructor(
    name: string,
    { place, plan }: { place: Place; plan: AddressPlan },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:azure:Network", name, {}, opts);
    const { azure, names, tags, resourceGroupName } = place;
    const where = { resourceGroupName, location: azure.region, tags };
    const network = new VirtualNetwork(
      "network",
      {
        virtualNetworkName: names.network,
        ...where,
        addressSpace: { addressPrefixes: [azure.network.addressSpace] },
      },
      // Subnets are resources of their own: what the network's own list says of them is not ours to change.
      { parent: this, ignoreChanges: ["subnets"] },
    );
    const guard = new NetworkSecurityGroup(
      "security-group",
      { networkSecurityGroupName: names.securityGroup, ...where, securityRules: [nothingFromOutside] },
      { parent: this },
    );
    const subnet = (what: string, addressPrefix: string, more: object = {}, after: pulumi.Resource[] = []) =>
      new Subnet(
        what,
        {
          subnetName: what,
          resourceGroupName,
          virtualNetworkName: known(network, names.network),
          addressPrefix,
          networkSecurityGroup: {
            id: knownId(guard, place, "Microsoft.Network/networkSecurityGroups", names.securityGroup),
          },
          // Azure's implicit way out is being retired; AKS brings its own.
          defaultOutboundAccess: false,
          ...more,
        },
        { parent: this, dependsOn: after },
      );
    const nodes = subnet("nodes", plan.nodeSubnet, serviceEndpoints(azure.network.privateEndpoints));
    // Azure changes one subnet of a network at a time.
    const endpoints = subnet("endpoints", plan.endpointSubnet, {}, [nodes]);
    const kind = "Microsoft.Network/virtualNetworks";
    this.network = knownId(network, place, kind, names.network);
    this.nodes = knownId(nodes, place, kind, `${names.network}/subnets/nodes`);
    this.endpoints = knownId(endpoints, place, kind, `${names.network}/subnets/endpoints`);
    this.registerOutputs({});
  }
}

/** The way to storage and key vault without private endpoints: they know the subnet that asks. */
function serviceEndpoints(privateEndpoints: boolean) {
  if (privateEndpoints) return {};
  return { serviceEndpoints: [{ service: "Microsoft.Storage" }, { service: "Microsoft.KeyVault" }] };
}

/** Azure's default rules say so too; written here nobody has to know that, and a rule by mistake comes after it. */
const nothingFromOutside = {
  name: "nothing-from-the-internet",
  priority: 100,
  direction: "Inbound",
  access: "Deny",
  protocol: "*",
  sourceAddressPrefix: "Internet",
  sourcePortRange: "*",
  destinationAddressPrefix: "*",
  destinationPortRange: "*",
} as const;

/** The network of ours, or the subnets that are there already. */
export function subnets(place: Place, plan: AddressPlan, opts: pulumi.ComponentResourceOptions): Subnets {
  const { nodeSubnet, endpointSubnet } = place.azure.existing;
  if (nodeSubnet === undefined || endpointSubnet === undefined) {
    return new Network("network", { place, plan }, opts);
  }
  return {
    nodes: pulumi.output(nodeSubnet),
    endpoints: pulumi.output(endpointSubnet),
    network: pulumi.output(nodeSubnet.replace(/\/subnets\/[^/]+$/, "")),
  };
}
