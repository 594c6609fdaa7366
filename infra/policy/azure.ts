/** Azure's resources as rules speak of them. */
import { type Finding, undecided } from "./rule";
import { isList, unknown, type Value } from "./values";

/** `storage:StorageAccount`, whatever version of Azure's API the type names; undefined for what is not in Azure. */
export function azureType(type: string): string | undefined {
  const [, module, kind] = /^azure-native(?:_\w+)?:(\w+)(?:\/\w+)?:(\w+)$/.exec(type) ?? [];
  return module === undefined ? undefined : `${module}:${kind}`;
}

/** What holds of each pool of nodes that a cluster brings along. @param check with the path of the pool */
export function ofPools(profiles: Value, check: (path: string, pool: Value) => Finding[]): Finding[] {
  if (profiles === unknown) return [undecided("agentPoolProfiles")];
  if (!isList(profiles)) return [];
  return profiles.flatMap((profile, index) => check(`agentPoolProfiles[${index}]`, profile));
}

/** Prefix length of `10.0.0.0/8`; a single address is a network of its own. */
function prefixOf(range: string): number {
  const [, length] = /\/(\d+)$/.exec(range) ?? [];
  return length === undefined ? Number.POSITIVE_INFINITY : Number(length);
}

/** Whether a range of addresses is no limit any more: everything, or as much as no company has (shorter than /8). */
export function isEverybody(range: string): boolean {
  return prefixOf(range) < 8;
}
