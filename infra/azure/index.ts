// infra/azure/index.ts - production's platform: network, identities, AKS with nodes for the database, and what must
// outlive them: secrets and backups.
import {
  listManagedClusterUserCredentialsOutput,
  ManagedCluster,
} from "@pulumi/azure-native/containerservice";
import { Provider } from "@pulumi/azure-native/provider";
import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../config";
import { UserError } from "../errors";
import { allRules } from "../monitoring/alerts/all";
import { ruleSettings } from "../monitoring/ruleSettings";
import type { AddressPlan } from "./addressPlan";
import { BackupStorage } from "./backupStorage";
import { budget } from "./budget";
import { AksCluster } from "./cluster";
import { requireAddressPlan } from "./demand";
import { Identities } from "./identities";
import { SecretVault } from "./keyVault";
import { entraKubeconfig } from "./kubeconfig";
import { lock } from "./locks";
import { clusterCategories, Logs } from "./logs";
import { ManagedMonitoring, type ManagedMonitoringArgs } from "./managedMonitoring";
import { azureNames } from "./names";
import { type Subnets, subnets } from "./network";
import type { Place } from "./place";
import { ImageRegistry } from "./registry";
import { inResourceGroup } from "./resourceGroup";
import { nameOf, resourceGroupOf } from "./resourceIds";
import type { AzureSettings } from "./settings";
import { tagsOf } from "./tags";
import { WorkingHours } from "./workingHours";

/** The cluster as the rest of the platform sees it, ours or one that was there. */
interface ClusterReference {
  readonly id: pulumi.Output<string>;
  readonly name: pulumi.Output<string>;
  readonly resourceGroupName: pulumi.Input<string>;
  /** Object id of the identity that its nodes have. */
  readonly nodesPrincipalId: pulumi.Output<string>;
  /** What has to be there before pods find a node. */
  readonly ready: pulumi.Resource[];
}

export class AzurePlatform extends pulumi.ComponentResource {
  /** How to reach the cluster; no secret. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly vault: SecretVault;
  readonly backups: BackupStorage;
  readonly registry: ImageRegistry;
  /** undefined where pods of ours watch, or nobody. */
  readonly monitoring: ManagedMonitoring | undefined;
  /** What has to be there before pods find a node. */
  readonly ready: pulumi.Resource[];

  constructor(
    name: string,
    config: StackConfig & { azure: AzureSettings },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const { azure } = config;
    super("ms5:azure:Platform", name, {}, { ...opts, providers: [azureProvider(azure)] });
    const child = { parent: this };
    const names = azureNames(azure.organisation, config.stack);
    const tags = tagsOf(config, azure);
    const plan = requireAddressPlan(azure);
    const place = inResourceGroup(azure, names, tags, child);
    const network = subnets(place, plan, child);
    const logs = new Logs("logs", place, child);
    const managedPrometheus = config.monitoring?.place === "azure";
    const cluster = this.cluster(place, plan, network, logs, managedPrometheus);
    logs.record("cluster", cluster.id, clusterCategories);

    const registry = { place, subnets: network, puller: cluster.nodesPrincipalId };
    this.registry = new ImageRegistry("registry", registry, child);
    this.vault = new SecretVault(
      "vault",
      { place, subnets: network, logs, encryptionKey: config.cluster?.backups?.encryptionKey },
      child,
    );
    const storage = { place, subnets: network, logs, writer: cluster.nodesPrincipalId };
    this.backups = new BackupStorage("backups", storage, child);
    if (azure.locks) {
      // Gone first at `destroy`: a lock holds what is inside too.
      lock("vault", this.vault.vaultId, { parent: this, dependsOn: [this.vault, logs] });
      lock("backups", this.backups.accountId, { parent: this, dependsOn: [this.backups, logs] });
    }
    budget(place, new Date(), child);
    const { workingHours: hours } = azure.kubernetes;
    // Somebody else's cluster is not ours to stop.
    if (hours !== undefined && azure.existing.cluster === undefined) {
      new WorkingHours("working-hours", { place, hours, clusterId: cluster.id }, child);
    }
    this.monitoring = managedMonitoring(config, { place, subnets: network, clusterId: cluster.id }, child);
    this.ready = cluster.ready;
    this.kubeconfig = kubeconfigOf(cluster, azure.tenant, child);
    this.registerOutputs({});
  }

