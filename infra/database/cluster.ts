// infra/database/cluster.ts - one coloured database cluster: three PostgreSQL servers under Patroni, of which one takes
// writes and another has each of them before it is acknowledged.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { ClusterSettings } from "../config";
import { NamespaceObjects } from "../kubernetes/namespaceObjects";
import { agentFiles, digest } from "./agentFiles";
import { agentSettings } from "./agentSettings";
import { keysFile, renderKeys, renderPgbackrestConf, storeCaFiles } from "./backups/pgbackrestConf";
import type { Certificates } from "./certificates";
import { type ClusterAddress, serverDnsNames, serviceNames } from "./clusterAddress";
import { credentialsSecret, memberLabels } from "./clusterNames";
import { fixedParameters, type Parameters, patroniConfig } from "./patroniConfig";
import { mountNames } from "./podParts";
import { databasePod } from "./podSpec";
import { byEffect } from "./postgresSettings";
import { Rollout } from "./rollout/resource";

export interface DatabaseClusterArgs {
  address: ClusterAddress;
  /** Of the namespace the pods live in. */
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  settings: ClusterSettings;
  parameters: Parameters;
  database: string;
  admin: string;
  podNetwork: string;
  certificates: Certificates;
  /** Whether `destroy` deletes the volumes. */
  dropData: boolean;
  /** Of its backups, where something else keeps it; else one is made. */
  encryptionKey: pulumi.Input<string> | undefined;
}

export class DatabaseCluster extends pulumi.ComponentResource {
  /** Of the administrator, as which the program works in the database. */
  readonly adminPassword: pulumi.Output<string>;
  /** Without it no backup can be read. undefined where there are none. */
  readonly backupKey: pulumi.Output<string> | undefined;
  readonly members: kubernetes.apps.v1.StatefulSet;
  /** The primary's Service. */
  readonly primary: kubernetes.core.v1.Service;
  private readonly objects: NamespaceObjects;

  constructor(
    private readonly name: string,
    private readonly args: DatabaseClusterArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:database:Cluster", name, {}, opts);
    this.objects = new NamespaceObjects(this, args.namespace);
    this.adminPassword = this.credentials();
    const { revision, settings } = this.settings();
    const agent = this.agent();
    const certificates = this.certificates();
    const headless = this.membersService();
    const volumes = this.volumes();
    const needs = [settings, agent, ...certificates, headless, ...volumes];
    this.backupKey = this.encryptionKey();
    if (this.backupKey !== undefined) needs.push(this.backupKeys(this.backupKey));
    this.members = this.statefulSet(needs);
    this.disruptionBudget();
    const rollout = this.rollout(revision);
    this.primary = this.roleService("primary", rollout);
    this.roleService("replica", rollout);
    this.registerOutputs({});
  }

  private credentials(): pulumi.Output<string> {
    const { passwordVersion } = this.args.settings;
    const password = new random.RandomPassword(
      `${this.name}-admin`,
      { length: 32, special: false, keepers: { version: String(passwordVersion) } },
      { parent: this },
    ).result;
    this.objects.secret(credentialsSecret(this.name), { password });
    return password;
  }

  private settings(): { revision: string; settings: pulumi.Resource } {
    const { address, database, admin, podNetwork, parameters, settings: stated } = this.args;
    const { backups, recover } = stated;
    const patroni = patroniConfig({ cluster: address, database, admin, podNetwork, parameters, recover });
    const agent = this.agentSettings();
    const revision = digest([patroni, agent]);
    const settings = this.objects.configMap(mountNames(this.name).settings, {
      "patroni.yml": readable(patroni),
      "agent.json": readable({ ...agent, revision }),
      ...(backups && { "pgbackrest.conf": renderPgbackrestConf(backups), ...storeCaFiles(backups) }),
    });
    return { revision, settings };
  }

  private agentSettings(): object {
    const { address, database, admin, settings } = this.args;
    return agentSettings({ address, database, admin, settings });
  }

  private encryptionKey(): pulumi.Output<string> | undefined {
    const { encryptionKey, settings } = this.args;
    if (settings.backups === undefined) return undefined;
    const stated = settings.backups.encryptionKey ?? encryptionKey;
    if (stated !== undefined) return pulumi.secret(stated);
    const key = new random.RandomPassword(
      `${this.name}-backup-key`,
      { length: 64, special: false },
      { parent: this },
    );
    return key.result;
  }

  private backupKeys(encryptionKey: pulumi.Output<string>): pulumi.Resource {
    const { backups } = this.args.settings;
    const text = encryptionKey.apply((key) => (backups === undefined ? "" : renderKeys(backups, key)));
    return this.objects.secret(mountNames(this.name).backupKeys, { [keysFile]: pulumi.secret(text) });
  }

  private agent(): pulumi.Resource {
    return this.objects.configMap(mountNames(this.name).agent, agentFiles());
  }

