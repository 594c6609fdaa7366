// Production with Azure's managed monitoring: what a preview comes to, as Azure and our policies take it. Without it nothing
// of that appears.
import { beforeAll, describe, expect, it } from "vitest";
import { mask } from "../../ops/engine/events";
import { azureProblems, type NewerValues } from "../support/azureSchema";
import type { Overrides } from "../support/commandStack";
import type { PlannedResource } from "../support/goldenStack";
import { previewed } from "../support/previewed";

/** See test/unit/managedMonitoring.test.ts. */
const newer: NewerValues = {
  "enums.monitor.KnownDataFlowStreams": { "Microsoft-PrometheusMetrics": "Microsoft's templates for AKS" },
};

const preview = (overrides: Overrides) => previewed("prod", overrides);

const ofManaged = /AzureMonitorWorkspace|DataCollection|PrometheusRuleGroup|ActionGroup|dashboard:Grafana/;

const notify = { MS5_MONITORING_NOTIFY_WEBHOOK: "https://hooks.example/services/T000/B000" };

describe("prod", () => {
  let managed: PlannedResource[];
  beforeAll(async () => {
    managed = await preview({ MS5_MONITORING_PLACE: "azure", ...notify });
  });

  it("has Azure's Prometheus and Grafana when it wants them, and is what Azure takes", () => {
    const kinds = new Set(managed.map(({ type }) => type).filter((type) => ofManaged.test(type)));
    expect([...kinds].sort()).toEqual([
      "azure-native:alertsmanagement:PrometheusRuleGroup",
      "azure-native:dashboard:Grafana",
      "azure-native:monitor:ActionGroup",
      "azure-native:monitor:AzureMonitorWorkspace",
      "azure-native:monitor:DataCollectionEndpoint",
      "azure-native:monitor:DataCollectionRule",
      "azure-native:monitor:DataCollectionRuleAssociation",
    ]);
    const wrong = managed
      .filter(({ type }) => type.startsWith("azure-native:"))
      .flatMap(({ type, name, inputs }) =>
        azureProblems(type, mask(inputs) as Record<string, unknown>, newer).map((problem) => ({
          type,
          name,
          ...problem,
        })),
      );
    // Masked as a whole, since their URLs are secrets: the unit test looks into them.
    expect(wrong.filter(({ path }) => path !== "webhookReceivers")).toEqual([]);
  });

  it("has AKS run the agent, and the URL of the webhook as a secret", () => {
    const inputs = (type: string) => managed.find((resource) => resource.type === type)?.inputs;
    expect(inputs("azure-native:containerservice:ManagedCluster")).toMatchObject({
      azureMonitorProfile: { metrics: { enabled: true } },
    });
    expect(JSON.stringify(managed)).not.toContain("hooks.example/services");
  });

  it("has nothing of it with pods of its own", async () => {
    const own = await preview(notify);
    expect(own.filter(({ type }) => ofManaged.test(type))).toEqual([]);
    const cluster = own.find(({ type }) => type === "azure-native:containerservice:ManagedCluster");
    expect(cluster?.inputs).not.toHaveProperty("azureMonitorProfile");
  });
});
