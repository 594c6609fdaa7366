import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManagedMonitoring } from "../../infra/azure/managedMonitoring";
import { managedNames } from "../../infra/azure/managedNames";
import { azureNames, tooLong } from "../../infra/azure/names";
import type { Place } from "../../infra/azure/place";
import type { AzureSettings } from "../../infra/azure/settings";
import type { RuleGroup } from "../../infra/monitoring/rulesFile";
import type { MonitoringSettings } from "../../infra/monitoring/settings";
import { isSecret, type Value } from "../../ops/standins/values";
import { azureProblems, type NewerValues } from "../support/azureSchema";

const subscription = "11111111-1111-4111-8111-111111111111";
const administrators = "33333333-3333-4333-8333-333333333333";
const group = `/subscriptions/${subscription}/resourceGroups/rg-acme-ms5-prod`;
const workspaceId = `${group}/providers/Microsoft.Monitor/accounts/amw-acme-ms5-prod`;
const clusterId = `${group}/providers/Microsoft.ContainerService/managedClusters/aks-acme-ms5-prod`;

function place(privateEndpoints: boolean): Place {
  const azure = {
    organisation: "acme",
    subscription,
    region: "westeurope",
    network: { privateEndpoints },
    kubernetes: { adminGroups: [administrators] },
  };
  return {
    // What else there is plays no part.
    azure: azure as unknown as AzureSettings,
    names: azureNames("acme", "prod"),
    tags: { project: "ms5-timescale", owner: "platform@example.com" },
    resourceGroupName: pulumi.output("rg-acme-ms5-prod"),
    groupId: group,
  };
}

const rules: readonly RuleGroup[] = [
  {
    name: "members",
    rules: [
      { record: "ms5:members", expr: "count(ms5_member_running)" },
      {
        alert: "NoPrimary",
        expr: "ms5:members == 0",
        for: "1m",
        labels: { severity: "critical" },
        annotations: { summary: "None", description: "Writes fail", runbook_url: "docs/runbooks/x.md" },
      },
    ],
  },
];

const nobody: MonitoringSettings["notify"] = {
  webhook: undefined,
  teams: undefined,
  email: undefined,
  warnings: true,
};
const webhook = "https://hooks.example/services/T000/B000";
const everybody: MonitoringSettings["notify"] = {
  webhook,
  teams: "https://flows.example/workflows/1?sig=abc",
  email: {
    to: "oncall@factory.example",
    by: undefined,
  },
  warnings: false,
};

interface Given {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

interface Wanted {
  readonly notify?: MonitoringSettings["notify"];
  readonly grafana?: boolean;
  readonly privateEndpoints?: boolean;
}

/** @param secret gets what is a secret to Pulumi: `RESOURCE PROPERTY` */
async function declared(
  { notify = nobody, grafana = true, privateEndpoints = true }: Wanted = {},
  secret: string[] = [],
): Promise<Given[]> {
  const given: Given[] = [];
  /** A secret within a list makes all of the list one. */
  const plain = (inputs: Record<string, unknown>, name: string) =>
    Object.fromEntries(
      Object.entries(inputs).map(([property, value]) => {
        if (!isSecret(value as Value)) return [property, value];
        secret.push(`${name} ${property}`);
        return [property, (value as { value: unknown }).value];
      }),
    );
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      if (type.startsWith("azure-native:")) {
        given.push({ type: type.slice(13), name, inputs: plain(inputs, name) });
      }
      const outputs =
        type === "azure-native:dashboard:Grafana"
          ? { identity: { ...inputs.identity, principalId: "grafanas-identity" } }
          : {};
      return { id: `${name}-id`, state: { ...inputs, ...outputs } };
    },
    call: () => ({}),
  });
  const subnets = {
    nodes: pulumi.output(`${group}/nodes`),
    endpoints: pulumi.output(`${group}/endpoints`),
    network: pulumi.output(`${group}/network`),
  };
  new ManagedMonitoring("monitoring", {
    place: place(privateEndpoints),
    subnets,
    settings: { grafana, notify },
    stack: "prod",
    environment: "prod",
    clusterId,
    rules,
  });
  await pulumi.runtime.disconnect();
  return given;
}

/** The SDK names the streams of agents on machines only; that of Prometheus stands in Microsoft's own templates for AKS. */
const newer: NewerValues = {
  "enums.monitor.KnownDataFlowStreams": {
    "Microsoft-PrometheusMetrics": "AddonBicepTemplate of prometheus-collector",
  },
};

function inputsOf(given: readonly Given[], type: string): Record<string, unknown>[] {
  return given.filter((resource) => resource.type === type).map(({ inputs }) => inputs);
}

