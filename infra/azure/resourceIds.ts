/**
 * Azure's resource ids: `/subscriptions/S/resourceGroups/G/providers/KIND/NAME`. They follow from names, so a preview knows
 * them: a reviewer sees where things go, and policies see what they are about.
 */

/** The name at the end. */
export function nameOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

export function resourceGroupOf(id: string): string {
  return id.split("/")[4] ?? "";
}

export function subscriptionOf(id: string): string {
  return id.split("/")[2] ?? "";
}

/** A role that is there in every subscription ("Azure built-in roles"). */
export function builtInRole(subscription: string, role: BuiltInRole): string {
  return `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/${builtInRoles[role]}`;
}

const builtInRoles = {
  AcrPull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  "Grafana Admin": "22926164-76b3-42b3-bc55-97df8dab3e41",
  "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
  "Monitoring Data Reader": "b0d8363b-8ddd-447d-831f-62ca05bff136",
  "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
  "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
} as const;

export type BuiltInRole = keyof typeof builtInRoles;
