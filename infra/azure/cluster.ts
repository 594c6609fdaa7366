// infra/azure/cluster.ts - AKS: who may administrate it, who reaches its API server, how pods talk, when it is upgraded,
// and the nodes: some for everything, and one for each member of the database.
import { AgentPool, MaintenanceConfiguration, ManagedCluster } from "@pulumi/azure-native/containerservice";
import * as pulumi from "@pulumi/pulumi";
import { dedicatedNodes } from "../database/dedicatedNodes";
import { known } from "../known";
import type { AddressPlan } from "./addressPlan";
import type { Identities, Identity } from "./identities";
import { knownId, type Place } from "./place";
import { databasePoolName, podsOfDatabaseNode, systemPoolName, upgradeSurge } from "./pools";
import { osDisk } from "./vmSizes";

export interface AksArgs {
  readonly place: Place;
  readonly plan: AddressPlan;
  readonly identities: Identities;
  readonly nodeSubnetId: pulumi.Input<string>;
  /** Resource id of where Defender writes what it finds. */
  readonly workspaceId: pulumi.Input<string>;
  /** Whether Azure's own Prometheus collects: AKS then runs its agent. */
  readonly managedPrometheus: boolean;
}

export class AksCluster extends pulumi.ComponentResource {
  readonly cluster: ManagedCluster;
  readonly clusterName: pulumi.Output<string>;
  /** Resource id. */
  readonly clusterId: pulumi.Output<string>;

  constructor(name: string, args: AksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:azure:AksCluster", name, {}, opts);
    this.cluster = this.makeCluster(args);
    const { names } = args.place;
    this.clusterName = known(this.cluster, names.cluster);
    this.clusterId = knownId(
      this.cluster,
      args.place,
      "Microsoft.ContainerService/managedClusters",
      names.cluster,
    );
    this.makeDatabasePool(args);
    this.maintenance(args.place, "aksManagedAutoUpgradeSchedule");
    this.maintenance(args.place, "aksManagedNodeOSUpgradeSchedule");
    this.registerOutputs({});
  }

  private makeCluster(args: AksArgs): ManagedCluster {
    const { place, plan, identities, nodeSubnetId, workspaceId } = args;
    const { azure, names, tags, resourceGroupName } = place;
    const { kubernetes, network } = azure;
    return new ManagedCluster(
      "cluster",
      {
        resourceName: names.cluster,
        resourceGroupName,
        nodeResourceGroup: names.nodeResourceGroup,
        location: azure.region,
        tags,
        sku: { name: "Base", tier: kubernetes.tier },
        supportPlan: kubernetes.tier === "Premium" ? "AKSLongTermSupport" : "KubernetesOfficial",
        kubernetesVersion: kubernetes.version,
        dnsPrefix: names.cluster,
        identity: { type: "UserAssigned", userAssignedIdentities: [identities.controlPlane.id] },
        identityProfile: { kubeletidentity: kubeletIdentity(identities.nodes) },
        // Who one is, Entra ID says; what one may, Azure. A password that works for ever there is not.
        disableLocalAccounts: true,
        enableRBAC: true,
        aadProfile: {
          managed: true,
          tenantID: azure.tenant,
          enableAzureRBAC: true,
          adminGroupObjectIDs: [...kubernetes.adminGroups],
        },
        oidcIssuerProfile: { enabled: true },
        ...(args.managedPrometheus && { azureMonitorProfile: { metrics: { enabled: true } } }),
        securityProfile: {
          workloadIdentity: { enabled: true },
          imageCleaner: { enabled: true, intervalHours: 168 },
          ...(kubernetes.defender && {
            defender: { logAnalyticsWorkspaceResourceId: workspaceId, securityMonitoring: { enabled: true } },
          }),
        },
        apiServerAccessProfile: kubernetes.privateApiServer
          ? { enablePrivateCluster: true, privateDNSZone: "system", enablePrivateClusterPublicFQDN: false }
          : { enablePrivateCluster: false, authorizedIPRanges: [...kubernetes.authorisedRanges] },
        networkProfile: {
          networkPlugin: "azure",
          networkPluginMode: "overlay",
          networkDataplane: "cilium",
          networkPolicy: "cilium",
          podCidr: network.podNetwork,
          serviceCidr: network.serviceNetwork,
          dnsServiceIP: plan.dnsServiceAddress,
          loadBalancerSku: "standard",
          outboundType: "loadBalancer",
        },
        autoUpgradeProfile: { upgradeChannel: "patch", nodeOSUpgradeChannel: "NodeImage" },
        storageProfile: {
          diskCSIDriver: { enabled: true },
          snapshotController: { enabled: true },
          // Not used: what is not there needs no watching.
          blobCSIDriver: { enabled: false },
          fileCSIDriver: { enabled: false },
        },
        agentPoolProfiles: [
          {
            name: systemPoolName,
            mode: "System",
            type: "VirtualMachineScaleSets",
            enableAutoScaling: true,
            count: kubernetes.systemPool.min,
            minCount: kubernetes.systemPool.min,
            maxCount: kubernetes.systemPool.max,
            ...nodes(kubernetes.systemPool.size, nodeSubnetId, place),
          },
        ],
      },
      {
        parent: this,
        protect: azure.protect,
        // The autoscaler's number is not ours to set back.
        ignoreChanges: ["agentPoolProfiles[0].count"],
        dependsOn: identities,
      },
    );
  }

