// infra/monitoring/exporter.ts - the pod that asks the database for metrics: postgres_exporter for every member, and our
// exporter for what TimescaleDB does, with the probe that goes the way clients go.
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { digest } from "../database/agentFiles";
import { type ClusterAddress, primaryHost } from "../database/clusterAddress";
import { caConfigMap } from "../database/clusterNames";
import { secretVolume } from "../database/podParts";
import { poolerDatabases, poolerPorts } from "../database/poolerPlaces";
import { namespaceNames } from "../kubernetes/namespaceNames";
import { loginRoles } from "../schema/roleNames";
import { monitoringPorts, monitoringServices } from "./names";
import { answers, container, MonitoringPlace } from "./place";
import { type Programs, programContainer, programVolumes } from "./programs";
import { authModule } from "./prometheusConfig";
import type { MonitoringSettings } from "./settings";

export interface ExporterArgs {
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  cluster: ClusterAddress;
  database: string;
  settings: MonitoringSettings;
  /** Of ms5_monitor. */
  password: pulumi.Output<string>;
  programs: Programs;
}

const mounts = { ca: "/tls/ca", login: "/login" } as const;
const files = { password: "password", postgresExporter: "postgres_exporter.yml" } as const;

export class Exporter extends pulumi.ComponentResource {
  constructor(name: string, args: ExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:monitoring:Exporter", name, {}, opts);
    const place = new MonitoringPlace(this, args.namespace);
    const { exporter } = monitoringServices;
    const login = place.secret("exporter-login", {
      [files.password]: args.password,
      [files.postgresExporter]: args.password.apply(renderPostgresExporter),
    });
    place.deployment(
      exporter,
      {
        serviceAccountName: args.accountName,
        automountServiceAccountToken: false,
        containers: [this.postgresExporter(args), this.timescaledbExporter(args)],
        volumes: [
          { name: "ca", configMap: { name: caConfigMap } },
          secretVolume("login", "exporter-login"),
          ...programVolumes,
        ],
      },
      {
        dependsOn: [login, args.programs.configMap],
        // postgres_exporter reads its login once.
        startsWith: { "ms5.io/login": args.password.apply(digest), "ms5.io/programs": args.programs.digest },
      },
    );
    place.service(exporter, {
      postgres: monitoringPorts.postgresExporter,
      timescaledb: monitoringPorts.timescaledbExporter,
    });
    this.registerOutputs({});
  }

  private postgresExporter({ settings }: ExporterArgs) {
    const { postgresExporter: port } = monitoringPorts;
    return container({
      name: "postgres-exporter",
      image: settings.images.postgresExporter,
      args: [
        `--config.file=${mounts.login}/${files.postgresExporter}`,
        `--web.listen-address=:${port}`,
        // One series for each table: chunks are tables, and there are thousands of them.
        "--no-collector.stat_user_tables",
        "--no-collector.statio_user_tables",
      ],
      ports: [{ name: "postgres", containerPort: port }],
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
      readinessProbe: { ...answers("/", port), periodSeconds: 2 },
      livenessProbe: answers("/", port),
      volumeMounts: [
        { name: "ca", mountPath: mounts.ca, readOnly: true },
        { name: "login", mountPath: mounts.login, readOnly: true },
      ],
    });
  }

  private timescaledbExporter({ settings, cluster, database }: ExporterArgs) {
    const { timescaledbExporter: port } = monitoringPorts;
    const { monitor } = loginRoles;
    const pooler = `pooler.${namespaceNames.pooler}.svc:${poolerPorts.clients}`;
    return programContainer("exporter", {
      name: "timescaledb-exporter",
      image: settings.images.node,
      env: {
        MS5_EXPORTER_LISTEN: `0.0.0.0:${port}`,
        MS5_EXPORTER_DATABASE: `postgres://${monitor}@${primaryHost(cluster)}:5432/${database}`,
        MS5_EXPORTER_PROBE_WRITE: `postgres://${monitor}@${pooler}/${poolerDatabases.readWrite}`,
        MS5_EXPORTER_PROBE_READ: `postgres://${monitor}@${pooler}/${poolerDatabases.readOnly}`,
        MS5_EXPORTER_PASSWORD_FILE: `${mounts.login}/${files.password}`,
        MS5_EXPORTER_CA_FILE: `${mounts.ca}/ca.pem`,
      },
      ports: [{ name: "timescaledb", containerPort: port }],
      readinessProbe: { ...answers("/healthz", port), periodSeconds: 2 },
      livenessProbe: answers("/healthz", port),
      volumeMounts: [
        { name: "ca", mountPath: mounts.ca, readOnly: true },
        { name: "login", mountPath: mounts.login, readOnly: true },
      ],
    });
  }
}

/** How postgres_exporter logs in at whichever member it is asked about. */
export function renderPostgresExporter(password: string): string {
  return stringify({
    auth_modules: {
      [authModule]: {
        type: "userpass",
        userpass: { username: loginRoles.monitor, password },
        options: { sslmode: "verify-full", sslrootcert: `${mounts.ca}/ca.pem`, connect_timeout: "5" },
      },
    },
  });
}
