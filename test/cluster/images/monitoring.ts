// The images of monitoring in tests, from Debian packages, with the entry points of those that clouds use: one folder of
// files under several names.
import { basename } from "node:path";
import type { Log } from "../../../ops/log";
import { debianFolder, ensureDebian } from "../../support/debian";
import { monitoringRoot } from "../../support/monitoringRoot";
import type { Image, ImageConfig } from "./archive";

export const monitoringTags = {
  prometheus: "ms5.local/prometheus:trixie",
  alertmanager: "ms5.local/alertmanager:trixie",
  postgresExporter: "ms5.local/postgres-exporter:trixie",
  pgbouncerExporter: "ms5.local/pgbouncer-exporter:trixie",
  nodeExporter: "ms5.local/node-exporter:trixie",
  node: "ms5.local/node:trixie",
} as const;

const runs = (...command: string[]): ImageConfig => ({
  User: "65534:65534",
  Env: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
  Entrypoint: command,
});

export function monitoringImage(log: Log): Image {
  return {
    name: "monitoring",
    key: `monitoring-1-${basename(debianFolder(monitoringRoot))}`,
    tags: {
      [monitoringTags.prometheus]: runs("/usr/bin/prometheus"),
      [monitoringTags.alertmanager]: runs("/usr/bin/prometheus-alertmanager"),
      [monitoringTags.postgresExporter]: runs("/usr/bin/prometheus-postgres-exporter"),
      [monitoringTags.pgbouncerExporter]: runs("/usr/bin/prometheus-pgbouncer-exporter"),
      [monitoringTags.nodeExporter]: runs("/usr/bin/prometheus-node-exporter"),
      [monitoringTags.node]: runs("/usr/bin/node"),
    },
    files: () => ensureDebian(monitoringRoot, log),
  };
}
