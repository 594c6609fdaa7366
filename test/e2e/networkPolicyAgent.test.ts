// What the test cluster's agent makes of NetworkPolicies, by real packets through real rules: two nodes, two pods on each,
// and a machine outside, all of them network namespaces. What is expected is written by hand, case by case.
import type { V1Namespace, V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { createLog } from "../../ops/log";
import { applyRules } from "../cluster/networkPolicy/nft";
import type { NetworkPolicy } from "../cluster/networkPolicy/policy";
import { ruleset } from "../cluster/networkPolicy/rules";
import { ensureHostTool } from "../support/debian";
import {
  addressesOf,
  nodeNames,
  type Place,
  type PlaceName,
  podNames,
  podNodes,
  ports,
  startNetwork,
} from "./support/policyNetwork";
import { covers } from "./support/probes";

const namespaces: V1Namespace[] = [
  { metadata: { name: "shop", labels: { team: "blue" } } },
  { metadata: { name: "store", labels: { team: "green" } } },
];

/** The shop's pods are on node one, the store's on node two. */
const pods: V1Pod[] = [
  pod("web", "shop", { app: "web", tier: "front" }, { http: 8080 }),
  pod("api", "shop", { app: "api" }, { http: 8080, admin: 9090 }),
  pod("db", "store", { app: "db" }, { http: 9090 }),
  pod("job", "store", {}, {}),
];

function pod(
  name: (typeof podNames)[number],
  namespace: string,
  labels: Record<string, string>,
  named: Record<string, number>,
): V1Pod {
  const listed = Object.entries(named).map(([portName, containerPort]) => ({
    name: portName,
    containerPort,
  }));
  return {
    metadata: { name, namespace, labels },
    spec: { nodeName: podNodes[name], containers: [{ name: "main", ports: listed }] },
    status: { phase: "Running", podIPs: addressesOf(name).map((ip) => ({ ip })) },
  };
}

let places: Record<PlaceName, Place>;

beforeAll(async () => {
  const log = createLog({ quiet: false });
  await ensureHostTool("nft", "nftables", log);
  await ensureHostTool("ip", "iproute2", log);
  places = await startNetwork();
});
afterAll(async () => {
  await Promise.all(Object.values(places ?? {}).map((place) => place.end()));
});

/** Puts policies in force: YAML documents with name, namespace (`shop` when absent) and what a spec holds. */
async function enforce(text: string): Promise<void> {
  const policies = parseAllDocuments(text).map((document): NetworkPolicy => {
    const { name, namespace = "shop", ...spec } = document.toJS();
    return { metadata: { name, namespace }, spec: { podSelector: {}, ...spec } };
  });
  const state = { pods, namespaces, policies };
  await Promise.all(nodeNames.map((node) => applyRules(places[node].netns, ruleset(node, state))));
}

type Port = (typeof ports)[number];

/** A blocked packet says nothing, so no answer is no answer after a while, in ms. */
const patience = 250;
/** For what should be answered: other work on the machine must not look like a rule. */
const longPatience = 5000;

async function reaches(from: PlaceName, to: PlaceName, port: Port, expected: boolean): Promise<boolean> {
  return (
    (await talk(from, addressesOf(to)[0], port)) ||
    (expected && talk(from, addressesOf(to)[0], port, longPatience))
  );
}

function talk(
  from: PlaceName,
  address: string,
  port: Port,
  wait = patience,
  keepAs?: string,
): Promise<boolean> {
  return places[from].ask({ do: "talk", ...port, address, patience: wait, ...(keepAs && { keepAs }) });
}

/** Every pod and `outside` to every other, on every port; what is not as expected, as `web > api TCP/8080: reached`. */
async function surprises(blocked: readonly string[], but: readonly string[]): Promise<string[]> {
  const ends = [...podNames, "outside"] as const;
  const probes = ends.flatMap((from) =>
    ends.filter((to) => to !== from).flatMap((to) => ports.map((port) => ({ from, to, port }))),
  );
  const found = await Promise.all(
    probes.map(async ({ from, to, port }) => {
      const name = `${from} > ${to} ${port.protocol}/${port.port}`;
      const expected = but.some((it) => covers(it, name)) || !blocked.some((it) => covers(it, name));
      const reached = await reaches(from, to, port, expected);
      return reached === expected ? [] : [`${name}: ${reached ? "reached" : "blocked"}`];
    }),
  );
  return found.flat();
}

interface Case {
  readonly what: string;
  readonly policies: string;
  /** What must not pass. Everything else must. */
  readonly blocked: readonly string[];
  /** What must pass nevertheless. */
  readonly but?: readonly string[];
}

const onWeb = "name: it\npodSelector: { matchLabels: { app: web } }\n";
const webSends = `${onWeb}policyTypes: [Egress]\n`;

const cases: readonly Case[] = [
  { what: "no policy", policies: "", blocked: [] },
  { what: "denied ingress", policies: "name: it\npolicyTypes: [Ingress]", blocked: ["* > web,api"] },
  { what: "denied egress", policies: "name: it\npolicyTypes: [Egress]", blocked: ["web,api > *"] },
  {
    what: "both denied",
    policies: "name: it\npolicyTypes: [Ingress, Egress]",
    blocked: ["* > web,api", "web,api > *"],
  },
  { what: "no policyTypes and no rules: ingress", policies: onWeb, blocked: ["* > web"] },
  { what: "no policyTypes and egress rules: both", policies: `${onWeb}egress: [{}]`, blocked: ["* > web"] },
  { what: "no policyTypes and empty egress: ingress", policies: `${onWeb}egress: []`, blocked: ["* > web"] },
  { what: "an empty rule: everybody", policies: `${onWeb}ingress: [{}]`, blocked: [] },
  {
    what: "empty lists in a rule: everybody",
    policies: `${onWeb}policyTypes: [Ingress, Egress]\ningress: [{ from: [], ports: [] }]\negress: [{ to: [], ports: [] }]`,
    blocked: [],
  },
  {
    what: "pods of the same namespace",
    policies: `${onWeb}ingress: [{ from: [{ podSelector: { matchLabels: { app: api } } }] }]`,
    blocked: ["* > web"],
    but: ["api > web"],
  },
  {
    what: "all pods of the same namespace, and of no other",
    policies: "name: it\nnamespace: store\ningress: [{ from: [{ podSelector: {} }] }]",
    blocked: ["* > db,job"],
    but: ["db,job > db,job"],
  },
  {
    what: "pods of a selected namespace",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: green } } }] }]`,
    blocked: ["* > web"],
    but: ["db,job > web"],
  },
  {
    what: "all namespaces: every pod, but nobody outside",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: {} }] }]`,
    blocked: ["outside > web"],
  },
  {
    what: "pods in a namespace, both selected by one peer",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: green } }, podSelector: { matchLabels: { app: db } } }] }]`,
    blocked: ["* > web"],
    but: ["db > web"],
  },
  {
    what: "pods or a namespace, as two peers",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: green } } }, { podSelector: { matchLabels: { app: api } } }] }]`,
    blocked: ["* > web"],
    but: ["db,job,api > web"],
  },
  {
    what: "In",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: app, operator: In, values: [api, db] }] } }] }]`,
    blocked: ["* > web"],
    but: ["api,db > web"],
  },
  {
    what: "NotIn, which the unlabelled are too",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [api] }] } }] }]`,
    blocked: ["* > web"],
    but: ["db,job > web"],
  },
  {
    what: "Exists",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: app, operator: Exists }] } }] }]`,
    blocked: ["job,outside > web"],
  },
  {
    what: "DoesNotExist, of the pods that are isolated",
    policies:
      "name: it\nnamespace: store\npodSelector: { matchExpressions: [{ key: app, operator: DoesNotExist }] }",
    blocked: ["* > job"],
  },
  {
    what: "expressions of namespaces",
    policies: `${onWeb}ingress: [{ from: [{ namespaceSelector: { matchExpressions: [{ key: team, operator: NotIn, values: [green] }] } }] }]`,
    blocked: ["* > web"],
    but: ["api > web"],
  },
  {
    what: "a port",
    policies: `${onWeb}ingress: [{ ports: [{ port: 8080 }] }]`,
    blocked: ["* > web"],
    but: ["* > web TCP/8080"],
  },
  {
    what: "a protocol",
    policies: `${onWeb}ingress: [{ ports: [{ protocol: UDP }] }]`,
    blocked: ["* > web"],
    but: ["* > web UDP/8080"],
  },
  {
    what: "a range of ports",
    policies: `${onWeb}ingress: [{ ports: [{ port: 9000, endPort: 9100 }] }]`,
    blocked: ["* > web"],
    but: ["* > web TCP/9090"],
  },
  {
    what: "ports of two protocols",
    policies: `${onWeb}ingress: [{ ports: [{ port: 9090 }, { port: 8080, protocol: UDP }] }]`,
    blocked: ["* > web TCP/8080"],
  },
  {
    what: "a named port of who listens",
    policies: "name: it\nnamespace: store\ningress: [{ ports: [{ port: http }] }]",
    blocked: ["* > db,job"],
    but: ["* > db TCP/9090"],
  },
  {
    what: "a named port to whoever has one",
    policies: `${webSends}egress: [{ ports: [{ port: http }] }]`,
    blocked: ["web > *"],
    but: ["web > api TCP/8080", "web > db TCP/9090"],
  },
  {
    what: "a named port of selected pods",
    policies: `${webSends}egress: [{ to: [{ namespaceSelector: { matchLabels: { team: green } } }], ports: [{ port: http }] }]`,
    blocked: ["web > *"],
    but: ["web > db TCP/9090"],
  },
  {
    what: "peers with ports, as a product",
    policies: `${webSends}egress: [{ to: [{ podSelector: { matchLabels: { app: api } } }, { ipBlock: { cidr: 10.250.0.0/24 } }], ports: [{ port: 8080 }, { port: 8080, protocol: UDP }] }]`,
    blocked: ["web > *"],
    but: ["web > api,outside TCP/8080", "web > api,outside UDP/8080"],
  },
  {
    what: "rules of one policy, as a sum",
    policies: `${webSends}egress: [{ to: [{ podSelector: { matchLabels: { app: api } } }], ports: [{ port: 8080 }] }, { to: [{ namespaceSelector: { matchLabels: { team: green } } }], ports: [{ port: 9090 }] }]`,
    blocked: ["web > *"],
    but: ["web > api TCP/8080", "web > db,job TCP/9090"],
  },
  {
    what: "policies, as a sum",
    policies: `name: deny\npolicyTypes: [Ingress]\n---\n${onWeb}ingress: [{ ports: [{ port: 8080 }] }]\n---\nname: more\ningress: [{ from: [{ podSelector: {} }] }]`,
    blocked: ["* > web,api"],
    but: ["* > web TCP/8080", "web,api > web,api"],
  },
  {
    what: "peers that are nobody",
    policies: `${webSends}egress: [{ to: [{ podSelector: { matchLabels: { app: none } } }] }]`,
    blocked: ["web > *"],
  },
  {
    what: "what one end allows and the other denies",
    policies: `${webSends}egress: [{ to: [{ podSelector: { matchLabels: { app: api } } }] }]\n---\nname: closed\npodSelector: { matchLabels: { app: api } }\npolicyTypes: [Ingress]`,
    blocked: ["web > *", "* > api"],
  },
  {
    what: "a block to send to",
    policies: `${webSends}egress: [{ to: [{ ipBlock: { cidr: 10.250.0.9/32 } }] }]`,
    blocked: ["web > *"],
    but: ["web > outside"],
  },
  {
    what: "a block without what it excepts",
    policies: `${webSends}egress: [{ to: [{ ipBlock: { cidr: 10.250.0.0/16, except: [10.250.0.8/31, 10.250.0.0/29] } }] }]`,
    blocked: ["web > *"],
  },
  {
    what: "a block with something else excepted",
    policies: `${webSends}egress: [{ to: [{ ipBlock: { cidr: 10.250.0.0/16, except: [10.250.0.0/29] } }] }]`,
    blocked: ["web > *"],
    but: ["web > outside"],
  },
  {
    what: "a block of everything, which is no pod",
    policies: `${onWeb}policyTypes: [Ingress, Egress]\ningress: [{ from: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }]\negress: [{ to: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }]`,
    blocked: ["web > *", "* > web"],
    but: ["web > outside", "outside > web"],
  },
];

describe("a policy lets pass what it should, and nothing else:", () => {
  it.each(cases)("$what", async ({ policies, blocked, but = [] }) => {
    await enforce(policies);
    expect(await surprises(blocked, but)).toEqual([]);
  });
});

const http = ports[0];
const denyAll = "name: it\npolicyTypes: [Ingress, Egress]\n";

describe("the node of a pod", () => {
  it("reaches it whatever policies say, as the kubelet's probes must; another node doesn't", async () => {
    await enforce(denyAll);
    expect(await reaches("one", "web", http, true)).toBe(true);
    expect(await reaches("two", "web", http, false)).toBe(false);
  });

  it("is itself reached as policies say", async () => {
    await enforce("");
    expect(await reaches("web", "one", http, true)).toBe(true);
    await enforce(denyAll);
    expect(await reaches("web", "one", http, false)).toBe(false);
    await enforce(`${webSends}egress: [{ to: [{ ipBlock: { cidr: 10.250.0.1/32 } }] }]`);
    expect(await reaches("web", "one", http, true)).toBe(true);
  });
});

describe("IPv6", () => {
  const [, web] = addressesOf("web");

  it("is policed like IPv4", async () => {
    await enforce(`${onWeb}ingress: [{ from: [{ podSelector: { matchLabels: { app: api } } }] }]`);
    expect(await talk("api", web, http, longPatience)).toBe(true);
    expect(await talk("db", web, http)).toBe(false);
    await enforce(`${onWeb}ingress: [{ from: [{ ipBlock: { cidr: "fd00:250::/64" } }] }]`);
    expect(await talk("outside", web, http, longPatience)).toBe(true);
    expect(await talk("outside", addressesOf("web")[0], http)).toBe(false);
    expect(await talk("api", web, http)).toBe(false);
  });

  it("finds its neighbours, which IPv4 does below what is policed", async () => {
    await enforce(`${onWeb}policyTypes: [Ingress, Egress]\ningress: [{ from: [{ podSelector: {} }] }]`);
    places.one.run("ip", "-6", "neigh", "flush", "dev", "web");
    expect(await talk("api", web, http, longPatience)).toBe(true);
  });
});

describe("through a Service", () => {
  const service = "10.252.0.1";
  const [web] = addressesOf("web");
  const [db] = addressesOf("db");

  /** As kube-proxy does it. */
  async function forward(target: string): Promise<void> {
    await applyRules(
      places.one.netns,
      `table ip service
