import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Flow, flows, parties } from "../../infra/kubernetes/flows";
import { networkPolicies, specOf } from "../../infra/kubernetes/networkPolicies";

const addresses = { apiServer: { addresses: ["10.1.2.3", "fd00::1"], port: 6443 } };
const planned = (table: readonly Flow[] = flows) => networkPolicies(table);

function specText(name: string, table?: readonly Flow[]) {
  const plan = planned(table).find((it) => `${it.namespace}/${it.name}` === name);
  return `\n${stringify(plan && specOf(plan, addresses), { indentSeq: false, aliasDuplicateObjects: false })}`;
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
        "database/database-to-database: 5432: replication, base backup, rewind; 8008: Patroni's election and failsafe; 8009: a primary that leaves wakes the others",
        "database/database-to-dns: 53: names of the other members",
        "database/database-to-api-server: Patroni's leader lock",
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
    const plan = planned().find(({ name }) => name === "database-to-api-server");
    expect(() => plan && specOf(plan, nowhere)).toThrow("no address is known of apiServer");
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
    expect(specText("pooler/pooler-to-api-server", [...flows, further])).toContain("cidr: 10.1.2.3/32");
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

  it("lets nobody but the pooler and the members reach a database", () => {
    expect(new Set(flows.filter(({ to }) => to === "database").map(({ from }) => from))).toEqual(
      new Set(["pooler", "database"]),
    );
  });
});
