import type * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import type { AzureNames } from "./names";
import type { AzureSettings } from "./settings";

/** What every part of the platform is told: where it is, what it is called, what is written on it. */
export interface Place {
  readonly azure: AzureSettings;
  readonly names: AzureNames;
  readonly tags: Readonly<Record<string, string>>;
  readonly resourceGroupName: pulumi.Output<string>;
  /** Resource id of the group. */
  readonly groupId: string;
}

/** @param kind `Microsoft.Network/virtualNetworks` */
export function idIn(place: Pick<Place, "groupId">, kind: string, name: string): string {
  return `${place.groupId}/providers/${kind}/${name}`;
}

/** The id of a resource of ours, for whoever has to wait until it is there. */
export function knownId(
  resource: pulumi.Resource,
  place: Place,
  kind: string,
  name: string,
): pulumi.Output<string> {
  return known(resource, idIn(place, kind, name));
}
