// infra/database/index.ts - the database in a Kubernetes: closed namespaces, certificates, a replicated cluster, and the
// pooler through which applications reach it.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterSettings, KubernetesSettings, StackConfig } from "../config";
import { findApiServer, statedApiServer } from "../kubernetes/apiServer";
import type { Addresses } from "../kubernetes/flows";
import { type NamespaceKey, namespaceNames } from "../kubernetes/namespaceNames";
import { Namespaces } from "../kubernetes/namespaces";
import { NetworkPolicies } from "../kubernetes/networkPolicyResources";
import type { Kubernetes } from "../kubernetes/provider";
import { DatabaseAccount, PowerlessAccount } from "../kubernetes/serviceAccount";
import type { MonitoringSettings } from "../monitoring/settings";
import type { ConnectionTarget } from "../schema/postgres";
import { BackupJobs } from "./backups/jobs";
import type { BackupSettings } from "./backups/settings";
import { Certificates } from "./certificates";
import { DatabaseCluster } from "./cluster";
import type { ClusterAddress } from "./clusterAddress";
import { activeColour, caConfigMap } from "./clusterNames";
import { postgresParameters } from "./parameters";
import { Pooler } from "./pooler";

export interface DatabaseArgs {
  settings: ClusterSettings;
  kubernetes: KubernetesSettings;
  provider: kubernetes.Provider;
  target: ConnectionTarget;
  /** undefined where nothing watches. */
  monitoring: MonitoringSettings | undefined;
  dropData: boolean;
  /** Of backups, where the platform keeps it. */
  encryptionKey: pulumi.Input<string> | undefined;
}

export class Database extends pulumi.ComponentResource {
  readonly adminPassword: pulumi.Output<string>;
  /** Without it no backup can be read. undefined where there are none. */
  readonly backupKey: pulumi.Output<string> | undefined;
  /** The CA that signed the certificates of pooler and database, as PEM. */
  readonly caPem: pulumi.Output<string>;
  /** Where applications go. */
  readonly pooler: Pooler;
  readonly address: ClusterAddress;
  readonly namespaces: Namespaces;
  readonly certificates: Certificates;
  /** What has to be there before anyone can log in. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:database:Database", name, {}, { ...opts, providers: [args.provider] });
    const { settings } = args;
    const child = { parent: this };
    this.address = {
      name: activeColour,
      namespace: namespaceNames.database,
      members: settings.members,
    };
    const { address } = this;
    const watched = args.monitoring !== undefined;
    this.namespaces = new Namespaces("namespaces", { watched }, child);
    const { namespaces } = this;
    const { apiServer } = args.kubernetes;
    const policies = new NetworkPolicies(
      "network-policies",
      {
        namespaces,
        apiServer: apiServer === undefined ? findApiServer(child) : statedApiServer(apiServer),
        others: { ...storageAddresses(settings.backups), ...monitoringAddresses(args.monitoring) },
        managed: args.monitoring?.place === "azure",
      },
      child,
    );
    this.certificates = new Certificates("certificates", { keyVersion: settings.keyVersion }, child);
    const { certificates } = this;
    const caPlaces: NamespaceKey[] = ["database", "pooler", ...(watched ? (["monitoring"] as const) : [])];
    const caMaps = caPlaces.map((where) => this.caConfigMap(where, namespaces, certificates));
    // Before the policies there would be a moment in which pods run and nothing is denied.
    const guarded = { parent: this, dependsOn: [policies, ...caMaps] };

    const namespace = namespaces.name("database");
    const account = new DatabaseAccount("database", { namespace }, child);
    const cluster = new DatabaseCluster(
      activeColour,
      {
        address,
        namespace,
        accountName: account.accountName,
        settings,
        parameters: postgresParameters(settings),
        database: args.target.database,
        admin: args.target.user,
        podNetwork: args.kubernetes.podNetwork,
        certificates,
        dropData: args.dropData,
        encryptionKey: args.encryptionKey,
      },
      guarded,
    );
    const { backups } = settings;
    if (backups !== undefined) {
      new BackupJobs(
        "backups",
        { colour: activeColour, namespace, settings, backups, certificates },
        { parent: this, dependsOn: [cluster] },
      );
    }
    this.backupKey = cluster.backupKey;
    this.caPem = certificates.caPem;
    this.adminPassword = cluster.adminPassword;
    this.pooler = this.makePooler(args, address, namespaces, certificates, guarded);
    this.ready = [cluster, this.pooler];
    this.registerOutputs({});
  }

  private caConfigMap(where: NamespaceKey, namespaces: Namespaces, certificates: Certificates) {
    return new kubernetes.core.v1.ConfigMap(
      `${where}-ca`,
      {
        metadata: { name: caConfigMap, namespace: namespaces.name(where) },
        data: { "ca.pem": certificates.caPem },
      },
      { parent: this },
    );
  }

  private makePooler(
    { settings, monitoring }: DatabaseArgs,
    cluster: ClusterAddress,
    namespaces: Namespaces,
    certificates: Certificates,
    opts: pulumi.ComponentResourceOptions,
  ): Pooler {
    const namespace = namespaces.name("pooler");
    const account = new PowerlessAccount("pooler", { namespace }, { parent: this });
    const { pooler } = settings;
    return new Pooler(
      "pooler",
      {
        namespace,
        accountName: account.accountName,
        images: {
          pgbouncer: pooler.image,
          haproxy: pooler.haproxyImage,
          exporter: monitoring?.images.pgbouncerExporter,
        },
        cluster,
        certificates,
        pool: pooler,
        adminPasswordVersion: settings.passwordVersion,
      },
      opts,
    );
  }
}

/** What the program provisions of a stack's database, if anything. */
export function provisionDatabase(
  config: StackConfig,
  place: Kubernetes | undefined,
  encryptionKey: pulumi.Input<string> | undefined,
): Database | undefined {
  const { cluster, kubernetes, database, destroy, monitoring } = config;
  if (place === undefined || cluster === undefined || kubernetes === undefined) return undefined;
  if (database.target === undefined) return undefined;
  if (cluster.backups === undefined) {
    void pulumi.log.warn(
      "backups.storage is not set: nothing of this database is backed up (docs/backups.md says how)",
    );
  }
  return new Database(
    "database",
    {
      settings: cluster,
      kubernetes,
      provider: place.provider,
      target: database.target,
      monitoring,
      dropData: destroy.dropTelemetry,
      encryptionKey,
    },
    { dependsOn: place.ready },
  );
}

/** Outsiders that backups need a way to. */
function storageAddresses(backups: BackupSettings | undefined): Omit<Addresses, "apiServer"> {
  const [first] = backups?.stores ?? [];
  if (backups === undefined || first === undefined) return {};
  const storage = { addresses: backups.stores.flatMap(({ addresses }) => addresses), port: first.port };
  const byIdentity = backups.stores.some(({ keyType }) => keyType === "auto");
  return { storage, ...(byIdentity && { identity: metadataService }) };
}

/** Outsiders that monitoring needs a way to. */
function monitoringAddresses(monitoring: MonitoringSettings | undefined): Omit<Addresses, "apiServer"> {
  if (monitoring === undefined) return {};
  const { outside, notify } = monitoring;
  const server = notify.email?.by;
  const mail = server && { addresses: server.addresses, port: Number(server.server.split(":").at(-1)) };
  return { ...(outside && { outside }), ...(mail && { mail }) };
}

/** Azure's Instance Metadata Service, at the same address on each machine. */
const metadataService = { addresses: ["169.254.169.254"], port: 80 };
