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
}

/** One TCP port on some addresses. */
export interface Endpoints {
  /** IPv4 or IPv6 addresses. */
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
}
export type Protocol = "TCP" | "UDP";

const tcp = ["TCP"] as const;

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
];
