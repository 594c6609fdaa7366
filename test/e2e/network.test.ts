// The policies on a real cluster: who can reach whom, by pods that carry the workloads' labels, in namespaces of the test's
// own. What is expected is written by hand, from what the product should do, not from the table of flows.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, DiscoveryV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { podExec } from "../../infra/database/podExec";
import { endpointsOf } from "../../infra/kubernetes/apiServer";
import { type Endpoints, flows as everyFlow } from "../../infra/kubernetes/flows";
import { type NamespaceKey, namespaceNames } from "../../infra/kubernetes/namespaceNames";
import { namespaceLabels, nodeNamespaceLabels } from "../../infra/kubernetes/namespaces";
import { networkPolicies, specOf } from "../../infra/kubernetes/networkPolicies";
import { referenceOf } from "../../ops/standins/kubernetes/object";
import type { Bag } from "../../ops/standins/values";
import { ensureCluster } from "../cluster";
import { ensureBlobStorage } from "../cluster/blobStorage";
import { storagePorts } from "../cluster/blobStorage/places";
import { silent } from "../support/embedded";
import { TestNamespace } from "./support/kubernetes";
import { covers } from "./support/probes";

/** Everything that is allowed. `bare-*` are pods without labels in our namespaces; others are unlabelled namespaces. */
const allowed = [
  "client > pooler TCP/6432",
  "pooler > database TCP/5432",
  "pooler > database TCP/8009",
  "database > database TCP/5432",
  "database > database TCP/8008",
  "database > database TCP/8009",
  "database > database TCP/8432",
  "backup,drill > database TCP/8009",
  "database,pooler,backup,drill,clone > dns",
  "database > api",
  "database,drill,clone > storage,identity",
  // Whoever watches. The storage's address stands for webhooks and issuers too, the other one for mail.
  "prometheus > database TCP/8009",
  "prometheus > pooler TCP/9127",
  "prometheus > node-exporter TCP/9100",
  "prometheus > exporter TCP/9187",
  "prometheus > exporter TCP/9188",
  "prometheus,watcher > monitoring-api TCP/8443",
  "prometheus > alertmanager TCP/9093",
  "grafana,watcher > prometheus TCP/9090",
  "watcher > grafana TCP/3000",
  "prometheus > api",
  "exporter,monitoring-api > database TCP/5432",
  "exporter > pooler TCP/6432",
  "prometheus,alertmanager,exporter,monitoring-api,grafana > dns",
  "prometheus,alertmanager,monitoring-api > storage",
  "alertmanager > identity",
  // What is not ours is not our business.
  "client,watcher,other > client,watcher,other,dns,api,storage,identity",
];

