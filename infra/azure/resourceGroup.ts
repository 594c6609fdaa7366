// infra/azure/resourceGroup.ts - the group in which everything of a stack is, or one that is there already.
import { ResourceGroup } from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import type { AzureNames } from "./names";
import type { Place } from "./place";
import { nameOf } from "./resourceIds";
import type { AzureSettings } from "./settings";

export function inResourceGroup(
  azure: AzureSettings,
  names: AzureNames,
  tags: Readonly<Record<string, string>>,
  opts: pulumi.CustomResourceOptions,
): Place {
  const { resourceGroup: existing } = azure.existing;
  if (existing !== undefined) {
    return { azure, names, tags, resourceGroupName: pulumi.output(nameOf(existing)), groupId: existing };
  }
  const { resourceGroup: resourceGroupName } = names;
  const group = new ResourceGroup(
    "resource-group",
    { resourceGroupName, location: azure.region, tags },
    { ...opts, protect: azure.protect },
  );
  return {
    azure,
    names,
    tags,
    resourceGroupName: known(group, resourceGroupName),
    groupId: `/subscriptions/${azure.subscription}/resourceGroups/${resourceGroupName}`,
  };
}
