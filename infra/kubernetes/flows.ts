// Who talks to whom, on what port, and why. Everything else is denied: the policies (networkPolicies.ts) and
// docs/network.md are made from this table, so a flow that is not here does not exist.
import type { NamespaceKey } from "./namespaceNames";

interface Described {
  /** A word or two. */
  readonly title: string;
  readonly what: string;
}

/** Pods of ours. Both ends of their flows are policed: what sends may send only this, what listens hears only this. */
export interface Workload extends Described {
  readonly namespace: NamespaceKey;
  readonly pods: Labels;
}

/** Somebody else's pods. Only our end of their flows is policed. */
export interface Neighbour extends Described {
  /** Labels of the namespaces they are in. */
  readonly namespaces: Labels;
  /** Their own labels; all pods of those namespaces when absent. */
  readonly pods?: Labels;
}

/** What is no pod, and known by address only. Which address stands in no table: it is looked up when deploying. */
export interface Outsider extends Described {
  readonly address: keyof Addresses;
}

export type Party = Workload | Neighbour | Outsider;
export type Labels = Readonly<Record<string, string>>;

/** Where the outsiders are, in the cluster that is deployed to. */
export interface Addresses {
  readonly apiServer: Endpoints;
  /** undefined where nothing is backed up. */
  readonly storage?: Endpoints;
  /** undefined where nobody has to show who they are. */
  readonly identity?: Endpoints;
  /** undefined where nothing of monitoring reaches out. */
  readonly outside?: Endpoints;
  /** undefined where alerts go by no mail. */
  readonly mail?: Endpoints;
}

/** One TCP port on some addresses. */
export interface Endpoints {
  /** IPv4 or IPv6 addresses, or networks of them as CIDR. */
  readonly addresses: readonly string[];
  readonly port: number;
}

export const parties = {
  client: {
    title: "Clients",
    what: "any pod of a namespace that an administrator has labelled",
    namespaces: { "ms5.io/database-client": "true" },
  },
  pooler: {
    title: "Pooler",
    what: "PgBouncer, and the HAProxy in its pod",
    namespace: "pooler",
    pods: { "app.kubernetes.io/name": "pooler" },
  },
  database: {
    title: "Database",
    what: "PostgreSQL, Patroni and our agent, in every member of every colour",
    namespace: "database",
    pods: { "app.kubernetes.io/name": "database" },
  },
  dns: {
    title: "DNS",
    what: "the cluster's own",
    namespaces: { "kubernetes.io/metadata.name": "kube-system" },
    pods: { "k8s-app": "kube-dns" },
  },
  apiServer: {
    title: "API server",
    what: "Kubernetes' own, at the addresses that the EndpointSlice `default/kubernetes` shows",
    address: "apiServer",
  },
  backup: {
    title: "Backup job",
    what: "asks a member for a backup, at the times of the schedule",
    namespace: "database",
    pods: { "app.kubernetes.io/name": "backup" },
  },
  clone: {
    title: "Clone",
    what: "a restored copy of the database, for people (`ops restore`)",
    namespace: "database",
    pods: { "app.kubernetes.io/name": "clone" },
  },
  drill: {
    title: "Drill",
    what: "restores the newest backup, and compares it with the database",
    namespace: "database",
    pods: { "app.kubernetes.io/name": "drill" },
  },
  storage: {
    title: "Backup storage",
    what: "blob storage, at the addresses that `backups` in the config has",
    address: "storage",
  },
  identity: {
    title: "Identity",
    what: "Azure's metadata service on each node, which hands out the node's tokens; on Azure only",
    address: "identity",
  },
  prometheus: {
    title: "Prometheus",
    what: "collects metrics, and finds out when something is wrong",
    namespace: "monitoring",
    pods: { "app.kubernetes.io/name": "prometheus" },
  },
  alertmanager: {
    title: "Alertmanager",
    what: "tells people of alerts",
    namespace: "monitoring",
    pods: { "app.kubernetes.io/name": "alertmanager" },
  },
  exporter: {
    title: "Exporters",
    what: "postgres_exporter, and ours for TimescaleDB: ask the database for metrics",
    namespace: "monitoring",
    pods: { "app.kubernetes.io/name": "exporter" },
  },
  monitoringApi: {
    title: "Monitoring API",
    what: "answers people's and programs' questions, and shows the status page",
    namespace: "monitoring",
    pods: { "app.kubernetes.io/name": "monitoring-api" },
  },
  grafana: {
    title: "Grafana",
    what: "shows dashboards",
    namespace: "monitoring",
    pods: { "app.kubernetes.io/name": "grafana" },
  },
  nodeExporter: {
    title: "Node exporter",
    what: "one a node: its CPU, memory and disks",
    namespace: "nodes",
    pods: { "app.kubernetes.io/name": "node-exporter" },
  },
  azureAgent: {
    title: "Azure's agent",
    what: "collects metrics for Azure's managed Prometheus",
    namespaces: { "kubernetes.io/metadata.name": "kube-system" },
    pods: { rsName: "ama-metrics" },
  },
  watcher: {
    title: "Watchers",
    what: "any pod of a namespace that an administrator has labelled: an ingress, another Prometheus",
    namespaces: { "ms5.io/monitoring-client": "true" },
  },
  outside: {
    title: "Outside",
    what: "webhooks, Teams, remote write and the keys of tokens' issuer, at the addresses of `monitoring.outside`",
    address: "outside",
  },
  mail: {
    title: "Mail server",
    what: "at the addresses of `monitoring.notify.email`",
    address: "mail",
  },
} as const satisfies Readonly<Record<string, Party>>;