/** What changes when one policy is missing. */
const missing: Record<string, { closes?: string[]; opens?: string[] }> = {
  "pooler/client-to-pooler": { closes: ["client > pooler"] },
  "pooler/pooler-to-database": { closes: ["pooler > database"] },
  "database/pooler-to-database": { closes: ["pooler > database"] },
  "pooler/pooler-to-dns": { closes: ["pooler > dns"] },
  "database/database-to-database": { closes: ["database > database"] },
  "database/database-to-dns": { closes: ["database > dns"] },
  "database/database-to-api-server": { closes: ["database > api"] },
  "database/database-to-storage": { closes: ["database > storage"] },
  "database/database-to-identity": { closes: ["database > identity"] },
  "database/backup-to-database": { closes: ["backup > database"] },
  "database/database-from-backup": { closes: ["backup > database"] },
  "database/backup-to-dns": { closes: ["backup > dns"] },
  "database/drill-to-database": { closes: ["drill > database"] },
  "database/database-from-drill": { closes: ["drill > database"] },
  "database/drill-to-dns": { closes: ["drill > dns"] },
  "database/drill-to-storage": { closes: ["drill > storage"] },
  "database/drill-to-identity": { closes: ["drill > identity"] },
  "database/clone-to-dns": { closes: ["clone > dns"] },
  "database/clone-to-storage": { closes: ["clone > storage"] },
  "database/clone-to-identity": { closes: ["clone > identity"] },
  "database/default-deny": {
    // Who only sends has no other policy for what comes.
    opens: [
      "bare-database > client,watcher,other,dns,api,storage,identity,backup,drill,clone",
      "client,watcher,other > bare-database,backup,drill,clone",
    ],
  },
  "pooler/default-deny": {
    opens: [
      "bare-pooler > client,watcher,other,dns,api,storage,identity",
      "client,watcher,other > bare-pooler",
    ],
  },
  "database/prometheus-to-database": { closes: ["prometheus > database"] },
  "monitoring/prometheus-to-database": { closes: ["prometheus > database"] },
  "pooler/prometheus-to-pooler": { closes: ["prometheus > pooler"] },
  "monitoring/prometheus-to-pooler": { closes: ["prometheus > pooler"] },
  "nodes/prometheus-to-node-exporter": { closes: ["prometheus > node-exporter"] },
  "monitoring/prometheus-to-node-exporter": { closes: ["prometheus > node-exporter"] },
  "monitoring/prometheus-to-exporter": { closes: ["prometheus > exporter"] },
  "monitoring/exporter-from-prometheus": { closes: ["prometheus > exporter"] },
  "monitoring/prometheus-to-monitoring-api": { closes: ["prometheus > monitoring-api"] },
  "monitoring/monitoring-api-from-prometheus": { closes: ["prometheus > monitoring-api"] },
  "monitoring/prometheus-to-alertmanager": { closes: ["prometheus > alertmanager"] },
  "monitoring/alertmanager-from-prometheus": { closes: ["prometheus > alertmanager"] },
  "monitoring/prometheus-to-dns": { closes: ["prometheus > dns"] },
  "monitoring/prometheus-to-api-server": { closes: ["prometheus > api"] },
  "monitoring/prometheus-to-outside": { closes: ["prometheus > storage"] },
  "monitoring/alertmanager-to-dns": { closes: ["alertmanager > dns"] },
  "monitoring/alertmanager-to-outside": { closes: ["alertmanager > storage"] },
  "monitoring/alertmanager-to-mail": { closes: ["alertmanager > identity"] },
  "database/exporter-to-database": { closes: ["exporter > database"] },
  "monitoring/exporter-to-database": { closes: ["exporter > database"] },
  "pooler/exporter-to-pooler": { closes: ["exporter > pooler"] },
  "monitoring/exporter-to-pooler": { closes: ["exporter > pooler"] },
  "monitoring/exporter-to-dns": { closes: ["exporter > dns"] },
  "database/monitoring-api-to-database": { closes: ["monitoring-api > database"] },
  "monitoring/monitoring-api-to-database": { closes: ["monitoring-api > database"] },
  "monitoring/monitoring-api-to-dns": { closes: ["monitoring-api > dns"] },
  "monitoring/monitoring-api-to-outside": { closes: ["monitoring-api > storage"] },
  "monitoring/grafana-to-prometheus": { closes: ["grafana > prometheus"] },
  "monitoring/prometheus-from-grafana": { closes: ["grafana > prometheus"] },
  "monitoring/grafana-to-dns": { closes: ["grafana > dns"] },
  "monitoring/watcher-to-monitoring-api": { closes: ["watcher > monitoring-api"] },
  "monitoring/watcher-to-grafana": { closes: ["watcher > grafana"] },
  "monitoring/watcher-to-prometheus": { closes: ["watcher > prometheus"] },
  "monitoring/default-deny": {
    opens: [
      "bare-monitoring > client,watcher,other,dns,api,storage,identity",
      "client,watcher,other > bare-monitoring",
    ],
  },
  "nodes/default-deny": {
    // It only answers: without the denial it would go anywhere that hears it.
    opens: ["node-exporter > client,watcher,other,dns,api,storage,identity"],
  },
};

