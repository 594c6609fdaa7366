// infra/monitoring/prometheus.ts - Prometheus: what it collects, its rules, its volume.
import * as pulumi from "@pulumi/pulumi";
import { digest } from "../database/agentFiles";
import type { ClusterAddress } from "../database/clusterAddress";
import { caConfigMap } from "../database/clusterNames";
import { secretVolume } from "../database/podParts";
import { parseBytes } from "../database/quantity";
import { monitoringPorts, monitoringServices } from "./names";
import { answers, container, MonitoringPlace } from "./place";
import { prometheusPaths, remoteWriteToken, renderPrometheusConfig } from "./prometheusConfig";
import type { MonitoringSettings } from "./settings";

export interface PrometheusArgs {
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  stack: string;
  environment: string;
  cluster: ClusterAddress;
  database: string;
  settings: MonitoringSettings;
  /** Text of its files of rules, by name. */
  rules: Readonly<Record<string, string>>;
}

export class Prometheus extends pulumi.ComponentResource {
  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:monitoring:Prometheus", name, {}, opts);
    const { settings } = args;
    const { remoteWrite } = settings;
    const place = new MonitoringPlace(this, args.namespace);
    const config = renderPrometheusConfig({
      ...args,
      remoteWrite: remoteWrite && { url: remoteWrite.url, withToken: remoteWrite.token !== undefined },
    });
    const secrets =
      remoteWrite?.token === undefined
        ? []
        : [place.secret("prometheus-secrets", { [remoteWriteToken]: pulumi.secret(remoteWrite.token) })];
    const needs = [
      place.configMap("prometheus-config", { "prometheus.yml": config }),
      place.configMap("prometheus-rules", { ...args.rules }),
      place.claim("prometheus-data", settings.volume, settings.storageClass),
      ...secrets,
    ];
    const { prometheus: port } = monitoringPorts;
    place.deployment(
      monitoringServices.prometheus,
      {
        serviceAccountName: args.accountName,
        terminationGracePeriodSeconds: 60,
        containers: [
          container({
            name: "prometheus",
            image: settings.images.prometheus,
            args: [
              `--config.file=${prometheusPaths.config}/prometheus.yml`,
              `--storage.tsdb.path=${prometheusPaths.data}`,
              `--storage.tsdb.retention.time=${settings.retention.seconds}s`,
              `--storage.tsdb.retention.size=${retentionBytes(settings.volume)}B`,
              `--web.listen-address=:${port}`,
            ],
            ports: [{ name: "http", containerPort: port }],
            // Some thousand series (docs/monitoring.md has what was measured), and as much again for queries.
            resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "1Gi" } },
            readinessProbe: { ...answers("/-/ready", port), periodSeconds: 2 },
            // After a crash it reads its log of hours first.
            startupProbe: { ...answers("/-/healthy", port), failureThreshold: 60 },
            livenessProbe: answers("/-/healthy", port),
            volumeMounts: [
              { name: "config", mountPath: prometheusPaths.config, readOnly: true },
              { name: "rules", mountPath: prometheusPaths.rules, readOnly: true },
              { name: "ca", mountPath: prometheusPaths.ca, readOnly: true },
              { name: "data", mountPath: prometheusPaths.data },
              ...(secrets.length > 0
                ? [{ name: "secrets", mountPath: prometheusPaths.secrets, readOnly: true }]
                : []),
            ],
          }),
        ],
        volumes: [
          { name: "config", configMap: { name: "prometheus-config" } },
          { name: "rules", configMap: { name: "prometheus-rules" } },
          { name: "ca", configMap: { name: caConfigMap } },
          { name: "data", persistentVolumeClaim: { claimName: "prometheus-data" } },
          ...(secrets.length > 0 ? [secretVolume("secrets", "prometheus-secrets")] : []),
        ],
      },
      { dependsOn: needs, alone: true, startsWith: { "ms5.io/start": digest([config, args.rules]) } },
    );
    place.service(monitoringServices.prometheus, { http: port });
    this.registerOutputs({});
  }
}

/** Four fifths of the volume: what is being written and compacted needs room too. */
export function retentionBytes(volume: string): number {
  return Math.floor((parseBytes(volume) ?? 0) * 0.8);
}
