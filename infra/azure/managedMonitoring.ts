// infra/azure/managedMonitoring.ts - Azure's own Prometheus and Grafana instead of pods of ours: where samples are kept, how
// they get there from the cluster, which rules are evaluated, whom alerts go to, and who looks at dashboards.
import { PrometheusRuleGroup } from "@pulumi/azure-native/alertsmanagement";
import { Grafana } from "@pulumi/azure-native/dashboard";
import {
  ActionGroup,
  AzureMonitorWorkspace,
  DataCollectionEndpoint,
  DataCollectionRule,
  DataCollectionRuleAssociation,
} from "@pulumi/azure-native/monitor";
import * as pulumi from "@pulumi/pulumi";
import type { RuleGroup } from "../monitoring/rulesFile";
import type { MonitoringSettings, NotifySettings } from "../monitoring/settings";
import { type ManagedNames, managedNames } from "./managedNames";
import { managedGroups } from "./managedRules";
import type { Subnets } from "./network";
import { knownId, type Place } from "./place";
import { PrivateAccess } from "./privateEndpoint";
import { grant } from "./roleAssignment";

export interface ManagedMonitoringArgs {
  readonly place: Place;
  readonly subnets: Subnets;
  readonly settings: Pick<MonitoringSettings, "grafana" | "notify">;
  readonly stack: string;
  readonly environment: string;
  /** Resource id of the cluster whose agent collects. */
  readonly clusterId: pulumi.Input<string>;
  readonly rules: readonly RuleGroup[];
}

export class ManagedMonitoring extends pulumi.ComponentResource {
  /** Where people look at dashboards; undefined without Grafana. */
  readonly grafanaUrl: pulumi.Output<string> | undefined;
  private readonly names: ManagedNames;
  /** Resource id of the Azure Monitor workspace. */
  private readonly workspaceId: pulumi.Output<string>;

  constructor(
    name: string,
    private readonly args: ManagedMonitoringArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:azure:ManagedMonitoring", name, {}, opts);
    const { place, settings, stack } = args;
    this.names = managedNames(place.azure.organisation, stack);
    this.workspaceId = this.workspace();
    this.collect();
    this.alert(this.receivers(settings.notify));
    this.grafanaUrl = settings.grafana ? this.grafana() : undefined;
    this.registerOutputs({});
  }

  private workspace(): pulumi.Output<string> {
    const { workspace: azureMonitorWorkspaceName } = this.names;
    const workspace = new AzureMonitorWorkspace(
      "metrics",
      {
        azureMonitorWorkspaceName,
        ...this.where,
        // Who may ask, Entra ID says, as with the logs. Without a public address Grafana would need a link that somebody has
        // to approve by hand.
        publicNetworkAccess: "Enabled",
      },
      this.child,
    );
    return knownId(workspace, this.args.place, "Microsoft.Monitor/accounts", azureMonitorWorkspaceName);
  }

  /** From the cluster's agent into the workspace. */
  private collect(): void {
    const { place, clusterId } = this.args;
    const { collectionEndpoint, collectionRule } = this.names;
    const endpoint = new DataCollectionEndpoint(
      "metrics",
      {
        dataCollectionEndpointName: collectionEndpoint,
        ...this.where,
        kind: "Linux",
        networkAcls: { publicNetworkAccess: "Enabled" },
      },
      this.child,
    );
    const streams = ["Microsoft-PrometheusMetrics"];
    const destination = "workspace";
    const rule = new DataCollectionRule(
      "metrics",
      {
        dataCollectionRuleName: collectionRule,
        ...this.where,
        kind: "Linux",
        description: "What the cluster's agent collects goes into the workspace",
        dataCollectionEndpointId: knownId(
          endpoint,
          place,
          "Microsoft.Insights/dataCollectionEndpoints",
          collectionEndpoint,
        ),
        dataSources: { prometheusForwarder: [{ name: "agent", streams, labelIncludeFilter: {} }] },
        destinations: { monitoringAccounts: [{ accountResourceId: this.workspaceId, name: destination }] },
        dataFlows: [{ streams, destinations: [destination] }],
      },
      this.child,
    );
    new DataCollectionRuleAssociation(
      "metrics",
      {
        associationName: collectionRule,
        resourceUri: clusterId,
        description: "Without it the cluster's agent collects nothing",
        dataCollectionRuleId: knownId(rule, place, "Microsoft.Insights/dataCollectionRules", collectionRule),
      },
      this.child,
    );
  }