/** Two of each workload, so that each meets its like; on nodes in turn, so that some share one and some don't. */
const pods = {
  "database-1": "database",
  "database-2": "database",
  "pooler-1": "pooler",
  "pooler-2": "pooler",
  "backup-1": "backup",
  "drill-1": "drill",
  "clone-1": "clone",
  "prometheus-1": "prometheus",
  "alertmanager-1": "alertmanager",
  "exporter-1": "exporter",
  "monitoring-api-1": "monitoring-api",
  "grafana-1": "grafana",
  "node-exporter-1": "node-exporter",
  "watcher-1": "watcher",
  "client-1": "client",
  "other-1": "other",
  "bare-database-1": "bare-database",
  "bare-pooler-1": "bare-pooler",
  "bare-monitoring-1": "bare-monitoring",
} as const;
type PodName = keyof typeof pods;
type Kind = (typeof pods)[PodName];
const unlabelled: readonly Kind[] = [
  "client",
  "watcher",
  "other",
  "bare-database",
  "bare-pooler",
  "bare-monitoring",
];
const podNames = Object.keys(pods) as PodName[];

/** The workloads' ports, one that nobody has, and one of theirs by the other protocol. */
const ports = [
  ["TCP", 3000],
  ["TCP", 5432],
  ["TCP", 6432],
  ["TCP", 8008],
  ["TCP", 8009],
  ["TCP", 8432],
  ["TCP", 8443],
  ["TCP", 9090],
  ["TCP", 9093],
  ["TCP", 9100],
  ["TCP", 9127],
  ["TCP", 9187],
  ["TCP", 9188],
  ["TCP", 9999],
  ["UDP", 5432],
] as const;

/** Which namespace pods of a kind are in. */
const homes = {
  database: "database",
  pooler: "pooler",
  backup: "database",
  drill: "database",
  clone: "database",
  prometheus: "monitoring",
  alertmanager: "monitoring",
  exporter: "monitoring",
  "monitoring-api": "monitoring",
  grafana: "monitoring",
  "node-exporter": "nodes",
  client: "client",
  watcher: "watcher",
  other: "other",
  "bare-database": "database",
  "bare-pooler": "pooler",
  "bare-monitoring": "monitoring",
} as const satisfies Record<Kind, string>;
type Home = (typeof homes)[Kind];
const labels: Record<Home, Record<string, string>> = {
  database: namespaceLabels,
  pooler: namespaceLabels,
  monitoring: namespaceLabels,
  nodes: nodeNamespaceLabels,
  watcher: { "ms5.io/monitoring-client": "true" },
  client: { "ms5.io/database-client": "true" },
  other: {},
};

/** Without Azure's agent, whose place is a namespace that is not ours. */
const flows = everyFlow.filter(({ onlyWith }) => onlyWith !== "managedMonitoring");

const config = new KubeConfig();
let core: CoreV1Api;
const namespaces = {} as Record<Home, TestNamespace>;
/** The generated policies, moved to the test's namespaces. */
const policies = new Map<string, Bag>();
let targets: Target[];

interface Target {
  readonly kind: Kind | "dns" | "api" | "storage" | "identity";
  /** How it is reached, where there is more than one way. */
  readonly way: string;
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
}

