// infra/azure/workingHours.ts - stops the cluster in the evening and starts it in the morning: nobody pays for nodes that
// nobody uses. Two logic apps, with an identity that may do only this.
import { RoleDefinition } from "@pulumi/azure-native/authorization";
import { Workflow } from "@pulumi/azure-native/logic";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import { type Identity, identity } from "./identities";
import { stableUuid } from "./names";
import type { Place } from "./place";
import { type PowerChange, powerWorkflow } from "./powerWorkflow";
import { grant } from "./roleAssignment";

export interface WorkingHoursArgs {
  readonly place: Place;
  readonly hours: { readonly start: string; readonly stop: string; readonly timeZone: string };
  /** Resource id. */
  readonly clusterId: pulumi.Output<string>;
}

export class WorkingHours extends pulumi.ComponentResource {
  constructor(name: string, args: WorkingHoursArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:azure:WorkingHours", name, {}, opts);
    const { place, clusterId } = args;
    const { azure, names, groupId: scope } = place;
    const child = { parent: this };
    const operator = identity("power-switch", place, child);
    const roleName = stableUuid(`${azure.subscription} ${pulumi.getStack()} power-switch`);
    const role = new RoleDefinition(
      "power-switch",
      {
        roleDefinitionId: roleName,
        roleName: `Start and stop ${names.cluster} (${azure.subscription})`,
        description: "Starts and stops one AKS cluster, and nothing else",
        scope,
        assignableScopes: [scope],
        permissions: [
          {
            actions: (["start", "stop"] as const).map(
              (change) => `Microsoft.ContainerService/managedClusters/${change}/action`,
            ),
          },
        ],
      },
      child,
    );
    const allowed = grant(
      "power-switch-switches-cluster",
      azure.subscription,
      {
        principalId: operator.resource.principalId,
        role: {
          own: known(role, `${scope}/providers/Microsoft.Authorization/roleDefinitions/${roleName}`),
        },
        scope: clusterId,
        description: "Stops the cluster outside of working hours",
      },
      child,
    );
    for (const change of ["start", "stop"] as const) this.workflow(change, args, operator, allowed);
    this.registerOutputs({});
  }

  private workflow(
    change: PowerChange,
    { place, hours, clusterId }: WorkingHoursArgs,
    operator: Identity,
    after: pulumi.Resource,
  ): void {
    const { azure, names, tags, resourceGroupName } = place;
    new Workflow(
      change,
      {
        workflowName: `${names.workingHours}-${change}`,
        resourceGroupName,
        location: azure.region,
        tags,
        identity: { type: "UserAssigned", userAssignedIdentities: [operator.id] },
        definition: pulumi
          .all([clusterId, operator.id])
          .apply(([cluster, who]) => powerWorkflow(change, hours, cluster, who)),
      },
      { parent: this, dependsOn: after },
    );
  }
}
