// infra/azure/privateEndpoint.ts - an address inside the virtual network for a service of Azure, and the name that leads
// to it there.
import { PrivateDnsZoneGroup, PrivateEndpoint } from "@pulumi/azure-native/network";
import { PrivateZone, VirtualNetworkLink } from "@pulumi/azure-native/privatedns";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import type { Subnets } from "./network";
import { knownId, type Place } from "./place";

/** By part of a service ("Azure Private Endpoint private DNS zone values"). */
const zones = {
  blob: "privatelink.blob.core.windows.net",
  vault: "privatelink.vaultcore.azure.net",
  registry: "privatelink.azurecr.io",
  grafana: "privatelink.grafana.azure.com",
} as const;

export interface PrivateAccessArgs {
  readonly place: Place;
  readonly subnets: Subnets;
  readonly to: keyof typeof zones;
  /** Resource id of the service. */
  readonly serviceId: pulumi.Input<string>;
}

export class PrivateAccess extends pulumi.ComponentResource {
  constructor(name: string, args: PrivateAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:azure:PrivateAccess", name, {}, opts);
    const { place, subnets, to, serviceId } = args;
    const { azure, names, tags, resourceGroupName } = place;
    const child = { parent: this };
    const privateEndpointName = `pe-${names.cluster}-${to}`;
    const endpoint = new PrivateEndpoint(
      name,
      {
        privateEndpointName,
        resourceGroupName,
        location: azure.region,
        tags,
        subnet: { id: subnets.endpoints },
        privateLinkServiceConnections: [{ name: to, groupIds: [to], privateLinkServiceId: serviceId }],
      },
      child,
    );
    const zone = new PrivateZone(
      name,
      { privateZoneName: zones[to], resourceGroupName, location: "global", tags },
      child,
    );
    new VirtualNetworkLink(
      name,
      {
        virtualNetworkLinkName: names.network,
        resourceGroupName,
        privateZoneName: known(zone, zones[to]),
        location: "global",
        tags,
        registrationEnabled: false,
        virtualNetwork: { id: subnets.network },
      },
      child,
    );
    new PrivateDnsZoneGroup(
      name,
      {
        privateDnsZoneGroupName: "default",
        resourceGroupName,
        privateEndpointName: known(endpoint, privateEndpointName),
        privateDnsZoneConfigs: [
          {
            name: to,
            privateDnsZoneId: knownId(zone, place, "Microsoft.Network/privateDnsZones", zones[to]),
          },
        ],
      },
      child,
    );
    this.registerOutputs({});
  }
}