beforeAll(async () => {
  const { kubeconfig, plan } = await ensureCluster(silent);
  await ensureBlobStorage(plan, silent);
  // Two ports of one process stand for all outsiders.
  const storage = { addresses: [plan.control.address], port: storagePorts.door };
  const identity = { addresses: [plan.control.address], port: storagePorts.control };
  config.loadFromFile(kubeconfig);
  core = config.makeApiClient(CoreV1Api);
  for (const [home, own] of Object.entries(labels)) {
    const namespace = await TestNamespace.create(kubeconfig, `network-${home}`);
    const metadata = { name: namespace.name, labels: own };
    await namespace.apply({ apiVersion: "v1", kind: "Namespace", metadata });
    namespaces[home as Home] = namespace;
  }
  const apiServer = await findApiServer();
  const ours = Object.keys(namespaceNames) as NamespaceKey[];
  for (const policyPlan of networkPolicies(flows, ours)) {
    const { namespace, name } = policyPlan;
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace: namespaceNames[namespace], name },
      spec: specOf(policyPlan, { apiServer, storage, identity, outside: storage, mail: identity }),
    };
    const moved = ours.reduce(
      (text, key) => text.replaceAll(`"${namespaceNames[key]}"`, `"${namespaces[key].name}"`),
      JSON.stringify(policy),
    );
    policies.set(`${namespace}/${name}`, JSON.parse(moved));
  }
  for (const policy of policies.values()) await namespaces.database.apply(policy);
  await makePods();
  targets = [
    ...(await podTargets()),
    ...(await serviceTargets(apiServer)),
    outsider("storage", storage),
    outsider("identity", identity),
  ];
}, 600_000);

afterAll(async () => {
  await Promise.all(Object.values(namespaces).map((namespace) => namespace.remove()));
});

/** As the name stands in the API server. */
function namespaceOf(kind: Kind): string {
  return namespaces[homes[kind]].name;
}

async function findApiServer(): Promise<Endpoints> {
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const { endpoints, ports } = await discovery.readNamespacedEndpointSlice({
    namespace: "default",
    name: "kubernetes",
  });
  const named = (ports ?? []).map(({ name = "", port = 0 }) => ({ name, port }));
  return endpointsOf(endpoints ?? [], named);
}

/** An image's python is all it takes; what it runs comes from a ConfigMap. */
async function makePods(): Promise<void> {
  const program = readFileSync(join(__dirname, "support", "probePod.py"), "utf8");
  for (const { name: namespace } of Object.values(namespaces))
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: "probe" }, data: { "probe.py": program } },
    });
  const nodes = (await core.listNode()).items.map(({ metadata }) => metadata?.name ?? "");
  for (const [index, name] of podNames.entries()) {
    const kind = pods[name];
    const workload = unlabelled.includes(kind) ? undefined : kind;
    await core.createNamespacedPod({
      namespace: namespaceOf(kind),
      body: {
        metadata: { name, labels: workload ? { "app.kubernetes.io/name": workload } : {} },
        spec: {
          nodeSelector: { "kubernetes.io/hostname": nodes[index % nodes.length] ?? "" },
          terminationGracePeriodSeconds: 0,
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "probe",
              image: "ms5.local/database:trixie",
              imagePullPolicy: "IfNotPresent",
              command: ["python3", "/probe/probe.py", "listen", JSON.stringify(ports)],
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
              volumeMounts: [{ name: "probe", mountPath: "/probe" }],
              // Comes from the node, which every policy lets pass.
              readinessProbe: { tcpSocket: { port: 9999 }, periodSeconds: 1 },
            },
          ],
          volumes: [{ name: "probe", configMap: { name: "probe" } }],
        },
      },
    });
  }
}

async function podTargets(): Promise<Target[]> {
  const found = await Promise.all(
    podNames.map(async (name) => {
      const kind = pods[name];
      const address = await readyAddress(namespaceOf(kind), name);
      return ports.map(([protocol, port]) => ({ kind, way: name, protocol, address, port }));
    }),
  );
  return found.flat();
}

async function readyAddress(namespace: string, name: string): Promise<string> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const { status } = await core.readNamespacedPod({ namespace, name });
    const ready = status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    if (ready && status?.podIP) return status.podIP;
    if (Date.now() > deadline)
      throw new Error(`${namespace}/${name} is not ready: ${JSON.stringify(status)}`);
    await sleep(200);
  }
}

function outsider(kind: "storage" | "identity", { addresses, port }: Endpoints): Target {
  const address = addresses[0] ?? "";
  return { kind, way: address, protocol: "TCP", address, port };
}

