// That wrong inputs are found, and right ones pass: test/support/azureSchema.ts, which the golden stacks rely on.
import { describe, expect, it } from "vitest";
import type { Shape } from "../../ops/standins/azureNative/declarations";
import { enumValues, objectTypes, resourceTypes } from "../../ops/standins/azureNative/packageTypes";
import { secret, unknown } from "../../ops/standins/values";
import { azureProblems } from "../support/azureSchema";

const problems = (kind: string, inputs: Record<string, unknown>): string[] =>
  azureProblems(`azure-native:${kind}`, inputs).map(({ path, problem }) => `${path}: ${problem}`);

const account = {
  accountName: "acmeprodbackups",
  resourceGroupName: "ms5-prod",
  location: "westeurope",
  kind: "StorageV2",
  sku: { name: "Standard_ZRS" },
  minimumTlsVersion: "TLS1_2",
  allowSharedKeyAccess: false,
  networkRuleSet: { defaultAction: "Deny", ipRules: [{ iPAddressOrRange: "203.0.113.7" }] },
  tags: { owner: "jo@example.org" },
};

const cluster = {
  resourceName: "ms5-prod",
  resourceGroupName: "ms5-prod",
  identity: { type: "UserAssigned", userAssignedIdentities: ["/subscriptions/s/…/ms5"] },
  sku: { name: "Base", tier: "Standard" },
  agentPoolProfiles: [
    { name: "system", mode: "System", count: 3, vmSize: "Standard_D4s_v5", availabilityZones: ["1", "2"] },
  ],
  networkProfile: { networkPlugin: "azure", networkPluginMode: "overlay", networkDataplane: "cilium" },
  addonProfiles: { azurepolicy: { enabled: true, config: { version: "v2" } } },
};

const budget = {
  amount: 1000,
  budgetName: "ms5",
  category: "Cost",
  scope: "/subscriptions/s",
  timeGrain: "Monthly",
  timePeriod: { startDate: "2026-01-01T00:00:00Z" },
  notifications: {
    half: { enabled: true, operator: "GreaterThan", threshold: 50, contactEmails: ["jo@example.org"] },
  },
};

describe("azure-native inputs", () => {
  it("are right as Azure's documentation has them", () => {
    expect(problems("storage:StorageAccount", account)).toEqual([]);
    expect(problems("containerservice:ManagedCluster", cluster)).toEqual([]);
    expect(problems("consumption:Budget", budget)).toEqual([]);
  });

  it("are right with what the provider adds, what is null, and what is not known yet", () => {
    const added = { azureApiVersion: "2024-01-01", __createBeforeDelete: true, encryption: null };
    expect(problems("storage:StorageAccount", { ...account, ...added })).toEqual([]);
    const later = { ...account, resourceGroupName: "[known after up]", networkRuleSet: unknown };
    expect(problems("storage:StorageAccount", later)).toEqual([]);
  });

  it("are wrong with a property that doesn't exist, at any depth", () => {
    expect(problems("storage:StorageAccount", { ...account, allowSharedKeyAcess: false })).toEqual([
      "allowSharedKeyAcess: azure-native:storage:StorageAccount has no such property",
    ]);
    const [pool] = cluster.agentPoolProfiles;
    expect(
      problems("containerservice:ManagedCluster", {
        ...cluster,
        agentPoolProfiles: [pool, { ...pool, minimumCount: 1 }],
        addonProfiles: { azurepolicy: { enabled: true, configuration: {} } },
      }),
    ).toEqual([
      "agentPoolProfiles[1].minimumCount: containerservice.ManagedClusterAgentPoolProfileArgs has no such property",
      'addonProfiles["azurepolicy"].configuration: containerservice.ManagedClusterAddonProfileArgs has no such property',
    ]);
  });

  it("are wrong without what is required, at any depth", () => {
    const { amount: _, ...rest } = budget;
    const { enabled: __, ...notification } = budget.notifications.half;
    expect(problems("consumption:Budget", { ...rest, notifications: { half: notification } })).toEqual([
      'notifications["half"].enabled: consumption.NotificationArgs needs it',
      "amount: azure-native:consumption:Budget needs it",
    ]);
    expect(problems("storage:StorageAccount", { ...account, kind: null })).toEqual([
      "kind: azure-native:storage:StorageAccount needs it",
    ]);
  });

  it.each([
    [{ allowSharedKeyAccess: "false" }, 'allowSharedKeyAccess: "false" stands where a boolean is wanted'],
    [{ location: 7 }, "location: 7 stands where a string is wanted"],
    [{ tags: { owner: 7 } }, 'tags["owner"]: 7 stands where a string is wanted'],
    [{ tags: ["owner"] }, 'tags: ["owner"] stands where an object is wanted'],
    [{ networkRuleSet: "Deny" }, 'networkRuleSet: "Deny" stands where storage.NetworkRuleSetArgs is wanted'],
    [
      { networkRuleSet: { defaultAction: "Deny", ipRules: {} } },
      "networkRuleSet.ipRules: {} stands where a list is wanted",
    ],
  ])("are wrong with a value of another type: %j", (wrong, problem) => {
    expect(problems("storage:StorageAccount", { ...account, ...wrong })).toEqual([problem]);
  });

  it("are wrong with a value that Azure doesn't have, whether the type leaves room for it or not", () => {
    expect(problems("storage:StorageAccount", { ...account, minimumTlsVersion: "TLS1.2" })).toEqual([
      'minimumTlsVersion: "TLS1.2" is none of enums.storage.MinimumTlsVersion: TLS1_0, TLS1_1, TLS1_2, TLS1_3',
    ]);
    expect(
      problems("storage:StorageAccount", { ...account, networkRuleSet: { defaultAction: "deny" } }),
    ).toEqual(['networkRuleSet.defaultAction: "deny" is none of enums.storage.DefaultAction: Allow, Deny']);
  });

  it("may have a value that is newer than the package, when there is a reason to believe so", () => {
    const newer = { "enums.storage.Kind": { StorageV3: "in Azure since next year" } };
    const inputs = { ...account, kind: "StorageV3" };
    expect(azureProblems("azure-native:storage:StorageAccount", inputs)).toHaveLength(1);
    expect(azureProblems("azure-native:storage:StorageAccount", inputs, newer)).toEqual([]);
  });

  it("may have a secret where a text may stand, and nowhere else", () => {
    const vaultSecret = { resourceGroupName: "ms5", vaultName: "ms5", secretName: "admin" };
    for (const value of ["[secret]", secret("hunter2")]) {
      expect(problems("keyvault:Secret", { ...vaultSecret, properties: { value } })).toEqual([]);
      expect(problems("keyvault:Secret", { ...vaultSecret, properties: value })).toEqual([
        "properties: a secret stands where keyvault.SecretPropertiesArgs is wanted",
      ]);
    }
  });

  it("may be one kind of object or another, and are told what is wrong with the nearest", () => {
    const rules = (one: Record<string, unknown>) =>
      problems("network:FirewallPolicyRuleCollectionGroup", {
        resourceGroupName: "ms5",
        firewallPolicyName: "ms5",
        ruleCollections: [one],
      });
    const filter = { ruleCollectionType: "FirewallPolicyFilterRuleCollection", name: "out", rules: [] };
    expect(rules({ ...filter, action: { type: "Deny" } })).toEqual([]);
    expect(rules({ ...filter, action: { type: "Forbid" } })).toEqual([
      expect.stringMatching(
        /^ruleCollections\[0\]\.action\.type: "Forbid" is none of .*FilterRule.*: Allow, Deny$/,
      ),
    ]);
  });

  it("are of a kind that there is", () => {
    expect(() => azureProblems("azure-native:storage:StorageAcount", {})).toThrow(
      "@pulumi/azure-native has no azure-native:storage:StorageAcount",
    );
    expect(() => azureProblems("azure-native:../storage:StorageAccount", {})).toThrow("has no");
  });
});

