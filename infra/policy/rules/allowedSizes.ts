// Sizes of nodes that somebody has looked at: what they cost is known, and what of them is left for pods.
import { findVmSize } from "../../azure/vmSizes";
import { azureType, ofPools } from "../azure";
import { demand, type Finding, type ResourceRule } from "../rule";
import { at, type Value } from "../values";

export const allowedSizes: ResourceRule = {
  name: "allowed-sizes",
  description: "Nodes are of a size in our table (infra/azure/data/vmSizes.json), which has a price",
  check({ type, values }) {
    switch (azureType(type)) {
      case "containerservice:ManagedCluster":
        return ofPools(values.agentPoolProfiles, (path, pool) => size(`${path}.vmSize`, at(pool, "vmSize")));
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

function size(property: string, value: Value): Finding[] {
  return demand(
    property,
    value,
    (name) => typeof name === "string" && findVmSize(name) !== undefined,
    "set azure.kubernetes.systemPool.size or databasePool.size to one that is in infra/azure/data/vmSizes.json, or add it there with its price",
  );
}
