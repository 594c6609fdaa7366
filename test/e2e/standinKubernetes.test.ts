// The kubernetes stand-in on the real engine, against a real API server. What needs no pod comes first.
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { metadataOf } from "../../ops/standins/kubernetes/object";
import type { Bag } from "../../ops/standins/values";
import { ensureCluster } from "../cluster";
import { StandInStack } from "../engine/support/standInStack";
import { silent } from "../support/embedded";
import { CountingProxy } from "./support/countingProxy";
import { TestNamespace } from "./support/kubernetes";

let namespace: TestNamespace;
let stack: StandInStack;

beforeAll(async () => {
  const { kubeconfig } = await ensureCluster(silent);
  namespace = await TestNamespace.create(kubeconfig, "standin");
  stack = await StandInStack.start(["kubernetes"]);
}, 600_000);
afterEach(async () => {
  await stack.run("destroy");
});
afterAll(async () => {
  await stack?.stop();
  await namespace?.remove();
});

/** A program on the test's namespace. */
function program(declare: (options: { provider: k8s.Provider }) => unknown, args: k8s.ProviderArgs = {}) {
  return async () => {
    const provider = new k8s.Provider("test", {
      kubeconfig: namespace.kubeconfig,
      namespace: namespace.name,
      ...args,
    });
    return (declare({ provider }) ?? {}) as Record<string, unknown>;
  };
}

/** What a failed run says. */
async function failure(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return String(error);
  }
  throw new Error("it did not fail");
}

const text = (data: Record<string, string>, name?: string) => ({
  ...(name === undefined ? {} : { metadata: { name } }),
  data,
});

describe("a stack of objects", () => {
  const objects = ({ data = "1", replicas = 0 } = {}) =>
    program((options) => {
      const named = new k8s.core.v1.ConfigMap("named", text({ data }, "named"), options);
      const autonamed = new k8s.core.v1.ConfigMap("autonamed", text({ data }), options);
      const role = new k8s.rbac.v1.ClusterRole("reader", { rules: [] }, options);
      const labels = { "app.kubernetes.io/name": "idle" };
      new k8s.apps.v1.Deployment(
        "idle",
        {
          metadata: { name: "idle", labels },
          spec: {
            replicas,
            selector: { matchLabels: labels },
            template: {
              metadata: { labels },
              // The server writes 1000m as 1: no drift.
              spec: {
                containers: [
                  { name: "c", image: "none.invalid/none", resources: { requests: { cpu: "1000m" } } },
                ],
              },
            },
          },
        },
        options,
      );
      const existing = k8s.discovery.v1.EndpointSlice.get("apiserver", "default/kubernetes", options);
      return {
        named: named.metadata.name,
        autonamed: autonamed.metadata.name,
        role: role.metadata.name,
        endpoints: existing.endpoints.apply((endpoints) => endpoints.length),
      };
    });

  it("is previewed without a trace, made, left alone, and destroyed", async () => {
    expect((await stack.run("preview", objects())).changes).toEqual({ create: 6 });
    expect(await namespace.objects.get(namespace.at("v1", "ConfigMap", "named"))).toBeUndefined();

    const up = await stack.run("up", objects());
    expect(up.outputs).toEqual({
      named: "named",
      autonamed: expect.stringMatching(/^autonamed-[0-9a-f]{8}$/),
      role: expect.stringMatching(/^reader-[0-9a-f]{8}$/),
      endpoints: 1,
    });
    const made = metadataOf(await namespace.get("v1", "ConfigMap", "named"));
    expect(made.managedFields).toEqual([
      expect.objectContaining({
        manager: expect.stringMatching(/^pulumi-kubernetes-[0-9a-f]{8}$/),
        operation: "Apply",
      }),
    ]);
    expect((await stack.run("up", objects())).changes).toEqual({ same: 6 });
    expect((await stack.run("refresh", objects())).summary).toEqual([]);
    expect((await stack.run("up", objects())).changes).toEqual({ same: 6 });

    await stack.run("destroy");
    expect(await namespace.objects.get(namespace.at("v1", "ConfigMap", "named"))).toBeUndefined();
    expect(await namespace.objects.get(namespace.at("apps/v1", "Deployment", "idle"))).toBeUndefined();
  });

  it("replaces named objects delete-first and autonamed ones create-first, and shows by which property", async () => {
    const before = await stack.run("up", objects());
    const preview = await stack.run("preview", objects({ data: "2" }));
    expect(preview.summary).toContain("replace named: data.data");
    const { steps, outputs } = await stack.run("up", objects({ data: "2" }));
    const orderOf = (name: string) => steps.filter((step) => step.name === name).map(({ op }) => op);
    expect(orderOf("named")).toEqual(["delete-replaced", "replace", "create-replacement"]);
    expect(orderOf("autonamed")).toEqual(["create-replacement", "replace", "delete-replaced"]);
    expect(outputs.autonamed).not.toEqual(before.outputs.autonamed);
    expect(await namespace.get("v1", "ConfigMap", "named")).toMatchObject({ data: { data: "2" } });
  });

  it("changes ConfigMaps and Secrets in place where the provider says so", async () => {
    const mutable = (data: string) =>
      program(
        (options) => {
          new k8s.core.v1.ConfigMap("map", text({ data }, "map"), options);
          new k8s.core.v1.Secret("secret", { metadata: { name: "secret" }, stringData: { data } }, options);
        },
        { enableConfigMapMutable: true, enableSecretMutable: true },
      );
    await stack.run("up", mutable("1"));
    const { uid } = metadataOf(await namespace.get("v1", "Secret", "secret"));
    expect((await stack.run("up", mutable("2"))).summary).toEqual([
      "update map: data.data",
      "update secret: stringData.data",
    ]);
    const secret = await namespace.get("v1", "Secret", "secret");
    expect(metadataOf(secret).uid).toBe(uid);
    expect(secret.data).toEqual({ data: Buffer.from("2").toString("base64") });
  });

  it("keeps secrets out of the state, wherever the program puts them", async () => {
    const secrets = program((options) => {
      new k8s.core.v1.Secret("plain", { stringData: { word: "open-sesame" } }, options);
      new k8s.core.v1.ConfigMap("map", text({ word: pulumi.secret("abracadabra") as never }), options);
    });
    await stack.run("up", secrets);
    await stack.run("refresh", secrets);
    const words = ["open-sesame", "abracadabra", Buffer.from("open-sesame").toString("base64")];
    expect(words.filter((word) => stack.state().includes(word)).length).toBe(0);
    expect((await stack.run("up", secrets)).changes).toEqual({ same: 4 });
  });
});

