// infra/monitoring/grafana.ts - Grafana with our dashboards, all of it from files: what somebody changes by hand is gone
// with the pod, and the repository has what everybody sees.
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { digest } from "../database/agentFiles";
import { secretVolume } from "../database/podParts";
import { dashboardsFolder, type GrafanaFiles } from "./dashboards/provisioning";
import { monitoringHost, monitoringPorts, monitoringServices } from "./names";
import { answers, container, MonitoringPlace } from "./place";

export interface GrafanaArgs {
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  image: string;
  files: GrafanaFiles;
  /** Raise it to give the administrator another password. */
  passwordVersion: number;
}

const paths = {
  provisioning: "/etc/grafana/provisioning",
  dashboards: dashboardsFolder,
  admin: "/secrets",
  data: "/var/lib/grafana/data",
} as const;

/** Where Grafana finds Prometheus. */
export const prometheusUrl = `http://${monitoringHost("prometheus")}:${monitoringPorts.prometheus}`;

export class Grafana extends pulumi.ComponentResource {
  constructor(name: string, args: GrafanaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:monitoring:Grafana", name, {}, opts);
    const place = new MonitoringPlace(this, args.namespace);
    const { files } = args;
    const password = new random.RandomPassword(
      "grafana-admin",
      { length: 32, special: false, keepers: { version: String(args.passwordVersion) } },
      { parent: this },
    ).result;
    const needs = [
      place.secret("grafana-admin", { password }),
      place.configMap("grafana-datasources", { "prometheus.yml": files.datasource }),
      place.configMap("grafana-providers", { "dashboards.yml": files.provider }),
      place.configMap("grafana-dashboards", { ...files.dashboards }),
    ];
    const { grafana: port } = monitoringPorts;
    const readOnly = (volume: string, mountPath: string) => ({ name: volume, mountPath, readOnly: true });
    place.deployment(
      monitoringServices.grafana,
      {
        serviceAccountName: args.accountName,
        automountServiceAccountToken: false,
        containers: [
          container({
            name: "grafana",
            image: args.image,
            env: Object.entries({
              GF_SECURITY_ADMIN_PASSWORD__FILE: `${paths.admin}/password`,
              GF_PATHS_DATA: paths.data,
              GF_PATHS_PROVISIONING: paths.provisioning,
              GF_SERVER_HTTP_PORT: String(port),
              // Nothing may leave: neither would get past the network policies.
              GF_ANALYTICS_REPORTING_ENABLED: "false",
              GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
              GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
              GF_PLUGINS_PREINSTALL_DISABLED: "true",
              GF_SECURITY_DISABLE_GRAVATAR: "true",
              GF_USERS_DEFAULT_THEME: "system",
              GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: `${paths.dashboards}/overview.json`,
            }).map(([variable, value]) => ({ name: variable, value })),
            ports: [{ name: "http", containerPort: port }],
            resources: { requests: { cpu: "25m", memory: "128Mi" }, limits: { memory: "512Mi" } },
            readinessProbe: { ...answers("/api/health", port), periodSeconds: 5 },
            startupProbe: { ...answers("/api/health", port), failureThreshold: 30 },
            livenessProbe: answers("/api/health", port),
            volumeMounts: [
              readOnly("datasources", `${paths.provisioning}/datasources`),
              readOnly("providers", `${paths.provisioning}/dashboards`),
              readOnly("dashboards", paths.dashboards),
              readOnly("admin", paths.admin),
              { name: "data", mountPath: paths.data },
              { name: "tmp", mountPath: "/tmp" },
              { name: "logs", mountPath: "/var/log/grafana" },
            ],
          }),
        ],
        volumes: [
          { name: "datasources", configMap: { name: "grafana-datasources" } },
          { name: "providers", configMap: { name: "grafana-providers" } },
          { name: "dashboards", configMap: { name: "grafana-dashboards" } },
          secretVolume("admin", "grafana-admin"),
          { name: "data", emptyDir: { sizeLimit: "512Mi" } },
          { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
          { name: "logs", emptyDir: { sizeLimit: "64Mi" } },
        ],
      },
      {
        dependsOn: needs,
        alone: true,
        startsWith: { "ms5.io/start": digest(files), "ms5.io/admin": password.apply(digest) },
      },
    );
    place.service(monitoringServices.grafana, { http: port });
    this.registerOutputs({});
  }
}
