// The text that nftables is given. What it does to packets is shown in test/e2e/networkPolicyAgent.test.ts.
import type { V1Namespace, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { policedPods } from "../cluster/networkPolicy/pods";
import { asWritten, type NetworkPolicy } from "../cluster/networkPolicy/policy";
import { ruleset } from "../cluster/networkPolicy/rules";
import { selects } from "../cluster/networkPolicy/selectors";

interface PodSketch {
  namespace?: string;
  labels?: Record<string, string>;
  node?: string;
  addresses?: string[];
  ports?: { name: string; containerPort: number; protocol?: string }[];
  phase?: string;
  hostNetwork?: boolean;
  created?: string;
}

function pod(name: string, sketch: PodSketch): V1Pod {
  const { namespace = "shop", labels = {}, node = "one", addresses = [], ports = [] } = sketch;
  return {
    metadata: {
      name,
      namespace,
      labels,
      ...(sketch.created && { creationTimestamp: new Date(sketch.created) as never }),
    },
    spec: {
      nodeName: node,
      containers: [{ name: "main", ports }],
      ...(sketch.hostNetwork && { hostNetwork: true }),
    },
    status: { phase: sketch.phase ?? "Running", podIPs: addresses.map((ip) => ({ ip })) },
  };
}

const namespaces: V1Namespace[] = [
  { metadata: { name: "shop", labels: { team: "blue" } } },
  { metadata: { name: "store", labels: { team: "green" } } },
];
const pods: V1Pod[] = [
  pod("web", {
    labels: { app: "web" },
    addresses: ["10.1.0.2"],
    ports: [{ name: "http", containerPort: 8080 }],
  }),
  pod("api", { labels: { app: "api" }, addresses: ["10.1.0.3", "fd00::3"] }),
  pod("db", {
    namespace: "store",
    node: "two",
    labels: { app: "db" },
    addresses: ["10.1.1.2"],
    ports: [
      { name: "http", containerPort: 9090 },
      { name: "dns", containerPort: 53, protocol: "UDP" },
    ],
  }),
];

function policies(text: string): NetworkPolicy[] {
  return parseAllDocuments(text).map((document) => {
    const { name, namespace = "shop", ...spec } = document.toJS();
    return { metadata: { name, namespace }, spec: { podSelector: {}, ...spec } };
  });
}

const rules = (text: string, node = "one") =>
  `\n${ruleset(node, { pods, namespaces, policies: policies(text) })}`;

/** What stands in one chain, without its comment and its end. */
function chain(
  pod: string,
  direction: "ingress" | "egress",
  text: string,
  node = "one",
): string[] | undefined {
  const head = `  chain ${direction}-[0-9]+ {\n    comment "${pod}"\n`;
  const found = new RegExp(`${head}((?:    .*\n)*)    drop\n`).exec(rules(text, node));
  return found?.[1]
    ?.trimEnd()
    .split("\n")
    .map((line) => line.trim());
}

describe("the rules of a node", () => {
  it("are none but the frame where no policy is", () => {
    expect(rules("")).toMatchInlineSnapshot(`
      "
      table inet ms5-network-policy
      delete table inet ms5-network-policy
      table inet ms5-network-policy {
        set pods4 { type ipv4_addr; elements = { 10.1.0.3, 10.1.0.2, 10.1.1.2 } }
        set pods6 { type ipv6_addr; elements = { fd00::3 } }
        chain forward {
          type filter hook forward priority filter; policy accept;
          ct direction reply accept
          ct state related accept
          icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
          ip saddr . ip daddr { 10.1.0.3 . 10.1.0.3, 10.1.0.2 . 10.1.0.2 } accept
          ip6 saddr . ip6 daddr { fd00::3 . fd00::3 } accept
        }
        chain input {
          type filter hook input priority filter; policy accept;
          ct direction reply accept
          ct state related accept
          icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
        }
      }
      "
    `);
  });

  it("are a chain for each of its own pods that is isolated in a direction, and the ways to them", () => {
    const text = `
name: default-deny
policyTypes: [Ingress, Egress]
---
name: web-to-api
podSelector: { matchLabels: { app: web } }
policyTypes: [Egress]
egress: [{ to: [{ podSelector: { matchLabels: { app: api } } }], ports: [{ port: 8080 }] }]
---
name: deny-elsewhere
namespace: store
policyTypes: [Ingress]
`;
    expect(rules(text)).toMatchInlineSnapshot(`
      "
      table inet ms5-network-policy
      delete table inet ms5-network-policy
      table inet ms5-network-policy {
        set pods4 { type ipv4_addr; elements = { 10.1.0.3, 10.1.0.2, 10.1.1.2 } }
        set pods6 { type ipv6_addr; elements = { fd00::3 } }
        chain egress-0 {
          comment "shop/api"
          drop
        }
        chain egress-1 {
          comment "shop/web"
          ip daddr { 10.1.0.3 } tcp dport 8080 return comment "web-to-api"
          ip6 daddr { fd00::3 } tcp dport 8080 return comment "web-to-api"
          drop
        }
        chain ingress-0 {
          comment "shop/api"
          drop
        }
        chain ingress-1 {
          comment "shop/web"
          drop
        }
        chain forward {
          type filter hook forward priority filter; policy accept;
          ct direction reply accept
          ct state related accept
          icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
          ip saddr . ip daddr { 10.1.0.3 . 10.1.0.3, 10.1.0.2 . 10.1.0.2 } accept
          ip6 saddr . ip6 daddr { fd00::3 . fd00::3 } accept
          ip saddr vmap { 10.1.0.3 : jump egress-0, 10.1.0.2 : jump egress-1 }
          ip6 saddr vmap { fd00::3 : jump egress-0 }
          ip daddr vmap { 10.1.0.3 : jump ingress-0, 10.1.0.2 : jump ingress-1 }
          ip6 daddr vmap { fd00::3 : jump ingress-0 }
        }
        chain input {
          type filter hook input priority filter; policy accept;
          ct direction reply accept
          ct state related accept
          icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
          ip saddr vmap { 10.1.0.3 : jump egress-0, 10.1.0.2 : jump egress-1 }
          ip6 saddr vmap { fd00::3 : jump egress-0 }
        }
      }
      "
    `);
    expect(rules(text, "two")).toMatchInlineSnapshot(`
      "
      table inet ms5-network-policy
      delete table inet ms5-network-policy
      table inet ms5-network-policy {
        set pods4 { type ipv4_addr; elements = { 10.1.0.3, 10.1.0.2, 10.1.1.2 } }
        set pods6 { type ipv6_addr; elements = { fd00::3 } }
        chain ingress-0 {
          comment "store/db"
          drop
        }
        chain forward {
          type filter hook forward priority filter; policy accept;
          ct direction reply accept
          ct state related accept
          icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
          ip saddr . ip daddr { 10.1.1.2 . 10.1.1.2 } accept
          ip daddr vmap { 10.1.1.2 : jump ingress-0 }
        }
        chain input {
          type filter hook input priority filter; policy accept;
          ct direction reply accept
          ct state related accept
          icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
        }
      }
      "
    `);
  });

  it("don't depend on the order in which policies are listed", () => {
    const text = ["name: one\ningress: [{}]\n", "name: two\ningress: [{ ports: [{ port: 1 }] }]\n"];
    expect(rules(text.join("---\n"))).toBe(rules([...text].reverse().join("---\n")));
  });
});

describe("what a policy isolates", () => {
  it.each([
    ["ingress alone, when it says nothing", "", [true, false]],
    ["ingress alone, when its egress is empty", "egress: []", [true, false]],
    ["both, when it has egress rules", "egress: [{}]", [true, true]],
    ["egress alone, when it says so", "policyTypes: [Egress]", [false, true]],
    ["both, when it says so", "policyTypes: [Egress, Ingress]", [true, true]],
  ])("is %s", (_, spec, [ingress, egress]) => {
    const text = `name: it\npodSelector: {}\n${spec}\n`;
    expect(chain("shop/web", "ingress", text) !== undefined, "ingress").toBe(ingress);
    expect(chain("shop/web", "egress", text) !== undefined, "egress").toBe(egress);
  });

  it("is pods of its own namespace that its selector selects", () => {
    const text = "name: it\npodSelector: { matchLabels: { app: web } }";
    expect(chain("shop/web", "ingress", text)).toEqual([""]);
    expect(chain("shop/api", "ingress", text)).toBeUndefined();
    expect(chain("shop/web", "ingress", `${text}\nnamespace: store`)).toBeUndefined();
  });
});

describe("a rule's match", () => {
  const to = (rule: string) =>
    chain("shop/web", "egress", `name: it\npolicyTypes: [Egress]\negress: [${rule}]`);
  const from = (rule: string) => chain("shop/web", "ingress", `name: it\ningress: [${rule}]`);

  it.each([
    ["an empty rule: everything", "{}", ["return"]],
    ["empty lists: everything", "{ to: [], ports: [] }", ["return"]],
    ["a port of whoever", "{ ports: [{ port: 80 }] }", ["tcp dport 80 return"]],
    ["a protocol", "{ ports: [{ protocol: SCTP }] }", ["meta l4proto sctp return"]],
    [
      "ports of every protocol, and a range",
      "{ ports: [{ port: 1 }, { port: 2, protocol: UDP }, { port: 3, endPort: 9, protocol: SCTP }] }",
      ["tcp dport 1 return", "udp dport 2 return", "sctp dport 3-9 return"],
    ],
    [
      "every peer with every port",
      "{ to: [{ podSelector: { matchLabels: { app: web } } }, { namespaceSelector: { matchLabels: { team: green } } }], ports: [{ port: 1 }, { port: 2 }] }",
      [
        "ip daddr { 10.1.0.2 } tcp dport 1 return",
        "ip daddr { 10.1.0.2 } tcp dport 2 return",
        "ip daddr { 10.1.1.2 } tcp dport 1 return",
        "ip daddr { 10.1.1.2 } tcp dport 2 return",
      ],
    ],
    [
      "pods with addresses of both families",
      "{ to: [{ podSelector: {} }] }",
      ["ip daddr { 10.1.0.3, 10.1.0.2 } return", "ip6 daddr { fd00::3 } return"],
    ],
    [
      "both selectors in one peer: pods that both select",
      "{ to: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: db } } }] }",
      ["ip daddr { 10.1.1.2 } return"],
    ],
    ["nobody selected: nothing", "{ to: [{ podSelector: { matchLabels: { app: none } } }] }", [""]],
    [
      "a block without what it excepts, and never a pod",
      "{ to: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.9.0.0/16, 10.9.1.0/24] } }], ports: [{ port: 443 }] }",
      [
        "ip daddr 10.0.0.0/8 ip daddr != 10.9.0.0/16 ip daddr != 10.9.1.0/24 ip daddr != @pods4 tcp dport 443 return",
      ],
    ],
    [
      "a block of IPv6",
      "{ to: [{ ipBlock: { cidr: 'fd00::/8' } }] }",
      ["ip6 daddr fd00::/8 ip6 daddr != @pods6 return"],
    ],
    [
      "a named port: whoever has a port of that name, at its number",
      "{ ports: [{ port: http }] }",
      ["ip daddr { 10.1.1.2 } tcp dport 9090 return", "ip daddr { 10.1.0.2 } tcp dport 8080 return"],
    ],
    [
      "a named port of selected pods, of the protocol asked for",
      "{ to: [{ namespaceSelector: {} }], ports: [{ port: dns, protocol: UDP }, { port: dns }] }",
      ["ip daddr { 10.1.1.2 } udp dport 53 return"],
    ],
    [
      "a named port of a block: nothing",
      "{ to: [{ ipBlock: { cidr: 10.0.0.0/8 } }], ports: [{ port: http }] }",
      [""],
    ],
  ])("of egress, %s", (_, rule, expected) => {
    expect(to(rule)?.sort()).toEqual(expected.map((it) => it && `${it} comment "it"`).sort());
  });

  it.each([
    ["an empty rule: everything", "{}", ["return"]],
    [
      "a namespace",
      "{ from: [{ namespaceSelector: { matchLabels: { team: green } } }] }",
      ["ip saddr { 10.1.1.2 } return"],
    ],
    ["a named port: its own of that name", "{ ports: [{ port: http }] }", ["tcp dport 8080 return"]],
    ["a named port it has not: nothing", "{ ports: [{ port: dns }] }", [""]],
    [
      "a block",
      "{ from: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }",
      ["ip saddr 0.0.0.0/0 ip saddr != @pods4 return"],
    ],
  ])("of ingress, %s", (_, rule, expected) => {
    expect(from(rule)).toEqual(expected.map((it) => it && `${it} comment "it"`));
  });
});

describe("a selector", () => {
  const expression = (operator: string, values?: string[]) => ({
    matchExpressions: [{ key: "app", operator, ...(values && { values }) }],
  });
  it.each([
    ["empty", {}, [true, true, true]],
    ["a label", { matchLabels: { app: "web" } }, [true, false, false]],
    ["In", expression("In", ["web", "api"]), [true, true, false]],
    ["NotIn", expression("NotIn", ["web"]), [false, true, true]],
    ["Exists", expression("Exists"), [true, true, false]],
    ["DoesNotExist", expression("DoesNotExist"), [false, false, true]],
    ["both kinds", { matchLabels: { app: "web" }, ...expression("NotIn", ["web"]) }, [false, false, false]],
  ])("%s", (_, selector, expected) => {
    const labels: Record<string, string>[] = [{ app: "web" }, { app: "api" }, {}];
    expect(labels.map((it) => selects(selector, it))).toEqual(expected);
  });

  it("with an operator that doesn't exist is an error, not a match", () => {
    expect(() => selects(expression("Like"), {})).toThrow("the operator Like");
  });
});

describe("the pods that policies are about", () => {
  it("are those with an address of their own now", () => {
    const names = policedPods([
      pod("running", { addresses: ["10.1.0.2"] }),
      pod("on-host", { addresses: ["10.0.0.1"], hostNetwork: true }),
      pod("ended", { addresses: ["10.1.0.3"], phase: "Succeeded" }),
      pod("failed", { addresses: ["10.1.0.4"], phase: "Failed" }),
      pod("starting", {}),
    ]).map(({ name }) => name);
    expect(names).toEqual(["running"]);
  });

  it("are the younger where two have the same address", () => {
    const young = pod("young", { addresses: ["10.1.0.2"], created: "2026-01-02" });
    const old = pod("old", { addresses: ["10.1.0.2"], created: "2026-01-01" });
    expect(policedPods([young, old]).map(({ name }) => name)).toEqual(["young"]);
  });

  it("have the named ports of sidecars, too", () => {
    const sidecar = { name: "proxy", ports: [{ name: "admin", containerPort: 9000 }] };
    const it = pod("web", { addresses: ["10.1.0.2"] });
    const [policed] = policedPods([
      { ...it, spec: { containers: [], ...it.spec, initContainers: [sidecar] } },
    ]);
    expect(policed?.ports).toEqual([{ name: "admin", protocol: "TCP", port: 9000 }]);
  });
});

it("a listed policy reads like a watched one", () => {
  const peer = { podSelector: {} };
  const spec = { podSelector: {}, policyTypes: ["Ingress"] };
  expect(
    asWritten({ spec: { ...spec, ingress: [{ _from: [peer] }, { ports: [{ port: 1 }] }, {}] } }),
  ).toEqual({
    spec: { ...spec, ingress: [{ from: [peer] }, { ports: [{ port: 1 }] }, {}] },
  });
  expect(asWritten({ spec })).toEqual({ spec });
});
