import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Addresses, type Flow, flows, flowsWith, parties } from "../../infra/kubernetes/flows";
import { networkPolicies, specOf } from "../../infra/kubernetes/networkPolicies";

const addresses: Addresses = {
  apiServer: { addresses: ["10.1.2.3", "fd00::1"], port: 6443 },
  storage: { addresses: ["10.40.0.64/28", "10.9.9.9"], port: 10_000 },
  identity: { addresses: ["169.254.169.254"], port: 80 },
  outside: { addresses: ["0.0.0.0/0"], port: 443 },
  mail: { addresses: ["10.0.0.25/32"], port: 587 },
};
/** Those of the data, without whoever watches. */
const dataFlows = flows.filter(
  ({ onlyWith }) => onlyWith !== "monitoring" && onlyWith !== "managedMonitoring",
);
const planned = (table: readonly Flow[] = dataFlows) => networkPolicies(table, ["database", "pooler"]);

function specText(
  name: string,
  { table = dataFlows, where = addresses }: { table?: readonly Flow[]; where?: Addresses } = {},
) {
  const plan = planned(table).find((it) => `${it.namespace}/${it.name}` === name);
  return `\n${stringify(plan && specOf(plan, where), { indentSeq: false, aliasDuplicateObjects: false })}`;
}

