/** Azure's resources as rules speak of them. */

/** `storage:StorageAccount`, whatever version of Azure's API the type names; undefined for what is not in Azure. */
export function azureType(type: string): string | undefined {
  const [, module, kind] = /^azure-native(?:_\w+)?:(\w+)(?:\/\w+)?:(\w+)$/.exec(type) ?? [];
  return module === undefined ? undefined : `${module}:${kind}`;
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
