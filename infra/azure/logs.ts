// infra/azure/logs.ts - where it is written down who did what to the cluster, the key vault and the backups.
import { DiagnosticSetting } from "@pulumi/azure-native/monitor";
import { Workspace } from "@pulumi/azure-native/operationalinsights";
import * as pulumi from "@pulumi/pulumi";
import { knownId, type Place } from "./place";

export class Logs extends pulumi.ComponentResource {
  /** Resource id. */
  readonly workspaceId: pulumi.Output<string>;

  constructor(name: string, place: Place, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:azure:Logs", name, {}, opts);
    const { azure, names, tags, resourceGroupName } = place;
    const workspace = new Workspace(
      "logs",
      {
        workspaceName: names.logs,
        resourceGroupName,
        location: azure.region,
        tags,
        sku: { name: "PerGB2018" },
        retentionInDays: azure.logs.retentionDays,
        workspaceCapping: { dailyQuotaGb: azure.logs.dailyCapGb },
        features: { disableLocalAuth: true },
      },
      { parent: this },
    );
    this.workspaceId = knownId(workspace, place, "Microsoft.OperationalInsights/workspaces", names.logs);
    this.registerOutputs({});
  }

  /** Writes down these categories of what happens to a resource. */
  record(of: string, resourceUri: pulumi.Input<string>, categories: readonly string[]): void {
    new DiagnosticSetting(
      `${of}-audit`,
      {
        name: "audit",
        resourceUri,
        workspaceId: this.workspaceId,
        logs: categories.map((category) => ({ category, enabled: true })),
      },
      { parent: this },
    );
  }
}

/** What happens to the cluster by whom. Reads (`kube-audit`) would cost more than the cluster. */
export const clusterCategories = ["kube-audit-admin", "guard", "cluster-autoscaler"] as const;
export const keyVaultCategories = ["AuditEvent"] as const;
export const blobCategories = ["StorageDelete", "StorageWrite"] as const;
