/** Names and ports that the pods of monitoring and who reaches them agree on. infra/kubernetes/flows.ts has the same ports. */
import { namespaceNames } from "../kubernetes/namespaceNames";

export const monitoringPorts = {
  prometheus: 9090,
  alertmanager: 9093,
  postgresExporter: 9187,
  timescaledbExporter: 9188,
  pgbouncerExporter: 9127,
  nodeExporter: 9100,
  api: 8443,
  grafana: 3000,
} as const;

/** Name of the Service, and of what is behind it. */
export const monitoringServices = {
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  exporter: "exporter",
  api: "monitoring-api",
  grafana: "grafana",
} as const;

/** Where a Service of ours answers. */
export function monitoringHost(service: keyof typeof monitoringServices): string {
  return `${monitoringServices[service]}.${namespaceNames.monitoring}.svc`;
}