describe("Azure's managed monitoring", () => {
  it.each<Wanted>([
    {},
    { notify: everybody },
    { grafana: false },
    { privateEndpoints: false, notify: { ...nobody, webhook } },
  ])("is what Azure takes: %j", async (wanted) => {
    const given = await declared(wanted);
    expect(given.length).toBeGreaterThan(4);
    const wrong = given.flatMap(({ type, name, inputs }) =>
      azureProblems(`azure-native:${type}`, inputs, newer).map((problem) => ({ type, name, ...problem })),
    );
    expect(wrong).toEqual([]);
  });

  it("would be told what Azure does not take", async () => {
    const [grafana] = inputsOf(await declared(), "dashboard:Grafana");
    const problems = azureProblems("azure-native:dashboard:Grafana", {
      ...grafana,
      sku: {},
      properties: { publicNetworkAccess: "Never" },
    });
    expect(problems.map(({ path }) => path)).toEqual(["properties.publicNetworkAccess", "sku.name"]);
  });

  it("leads from the cluster's agent into one workspace, over which rules are evaluated", async () => {
    const given = await declared();
    expect(inputsOf(given, "monitor:DataCollectionRuleAssociation")).toMatchObject([
      {
        resourceUri: clusterId,
        dataCollectionRuleId: `${group}/providers/Microsoft.Insights/dataCollectionRules/dcr-acme-ms5-prod`,
      },
    ]);
    expect(inputsOf(given, "monitor:DataCollectionRule")).toMatchObject([
      {
        kind: "Linux",
        dataSources: { prometheusForwarder: [{ streams: ["Microsoft-PrometheusMetrics"] }] },
        destinations: { monitoringAccounts: [{ accountResourceId: workspaceId, name: "workspace" }] },
        dataFlows: [{ streams: ["Microsoft-PrometheusMetrics"], destinations: ["workspace"] }],
      },
    ]);
    expect(inputsOf(given, "alertsmanagement:PrometheusRuleGroup")).toMatchObject([
      { ruleGroupName: "amw-acme-ms5-prod-members", scopes: [workspaceId], interval: "PT1M" },
    ]);
  });

  it("tells who is named, and keeps secret how", async () => {
    const secret: string[] = [];
    const given = await declared({ notify: everybody }, secret);
    const [receivers] = inputsOf(given, "monitor:ActionGroup");
    expect(receivers).toMatchObject({
      location: "global",
      groupShortName: "ms5-prod",
      enabled: true,
      emailReceivers: [{ emailAddress: "oncall@factory.example" }],
    });
    expect(receivers?.webhookReceivers).toMatchObject([
      { name: "webhook", serviceUri: webhook, useCommonAlertSchema: true },
      { name: "teams", serviceUri: everybody.teams },
    ]);
    expect(secret).toEqual(["receivers webhookReceivers"]);
    const id = `${group}/providers/Microsoft.Insights/actionGroups/ag-acme-ms5-prod`;
    const [groups] = inputsOf(given, "alertsmanagement:PrometheusRuleGroup");
    expect(groups).toMatchObject({
      rules: [
        { record: "ms5:members" },
        { alert: "NoPrimary", actions: [{ actionGroupId: id }], labels: { stack: "prod" } },
      ],
    });
  });

  it("has no receivers where nobody is named", async () => {
    const given = await declared();
    expect(inputsOf(given, "monitor:ActionGroup")).toEqual([]);
    expect(inputsOf(given, "alertsmanagement:PrometheusRuleGroup")).toMatchObject([
      { rules: [{}, { actions: [] }] },
    ]);
  });

  it("lets Grafana read the workspace, and administrators manage Grafana", async () => {
    const given = await declared();
    expect(inputsOf(given, "dashboard:Grafana")).toMatchObject([
      {
        sku: { name: "Standard" },
        identity: { type: "SystemAssigned" },
        properties: {
          grafanaIntegrations: {
            azureMonitorWorkspaceIntegrations: [{ azureMonitorWorkspaceResourceId: workspaceId }],
          },
        },
      },
    ]);
    const grants = inputsOf(given, "authorization:RoleAssignment").map((inputs) => [
      inputs.principalId,
      inputs.principalType,
      inputs.scope,
    ]);
    expect(grants.sort()).toEqual([
      [administrators, "Group", `${group}/providers/Microsoft.Dashboard/grafana/amgacmems5prod`],
      ["grafanas-identity", "ServicePrincipal", workspaceId],
    ]);
  });

  it("answers inside the network only where the rest does", async () => {
    const access = async (privateEndpoints: boolean) => {
      const given = await declared({ privateEndpoints });
      return {
        access: inputsOf(given, "dashboard:Grafana").map(
          ({ properties }) => (properties as { publicNetworkAccess: string }).publicNetworkAccess,
        ),
        zones: inputsOf(given, "privatedns:PrivateZone").map(({ privateZoneName }) => privateZoneName),
      };
    };
    expect(await access(true)).toEqual({ access: ["Disabled"], zones: ["privatelink.grafana.azure.com"] });
    expect(await access(false)).toEqual({ access: ["Enabled"], zones: [] });
  });

  it("leaves Grafana out where nobody wants one", async () => {
    const types = (await declared({ grafana: false })).map(({ type }) => type);
    expect(types).toContain("monitor:AzureMonitorWorkspace");
    expect(types.filter((type) => /dashboard|authorization|network|privatedns/.test(type))).toEqual([]);
  });
});

describe("names of managed monitoring", () => {
  it("say whose it is, and of which stack", () => {
    expect(managedNames("acme", "prod")).toMatchInlineSnapshot(`
      {
        "collectionEndpoint": "dce-acme-ms5-prod",
        "collectionRule": "dcr-acme-ms5-prod",
        "grafana": "amgacmems5prod",
        "receivers": "ag-acme-ms5-prod",
        "shortName": "ms5-prod",
        "workspace": "amw-acme-ms5-prod",
      }
    `);
  });

  it("are never too long where the others are not", () => {
    const anyStack = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9]{1,7}$/), anyStack, (organisation, stack) => {
        fc.pre(tooLong(azureNames(organisation, stack)).length === 0);
        const names = managedNames(organisation, stack);
        expect(names.grafana.length).toBeLessThanOrEqual(23);
        expect(names.collectionEndpoint.length).toBeLessThanOrEqual(44);
        expect(names.workspace.length).toBeLessThanOrEqual(63);
        expect(names.shortName.length).toBeLessThanOrEqual(12);
      }),
    );
  });
});