export type PartyName = keyof typeof parties;

export interface Flow {
  readonly from: PartyName;
  readonly to: PartyName;
  /**
   * The port the pod listens on, not the Service's: policies see packets after a Service was translated. "given" is
   * the one that an outsider's addresses come with.
   */
  readonly port: number | "given";
  readonly protocols: readonly Protocol[];
  readonly why: string;
  /** There only with this. */
  readonly onlyWith?: Feature;
}
/** What a cluster may have or not: an outsider, or something that watches. */
export type Feature = keyof Addresses | "monitoring" | "managedMonitoring";
export type Protocol = "TCP" | "UDP";

/** The flows of a cluster that has these. */
export function flowsWith(present: ReadonlySet<Feature>): Flow[] {
  return flows.filter(({ to, onlyWith }) => {
    const party: Party = parties[to];
    const needed = [...("address" in party ? [party.address] : []), ...(onlyWith ? [onlyWith] : [])];
    return needed.every((feature) => present.has(feature));
  });
}

const tcp = ["TCP"] as const;

/** Where nothing is backed up, nobody asks for a backup. */
const backupFlows: readonly Flow[] = [
  { from: "database", to: "database", port: 8432, protocols: tcp, why: "a replica backs up for the primary" },
  { from: "database", to: "storage", port: "given", protocols: tcp, why: "the log's archive, and backups" },
  { from: "database", to: "identity", port: "given", protocols: tcp, why: "tokens for the storage" },
  { from: "backup", to: "database", port: 8009, protocols: tcp, why: "asks for a backup" },
  { from: "backup", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "names of the members" },
  { from: "drill", to: "database", port: 8009, protocols: tcp, why: "what to compare with, and the record" },
  { from: "drill", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "names of members and storage" },
  { from: "drill", to: "storage", port: "given", protocols: tcp, why: "restores the newest backup" },
  { from: "drill", to: "identity", port: "given", protocols: tcp, why: "tokens for the storage" },
  { from: "clone", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "the storage's name" },
  { from: "clone", to: "storage", port: "given", protocols: tcp, why: "restores a backup" },
  { from: "clone", to: "identity", port: "given", protocols: tcp, why: "tokens for the storage" },
];