describe("a program of sixty objects", () => {
  let proxy: CountingProxy;
  beforeAll(async () => {
    proxy = await CountingProxy.start(namespace.kubeconfig);
  });
  afterAll(() => proxy?.stop());

  it("asks the API server for nothing but its kinds when there is nothing to do", async () => {
    const sixty = program(
      (options) => {
        for (let n = 0; n < 58; n++) new k8s.core.v1.ConfigMap(`map-${n}`, text({ n: String(n) }), options);
        new k8s.rbac.v1.ClusterRole("reader", { rules: [] }, options);
        new k8s.scheduling.v1.PriorityClass("first", { value: 1 }, options);
      },
      { kubeconfig: proxy.kubeconfig },
    );
    await stack.run("up", sixty);
    proxy.asked.length = 0;
    expect((await stack.run("up", sixty)).changes).toEqual({ same: 62 });
    expect(proxy.asked.sort()).toEqual([
      "GET /api/v1",
      "GET /apis/rbac.authorization.k8s.io/v1",
      "GET /apis/scheduling.k8s.io/v1",
      "GET /version",
    ]);
  });
});

describe("what the API server refuses", () => {
  const service = (spec: Record<string, unknown>) =>
    program((options) => {
      new k8s.core.v1.Service("s", { metadata: { name: "s" }, spec: spec as never }, options);
    });

  it("is said at preview, field by field", async () => {
    const said = await failure(
      stack.run("preview", service({ ports: [{ port: 99999 }, { port: 80, name: "Wrong" }] })),
    );
    expect(said).toContain(`Service ${namespace.name}/s cannot be applied`);
    expect(said).toContain("spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535");
    expect(said).toContain("spec.ports[1].name");
    expect(await failure(stack.run("preview", service({ ports: [{ port: 80 }], portz: 1 })))).toContain(
      ".spec.portz: field not declared in schema",
    );
  });

  it("is said at preview also of objects whose namespace is yet to be made", async () => {
    const elsewhere = (port: number) =>
      program((options) => {
        const other = new k8s.core.v1.Namespace("other", { metadata: { name: "yet-to-be-made" } }, options);
        const metadata = { namespace: other.metadata.name };
        new k8s.core.v1.Service("s", { metadata, spec: { ports: [{ port }] } }, options);
      });
    const said = await failure(stack.run("preview", elsewhere(99999)));
    expect(said).toMatch(
      /Service yet-to-be-made\/s-\S+ cannot be applied:\s+spec.ports\[0\].port: .* between 1 and 65535/,
    );
    expect((await stack.run("preview", elsewhere(80))).changes).toEqual({ create: 4 });
  });

  it("is a conflict where others own the field, named with its owner, unless it is forced", async () => {
    const scaled = (replicas: number, annotations = {}) =>
      program((options) => {
        const labels = { app: "scaled" };
        const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
        const spec = { replicas, selector: { matchLabels: labels }, template };
        const metadata = { name: "scaled", annotations: { "pulumi.com/skipAwait": "true", ...annotations } };
        new k8s.apps.v1.Deployment("scaled", { metadata, spec }, options);
      });
    await stack.run("up", scaled(0));
    await namespace.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "scaled", namespace: namespace.name },
      spec: { replicas: 2 },
    });
    const said = await failure(stack.run("up", scaled(1)));
    expect(said).toContain('.spec.replicas: owned by "somebody"');
    expect(said).toContain('pulumi.com/patchForce: "true"');
    expect(await failure(stack.run("preview", scaled(1)))).toContain('owned by "somebody"');
    await stack.run("up", scaled(0, { "pulumi.com/patchForce": "true" }));
    expect(await namespace.get("apps/v1", "Deployment", "scaled")).toMatchObject({ spec: { replicas: 0 } });
  });

  it("leaves what is ignored to those who own it", async () => {
    const labelled = (color: string, size: string) =>
      program((options) => {
        const metadata = { name: "labelled", labels: { color, size } };
        new k8s.core.v1.ServiceAccount(
          "labelled",
          { metadata },
          { ...options, ignoreChanges: ["metadata.labels.color"] },
        );
      });
    await stack.run("up", labelled("red", "s"));
    await namespace.apply({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "labelled", namespace: namespace.name, labels: { color: "blue" } },
    });
    await stack.run("preview", labelled("green", "m"));
    await stack.run("up", labelled("green", "m"));
    const { labels } = metadataOf(await namespace.get("v1", "ServiceAccount", "labelled"));
    expect(labels).toEqual({ color: "blue", size: "m" });
  });
});

