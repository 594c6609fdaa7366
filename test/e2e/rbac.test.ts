// What the accounts of our pods may do, tried with their own tokens. The accounts are made by the components that make
// them in a stack; what is expected is written by hand.

import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import * as k8s from "@pulumi/kubernetes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatabaseAccount, PowerlessAccount } from "../../infra/kubernetes/serviceAccount";
import { ensureCluster } from "../cluster";
import { StandInStack } from "../engine/support/standInStack";
import { silent } from "../support/embedded";
import { TestNamespace } from "./support/kubernetes";
import { TokenClient } from "./support/tokenClient";

const accounts = ["database", "pooler"] as const;
type Account = (typeof accounts)[number];

let own: TestNamespace;
let other: TestNamespace;
let stack: StandInStack;
let core: CoreV1Api;
const clients = {} as Record<Account, TokenClient>;

beforeAll(async () => {
  const { kubeconfig } = await ensureCluster(silent);
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  core = config.makeApiClient(CoreV1Api);
  own = await TestNamespace.create(kubeconfig, "rbac");
  other = await TestNamespace.create(kubeconfig, "rbac-other");
  stack = await StandInStack.start(["kubernetes"]);
  await stack.run("up", async () => {
    const options = { provider: new k8s.Provider("test", { kubeconfig }) };
    new DatabaseAccount("database", { namespace: own.name }, options);
    new PowerlessAccount("pooler", { namespace: own.name }, options);
    return {};
  });
  for (const name of accounts) {
    const body = { spec: { audiences: [], expirationSeconds: 3600 } };
    const request = { name, namespace: own.name, body };
    const { status } = await core.createNamespacedServiceAccountToken(request);
    clients[name] = new TokenClient(config, status?.token ?? "");
  }
  await makeObjects();
}, 600_000);

afterAll(async () => {
  for (const client of Object.values(clients)) client.close();
  await stack?.run("destroy");
  await stack?.stop();
  await Promise.all([own?.remove(), other?.remove()]);
});

/** Something to read and to change; the pod runs nowhere. */
async function makeObjects(): Promise<void> {
  for (const { name: namespace } of [own, other]) {
    const pod = { schedulerName: "none", containers: [{ name: "main", image: "none" }] };
    await core.createNamespacedPod({ namespace, body: { metadata: { name: "there" }, spec: pod } });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "there" } } });
    await core.createNamespacedSecret({ namespace, body: { metadata: { name: "there" } } });
  }
}

/** What Kubernetes lets everybody do who has logged in: ask who they are, and what they may. */
const everybody = [
  "create selfsubjectaccessreviews.authorization.k8s.io",
  "create selfsubjectreviews.authentication.k8s.io",
  "create selfsubjectrulesreviews.authorization.k8s.io",
];

interface Right {
  readonly verb: string;
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
}

/** Every verb on every resource the cluster has, and those verbs that only RBAC knows. */
async function allRights(client: TokenClient): Promise<Right[]> {
  const read = async (path: string) => JSON.parse((await client.ask("GET", path)).text);
  const groups: { groups: { name: string; preferredVersion: { groupVersion: string } }[] } =
    await read("/apis");
  const places = [
    { group: "", path: "/api/v1" },
    ...groups.groups.map(({ name, preferredVersion }) => ({
      group: name,
      path: `/apis/${preferredVersion.groupVersion}`,
    })),
  ];
  const lists = await Promise.all(
    places.map(async ({ group, path }) => {
      const { resources }: { resources: { name: string; verbs: string[] }[] } = await read(path);
      return resources.flatMap(({ name, verbs }) => verbs.map((verb) => ({ verb, group, resource: name })));
    }),
  );
  const special = [
    { verb: "impersonate", group: "", resource: "users" },
    { verb: "impersonate", group: "", resource: "groups" },
    { verb: "impersonate", group: "", resource: "serviceaccounts" },
    { verb: "escalate", group: "rbac.authorization.k8s.io", resource: "roles" },
    { verb: "bind", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
    { verb: "approve", group: "certificates.k8s.io", resource: "signers" },
  ];
  return [...lists.flat(), ...special];
}

/** Those of all rights that the API server says an account has. */
async function rightsOf(account: Account, namespace: string | undefined): Promise<string[]> {
  const client = clients[account];
  const rights = await allRights(client);
  expect(rights.length).toBeGreaterThan(300);
  const allowed = await Promise.all(
    rights.map(async ({ verb, group, resource: name }) => {
      const [resource, subresource] = name.split("/");
      const resourceAttributes = {
        ...{ verb, group, resource },
        ...(subresource && { subresource }),
        ...(namespace && { namespace }),
      };
      const answer = await client.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes },
      });
      return JSON.parse(answer.text).status.allowed === true;
    }),
  );
  return rights
    .filter((_, index) => allowed[index])
    .map(({ verb, group, resource }) => `${verb} ${resource}${group && `.${group}`}`)
    .sort();
}

