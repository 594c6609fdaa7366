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
  /** There only where this outsider is. */
  readonly onlyWith?: keyof Addresses;
}
export type Protocol = "TCP" | "UDP";

/** The flows of a cluster that has these outsiders. */
export function flowsWith(present: ReadonlySet<keyof Addresses>): Flow[] {
  return flows.filter(({ to, onlyWith }) => {
    const party: Party = parties[to];
    const needed = [...("address" in party ? [party.address] : []), ...(onlyWith ? [onlyWith] : [])];
    return needed.every((outsider) => present.has(outsider));
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
];
