// infra/monitoring/api.ts - the monitoring API and its status page. Over TLS: its tokens open what they name.
import * as pulumi from "@pulumi/pulumi";
import { digest } from "../database/agentFiles";
import type { Certificates } from "../database/certificates";
import { type ClusterAddress, primaryHost, serviceDnsNames } from "../database/clusterAddress";
import { caConfigMap } from "../database/clusterNames";
import { secretVolume } from "../database/podParts";
import { namespaceNames } from "../kubernetes/namespaceNames";
import { loginRoles } from "../schema/roleNames";
import { monitoringPorts, monitoringServices } from "./names";
import { answers, MonitoringPlace } from "./place";
import { type Programs, pageFolder, programContainer, programVolumes } from "./programs";
import type { ApiSettings, MonitoringSettings } from "./settings";

export interface MonitoringApiArgs {
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  cluster: ClusterAddress;
  database: string;
  settings: MonitoringSettings;
  /** Of each member's volume. */
  dataVolumeBytes: number;
  certificates: Certificates;
  /** Of ms5_monitor and ms5_reader. */
  passwords: { readonly monitor: pulumi.Output<string>; readonly reader: pulumi.Output<string> };
  programs: Programs;
}

const mounts = { ca: "/tls/ca", server: "/tls/server", logins: "/logins", keys: "/keys" } as const;
const keySet = "keys.json";

export class MonitoringApi extends pulumi.ComponentResource {
  constructor(name: string, args: MonitoringApiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:monitoring:Api", name, {}, opts);
    const { settings, passwords, programs } = args;
    const place = new MonitoringPlace(this, args.namespace);
    const { api: service } = monitoringServices;
    const logins = place.secret("monitoring-api-logins", {
      monitor: passwords.monitor,
      reader: passwords.reader,
    });
    const server = args.certificates.server(service, {
      dnsNames: [...serviceDnsNames(service, namespaceNames.monitoring), "localhost"],
    });
    const tls = place.secret("monitoring-api-tls", {
      "tls.crt": server.certificatePem,
      "tls.key": server.keyPem,
    });
    const stated = statedKeys(settings);
    const keys = stated === undefined ? [] : [place.configMap("monitoring-api-keys", { [keySet]: stated })];
    place.deployment(
      service,
      {
        serviceAccountName: args.accountName,
        automountServiceAccountToken: false,
        containers: [this.container(args)],
        volumes: [
          { name: "ca", configMap: { name: caConfigMap } },
          secretVolume("tls", "monitoring-api-tls"),
          secretVolume("logins", "monitoring-api-logins"),
          ...(stated === undefined ? [] : [{ name: "keys", configMap: { name: "monitoring-api-keys" } }]),
          ...programVolumes,
        ],
      },
      {
        dependsOn: [logins, tls, ...keys, programs.configMap],
        // It reads certificates once.
        startsWith: { "ms5.io/programs": programs.digest, "ms5.io/tls": server.certificatePem.apply(digest) },
      },
    );
    place.service(service, { https: monitoringPorts.api });
    this.registerOutputs({});
  }

  private container({ settings, cluster, database, dataVolumeBytes }: MonitoringApiArgs) {
    const { api: port } = monitoringPorts;
    const login = (role: string) => `postgres://${role}@${primaryHost(cluster)}:5432/${database}`;
    return programContainer("api", {
      name: "monitoring-api",
      image: settings.images.node,
      env: {
        MS5_MONITORING_LISTEN: `0.0.0.0:${port}`,
        MS5_MONITORING_TLS_CERTIFICATE_FILE: `${mounts.server}/tls.crt`,
        MS5_MONITORING_TLS_KEY_FILE: `${mounts.server}/tls.key`,
        MS5_MONITORING_DATABASE: login(loginRoles.monitor),
        MS5_MONITORING_PASSWORD_FILE: `${mounts.logins}/monitor`,
        MS5_MONITORING_TELEMETRY: login(loginRoles.reader),
        MS5_MONITORING_TELEMETRY_PASSWORD_FILE: `${mounts.logins}/reader`,
        MS5_MONITORING_CA_FILE: `${mounts.ca}/ca.pem`,
        MS5_MONITORING_PAGE: pageFolder,
        MS5_MONITORING_VOLUME_BYTES: String(dataVolumeBytes),
        ...(settings.api && tokenEnvironment(settings.api)),
      },
      ports: [{ name: "https", containerPort: port }],
      // Alive without a database: what it says of one that is away is what it is there for.
      readinessProbe: { ...answers("/alive", port, "HTTPS"), periodSeconds: 2 },
      livenessProbe: answers("/alive", port, "HTTPS"),
      volumeMounts: [
        { name: "ca", mountPath: mounts.ca, readOnly: true },
        { name: "tls", mountPath: mounts.server, readOnly: true },
        { name: "logins", mountPath: mounts.logins, readOnly: true },
        ...(statedKeys(settings) === undefined
          ? []
          : [{ name: "keys", mountPath: mounts.keys, readOnly: true }]),
      ],
    });
  }
}

/** The key set that the config has itself, instead of where it is. */
function statedKeys({ api }: MonitoringSettings): string | undefined {
  return api !== undefined && "set" in api.keys ? api.keys.set : undefined;
}

function tokenEnvironment({ issuer, audience, keys, rolesClaim }: ApiSettings): Record<string, string> {
  return {
    MS5_MONITORING_ISSUER: issuer,
    MS5_MONITORING_AUDIENCE: audience,
    MS5_MONITORING_ROLES_CLAIM: rolesClaim,
    ...("url" in keys
      ? { MS5_MONITORING_JWKS_URL: keys.url }
      : { MS5_MONITORING_JWKS_FILE: `${mounts.keys}/${keySet}` }),
  };
}