  private certificates(): pulumi.Resource[] {
    const { certificates, address } = this.args;
    const names = mountNames(this.name);
    const server = certificates.server(this.name, { dnsNames: serverDnsNames(address) });
    const robots: Record<string, pulumi.Output<string>> = {};
    for (const robot of ["replicator", "rewind", "patroni"]) {
      const client = certificates.client(`${this.name}-${robot}`, { commonName: robot });
      robots[`${robot}.crt`] = client.certificatePem;
      robots[`${robot}.key`] = client.keyPem;
    }
    return [
      this.objects.secret(names.serverTls, { "tls.crt": server.certificatePem, "tls.key": server.keyPem }),
      this.objects.secret(names.robotTls, robots),
    ];
  }

  /** Of our own making, not the StatefulSet's: those can be grown, and outlive it. */
  private volumes(): pulumi.Resource[] {
    const { members } = this.args.address;
    return Array.from({ length: members }, (_, index) =>
      this.volumeClaims().map(
        ({ metadata, spec }) =>
          new kubernetes.core.v1.PersistentVolumeClaim(
            `${metadata.name}-${this.name}-${index}`,
            { metadata: this.objects.metadata(`${metadata.name}-${this.name}-${index}`), spec },
            { parent: this, retainOnDelete: !this.args.dropData },
          ),
      ),
    ).flat();
  }

  private volumeClaims() {
    const { settings } = this.args;
    const claim = (name: string, size: string, storageClassName: string | undefined) => ({
      metadata: { name },
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: size } },
        ...(storageClassName === undefined ? {} : { storageClassName }),
      },
    });
    return [
      claim("data", settings.dataVolume, settings.storageClass),
      claim("wal", settings.walVolume, settings.walStorageClass),
    ];
  }

  private podArgs() {
    const { address, settings } = this.args;
    const { image, cpu, memory, dedicatedNodes } = settings;
    const startsWith = { "ms5.io/agent": digest([agentFiles(), this.agentSettings()]) };
    const backups = settings.backups !== undefined;
    return { cluster: address, image, cpu, memory, dedicatedNodes, backups, startsWith };
  }

  private statefulSet(dependsOn: pulumi.Resource[]): kubernetes.apps.v1.StatefulSet {
    const { address } = this.args;
    const template = databasePod({ ...this.podArgs(), accountName: this.args.accountName });
    return new kubernetes.apps.v1.StatefulSet(
      this.name,
      {
        metadata: this.objects.metadata(this.name),
        spec: {
          serviceName: serviceNames(address).members,
          replicas: address.members,
          selector: { matchLabels: memberLabels(this.name) },
          template,
          volumeClaimTemplates: this.volumeClaims(),
          // After a loss of all, each comes up by itself: the one with the lock may not be the first.
          podManagementPolicy: "Parallel",
          // By number would meet the primary at any time: the rollout takes replicas first and the primary last.
          updateStrategy: { type: "OnDelete" },
        },
      },
      {
        parent: this,
        dependsOn,
        // What it says of volumes holds for the first ones only, and cannot be changed: the claims above are what counts.
        ignoreChanges: ["spec.volumeClaimTemplates"],
        // What is restored first may be terabytes.
        customTimeouts: { create: this.args.settings.recover === undefined ? "10m" : "24h", update: "20m" },
      },
    );
  }

  private rollout(revision: string): pulumi.Resource {
    const { parameters, settings } = this.args;
    return new Rollout(
      this.name,
      {
        colour: this.name,
        pods: digest(databasePod({ ...this.podArgs(), accountName: "" })),
        ...byEffect({ ...fixedParameters, ...parameters }),
        revision,
        passwordVersion: settings.passwordVersion,
      },
      { parent: this, dependsOn: [this.members] },
    );
  }

  /** Gives members their names, before they are ready: they need each other to become it. */
  private membersService(): pulumi.Resource {
    const { members } = serviceNames(this.args.address);
    return new kubernetes.core.v1.Service(
      members,
      {
        metadata: this.objects.metadata(members),
        spec: {
          clusterIP: "None",
          publishNotReadyAddresses: true,
          selector: memberLabels(this.name),
          ports: [
            { name: "postgres", port: 5432 },
            { name: "patroni", port: 8008 },
            { name: "agent", port: 8009 },
            ...(this.args.settings.backups ? [{ name: "pgbackrest", port: 8432 }] : []),
          ],
        },
      },
      { parent: this },
    );
  }

  private roleService(role: "primary" | "replica", rollout: pulumi.Resource): kubernetes.core.v1.Service {
    const name = serviceNames(this.args.address)[role];
    return new kubernetes.core.v1.Service(
      name,
      {
        metadata: this.objects.metadata(name),
        spec: {
          selector: { ...memberLabels(this.name), role },
          ports: [{ name: "postgres", port: 5432 }],
        },
      },
      { parent: this, dependsOn: [rollout] },
    );
  }

  private disruptionBudget(): void {
    new kubernetes.policy.v1.PodDisruptionBudget(
      this.name,
      {
        metadata: this.objects.metadata(this.name),
        spec: { maxUnavailable: 1, selector: { matchLabels: memberLabels(this.name) } },
      },
      { parent: this },
    );
  }
}

function readable(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
