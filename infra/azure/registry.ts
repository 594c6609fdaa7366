// infra/azure/registry.ts - where images come from that must not depend on somebody else's registry. Nodes pull by their
// identity; there is no administrator with a password.
import { Registry } from "@pulumi/azure-native/containerregistry";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import type { Subnets } from "./network";
import { knownId, type Place } from "./place";
import { PrivateAccess } from "./privateEndpoint";
import { grant } from "./roleAssignment";

export interface ImageRegistryArgs {
  readonly place: Place;
  readonly subnets: Subnets;
  /** Object id of the nodes' identity. */
  readonly puller: pulumi.Input<string>;
}

export class ImageRegistry extends pulumi.ComponentResource {
  /** `NAME.azurecr.io` */
  readonly loginServer: pulumi.Output<string>;

  constructor(
    name: string,
    { place, subnets, puller }: ImageRegistryArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:azure:ImageRegistry", name, {}, opts);
    const { azure, names, tags, resourceGroupName } = place;
    const isPrivate = azure.registry.sku === "Premium" && azure.network.privateEndpoints;
    const child = { parent: this };
    const registry = new Registry(
      "registry",
      {
        registryName: names.registry,
        resourceGroupName,
        location: azure.region,
        tags,
        sku: { name: azure.registry.sku },
        adminUserEnabled: false,
        anonymousPullEnabled: false,
        publicNetworkAccess: isPrivate ? "Disabled" : "Enabled",
      },
      child,
    );
    const serviceId = knownId(registry, place, "Microsoft.ContainerRegistry/registries", names.registry);
    if (isPrivate) new PrivateAccess("registry", { place, subnets, to: "registry", serviceId }, child);
    grant(
      "nodes-pull-images",
      azure.subscription,
      {
        principalId: puller,
        role: { builtIn: "AcrPull" },
        scope: serviceId,
        description: "Nodes pull images",
      },
      child,
    );
    this.loginServer = known(registry, `${names.registry}.azurecr.io`);
    this.registerOutputs({});
  }
}
