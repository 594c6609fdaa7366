// What Prometheus collects from whom, how often, and as what: prometheus.yml, purely.
import { stringify } from "yaml";
import { type ClusterAddress, memberHosts, memberNames } from "../database/clusterAddress";
import { namespaceNames } from "../kubernetes/namespaceNames";
import { monitoringHost, monitoringPorts } from "./names";

/** Where things are in Prometheus' pod. */
export const prometheusPaths = {
  config: "/etc/prometheus/config",
  rules: "/etc/prometheus/rules",
  ca: "/tls/ca",
  secrets: "/secrets",
  data: "/prometheus",
} as const;

/** Name of the file with remote write's token. */
export const remoteWriteToken = "remote-write-token";

/** Module of postgres_exporter.yml with the login. */
export const authModule = "monitor";

export interface PrometheusConfigArgs {
  readonly stack: string;
  readonly environment: string;
  readonly cluster: ClusterAddress;
  readonly database: string;
  readonly remoteWrite: { readonly url: string; readonly withToken: boolean } | undefined;
}

/** How often what is collected; the first four are those of requirements document 002. */
export const intervals = {
  postgres: "30s",
  hypertables: "60s",
  compression: "300s",
  performance: "30s",
  others: "30s",
} as const;

/**
 * Samples of one scrape beyond which all of it is refused: a metric for each chunk or each client would fill the volume,
 * and make every query slow. Three to ten times what was measured (docs/monitoring.md).
 */
const sampleLimit = 5_000;

export function renderPrometheusConfig(args: PrometheusConfigArgs): string {
  const { remoteWrite } = args;
  return stringify(
    {
      global: {
        scrape_interval: intervals.others,
        scrape_timeout: "10s",
        evaluation_interval: "30s",
        external_labels: { stack: args.stack, environment: args.environment },
      },
      rule_files: [`${prometheusPaths.rules}/*.yml`],
      alerting: {
        alertmanagers: [
          { static_configs: [{ targets: [target("alertmanager", monitoringPorts.alertmanager)] }] },
        ],
      },
      scrape_configs: [...scrapeJobs(args, `${prometheusPaths.ca}/ca.pem`), ...ownJobs()],
      ...(remoteWrite && {
        remote_write: [
          {
            url: remoteWrite.url,
            ...(remoteWrite.withToken && {
              authorization: { credentials_file: `${prometheusPaths.secrets}/${remoteWriteToken}` },
            }),
          },
        ],
      }),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

/**
 * What is collected of a stack, whoever collects it.
 *
 * @param caFile where the collector has the CA of members and API
 */
export function scrapeJobs(
  { cluster, database }: Pick<PrometheusConfigArgs, "cluster" | "database">,
  caFile: string,
): object[] {
  const members = memberNames(cluster).map((pod, index) => ({ pod, host: memberHosts(cluster)[index] }));
  const timescaledb = (job: "hypertables" | "compression" | "performance") => ({
    job_name: job,
    scrape_interval: intervals[job],
    metrics_path: `/metrics/${job}`,
    static_configs: [{ targets: [target("exporter", monitoringPorts.timescaledbExporter)] }],
  });
  return [
    {
      job_name: "postgres",
      scrape_interval: intervals.postgres,
      metrics_path: "/probe",
      params: { auth_module: [authModule] },
      static_configs: members.map(({ pod, host }) => ({
        targets: [`${host}:5432/${database}`],
        labels: { pod },
      })),
      // One exporter asks every member: the member is a parameter, and what is scraped the exporter.
      relabel_configs: [
        { source_labels: ["__address__"], target_label: "__param_target" },
        { source_labels: ["pod"], target_label: "instance" },
        {
          target_label: "__address__",
          replacement: target("exporter", monitoringPorts.postgresExporter),
        },
      ],
    },
    timescaledb("hypertables"),
    timescaledb("compression"),
    timescaledb("performance"),
    {
      job_name: "member",
      scheme: "https",
      tls_config: { ca_file: caFile },
      static_configs: members.map(({ pod, host }) => ({ targets: [`${host}:8009`], labels: { pod } })),
    },
    discovered("pooler", namespaceNames.pooler),
    discovered("node", namespaceNames.nodes),
    {
      job_name: "monitoring",
      scheme: "https",
      tls_config: { ca_file: caFile },
      static_configs: [{ targets: [target("api", monitoringPorts.api)] }],
    },
  ].map(limited);
}

/** Of those who collect. */
function ownJobs(): object[] {
  return [
    { job_name: "prometheus", static_configs: [{ targets: [`localhost:${monitoringPorts.prometheus}`] }] },
    {
      job_name: "alertmanager",
      static_configs: [{ targets: [target("alertmanager", monitoringPorts.alertmanager)] }],
    },
  ].map(limited);
}

function limited(job: object): object {
  return { sample_limit: sampleLimit, ...job };
}

/** Pods that come and go, by their port of that name. */
function discovered(job: string, namespace: string): object {
  return {
    job_name: job,
    kubernetes_sd_configs: [{ role: "pod", namespaces: { names: [namespace] } }],
    relabel_configs: [
      { source_labels: ["__meta_kubernetes_pod_container_port_name"], regex: "metrics", action: "keep" },
      // One that has ended for good keeps its address in the API server until it is deleted.
      { source_labels: ["__meta_kubernetes_pod_phase"], regex: "Failed|Succeeded", action: "drop" },
      { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
      { source_labels: ["__meta_kubernetes_pod_node_name"], target_label: "node" },
    ],
  };
}

function target(service: Parameters<typeof monitoringHost>[0], port: number): string {
  return `${monitoringHost(service)}:${port}`;
}
