/** What everything in Azure is called. Names are fixed: people, role assignments and firewalls refer to them. */
import { createHash } from "node:crypto";

export interface AzureNames {
  readonly resourceGroup: string;
  readonly nodeResourceGroup: string;
  readonly network: string;
  readonly securityGroup: string;
  readonly cluster: string;
  readonly registry: string;
  readonly keyVault: string;
  readonly backupAccount: string;
  readonly logs: string;
  readonly budget: string;
  readonly workingHours: string;
}

/**
 * Abbreviations are those of Microsoft's Cloud Adoption Framework, "Abbreviation recommendations for Azure resources".
 *
 * @param organisation part of every name that is unique in all of Azure
 */
export function azureNames(organisation: string, stack: string): AzureNames {
  const tail = `${organisation}-ms5-${stack}`;
  const squeezed = tail.replaceAll("-", "");
  return {
    resourceGroup: `rg-${tail}`,
    // AKS makes it, for what belongs to the nodes.
    nodeResourceGroup: `rg-${tail}-nodes`,
    network: `vnet-${tail}`,
    securityGroup: `nsg-${tail}`,
    cluster: `aks-${tail}`,
    registry: `cr${squeezed}`,
    keyVault: `kv-${tail}`,
    backupAccount: `st${squeezed}bak`,
    logs: `log-${tail}`,
    budget: `budget-${tail}`,
    workingHours: `logic-${tail}`,
  };
}

/** Longest allowed, and in how wide a circle a name must be the only one; "Naming rules and restrictions for Azure resources". */
const limits: Readonly<Record<keyof AzureNames, { readonly length: number; readonly global?: true }>> = {
  resourceGroup: { length: 90 },
  nodeResourceGroup: { length: 80 },
  network: { length: 64 },
  securityGroup: { length: 80 },
  cluster: { length: 63 },
  registry: { length: 50, global: true },
  keyVault: { length: 24, global: true },
  backupAccount: { length: 24, global: true },
  logs: { length: 63 },
  budget: { length: 63 },
  workingHours: { length: 75 },
};

export interface LongName {
  readonly what: keyof AzureNames;
  readonly name: string;
  readonly longest: number;
}

/** Names that Azure would refuse for their length. */
export function tooLong(names: AzureNames): LongName[] {
  return entries(names)
    .filter(([what, name]) => name.length > limits[what].length)
    .map(([what, name]) => ({ what, name, longest: limits[what].length }));
}

/** Names that two stacks would fight for: the resource group, and what is unique in all of Azure. */
export function sharedNames(names: AzureNames, others: AzureNames): string[] {
  return entries(names)
    .filter(
      ([what, name]) => (limits[what].global === true || what === "resourceGroup") && others[what] === name,
    )
    .map(([, name]) => name);
}

/** `Object.entries`, knowing its keys. */
function entries(names: AzureNames): [keyof AzureNames, string][] {
  return Object.entries(names) as [keyof AzureNames, string][];
}

/** A UUID that is the same at each run: role assignments are named by one (RFC 9562, version 5). */
export function stableUuid(text: string): string {
  const bytes = createHash("sha1").update(namespace).update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Of URLs, as the RFC has it; ours are not, but one has to be chosen. */
const namespace = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");