/** What pods reach through Services as well as directly. */
async function serviceTargets({ addresses, port }: Endpoints): Promise<Target[]> {
  const dns = await core.readNamespacedService({ namespace: "kube-system", name: "kube-dns" });
  const dnsPods = await core.listNamespacedPod({
    namespace: "kube-system",
    labelSelector: "k8s-app=kube-dns",
  });
  const api = await core.readNamespacedService({ namespace: "default", name: "kubernetes" });
  const pooler = await core.createNamespacedService({
    namespace: namespaces.pooler.name,
    body: {
      metadata: { name: "pooler" },
      spec: { selector: { "app.kubernetes.io/name": "pooler" }, ports: [{ port: 6432 }] },
    },
  });
  const udpAndTcp = ["UDP", "TCP"] as const;
  const dnsAt = (address: string | undefined, way: string) =>
    udpAndTcp.map((protocol) => ({ kind: "dns", way, protocol, address: address ?? "", port: 53 }) as const);
  return [
    ...dnsAt(dns.spec?.clusterIP, "service"),
    ...dnsPods.items.flatMap(({ metadata, status }) => dnsAt(status?.podIP, metadata?.name ?? "")),
    { kind: "api", way: "service", protocol: "TCP", address: api.spec?.clusterIP ?? "", port: 443 },
    ...addresses.map((address) => ({ kind: "api", way: address, protocol: "TCP", address, port }) as const),
    { kind: "pooler", way: "service", protocol: "TCP", address: pooler.spec?.clusterIP ?? "", port: 6432 },
  ];
}

type Expected = (probe: string) => boolean;
const asAllowed: Expected = (probe) => allowed.some((pattern) => covers(pattern, probe));

/** All probes at once; those that answer otherwise than expected, as `client > pooler TCP/6432 (client-1 to service): blocked`. */
async function surprises(expected: Expected): Promise<string[]> {
  const found = await Promise.all(
    podNames.map(async (name) => {
      // Through its own Service a pod may meet itself, which nothing forbids.
      const others = targets.filter(
        ({ kind, way }) => way !== name && !(way === "service" && kind === pods[name]),
      );
      const output = await podExec(
        config,
        { namespace: namespaceOf(pods[name]), pod: name, container: "probe" },
        [
          ...["python3", "/probe/probe.py", "try"],
          JSON.stringify(others.map(({ protocol, address, port }) => [protocol, address, port])),
          "1",
        ],
      );
      const answers: boolean[] = JSON.parse(output);
      return others.flatMap(({ kind, way, protocol, port }, index) => {
        const probe = `${pods[name]} > ${kind} ${protocol}/${port}`;
        if (answers[index] === expected(probe)) return [];
        return [`${probe} (${name} to ${way}): ${answers[index] ? "reached" : "blocked"}`];
      });
    }),
  );
  return found.flat();
}

/** The surprises that remain when there was time for rules to follow policies, and for a busy machine. */
async function lasting(expected: Expected): Promise<string[]> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await surprises(expected);
    if (found.length === 0 || Date.now() > deadline) return found;
  }
}

describe("with all policies", () => {
  it("who should reach whom does, and nobody else", async () => {
    expect(await lasting(asAllowed)).toEqual([]);
  });
});

describe("each policy is needed:", () => {
  it("all are tried here", () => {
    expect(Object.keys(missing).sort()).toEqual([...policies.keys()].sort());
  });

  it.each(Object.entries(missing))("without %s", async (key, { closes = [], opens = [] }) => {
    const policy = policies.get(key) ?? {};
    await namespaces.database.delete(referenceOf(policy));
    try {
      const without: Expected = (probe) => {
        if (closes.some((pattern) => covers(pattern, probe))) return false;
        return asAllowed(probe) || opens.some((pattern) => covers(pattern, probe));
      };
      expect(await lasting(without)).toEqual([]);
    } finally {
      await namespaces.database.apply(policy);
    }
  });

  it("and with all of them again it is as before", async () => {
    expect(await lasting(asAllowed)).toEqual([]);
  });
});
