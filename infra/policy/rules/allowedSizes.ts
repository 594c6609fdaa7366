// Sizes of nodes that somebody has looked at: what they cost is known, and what of them is left for pods.
import { findVmSize } from "../../azure/vmSizes";
import { azureType } from "../azure";
import { demand, type Finding, type ResourceRule, undecided } from "../rule";
import { at, isList, unknown, type Value } from "../values";

export const allowedSizes: ResourceRule = {
  name: "allowed-sizes",
  description: "Nodes are of a size in our table (infra/azure/data/vmSizes.json), which has a price",
  check({ type, values }) {
    switch (azureType(type)) {
      case "containerservice:ManagedCluster":
        return pools(values.agentPoolProfiles);
      case "containerservice:AgentPool":
        return size("vmSize", values.vmSize);
      case "compute:VirtualMachine":
        return size("hardwareProfile.vmSize", at(values, "hardwareProfile", "vmSize"));
      case "compute:VirtualMachineScaleSet":
        return size("sku.name", at(values, "sku", "name"));
      default:
        return [];
    }
  },
};

function pools(profiles: Value): Finding[] {
  if (profiles === unknown) return [undecided("agentPoolProfiles")];
  if (!isList(profiles)) return [];
  return profiles.flatMap((profile, index) =>
    size(`agentPoolProfiles[${index}].vmSize`, at(profile, "vmSize")),
  );
}

function size(property: string, value: Value): Finding[] {
  return demand(
    property,
    value,
    (name) => typeof name === "string" && findVmSize(name) !== undefined,
    "set azure.kubernetes.systemPool.size or databasePool.size to one that is in infra/azure/data/vmSizes.json, or add it there with its price",
  );
}
