// What the azure-native stand-in plans: names, changes and replacements, outputs. No engine needed.
import { describe, expect, it } from "vitest";
import { immutableProperties } from "../../ops/standins/azureNative/immutable";
import { type ResourceTypes, resourceTypes } from "../../ops/standins/azureNative/packageTypes";
import {
  checkInputs,
  outputsOfId,
  planChange,
  planCreate,
  planUpdate,
} from "../../ops/standins/azureNative/plan";
import { type Bag, unknown } from "../../ops/standins/values";

function typesOf(kind: string): ResourceTypes {
  const types = resourceTypes(`azure-native:${kind}`);
  if (types === undefined) throw new Error(`there is no ${kind}`);
  return types;
}

const naming = { resourceName: "pump", seed: new Uint8Array([1, 2, 3]) };

describe("inputs", () => {
  const check = (
    kind: string,
    given: Bag,
    { old = {}, how = {}, location = undefined as string | undefined } = {},
  ) => checkInputs(typesOf(kind), given, old, { ...naming, ...how }, location);

  it("stay as they are given, with the version of Azure's API that the package speaks", () => {
    const given = { resourceGroupName: "ms5", accountName: "acme", location: "westeurope", tags: { a: "b" } };
    expect(check("storage:StorageAccount", given)).toEqual({
      inputs: { ...given, azureApiVersion: "2024-01-01" },
      failures: [],
    });
  });

  it.each([
    ["resources:ResourceGroup", {}, "resourceGroupName", /^pump[0-9a-f]{8}$/],
    ["storage:StorageAccount", { resourceGroupName: "ms5" }, "accountName", /^pump[0-9a-f]{8}$/],
    ["authorization:ManagementLockByScope", { scope: "/subscriptions/s" }, "lockName", /^pump[0-9a-f]{8}$/],
    ["storage:BlobContainer", { resourceGroupName: "ms5", accountName: "a" }, "containerName", /^pump$/],
    [
      "authorization:RoleAssignment",
      { scope: "/subscriptions/s" },
      "roleAssignmentName",
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    ],
  ])("of %s get a name as the official plugin makes it", (kind, given: Bag, property, name) => {
    const { inputs } = check(kind, given);
    expect(inputs[property]).toMatch(name);
    expect(inputs.__createBeforeDelete).toBe(name.source === "^pump$" ? undefined : true);
    const later = check(kind, given, { old: inputs, how: { seed: new Uint8Array([9]) } }).inputs;
    expect(later[property]).toBe(inputs[property]);
    expect(later.__createBeforeDelete).toBe(inputs.__createBeforeDelete);
  });

  it("take the engine's proposal for a name, or are refused where naming is off", () => {
    expect(check("resources:ResourceGroup", {}, { how: { proposed: "dev" } }).inputs.resourceGroupName).toBe(
      "dev",
    );
    expect(check("resources:ResourceGroup", {}, { how: { disabled: true } }).failures).toEqual([
      { property: "resourceGroupName", reason: "autonaming is disabled, so a name is required" },
    ]);
  });

  it("are where they were, else where the provider is, else where a resource group to come will be", () => {
    const vault = { resourceGroupName: "ms5", vaultName: "v" };
    const at = (given: Bag, how = {}) => check("keyvault:Vault", given, how).inputs.location;
    expect(at(vault, { old: { location: "a" }, location: "b" })).toBe("a");
    expect(at(vault, { location: "b" })).toBe("b");
    expect(at({ ...vault, resourceGroupName: unknown })).toBe(unknown);
    expect(at(vault)).toBeUndefined();
  });
});