  private cluster(
    place: Place,
    plan: AddressPlan,
    network: Subnets,
    logs: Logs,
    managedPrometheus: boolean,
  ): ClusterReference {
    const child = { parent: this };
    const { cluster: existing } = place.azure.existing;
    if (existing !== undefined) return existingCluster(existing, child);
    const identities = new Identities("identities", { place, nodeSubnetId: network.nodes }, child);
    const aks = new AksCluster(
      "aks",
      {
        place,
        plan,
        identities,
        nodeSubnetId: network.nodes,
        workspaceId: logs.workspaceId,
        managedPrometheus,
      },
      child,
    );
    return {
      id: aks.clusterId,
      name: aks.cluster.name,
      resourceGroupName: place.resourceGroupName,
      nodesPrincipalId: identities.nodes.resource.principalId,
      ready: [aks],
    };
  }
}

/** Azure's Prometheus and Grafana, where the config wants them. */
function managedMonitoring(
  config: StackConfig,
  where: Pick<ManagedMonitoringArgs, "place" | "subnets" | "clusterId">,
  opts: pulumi.ComponentResourceOptions,
): ManagedMonitoring | undefined {
  const { monitoring: settings, stack, environment } = config;
  const rules = ruleSettings(config);
  if (settings?.place !== "azure" || rules === undefined) return undefined;
  return new ManagedMonitoring(
    "monitoring",
    { ...where, settings, stack, environment, rules: allRules(rules) },
    opts,
  );
}

/** To this subscription and no other, whichever the login is set to. */
function azureProvider({ subscription, tenant }: AzureSettings): Provider {
  return new Provider("azure", { subscriptionId: subscription, tenantId: tenant });
}

/** Its nodes are labelled by whoever made it: docs/day-2.md. */
function existingCluster(id: string, opts: pulumi.CustomResourceOptions): ClusterReference {
  const cluster = ManagedCluster.get("cluster", id, opts);
  return {
    id: pulumi.output(id),
    // Not known before Azure was asked: a preview without a login must not ask it for the way to the cluster.
    name: cluster.currentKubernetesVersion.apply(() => nameOf(id)),
    resourceGroupName: resourceGroupOf(id),
    nodesPrincipalId: cluster.identityProfile.apply((profile) => kubeletOf(id, profile)),
    ready: [],
  };
}

/** @throws UserError for a cluster whose nodes have no identity: nobody could be given the right to write backups */
function kubeletOf(
  id: string,
  profile?: Readonly<Record<string, { readonly objectId?: string | undefined }>>,
): string {
  const { objectId } = profile?.kubeletidentity ?? {};
  if (objectId !== undefined) return objectId;
  throw new UserError(`the nodes of ${id} have no managed identity`, {
    fix: `give them one: az aks update --ids ${id} --enable-managed-identity`,
  });
}

function kubeconfigOf(
  { name, resourceGroupName }: ClusterReference,
  tenant: string,
  opts: pulumi.InvokeOptions,
): pulumi.Output<string> {
  const handed = listManagedClusterUserCredentialsOutput({ resourceGroupName, resourceName: name }, opts);
  return pulumi
    .all([name, handed])
    .apply(([cluster, { kubeconfigs }]) => entraKubeconfig(cluster, tenant, kubeconfigs[0]?.value ?? ""));
}

/** What the program provisions in Azure, if anything. */
export function provisionAzure(config: StackConfig): AzurePlatform | undefined {
  const { azure } = config;
  return azure === undefined ? undefined : new AzurePlatform("platform", { ...config, azure });
}
