// Monitoring: clients of the database see none of it; what can be lost is that somebody would notice.
import { changed, type EffectRow, gone } from "../effectRow";

const apps = ["prometheus", "alertmanager", "exporter", "monitoring-api", "grafana", "node-exporter"];
const files = [...apps.map((app) => `${app}-*`), "monitoring-*"];

export const monitoring: readonly EffectRow[] = [
  {
    type: "kubernetes:core/v1:PersistentVolumeClaim",
    names: ["prometheus-data"],
    ops: gone,
    effect: "none",
    what: "the volume is deleted; a replacement is empty",
    why: "the database has nothing to do with it",
    loses: "every sample that Prometheus keeps",
  },
  {
    type: "kubernetes:core/v1:Namespace",
    names: ["ms5-monitoring", "ms5-nodes"],
    ops: gone,
    effect: "none",
    what: "nobody watches any more, or not until it is made anew",
    why: "the database has nothing to do with it",
    loses: "every sample that Prometheus keeps, with `ms5-monitoring`",
  },
  ...["kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet"].map(
    (type): EffectRow => ({
      type,
      names: apps,
      ops: changed,
      effect: "none",
      what: "its pods are replaced; for some seconds it collects, tells or shows nothing",
      why: "the database has nothing to do with it",
    }),
  ),
  ...["ConfigMap", "Secret", "Service", "PersistentVolumeClaim"].map(
    (kind): EffectRow => ({
      type: `kubernetes:core/v1:${kind}`,
      names: [...apps, ...files],
      ops: changed,
      effect: "none",
      what: "of whoever watches",
      why: "nothing of the database reads it",
    }),
  ),
  {
    type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    names: [
      "monitoring-*",
      "nodes-*",
      "*-prometheus-to-*",
      "*-exporter-to-*",
      "*-monitoring-api-to-*",
      "*-azure-agent-to-*",
    ],
    ops: changed,
    effect: "none",
    what: "what whoever watches reaches",
    why: "applications have flows of their own",
  },
  {
    type: "postgresql:index/grant:Grant",
    names: ["monitor-*"],
    ops: changed,
    effect: "none",
    what: "what `ms5_monitor` may see",
    why: "no application logs in as it",
  },
];