  private makeDatabasePool({ place, nodeSubnetId }: AksArgs): void {
    const { azure, resourceGroupName } = place;
    const { size, nodes: count, spot } = azure.kubernetes.databasePool;
    new AgentPool(
      "database-nodes",
      {
        agentPoolName: databasePoolName,
        resourceGroupName,
        resourceName: this.clusterName,
        mode: "User",
        type: "VirtualMachineScaleSets",
        count,
        maxPods: podsOfDatabaseNode,
        orchestratorVersion: azure.kubernetes.version,
        nodeLabels: dedicatedNodes.labels,
        nodeTaints: [...dedicatedNodes.taints],
        ...(spot && { scaleSetPriority: "Spot", scaleSetEvictionPolicy: "Delete", spotMaxPrice: -1 }),
        ...nodes(size, nodeSubnetId, place),
        // Spot nodes cannot surge: Azure replaces one after the other.
        ...(!spot && { upgradeSettings: upgrade }),
      },
      { parent: this },
    );
  }

  private maintenance(
    { azure, resourceGroupName }: Place,
    configName: "aksManagedAutoUpgradeSchedule" | "aksManagedNodeOSUpgradeSchedule",
  ): void {
    const { day, startHour, hours } = azure.kubernetes.maintenance;
    new MaintenanceConfiguration(
      configName,
      {
        configName,
        resourceGroupName,
        resourceName: this.clusterName,
        maintenanceWindow: {
          schedule: { weekly: { dayOfWeek: day, intervalWeeks: 1 } },
          startTime: `${String(startHour).padStart(2, "0")}:00`,
          durationHours: hours,
          utcOffset: "+00:00",
        },
      },
      { parent: this },
    );
  }
}

/** A member is drained only when the others are whole again: the PodDisruptionBudget says so, this gives it the time. */
const upgrade = {
  maxSurge: String(upgradeSurge),
  drainTimeoutInMinutes: 60,
  nodeSoakDurationInMinutes: 5,
  undrainableNodeBehavior: "Cordon",
} as const;

function nodes(vmSize: string, vnetSubnetID: pulumi.Input<string>, { azure, tags }: Place) {
  return {
    vmSize,
    vnetSubnetID,
    availabilityZones: [...azure.zones],
    osType: "Linux",
    osSKU: "AzureLinux",
    ...osDisk(vmSize),
    // Answers from an address of the node, which the pods' policies don't know.
    localDNSProfile: { mode: "Disabled" },
    // Temporary disks and the caches of others too, not only the disks themselves.
    enableEncryptionAtHost: true,
    tags,
  };
}

function kubeletIdentity({ id, resource: { clientId, principalId } }: Identity) {
  return { resourceId: id, clientId, objectId: principalId };
}