describe("what is there already", () => {
  const map = (options: pulumi.CustomResourceOptions = {}, args: k8s.ProviderArgs = {}) =>
    program((own) => {
      new k8s.core.v1.ConfigMap("map", text({ word: "ours" }, "map"), { ...own, ...options });
    }, args);
  const theirs = () => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "map", namespace: namespace.name },
    data: { word: "theirs" },
  });

  it("of others is not touched, and the way to take it over is named", async () => {
    await namespace.apply(theirs());
    expect((await stack.run("preview", map())).said.join("\n")).toMatch(/exists already.*fix: .*import: /s);
    const said = await failure(stack.run("up", map()));
    expect(said).toContain(`ConfigMap ${namespace.name}/map exists already, and was not made by this stack`);
    expect(said).toContain(`import: "${namespace.name}/map"`);
    expect(await namespace.get("v1", "ConfigMap", "map")).toMatchObject({ data: { word: "theirs" } });
    const upserting = { enablePatchForce: true, upsertExistingObjects: true };
    await stack.run("up", map({}, upserting));
    expect(await namespace.get("v1", "ConfigMap", "map")).toMatchObject({ data: { word: "ours" } });
  });

  it("is imported by its id, and then is the stack's", async () => {
    await namespace.apply({ ...theirs(), data: { word: "ours" } });
    const imported = await stack.run("up", map({ import: `${namespace.name}/map` }));
    expect(imported.changes).toMatchObject({ import: 1 });
    expect((await stack.run("up", map())).changes).toEqual({ same: 3 });
    expect((await stack.run("destroy")).changes).toMatchObject({ delete: 3 });
    expect(await namespace.objects.get(namespace.at("v1", "ConfigMap", "map"))).toBeUndefined();
  });

  it("of a run that was killed before it could record it is taken over", async () => {
    await stack.run("up", map());
    await stack.forget(["map"]);
    const { changes, said } = await stack.run("up", map());
    expect(changes).toMatchObject({ create: 1 });
    expect(said.join("\n")).toContain("an earlier run made it and could not record it");
  });
});

