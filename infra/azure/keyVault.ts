// infra/azure/keyVault.ts - secrets that must outlive the cluster: without the key of the backups nothing can be restored
// after the cluster and this stack's state are gone.
import { Secret, Vault } from "@pulumi/azure-native/keyvault";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { known } from "../known";
import { keyVaultCategories, type Logs } from "./logs";
import type { Subnets } from "./network";
import { knownId, type Place } from "./place";
import { PrivateAccess } from "./privateEndpoint";

export interface SecretVaultArgs {
  readonly place: Place;
  readonly subnets: Subnets;
  readonly logs: Logs;
  /** Of backups that are there already, as the config states it. */
  readonly encryptionKey: string | undefined;
}

export class SecretVault extends pulumi.ComponentResource {
  /** Resource id. */
  readonly vaultId: pulumi.Output<string>;
  /** Encrypts backups. */
  readonly backupKey: pulumi.Output<string>;
  private readonly vault: Vault;

  constructor(
    name: string,
    private readonly args: SecretVaultArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:azure:SecretVault", name, {}, opts);
    this.vault = this.makeVault();
    this.vaultId = this.idOf(this.vault);
    args.logs.record("key-vault", this.vaultId, keyVaultCategories);
    this.backupKey = this.makeBackupKey();
    this.keep("backup-encryption-key", this.backupKey);
    this.registerOutputs({});
  }

  /** Keeps a copy of a secret. By Azure's control plane, so that it works where the vault has private addresses only. */
  keep(secretName: string, value: pulumi.Input<string>): void {
    const { azure, names, resourceGroupName, tags } = this.args.place;
    new Secret(
      secretName,
      {
        secretName,
        vaultName: known(this.vault, names.keyVault),
        resourceGroupName,
        tags,
        properties: { value },
      },
      // Deleting one wants the vault's own address, which is closed; they go with the vault.
      { parent: this, protect: azure.protect, retainOnDelete: true },
    );
  }

  private makeVault(): Vault {
    const { place, subnets } = this.args;
    const { azure, names, tags, resourceGroupName } = place;
    const { privateEndpoints } = azure.network;
    const vault = new Vault(
      "key-vault",
      {
        vaultName: names.keyVault,
        resourceGroupName,
        location: azure.region,
        tags,
        properties: {
          tenantId: azure.tenant,
          sku: { family: "A", name: "standard" },
          enableRbacAuthorization: true,
          enableSoftDelete: true,
          softDeleteRetentionInDays: 90,
          // For good: not even its owner can then empty it before the 90 days are over, nor use its name again.
          ...(azure.protect && { enablePurgeProtection: true }),
          publicNetworkAccess: privateEndpoints ? "Disabled" : "Enabled",
          networkAcls: {
            defaultAction: "Deny",
            bypass: "None",
            virtualNetworkRules: privateEndpoints ? [] : [{ id: subnets.nodes }],
          },
        },
      },
      { parent: this, protect: azure.protect },
    );
    if (privateEndpoints) {
      new PrivateAccess(
        "key-vault",
        { place, subnets, to: "vault", serviceId: this.idOf(vault) },
        { parent: this },
      );
    }
    return vault;
  }

  private idOf(vault: Vault): pulumi.Output<string> {
    const { place } = this.args;
    return knownId(vault, place, "Microsoft.KeyVault/vaults", place.names.keyVault);
  }

  private makeBackupKey(): pulumi.Output<string> {
    const { azure } = this.args.place;
    if (this.args.encryptionKey !== undefined) return pulumi.secret(this.args.encryptionKey);
    const key = new random.RandomPassword(
      "backup-encryption-key",
      { length: 64, special: false },
      { parent: this, protect: azure.protect },
    );
    return key.result;
  }
}