const monitoringFlows: readonly Flow[] = [
  { from: "prometheus", to: "database", port: 8009, protocols: tcp, why: "metrics of members" },
  { from: "prometheus", to: "pooler", port: 9127, protocols: tcp, why: "metrics of PgBouncer" },
  { from: "prometheus", to: "nodeExporter", port: 9100, protocols: tcp, why: "metrics of nodes" },
  { from: "prometheus", to: "exporter", port: 9187, protocols: tcp, why: "metrics of PostgreSQL" },
  { from: "prometheus", to: "exporter", port: 9188, protocols: tcp, why: "metrics of TimescaleDB" },
  { from: "prometheus", to: "monitoringApi", port: 8443, protocols: tcp, why: "metrics of the API" },
  { from: "prometheus", to: "alertmanager", port: 9093, protocols: tcp, why: "alerts" },
  { from: "prometheus", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "names of all of them" },
  {
    from: "prometheus",
    to: "apiServer",
    port: "given",
    protocols: tcp,
    why: "which poolers and nodes there are",
  },
  { from: "prometheus", to: "outside", port: "given", protocols: tcp, why: "remote write" },
  { from: "alertmanager", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "names of receivers" },
  { from: "alertmanager", to: "outside", port: "given", protocols: tcp, why: "webhooks and Teams" },
  { from: "alertmanager", to: "mail", port: "given", protocols: tcp, why: "mails" },
  { from: "exporter", to: "database", port: 5432, protocols: tcp, why: "statistics, of each member" },
  { from: "exporter", to: "pooler", port: 6432, protocols: tcp, why: "probes, as a client" },
  { from: "exporter", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "names of members and pooler" },
  {
    from: "monitoringApi",
    to: "database",
    port: 5432,
    protocols: tcp,
    why: "statistics, and telemetry to show",
  },
  {
    from: "monitoringApi",
    to: "dns",
    port: 53,
    protocols: ["UDP", "TCP"],
    why: "names of database and issuer",
  },
  { from: "monitoringApi", to: "outside", port: "given", protocols: tcp, why: "keys of tokens' issuer" },
  { from: "grafana", to: "prometheus", port: 9090, protocols: tcp, why: "what dashboards show" },
  { from: "grafana", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "Prometheus' name" },
  { from: "watcher", to: "monitoringApi", port: 8443, protocols: tcp, why: "questions, and the status page" },
  { from: "watcher", to: "grafana", port: 3000, protocols: tcp, why: "dashboards" },
  { from: "watcher", to: "prometheus", port: 9090, protocols: tcp, why: "federation" },
];

/** Where Azure's managed Prometheus does what ours does elsewhere. */
const managedFlows: readonly Flow[] = (
  [
    ["database", 8009, "metrics of members"],
    ["pooler", 9127, "metrics of PgBouncer"],
    ["nodeExporter", 9100, "metrics of nodes"],
    ["exporter", 9187, "metrics of PostgreSQL"],
    ["exporter", 9188, "metrics of TimescaleDB"],
    ["monitoringApi", 8443, "metrics of the API"],
  ] as const
).map(([to, port, why]) => ({ from: "azureAgent", to, port, protocols: tcp, why }));

export const flows: readonly Flow[] = [
  { from: "client", to: "pooler", port: 6432, protocols: tcp, why: "the one way to the data" },
  { from: "pooler", to: "database", port: 5432, protocols: tcp, why: "queries, to primary and replicas" },
  { from: "pooler", to: "database", port: 8009, protocols: tcp, why: "which member is the primary now" },
  { from: "pooler", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "names of the members" },
  { from: "database", to: "database", port: 5432, protocols: tcp, why: "replication, base backup, rewind" },
  { from: "database", to: "database", port: 8008, protocols: tcp, why: "Patroni's election and failsafe" },
  {
    from: "database",
    to: "database",
    port: 8009,
    protocols: tcp,
    why: "a primary that leaves wakes the others",
  },
  { from: "database", to: "dns", port: 53, protocols: ["UDP", "TCP"], why: "names of the other members" },
  { from: "database", to: "apiServer", port: "given", protocols: tcp, why: "Patroni's leader lock" },
  ...backupFlows.map((flow) => ({ ...flow, onlyWith: "storage" }) as const),
  ...monitoringFlows.map((flow) => ({ ...flow, onlyWith: "monitoring" }) as const),
  ...managedFlows.map((flow) => ({ ...flow, onlyWith: "managedMonitoring" }) as const),
];