describe("drift", () => {
  const role = (annotations?: Record<string, string>) =>
    program((options) => {
      const metadata = {
        name: "drifting",
        labels: { color: "red" },
        ...(annotations === undefined ? {} : { annotations }),
      };
      const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
      new k8s.rbac.v1.Role("drifting", { metadata, rules }, options);
    });
  const changed = (more: Bag): Bag => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "drifting", namespace: namespace.name, ...(more.metadata as Bag) },
    ...(more.rules === undefined ? {} : { rules: more.rules }),
  });

  it("shows what the program says and somebody changed, and nothing else", async () => {
    await stack.run("up", role());
    await namespace.apply(changed({ metadata: { labels: { theirs: "yes" } } }));
    expect((await stack.run("refresh", role())).summary).toEqual([]);
    const verbs = ["get", "list"];
    await namespace.apply(changed({ rules: [{ apiGroups: [""], resources: ["pods"], verbs }] }));
    expect((await stack.run("refresh", role())).summary).toEqual([
      expect.stringMatching(/^update drifting: rules/),
    ]);
    // Who changed it owns it now.
    expect(await failure(stack.run("up", role()))).toContain('.rules: owned by "somebody"');
    const taken = await stack.run("up", role({ "pulumi.com/patchForce": "true" }));
    expect(taken.summary).toEqual(["update drifting: metadata.annotations,rules[0].verbs[1]"]);
  });

  it("of an object that is gone is put right by the next up", async () => {
    await stack.run("up", role());
    await namespace.delete(namespace.at("rbac.authorization.k8s.io/v1", "Role", "drifting"));
    expect((await stack.run("refresh", role())).summary).toEqual(["delete drifting: "]);
    expect((await stack.run("up", role())).summary).toEqual(["create drifting: "]);
  });
});

describe("waiting", () => {
  it("ends in time, leaves the object in the state, and the next up waits again", async () => {
    const claim = (customTimeouts: pulumi.CustomTimeouts) =>
      program((own) => {
        const spec = {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: "1Gi" } },
          storageClassName: "",
        };
        const options = { ...own, customTimeouts };
        new k8s.core.v1.PersistentVolumeClaim("claim", { metadata: { name: "claim" }, spec }, options);
      });
    const said = await failure(stack.run("up", claim({ create: "2s" })));
    expect(said).toContain(
      `PersistentVolumeClaim ${namespace.name}/claim was not ready in 2 s: it is Pending`,
    );
    expect(stack.state()).toContain(`"id":"${namespace.name}/claim"`);
    await stack.run("refresh", claim({}));
    expect(await failure(stack.run("up", claim({ update: "3s" })))).toContain("was not ready in 3 s");
    expect((await stack.run("destroy")).changes).toMatchObject({ delete: 3 });
  });

  it("for a deletion tells which finalizers hold it", async () => {
    const held = (finalizers: string[]) =>
      program((own) => {
        const options = { ...own, customTimeouts: { delete: "2s" } };
        new k8s.core.v1.ConfigMap("held", { metadata: { name: "held", finalizers } }, options);
      });
    await stack.run("up", held(["test.invalid/held"]));
    const said = await failure(stack.run("destroy"));
    expect(said).toContain(`ConfigMap ${namespace.name}/held was not gone in 2 s`);
    expect(said).toContain("finalizers hold it: test.invalid/held");
    const { manager = "" } =
      metadataOf(await namespace.get("v1", "ConfigMap", "held")).managedFields?.[0] ?? {};
    const metadata = { name: "held", namespace: namespace.name };
    await namespace.apply({ apiVersion: "v1", kind: "ConfigMap", metadata }, manager);
    expect((await stack.run("destroy")).changes).toMatchObject({ delete: 3 });
  });
});

describe("without a cluster", () => {
  const content = (server: string) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "gone", context: { cluster: "c", user: "u" } }],
      "current-context": "gone",
    });
  const unreachable = (args: k8s.ProviderArgs) =>
    program((options) => {
      new k8s.core.v1.ConfigMap("map", text({ a: "b" }), options);
    }, args);

  it("previews with a warning, and refuses to change anything", async () => {
    const program = unreachable({ kubeconfig: content("https://127.0.0.1:1") });
    const preview = await stack.run("preview", program);
    expect(preview.changes).toEqual({ create: 3 });
    expect(preview.said.join("\n")).toContain(
      'the Kubernetes API server https://127.0.0.1:1 (context "gone") cannot be reached',
    );
    const said = await failure(stack.run("up", program));
    expect(said).toContain(
      'API server https://127.0.0.1:1 (context "gone") cannot be reached: connect ECONNREFUSED',
    );
    expect(said).toContain("fix: check that the cluster runs");
  });

  it("names a kubeconfig that is no file, and a context that is not in it", async () => {
    expect(await failure(stack.run("up", unreachable({ kubeconfig: "/nowhere/config" })))).toContain(
      "the kubeconfig is neither a file that exists nor the content of one",
    );
    const other = { kubeconfig: content("https://127.0.0.1:1"), context: "other" };
    expect(await failure(stack.run("up", unreachable(other)))).toContain(
      'the kubeconfig has no context "other"; it has gone',
    );
  });
});