delete table ip service
table ip service {
  chain prerouting { type nat hook prerouting priority dstnat; ip daddr ${service} dnat to ${target}; }
  chain postrouting { type nat hook postrouting priority srcnat; ip saddr ${web} ip daddr ${web} masquerade; }
}
`,
    );
  }

  it("what counts is the pod behind it", async () => {
    await forward(db);
    await enforce(`${webSends}egress: [{ to: [{ namespaceSelector: { matchLabels: { team: green } } }] }]`);
    expect(await talk("web", service, http, longPatience)).toBe(true);
    await enforce(`${webSends}egress: [{ to: [{ ipBlock: { cidr: ${service}/32 } }] }]`);
    expect(await talk("web", service, http)).toBe(false);
  });

  it("a pod always reaches itself", async () => {
    await forward(web);
    await enforce(denyAll);
    expect(await talk("web", service, http, longPatience)).toBe(true);
    expect(await talk("api", service, http)).toBe(false);
  });
});

describe("a connection that is open", () => {
  it("carries replies through a denial of what opens others", async () => {
    await enforce("name: it\npolicyTypes: [Ingress]");
    expect(await talk("web", addressesOf("db")[0], http, longPatience)).toBe(true);
    expect(await reaches("db", "web", http, false)).toBe(false);
  });

  it("is cut by a policy that comes, and lives again when it goes", async () => {
    await enforce("");
    const [db] = addressesOf("db");
    expect(await talk("web", db, http, longPatience, "kept")).toBe(true);
    await enforce(denyAll);
    expect(await talk("web", db, http, 1000, "kept")).toBe(false);
    await enforce("");
    expect(await talk("web", db, http, longPatience, "kept")).toBe(true);
  });
});

it("there is no moment without rules while they are replaced", async () => {
  const other = "name: other\npodSelector: { matchLabels: { app: none } }\n";
  await enforce(denyAll);
  let replacing = true;
  const tries: Promise<boolean>[] = [];
  const trying = (async () => {
    while (replacing) {
      tries.push(talk("db", addressesOf("web")[0], ports[2]));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  for (let times = 0; times < 30; times += 1) await enforce(times % 2 ? denyAll : `${denyAll}---\n${other}`);
  replacing = false;
  await trying;
  const reached = (await Promise.all(tries)).filter((it) => it).length;
  expect(tries.length).toBeGreaterThan(100);
  expect(reached).toBe(0);
});
