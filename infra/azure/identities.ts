// infra/azure/identities.ts - whom the cluster is to Azure: its control plane, and its nodes. No passwords anywhere.
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity";
import * as pulumi from "@pulumi/pulumi";
import { knownId, type Place } from "./place";
import { grant } from "./roleAssignment";

/** An identity, and the id that follows from its name. */
export interface Identity {
  readonly resource: UserAssignedIdentity;
  readonly id: pulumi.Output<string>;
}

/** @param whose what it is for */
export function identity(whose: string, place: Place, opts: pulumi.CustomResourceOptions): Identity {
  const { azure, names, tags, resourceGroupName } = place;
  const resourceName = `id-${names.cluster}-${whose}`;
  const resource = new UserAssignedIdentity(
    whose,
    { resourceName, resourceGroupName, location: azure.region, tags },
    opts,
  );
  return {
    resource,
    id: knownId(resource, place, "Microsoft.ManagedIdentity/userAssignedIdentities", resourceName),
  };
}

export interface IdentitiesArgs {
  readonly place: Place;
  /** Resource id. */
  readonly nodeSubnetId: pulumi.Input<string>;
}

export class Identities extends pulumi.ComponentResource {
  /** Makes load balancers and routes in the node's subnet. */
  readonly controlPlane: Identity;
  /** Pulls images; writes backups, for pgBackRest knows the node's identity only. */
  readonly nodes: Identity;

  constructor(name: string, { place, nodeSubnetId }: IdentitiesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:azure:Identities", name, {}, opts);
    const child = { parent: this };
    const { subscription } = place.azure;
    this.controlPlane = identity("control-plane", place, child);
    this.nodes = identity("nodes", place, child);
    const { principalId } = this.controlPlane.resource;
    grant(
      "control-plane-uses-subnet",
      subscription,
      {
        principalId,
        role: { builtIn: "Network Contributor" },
        scope: nodeSubnetId,
        description: "AKS joins nodes and internal load balancers to the subnet",
      },
      child,
    );
    grant(
      "control-plane-hands-out-node-identity",
      subscription,
      {
        principalId,
        role: { builtIn: "Managed Identity Operator" },
        scope: this.nodes.id,
        description: "AKS gives the nodes their identity",
      },
      child,
    );
    this.registerOutputs({});
  }
}