  /** Resource id of whom alerts go to; undefined where nobody is named. */
  private receivers({ webhook, teams, email }: NotifySettings): pulumi.Output<string> | undefined {
    const { place } = this.args;
    const webhooks = Object.entries({ webhook, teams }).flatMap(([name, url]) =>
      url === undefined
        ? []
        : [{ name, serviceUri: pulumi.secret(url), useCommonAlertSchema: true, useAadAuth: false }],
    );
    if (webhooks.length === 0 && email === undefined) return undefined;
    const { receivers: actionGroupName, shortName } = this.names;
    const group = new ActionGroup(
      "receivers",
      {
        actionGroupName,
        ...this.where,
        location: "global",
        groupShortName: shortName,
        enabled: true,
        webhookReceivers: webhooks,
        emailReceivers:
          email === undefined ? [] : [{ name: "mail", emailAddress: email.to, useCommonAlertSchema: true }],
      },
      { ...this.child, additionalSecretOutputs: ["webhookReceivers"] },
    );
    return knownId(group, place, "Microsoft.Insights/actionGroups", actionGroupName);
  }

  private alert(receiver: pulumi.Output<string> | undefined): void {
    const { settings, stack, environment, rules } = this.args;
    const groups = managedGroups(rules, {
      labels: { stack, environment },
      receiver,
      tellsWarnings: settings.notify.warnings,
    });
    for (const { name, interval, rules: itsRules } of groups) {
      new PrometheusRuleGroup(
        `rules-${name}`,
        {
          ruleGroupName: `${this.names.workspace}-${name}`,
          ...this.where,
          enabled: true,
          interval,
          rules: itsRules,
          // Not the cluster's id beside it: rules would then see series with its label only, which sums and constants have not.
          scopes: [this.workspaceId],
        },
        this.child,
      );
    }
  }

  /** @returns where it answers */
  private grafana(): pulumi.Output<string> {
    const { place, subnets } = this.args;
    const { azure } = place;
    const { grafana: workspaceName } = this.names;
    const isPrivate = azure.network.privateEndpoints;
    const grafana = new Grafana(
      "grafana",
      {
        workspaceName,
        ...this.where,
        sku: { name: "Standard" },
        identity: { type: "SystemAssigned" },
        properties: {
          publicNetworkAccess: isPrivate ? "Disabled" : "Enabled",
          grafanaIntegrations: {
            azureMonitorWorkspaceIntegrations: [{ azureMonitorWorkspaceResourceId: this.workspaceId }],
          },
        },
      },
      this.child,
    );
    const grafanaId = knownId(grafana, place, "Microsoft.Dashboard/grafana", workspaceName);
    if (isPrivate) {
      new PrivateAccess("grafana", { place, subnets, to: "grafana", serviceId: grafanaId }, this.child);
    }
    grant(
      "grafana-reads-metrics",
      azure.subscription,
      {
        // Empty never: an identity that is asked for is made.
        principalId: grafana.identity.apply((identity) => identity?.principalId ?? ""),
        role: { builtIn: "Monitoring Data Reader" },
        scope: this.workspaceId,
        description: "Dashboards show what was collected",
      },
      this.child,
    );
    // Whoever makes one in the portal administrates it; of one that is made like this nobody does.
    for (const group of azure.kubernetes.adminGroups) {
      grant(
        `${group}-administrates-grafana`,
        azure.subscription,
        {
          principalId: group,
          principalType: "Group",
          role: { builtIn: "Grafana Admin" },
          scope: grafanaId,
          description: "The cluster's administrators import dashboards, and let others look",
        },
        this.child,
      );
    }
    return grafana.properties.endpoint;
  }

  private get where() {
    const { azure, tags, resourceGroupName } = this.args.place;
    return { resourceGroupName, location: azure.region, tags };
  }

  private get child() {
    return { parent: this };
  }
}
