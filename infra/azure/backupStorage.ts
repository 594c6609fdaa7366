// infra/azure/backupStorage.ts - where backups go: encrypted, reachable from the nodes only, and kept for a while whatever
// anyone deletes.
import {
  BlobContainer,
  BlobServiceProperties,
  ManagementPolicy,
  StorageAccount,
} from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { known } from "../known";
import { blobCategories, type Logs } from "./logs";
import type { Subnets } from "./network";
import { idIn, type Place } from "./place";
import { PrivateAccess } from "./privateEndpoint";
import { grant } from "./roleAssignment";

const containerName = "pgbackrest";

export interface BackupStorageArgs {
  readonly place: Place;
  readonly subnets: Subnets;
  readonly logs: Logs;
  /** Object id of the identity that writes backups. */
  readonly writer: pulumi.Input<string>;
}

export class BackupStorage extends pulumi.ComponentResource {
  readonly accountName: pulumi.Output<string>;
  /** Resource id. */
  readonly accountId: pulumi.Output<string>;

  constructor(name: string, args: BackupStorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:azure:BackupStorage", name, {}, opts);
    const { place } = args;
    const { backupAccount } = place.names;
    const account = this.makeAccount(args);
    this.accountName = known(account, backupAccount);
    const id = idIn(place, "Microsoft.Storage/storageAccounts", backupAccount);
    this.accountId = known(account, id);
    const container = this.makeContainer(args);
    if (place.azure.network.privateEndpoints) {
      const endpoint = { place, subnets: args.subnets, to: "blob", serviceId: this.accountId } as const;
      new PrivateAccess("backups", endpoint, { parent: this });
    }
    args.logs.record("backups", known(account, `${id}/blobServices/default`), blobCategories);
    grant(
      "nodes-write-backups",
      place.azure.subscription,
      {
        principalId: args.writer,
        role: { builtIn: "Storage Blob Data Contributor" },
        scope: known(container, `${id}/blobServices/default/containers/${containerName}`),
        description: "pgBackRest writes, reads and expires backups",
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  private makeAccount({ place, subnets }: BackupStorageArgs): StorageAccount {
    const { azure, names, tags, resourceGroupName } = place;
    const { privateEndpoints } = azure.network;
    const { redundancy, immutableDays } = azure.backups;
    return new StorageAccount(
      "backups",
      {
        accountName: names.backupAccount,
        resourceGroupName,
        location: azure.region,
        tags,
        kind: "StorageV2",
        sku: { name: `Standard_${redundancy}` },
        accessTier: "Hot",
        enableHttpsTrafficOnly: true,
        minimumTlsVersion: "TLS1_2",
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        // Identities only: a key of the account would open everything for ever.
        allowSharedKeyAccess: false,
        isLocalUserEnabled: false,
        defaultToOAuthAuthentication: true,
        encryption: {
          keySource: "Microsoft.Storage",
          requireInfrastructureEncryption: true,
          services: { blob: { enabled: true, keyType: "Account" } },
        },
        publicNetworkAccess: privateEndpoints ? "Disabled" : "Enabled",
        networkRuleSet: {
          defaultAction: "Deny",
          bypass: "None",
          virtualNetworkRules: privateEndpoints ? [] : [{ virtualNetworkResourceId: subnets.nodes }],
        },
        // Of versions, not of the container: pgBackRest rewrites its catalogue, and what it was before is kept.
        ...(immutableDays > 0 && {
          immutableStorageWithVersioning: {
            enabled: true,
            immutabilityPolicy: {
              state: "Unlocked",
              immutabilityPeriodSinceCreationInDays: immutableDays,
              allowProtectedAppendWrites: false,
            },
          },
        }),
      },
      { parent: this, protect: azure.protect },
    );
  }

  private makeContainer({ place }: BackupStorageArgs): BlobContainer {
    const { azure, resourceGroupName } = place;
    const where = { accountName: this.accountName, resourceGroupName };
    const { softDeleteDays, immutableDays, coolAfterDays } = azure.backups;
    const kept = { enabled: softDeleteDays > 0, ...(softDeleteDays > 0 && { days: softDeleteDays }) };
    const service = new BlobServiceProperties(
      "backups",
      {
        ...where,
        blobServicesName: "default",
        isVersioningEnabled: true,
        deleteRetentionPolicy: kept,
        containerDeleteRetentionPolicy: kept,
      },
      { parent: this },
    );
    new ManagementPolicy(
      "backups",
      {
        ...where,
        managementPolicyName: "default",
        policy: {
          rules: [
            {
              name: "cheaper-with-age",
              type: "Lifecycle",
              definition: {
                filters: { blobTypes: ["blockBlob"] },
                actions: {
                  baseBlob: { tierToCool: { daysAfterModificationGreaterThan: coolAfterDays } },
                  // What was overwritten or deleted; not before nobody may insist on it any more.
                  version: {
                    delete: { daysAfterCreationGreaterThan: Math.max(softDeleteDays, immutableDays, 1) },
                  },
                },
              },
            },
          ],
        },
      },
      { parent: this, dependsOn: service },
    );
    return new BlobContainer(
      containerName,
      { ...where, containerName, publicAccess: "None" },
      { parent: this, protect: azure.protect, dependsOn: service },
    );
  }
}