/** What infra/azure may be made of. */
const kinds = [
  "authorization:ManagementLockByScope",
  "authorization:RoleAssignment",
  "authorization:RoleDefinition",
  "compute:DiskEncryptionSet",
  "consumption:Budget",
  "containerregistry:Registry",
  "containerservice:AgentPool",
  "containerservice:MaintenanceConfiguration",
  "containerservice:ManagedCluster",
  "keyvault:Key",
  "keyvault:Secret",
  "keyvault:Vault",
  "logic:Workflow",
  "managedidentity:FederatedIdentityCredential",
  "managedidentity:UserAssignedIdentity",
  "monitor:DiagnosticSetting",
  "network:NatGateway",
  "network:NetworkSecurityGroup",
  "network:PrivateDnsZoneGroup",
  "network:PrivateEndpoint",
  "network:PublicIPAddress",
  "network:Subnet",
  "network:VirtualNetwork",
  "operationalinsights:Workspace",
  "privatedns:PrivateZone",
  "privatedns:VirtualNetworkLink",
  "resources:ResourceGroup",
  "storage:BlobContainer",
  "storage:BlobContainerImmutabilityPolicy",
  "storage:BlobServiceProperties",
  "storage:ManagementPolicy",
  "storage:StorageAccount",
];

describe("the package's declarations", () => {
  it.each(kinds)("of %s are understood, whatever they lead to", (kind) => {
    const types = resourceTypes(`azure-native:${kind}`);
    if (types === undefined) throw new Error(`there is no ${kind}`);
    const seen = new Set<string>();
    const walk = (shape: Shape): void => {
      if (shape.kind === "list") walk(shape.items);
      else if (shape.kind === "map") walk(shape.values);
      else if (shape.kind === "oneOf") shape.options.forEach(walk);
      else if ((shape.kind === "object" || shape.kind === "enum") && !seen.has(shape.name)) {
        seen.add(shape.name);
        if (shape.kind === "enum") expect(enumValues(shape.name).size).toBeGreaterThan(0);
        else for (const property of objectTypes(shape.name).values()) walk(property.shape);
      }
    };
    for (const { shape } of [...types.inputs.values(), ...types.outputs.values()]) walk(shape);
    expect(types.path.length).toBeGreaterThan(0);
    expect(types.path.filter((name) => !types.inputs.has(name))).toEqual([]);
    expect(types.apiVersion).toMatch(/^20\d\d-\d\d-\d\d(-preview)?$/);
  });
});
