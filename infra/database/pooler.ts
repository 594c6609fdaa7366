// infra/database/pooler.ts - PgBouncer in front of one cluster: clients keep their connections while the primary behind
// them changes. HAProxy in the same pod knows which member that is.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { known } from "../known";
import { NamespaceObjects } from "../kubernetes/namespaceObjects";
import { digest } from "./agentFiles";
import type { Certificates } from "./certificates";
import { type ClusterAddress, serviceDnsNames } from "./clusterAddress";
import { renderHaproxyCfg, renderHold } from "./haproxyCfg";
import {
  consoleRole,
  lookupRole,
  renderPgbouncerHba,
  renderPgbouncerIni,
  restartSettings,
  statisticsRole,
} from "./pgbouncerIni";
import { poolerFiles, poolerPorts } from "./poolerPlaces";
import { poolerLabels, poolerPod, poolerSecrets, statisticsPassword } from "./poolerPod";
import { renderRun } from "./poolerRun";
import type { PoolSettings } from "./poolSizes";

export interface PoolerArgs {
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  /** `exporter`: where something watches. */
  images: { pgbouncer: string; haproxy: string; exporter: string | undefined };
  cluster: ClusterAddress;
  certificates: Certificates;
  pool: PoolSettings;
  /** Raise it to give the console another password. */
  adminPasswordVersion: number;
}

export class Pooler extends pulumi.ComponentResource {
  /** Where applications go: HOST:PORT. */
  readonly endpoint: pulumi.Output<string>;
  private readonly objects: NamespaceObjects;

  constructor(
    private readonly name: string,
    private readonly args: PoolerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:database:Pooler", name, {}, opts);
    this.objects = new NamespaceObjects(this, args.namespace);
    const config = this.config();
    const secrets = [this.tls(), this.console()];
    const deployment = this.deployment([config, ...secrets]);
    const service = this.service(deployment);
    this.disruptionBudget();
    this.endpoint = pulumi.interpolate`${known(service, this.name)}.${this.args.namespace}.svc:${poolerPorts.clients}`;
    this.registerOutputs({ endpoint: this.endpoint });
  }

  private config(): pulumi.Resource {
    const { pool, cluster, certificates } = this.args;
    const data = {
      [poolerFiles.pgbouncerIni]: renderPgbouncerIni(pool, cluster),
      [poolerFiles.hba]: renderPgbouncerHba(),
      [poolerFiles.haproxyCfg]: renderHaproxyCfg(pool, cluster),
      [poolerFiles.hold]: renderHold(cluster),
      [poolerFiles.run]: renderRun(),
      [poolerFiles.ca]: certificates.caPem,
    };
    return this.objects.configMap(`${this.name}-config`, data);
  }

  private tls(): pulumi.Resource {
    const { certificates, namespace } = this.args;
    const dnsNames = pulumi.output(namespace).apply((name) => serviceDnsNames(this.name, name));
    const server = certificates.server(this.name, { dnsNames });
    const client = certificates.client(`${this.name}-lookup`, { commonName: lookupRole });
    return this.objects.secret(poolerSecrets.tls, {
      [poolerFiles.serverCertificate]: server.certificatePem,
      [poolerFiles.serverKey]: server.keyPem,
      [poolerFiles.clientCertificate]: client.certificatePem,
      [poolerFiles.clientKey]: client.keyPem,
    });
  }

  private console(): pulumi.Resource {
    const password = this.password("console");
    const statistics = this.password("statistics");
    return this.objects.secret(poolerSecrets.console, {
      password,
      [statisticsPassword]: statistics,
      [poolerFiles.users]: pulumi.interpolate`"${consoleRole}" "${password}"\n"${statisticsRole}" "${statistics}"\n`,
    });
  }

  private password(of: string): pulumi.Output<string> {
    return new random.RandomPassword(
      `${this.name}-${of}`,
      { length: 32, special: false, keepers: { version: String(this.args.adminPasswordVersion) } },
      { parent: this },
    ).result;
  }

  private deployment(dependsOn: pulumi.Resource[]): kubernetes.apps.v1.Deployment {
    const { images, cluster, accountName, pool, certificates } = this.args;
    return new kubernetes.apps.v1.Deployment(
      this.name,
      {
        metadata: this.objects.metadata(this.name),
        spec: {
          replicas: pool.replicas,
          selector: { matchLabels: poolerLabels },
          // One more at a time, never one less: an update takes no connection away that another pod has not got.
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: poolerPod({
            images,
            cluster,
            accountName,
            clientConnections: pool.clientConnections,
            // PgBouncer reads everything else again when it changes. HAProxy would too, but leave the connections it has
            // to a process that checks no server any more.
            startsWith: {
              "ms5.io/start": digest([
                restartSettings,
                renderRun(),
                renderHaproxyCfg(pool, cluster),
                renderHold(cluster),
              ]),
              "ms5.io/ca": certificates.caPem.apply(digest),
            },
          }),
        },
      },
      { parent: this, dependsOn },
    );
  }

  private service(deployment: pulumi.Resource): kubernetes.core.v1.Service {
    return new kubernetes.core.v1.Service(
      this.name,
      {
        metadata: this.objects.metadata(this.name),
        spec: { selector: poolerLabels, ports: [{ name: "postgres", port: poolerPorts.clients }] },
      },
      { parent: this, dependsOn: [deployment] },
    );
  }

  private disruptionBudget(): void {
    new kubernetes.policy.v1.PodDisruptionBudget(
      this.name,
      {
        metadata: this.objects.metadata(this.name),
        spec: { maxUnavailable: 1, selector: { matchLabels: poolerLabels } },
      },
      { parent: this },
    );
  }
}