describe("the policies that the flows come to", () => {
  it("are a denial for each namespace, and one for each end of ours of each pair that talks", () => {
    expect(
      planned().map(({ namespace, name, why }) => `${namespace}/${name}: ${why}`),
    ).toMatchInlineSnapshot(`
      [
        "database/default-deny: what no other policy allows is dropped, also for pods nobody thought of",
        "pooler/default-deny: what no other policy allows is dropped, also for pods nobody thought of",
        "pooler/client-to-pooler: 6432: the one way to the data",
        "pooler/pooler-to-database: 5432: queries, to primary and replicas; 8009: which member is the primary now",
        "database/pooler-to-database: 5432: queries, to primary and replicas; 8009: which member is the primary now",
        "pooler/pooler-to-dns: 53: names of the members",
        "database/database-to-database: 5432: replication, base backup, rewind; 8008: Patroni's election and failsafe; 8009: a primary that leaves wakes the others; 8432: a replica backs up for the primary",
        "database/database-to-dns: 53: names of the other members",
        "database/database-to-api-server: Patroni's leader lock",
        "database/database-to-storage: the log's archive, and backups",
        "database/database-to-identity: tokens for the storage",
        "database/backup-to-database: 8009: asks for a backup",
        "database/database-from-backup: 8009: asks for a backup",
        "database/backup-to-dns: 53: names of the members",
        "database/drill-to-database: 8009: what to compare with, and the record",
        "database/database-from-drill: 8009: what to compare with, and the record",
        "database/drill-to-dns: 53: names of members and storage",
        "database/drill-to-storage: restores the newest backup",
        "database/drill-to-identity: tokens for the storage",
        "database/clone-to-dns: 53: the storage's name",
        "database/clone-to-storage: restores a backup",
        "database/clone-to-identity: tokens for the storage",
      ]
    `);
  });

  it("deny everything by default, in both directions", () => {
    expect(specText("database/default-deny")).toMatchInlineSnapshot(`
      "
      podSelector: {}
      policyTypes:
      - Ingress
      - Egress
      "
    `);
    expect(specText("pooler/default-deny")).toBe(specText("database/default-deny"));
  });

  it("let clients of labelled namespaces reach the pooler, whose answer needs no policy", () => {
    expect(specText("pooler/client-to-pooler")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: pooler
      policyTypes:
      - Ingress
      ingress:
      - from:
        - namespaceSelector:
            matchLabels:
              ms5.io/database-client: "true"
        ports:
        - port: 6432
          protocol: TCP
      "
    `);
  });

  it("name the pooler in the database's namespace, and the database in the pooler's", () => {
    expect(specText("database/pooler-to-database")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: database
      policyTypes:
      - Ingress
      ingress:
      - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: ms5-pooler
          podSelector:
            matchLabels:
              app.kubernetes.io/name: pooler
        ports:
        - port: 5432
          protocol: TCP
        - port: 8009
          protocol: TCP
      "
    `);
    expect(specText("pooler/pooler-to-database")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: pooler
      policyTypes:
      - Egress
      egress:
      - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: ms5-database
          podSelector:
            matchLabels:
              app.kubernetes.io/name: database
        ports:
        - port: 5432
          protocol: TCP
        - port: 8009
          protocol: TCP
      "
    `);
  });

  it("let members talk to each other, both ways in one policy", () => {
    expect(specText("database/database-to-database")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: database
      policyTypes:
      - Ingress
      - Egress
      ingress:
      - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: database
        ports:
        - port: 5432
          protocol: TCP
        - port: 8008
          protocol: TCP
        - port: 8009
          protocol: TCP
        - port: 8432
          protocol: TCP
      egress:
      - to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: database
        ports:
        - port: 5432
          protocol: TCP
        - port: 8008
          protocol: TCP
        - port: 8009
          protocol: TCP
        - port: 8432
          protocol: TCP
      "
    `);
  });

  it("name the DNS by its pods, over UDP and TCP", () => {
    expect(specText("database/database-to-dns")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: database
      policyTypes:
      - Egress
      egress:
      - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
        ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
      "
    `);
    expect(specText("pooler/pooler-to-dns").replaceAll("pooler", "database")).toBe(
      specText("database/database-to-dns"),
    );
  });

  it("name the API server by its addresses", () => {
    expect(specText("database/database-to-api-server")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: database
      policyTypes:
      - Egress
      egress:
      - to:
        - ipBlock:
            cidr: 10.1.2.3/32
        - ipBlock:
            cidr: fd00::1/128
        ports:
        - port: 6443
          protocol: TCP
      "
    `);
  });

  it("never hold a rule without peers, which would allow everybody", () => {
    const nowhere = { apiServer: { addresses: [], port: 6443 } };
    expect(() => specText("database/database-to-api-server", { where: nowhere })).toThrow(
      "no address is known of apiServer",
    );
    expect(() => specText("database/database-to-storage", { where: nowhere })).toThrow(
      "no address is known of storage",
    );
  });

  it("have names of their own: two of one name in a namespace would be one, and the other's end closed", () => {
    const names = planned().map(({ namespace, name }) => `${namespace}/${name}`);
    expect(names).toEqual([...new Set(names)]);
  });

  it("are two for both ends of a pair in one namespace, each with its own direction", () => {
    expect(specText("database/backup-to-database")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: backup
      policyTypes:
      - Egress
      egress:
      - to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: database
        ports:
        - port: 8009
          protocol: TCP
      "
    `);
    expect(specText("database/database-from-backup")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: database
      policyTypes:
      - Ingress
      ingress:
      - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: backup
        ports:
        - port: 8009
          protocol: TCP
      "
    `);
  });

  it("name the storage by its addresses and networks, and its port by what the config says", () => {
    expect(specText("database/database-to-storage")).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: database
      policyTypes:
      - Egress
      egress:
      - to:
        - ipBlock:
            cidr: 10.40.0.64/28
        - ipBlock:
            cidr: 10.9.9.9/32
        ports:
        - port: 10000
          protocol: TCP
      "
    `);
    for (const from of ["drill", "clone"]) {
      expect(specText(`database/${from}-to-storage`).replace(`name: ${from}`, "name: database")).toBe(
        specText("database/database-to-storage"),
      );
    }
  });

  it("let nobody reach private networks by a storage that may have any public address", () => {
    const storage = { addresses: ["0.0.0.0/0"], port: 443 };
    expect(
      specText("database/clone-to-storage", { where: { ...addresses, storage } }),
    ).toMatchInlineSnapshot(`
      "
      podSelector:
        matchLabels:
          app.kubernetes.io/name: clone
      policyTypes:
      - Egress
      egress:
      - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except:
            - 10.0.0.0/8
            - 172.16.0.0/12
            - 192.168.0.0/16
            - 169.254.0.0/16
        ports:
        - port: 443
          protocol: TCP
      "
    `);
  });

  it("name the identity's one address", () => {
    expect(specText("database/drill-to-identity")).toContain(`
  - ipBlock:
      cidr: 169.254.169.254/32
  ports:
  - port: 80
`);
  });

  it("take a new flow as one line", () => {
    const further: Flow = {
      from: "pooler",
      to: "apiServer",
      port: "given",
      protocols: ["TCP"],
      why: "for the sake of the example",
    };
    const names = (table: readonly Flow[]) =>
      planned(table).map(({ namespace, name }) => `${namespace}/${name}`);
    expect(names([...flows, further])).toEqual([...names(flows), "pooler/pooler-to-api-server"]);
    expect(specText("pooler/pooler-to-api-server", { table: [...flows, further] })).toContain(
      "cidr: 10.1.2.3/32",
    );
  });
});

describe("the policies of whoever watches", () => {
  const watching = networkPolicies(flows, ["database", "pooler", "monitoring", "nodes"]);

  it("are there for each end of ours, and none lets them further", () => {
    const without = new Set(planned().map(({ namespace, name }) => `${namespace}/${name}`));
    expect(
      watching
        .filter(({ namespace, name }) => !without.has(`${namespace}/${name}`))
        .map(({ namespace, name, why }) => `${namespace}/${name}: ${why}`),
    ).toMatchInlineSnapshot(`
      [
        "monitoring/default-deny: what no other policy allows is dropped, also for pods nobody thought of",
        "nodes/default-deny: what no other policy allows is dropped, also for pods nobody thought of",
        "monitoring/prometheus-to-database: 8009: metrics of members",
        "database/prometheus-to-database: 8009: metrics of members",
        "monitoring/prometheus-to-pooler: 9127: metrics of PgBouncer",
        "pooler/prometheus-to-pooler: 9127: metrics of PgBouncer",
        "monitoring/prometheus-to-node-exporter: 9100: metrics of nodes",
        "nodes/prometheus-to-node-exporter: 9100: metrics of nodes",
        "monitoring/prometheus-to-exporter: 9187: metrics of PostgreSQL; 9188: metrics of TimescaleDB",
        "monitoring/exporter-from-prometheus: 9187: metrics of PostgreSQL; 9188: metrics of TimescaleDB",
        "monitoring/prometheus-to-monitoring-api: 8443: metrics of the API",
        "monitoring/monitoring-api-from-prometheus: 8443: metrics of the API",
        "monitoring/prometheus-to-alertmanager: 9093: alerts",
        "monitoring/alertmanager-from-prometheus: 9093: alerts",
        "monitoring/prometheus-to-dns: 53: names of all of them",
        "monitoring/prometheus-to-api-server: which poolers and nodes there are",
        "monitoring/prometheus-to-outside: remote write",
        "monitoring/alertmanager-to-dns: 53: names of receivers",
        "monitoring/alertmanager-to-outside: webhooks and Teams",
        "monitoring/alertmanager-to-mail: mails",
        "monitoring/exporter-to-database: 5432: statistics, of each member",
        "database/exporter-to-database: 5432: statistics, of each member",
        "monitoring/exporter-to-pooler: 6432: probes, as a client",
        "pooler/exporter-to-pooler: 6432: probes, as a client",
        "monitoring/exporter-to-dns: 53: names of members and pooler",
        "monitoring/monitoring-api-to-database: 5432: statistics, and telemetry to show",
        "database/monitoring-api-to-database: 5432: statistics, and telemetry to show",
        "monitoring/monitoring-api-to-dns: 53: names of database and issuer",
        "monitoring/monitoring-api-to-outside: keys of tokens' issuer",
        "monitoring/grafana-to-prometheus: 9090: what dashboards show",
        "monitoring/prometheus-from-grafana: 9090: what dashboards show",
        "monitoring/grafana-to-dns: 53: Prometheus' name",
        "monitoring/watcher-to-monitoring-api: 8443: questions, and the status page",
        "monitoring/watcher-to-grafana: 3000: dashboards",
        "monitoring/watcher-to-prometheus: 9090: federation",
        "database/azure-agent-to-database: 8009: metrics of members",
        "pooler/azure-agent-to-pooler: 9127: metrics of PgBouncer",
        "nodes/azure-agent-to-node-exporter: 9100: metrics of nodes",
        "monitoring/azure-agent-to-exporter: 9187: metrics of PostgreSQL; 9188: metrics of TimescaleDB",
        "monitoring/azure-agent-to-monitoring-api: 8443: metrics of the API",
      ]
    `);
  });

  it("let nobody but watchers in from outside, and nothing out but to stated addresses", () => {
    const text = stringify(watching.map((plan) => specOf(plan, addresses)));
    expect(text).not.toContain("cidr: 0.0.0.0/0\n        ports");
    const nodes = watching.filter(({ namespace }) => namespace === "nodes");
    expect(nodes.map(({ name }) => name)).toEqual([
      "default-deny",
      "prometheus-to-node-exporter",
      "azure-agent-to-node-exporter",
    ]);
  });
});

describe("the table of flows", () => {
  it("gives a port to whoever is known by labels, and takes an outsider's from where its addresses come from", () => {
    for (const { to, port } of flows) expect(port === "given", to).toBe("address" in parties[to]);
  });

  it("says each flow once", () => {
    const keys = flows.flatMap(({ from, to, port, protocols }) =>
      protocols.map((protocol) => `${from} ${to} ${port} ${protocol}`),
    );
    expect(keys).toEqual([...new Set(keys)]);
  });

  it("lets nobody but the pooler, the members and who watches reach a database, and jobs ask its agent only", () => {
    const reach = (port: number) =>
      flows.filter((flow) => flow.to === "database" && flow.port === port).map(({ from }) => from);
    const ports = new Set(flows.filter(({ to }) => to === "database").map(({ port }) => port));
    expect([...ports].sort()).toEqual([5432, 8008, 8009, 8432]);
    // The last two by passwords that open statistics, and what a page shows.
    expect(reach(5432).sort()).toEqual(["database", "exporter", "monitoringApi", "pooler"]);
    expect(reach(8008)).toEqual(["database"]);
    expect(reach(8009).sort()).toEqual(["azureAgent", "backup", "database", "drill", "pooler", "prometheus"]);
    // Who may begin a backup reads everything.
    expect(reach(8432)).toEqual(["database"]);
  });

  it("lets nobody reach a restored copy but through the API server", () => {
    expect(flows.filter(({ to }) => ["backup", "drill", "clone"].includes(to))).toEqual([]);
  });

  it("has nothing to do with outsiders that a cluster has not", () => {
    const to = (...present: (keyof Addresses)[]) =>
      new Set(flowsWith(new Set(present)).map((flow) => flow.to));
    const ours = ["pooler", "database", "dns"];
    expect(to()).toEqual(new Set(ours));
    expect(to("apiServer")).toEqual(new Set([...ours, "apiServer"]));
    expect(to("apiServer", "storage")).toEqual(new Set([...ours, "apiServer", "storage"]));
    expect(flowsWith(new Set(["apiServer", "storage", "identity"]))).toEqual(dataFlows);
    const all = [
      "apiServer",
      "storage",
      "identity",
      "monitoring",
      "outside",
      "mail",
      "managedMonitoring",
    ] as const;
    expect(flowsWith(new Set(all))).toEqual(flows);
  });
});