describe("of all verbs on all resources, the API server grants", () => {
  it("the database's account what Patroni and our agent do, in its namespace", async () => {
    const configMaps = ["create", "get", "list", "patch", "watch"].map((verb) => `${verb} configmaps`);
    const pods = ["list", "patch", "watch"].map((verb) => `${verb} pods`);
    expect(await rightsOf("database", own.name)).toEqual([...configMaps, ...pods, ...everybody].sort());
  });

  it("it nothing elsewhere", async () => {
    expect(await rightsOf("database", other.name)).toEqual(everybody);
    expect(await rightsOf("database", undefined)).toEqual(everybody);
  });

  it("the pooler's account nothing anywhere", async () => {
    expect(await rightsOf("pooler", own.name)).toEqual(everybody);
    expect(await rightsOf("pooler", undefined)).toEqual(everybody);
  });
});

const label = { metadata: { labels: { tried: "yes" } } };
const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
const newPod = { apiVersion: "v1", kind: "Pod", metadata: { name: "new" }, spec: { containers: [] } };

interface Call {
  /** Method, and path below the namespace. */
  readonly what: string;
  readonly body?: unknown;
}

const used: readonly Call[] = [
  { what: "POST configmaps", body: configMap("new") },
  { what: "GET configmaps/new" },
  { what: "GET configmaps" },
  { what: "PATCH configmaps/new", body: label },
  { what: "GET configmaps?watch=1&timeoutSeconds=1" },
  { what: "GET pods" },
  { what: "PATCH pods/there", body: label },
  { what: "GET pods?watch=1&timeoutSeconds=1" },
];
const unused: readonly Call[] = [
  { what: "PUT configmaps/there", body: configMap("there") },
  { what: "DELETE configmaps/there" },
  { what: "DELETE configmaps" },
  { what: "GET pods/there" },
  { what: "POST pods", body: newPod },
  { what: "PUT pods/there", body: newPod },
  { what: "DELETE pods/there" },
  { what: "GET pods/there/log" },
  { what: "POST pods/there/exec?command=id&stdout=1" },
  { what: "POST pods/there/portforward?ports=1" },
  { what: "POST pods/there/eviction", body: {} },
  { what: "PATCH pods/there/status", body: label },
  { what: "GET secrets" },
  { what: "GET secrets/there" },
  { what: "GET services" },
  { what: "GET endpoints" },
  { what: "POST serviceaccounts/database/token", body: {} },
];

function statusOf(account: Account, namespace: string, { what, body }: Call): Promise<number> {
  const [method = "", path] = what.split(" ");
  return clients[account]
    .ask(method, `/api/v1/namespaces/${namespace}/${path}`, body)
    .then(({ status }) => status);
}

describe("a call", () => {
  it.each(used)("of the database's that is needed works: $what", async (call) => {
    expect([200, 201]).toContain(await statusOf("database", own.name, call));
  });

  it.each(unused)("of the database's that is not needed is refused: $what", async (call) => {
    expect(await statusOf("database", own.name, call)).toBe(403);
  });

  it.each([...used, ...unused])("of the database's in another namespace is refused: $what", async (call) => {
    expect(await statusOf("database", other.name, call)).toBe(403);
  });

  it.each([...used, ...unused])("of the pooler's is refused: $what", async (call) => {
    expect(await statusOf("pooler", own.name, call)).toBe(403);
  });
});

it("only the database's pods get a token", async () => {
  const tokensOf = async (serviceAccountName: string) => {
    const spec = { serviceAccountName, containers: [{ name: "main", image: "none" }] };
    const body = { metadata: { name: `as-${serviceAccountName}` }, spec };
    const pod = await core.createNamespacedPod({ namespace: own.name, body, dryRun: "All" });
    return (pod.spec?.volumes ?? []).filter(({ projected }) =>
      projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken),
    ).length;
  };
  expect(await tokensOf("database")).toBe(1);
  expect(await tokensOf("pooler")).toBe(0);
});
