// A stack in Azure that is given its resource group, its network or its cluster makes none of its own.
import { describe, expect, it } from "vitest";
import type { Overrides } from "../support/commandStack";
import { EngineStack } from "../support/engineStack";

const group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-factory";
const subnet = (name: string) => `${group}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/${name}`;
const network = {
  MS5_AZURE_EXISTING_NODE_SUBNET: subnet("nodes"),
  MS5_AZURE_EXISTING_ENDPOINT_SUBNET: subnet("endpoints"),
};

/** Types of Azure that a preview of prod creates. */
async function created(overrides: Overrides): Promise<Set<string>> {
  const stack = new EngineStack("prod", overrides);
  const { result } = await stack.run("preview");
  stack.remove();
  expect(result.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(result.result).toBe("succeeded");
  const types = result.changes.filter(({ op }) => op === "create").map(({ type }) => type);
  return new Set(types.filter((type) => type.startsWith("azure-native:")));
}

describe("what is there already", () => {
  it("is used: a resource group and a network", async () => {
    const types = await created({ MS5_AZURE_EXISTING_RESOURCE_GROUP: group, ...network });
    expect(types).toContain("azure-native:containerservice:ManagedCluster");
    expect(types).not.toContain("azure-native:resources:ResourceGroup");
    expect(types).not.toContain("azure-native:network:VirtualNetwork");
  });

  it("is used: a cluster", async () => {
    const cluster = `${group}/providers/Microsoft.ContainerService/managedClusters/aks-factory`;
    const types = await created({ MS5_AZURE_EXISTING_CLUSTER: cluster, ...network });
    expect(types).toContain("azure-native:storage:StorageAccount");
    for (const made of ["ManagedCluster", "AgentPool", "MaintenanceConfiguration"]) {
      expect(types).not.toContain(`azure-native:containerservice:${made}`);
    }
  });
});