describe("a change", () => {
  /** `change path`, with `!` where it replaces. */
  const changes = (kind: string, before: Bag, after: Bag, state: Bag = {}): string[] =>
    planChange(typesOf(kind), before, after, state).differences.map(
      ({ property, change, replaces }) => `${change} ${property}${replaces ? " !" : ""}`,
    );

  it.each([
    ["resources:ResourceGroup", { resourceGroupName: "a" }, { resourceGroupName: "b" }],
    ["network:Subnet", { virtualNetworkName: "a" }, { virtualNetworkName: "b" }],
    ["authorization:RoleAssignment", { roleAssignmentName: "a" }, { roleAssignmentName: "b" }],
    ["monitor:DiagnosticSetting", { resourceUri: "/a" }, { resourceUri: "/b" }],
    ["storage:StorageAccount", { accountName: "a" }, { accountName: unknown }],
  ])("of what the id of %s is made of replaces it", (kind, before: Bag, after: Bag) => {
    const [property] = Object.keys(before);
    expect(changes(kind, before, after)).toEqual([`update ${property} !`]);
  });

  it("of anything else is an update, unless the official plugin has it for immutable", () => {
    const before = {
      dnsPrefix: "a",
      kubernetesVersion: "1.33",
      agentPoolProfiles: [{ name: "system", count: 3, vmSize: "small" }],
      networkProfile: { podCidr: "10.244.0.0/16", loadBalancerSku: "basic" },
      linuxProfile: { adminUsername: "a", ssh: { publicKeys: [] } },
    };
    const after = {
      dnsPrefix: "b",
      kubernetesVersion: "1.34",
      agentPoolProfiles: [{ name: "system", count: 5, vmSize: "large" }, { name: "more" }],
      networkProfile: { podCidr: "10.245.0.0/16", loadBalancerSku: "standard", outboundType: "none" },
      linuxProfile: { adminUsername: "b", ssh: { publicKeys: [] } },
      tags: { owner: "jo" },
    };
    expect(changes("containerservice:ManagedCluster", before, after)).toEqual([
      "update dnsPrefix !",
      "update kubernetesVersion",
      "update agentPoolProfiles[0].count",
      "update agentPoolProfiles[0].vmSize",
      "add agentPoolProfiles[1]",
      "update networkProfile.podCidr !",
      "update networkProfile.loadBalancerSku",
      "add networkProfile.outboundType !",
      "update linuxProfile.adminUsername !",
      "add tags",
    ]);
    expect(
      changes("containerservice:AgentPool", { vmSize: "a", count: 1 }, { vmSize: "b", count: 2 }),
    ).toEqual(["update vmSize !", "update count"]);
  });

  it("of the location replaces the kinds that say so, and is none in another spelling", () => {
    const move = (kind: string, to: string) => changes(kind, { location: "West Europe" }, { location: to });
    expect(move("storage:StorageAccount", "northeurope")).toEqual(["update location !"]);
    expect(move("keyvault:Vault", "northeurope")).toEqual(["update location"]);
    expect(move("storage:StorageAccount", "westeurope")).toEqual([]);
    expect(changes("keyvault:Vault", { resourceGroupName: "MS5" }, { resourceGroupName: "ms5" })).toEqual([]);
  });

  it("that says what Azure chose replaces nothing", () => {
    const added = (state: Bag) =>
      changes("containerservice:ManagedCluster", {}, { nodeResourceGroup: "nodes" }, state);
    expect(added({ nodeResourceGroup: "nodes" })).toEqual(["add nodeResourceGroup"]);
    expect(added({ nodeResourceGroup: "MC_ms5" })).toEqual(["add nodeResourceGroup !"]);
  });

  it("is none where only the plugin's own notes differ", () => {
    const noted = { azureApiVersion: "2024-11-01", __createBeforeDelete: true };
    expect(changes("keyvault:Vault", noted, { azureApiVersion: "2024-11-01" })).toEqual([]);
    expect(
      changes("keyvault:Vault", {}, { azureApiVersion: "2024-11-01" }, { azureApiVersion: "2024-11-01" }),
    ).toEqual([]);
  });

  it("deletes before it replaces, because the name is taken, unless that was generated", () => {
    const order = (old: Bag, now: Bag) =>
      planChange(typesOf("storage:StorageAccount"), old, now, {}).deleteBeforeReplace;
    expect(order({ isHnsEnabled: false }, { isHnsEnabled: true })).toBe(true);
    expect(order({ isHnsEnabled: false, __createBeforeDelete: true }, { isHnsEnabled: true })).toBe(false);
    expect(order({ tags: { a: "1" } }, { tags: { a: "2" } })).toBe(false);
  });

  it("table names only properties that there are", () => {
    const table = [
      "containerservice:ManagedCluster",
      "containerservice:AgentPool",
      "network:PublicIPAddress",
    ];
    for (const kind of [...table, "authorization:RoleAssignment", "storage:StorageAccount"]) {
      const names = immutableProperties(`azure-native:${kind}`).map((path) => path.split(".")[0] ?? "");
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => !typesOf(kind).inputs.has(name))).toEqual([]);
    }
  });
});

describe("a preview", () => {
  const cluster = typesOf("containerservice:ManagedCluster");
  const inputs = {
    resourceGroupName: "ms5",
    resourceName: "ms5",
    kubernetesVersion: "1.34",
    oidcIssuerProfile: { enabled: true },
    agentPoolProfiles: [{ name: "system", count: 3 }],
    addonProfiles: { azurepolicy: { enabled: true } },
    tags: { owner: "jo" },
  };

  it("of a new resource knows the inputs, and that the rest comes with an up", () => {
    const outputs = planCreate(cluster, inputs);
    expect(outputs).toMatchObject({
      kubernetesVersion: "1.34",
      tags: { owner: "jo" },
      name: unknown,
      fqdn: unknown,
      identityProfile: unknown,
      // Azure adds to what it is given, however deep.
      oidcIssuerProfile: { enabled: true, issuerURL: unknown },
      addonProfiles: { azurepolicy: { enabled: true, identity: unknown } },
      agentPoolProfiles: [{ name: "system", count: 3, provisioningState: unknown }],
    });
    // Where it is, is no output.
    expect(outputs).not.toHaveProperty("resourceGroupName");
  });

  it("of a change knows beside the inputs what can never change", () => {
    const state = { name: "ms5", location: "westeurope", fqdn: "ms5.azmk8s.io" };
    expect(planUpdate(cluster, inputs, state)).toMatchObject({
      name: "ms5",
      location: "westeurope",
      fqdn: unknown,
      kubernetesVersion: "1.34",
    });
  });

  it("of a resource that is only looked up knows what its id says", () => {
    const group = "/subscriptions/0-0/resourceGroups/ms5";
    expect(outputsOfId(group)).toEqual({ name: "ms5", type: "Microsoft.Resources/resourceGroups" });
    expect(outputsOfId(`${group}/providers/Microsoft.Network/virtualNetworks/net/subnets/nodes`)).toEqual({
      name: "nodes",
      type: "Microsoft.Network/virtualNetworks/subnets",
    });
    const lock = "providers/Microsoft.Storage/storageAccounts/a/providers/Microsoft.Authorization/locks/keep";
    expect(outputsOfId(`${group}/${lock}`)).toEqual({ name: "keep", type: "Microsoft.Authorization/locks" });
  });

  it.each([
    "ms5",
    "/subscriptions/0-0",
    "/subscriptions/0-0/resourceGroups/",
    "/s/providers/A.B/c",
    "/s/providers/A.B/c/",
  ])("takes %s for no id of a resource", (id) => {
    expect(outputsOfId(id)).toBeUndefined();
  });
});
