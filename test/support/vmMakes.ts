import { type VmSize, vmSizes } from "../../infra/azure/vmSizes";

/** Sizes that differ in how large they are only. */
export function byMake(): Map<string, VmSize[]> {
  const makes = new Map<string, VmSize[]>();
  for (const size of vmSizes) {
    const make = size.name.replace(/\d+/, "n");
    makes.set(make, [...(makes.get(make) ?? []), size]);
  }
  return makes;
}
