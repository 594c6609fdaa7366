// What the kubernetes stand-in makes of two versions of an object: no cluster needed.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differences } from "../../ops/standins/difference";
import { driftedInputs, importedInputs } from "../../ops/standins/kubernetes/drift";
import { withoutIgnored } from "../../ops/standins/kubernetes/ignored";
import { replacingPaths } from "../../ops/standins/kubernetes/replacement";
import { type Bag, unknown } from "../../ops/standins/values";

const immutable = { configMaps: false, secrets: false };
const mutable = { configMaps: true, secrets: true };

/** `change path`, with `!` where it replaces. */
function changes(before: Bag, after: Bag, rules = immutable): string[] {
  return differences(before, after, replacingPaths(after, rules)).map(
    ({ property, change, replaces }) => `${change} ${property}${replaces ? " !" : ""}`,
  );
}

const object = (apiVersion: string, kind: string, rest: Bag): Bag => ({ apiVersion, kind, ...rest });
const statefulSet = (spec: Bag) => object("apps/v1", "StatefulSet", { spec });

describe("differences", () => {
  it("are named by their path, as Pulumi writes it", () => {
    const before = {
      metadata: { labels: { "a.b/c": "1" } },
      spec: { containers: [{ image: "a" }, { image: "b" }] },
    };
    const after = {
      metadata: { labels: { "a.b/c": "2" } },
      spec: { containers: [{ image: "x", tty: true }] },
    };
    expect(changes(before, after)).toEqual([
      'update metadata.labels["a.b/c"]',
      "update spec.containers[0].image",
      "add spec.containers[0].tty",
      "delete spec.containers[1]",
    ]);
  });

  it("are none between what is null and what is left out, nor by order of keys", () => {
    expect(changes({ a: null, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, e: null })).toEqual([]);
  });

  it("are some where a value is not known yet", () => {
    expect(changes(statefulSet({ serviceName: "a" }), statefulSet({ serviceName: unknown }))).toEqual([
      "update spec.serviceName !",
    ]);
  });

  it("are none of a value to itself", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (bag) => {
        expect(differences(bag as Bag, structuredClone(bag) as Bag, ["metadata.name"])).toEqual([]);
      }),
    );
  });
});

describe("a new object", () => {
  const cases: [string, Bag, Bag, string[]][] = [
    [
      "takes the place of one with another name or namespace",
      { metadata: { name: "a", namespace: "n" } },
      { metadata: { name: "b", namespace: "m" } },
      ["update metadata.name !", "update metadata.namespace !"],
    ],
    [
      "is needed for a StatefulSet's volumes, not for its pods",
      statefulSet({ volumeClaimTemplates: [{ spec: { storage: "1Gi" } }], template: { a: 1 } }),
      statefulSet({ volumeClaimTemplates: [{ spec: { storage: "2Gi" } }], template: { a: 2 } }),
      ["update spec.volumeClaimTemplates[0].spec.storage !", "update spec.template.a"],
    ],
    [
      "is needed when the part that decides goes with the whole",
      statefulSet({ serviceName: "a" }),
      object("apps/v1", "StatefulSet", {}),
      ["delete spec !"],
    ],
    [
      "is not needed when the whole goes without that part",
      statefulSet({ replicas: 1 }),
      object("apps/v1", "StatefulSet", {}),
      ["delete spec"],
    ],
    [
      "is not needed for names that only begin alike",
      object("v1", "Service", { spec: { clusterIPs: ["a"] } }),
      object("v1", "Service", { spec: { clusterIPs: ["b"] } }),
      ["update spec.clusterIPs[0]"],
    ],
    [
      "is not needed for a claim that grows",
      object("v1", "PersistentVolumeClaim", { spec: { resources: { requests: { storage: "1Gi" } } } }),
      object("v1", "PersistentVolumeClaim", { spec: { resources: { requests: { storage: "2Gi" } } } }),
      ["update spec.resources.requests.storage"],
    ],
    [
      "is needed for a Job's pods",
      object("batch/v1", "Job", { spec: { template: { a: 1 }, ttlSecondsAfterFinished: 1 } }),
      object("batch/v1", "Job", { spec: { template: { a: 2 }, ttlSecondsAfterFinished: 2 } }),
      ["update spec.template.a !", "update spec.ttlSecondsAfterFinished"],
    ],
  ];
  it.each(cases)("%s", (_, before, after, expected) => {
    expect(changes(before, after)).toEqual(expected);
  });

  it("is needed for data of ConfigMaps and Secrets, unless the provider says that it may change", () => {
    const map = (data: string, more = {}) => object("v1", "ConfigMap", { data: { data }, ...more });
    const secret = (data: string) => object("v1", "Secret", { stringData: { data }, type: data });
    expect(changes(map("1"), map("2"))).toEqual(["update data.data !"]);
    expect(changes(map("1"), map("2"), mutable)).toEqual(["update data.data"]);
    expect(changes(map("1"), map("2", { immutable: true }), mutable)).toEqual([
      "update data.data !",
      "add immutable",
    ]);
    expect(changes(secret("1"), secret("2"))).toEqual(["update stringData.data !", "update type !"]);
    expect(changes(secret("1"), secret("2"), mutable)).toEqual(["update stringData.data", "update type !"]);
  });
});

describe("drift", () => {
  it("is what the program says and what differs from the server's last answer", () => {
    const inputs = { spec: { replicas: 1, cpu: "1000m", paused: false }, data: { a: "1" } };
    const recorded = { spec: { replicas: 1, cpu: "1", limit: 10 }, data: { a: "1" }, status: {} };
    expect(driftedInputs(inputs, recorded, recorded)).toEqual(inputs);
    const live = {
      spec: { replicas: 2, cpu: "1", limit: 20 },
      data: { a: "1", b: "theirs" },
      status: { x: 1 },
    };
    expect(driftedInputs(inputs, recorded, live)).toEqual({
      spec: { replicas: 2, cpu: "1000m", paused: false },
      data: { a: "1" },
    });
  });

  it("is what is gone", () => {
    expect(
      driftedInputs({ labels: { a: "1", b: "2" } }, { labels: { a: "1", b: "2" } }, { labels: { b: "2" } }),
    ).toEqual({
      labels: { b: "2" },
    });
  });

  it("is no item that others add to a list where they may, and any change of a list that is ours", () => {
    const containers = [{ name: "a", image: "1" }];
    const subjects = [{ name: "a" }];
    const live = {
      containers: [{ name: "injected" }, { name: "a", image: "1", tty: false }],
      subjects: [{ name: "a" }, { name: "intruder" }],
    };
    expect(driftedInputs({ containers, subjects }, { containers, subjects }, live)).toEqual({
      containers,
      subjects: live.subjects,
    });
    const changed = { containers: [{ name: "injected" }, { name: "a", image: "2" }] };
    expect(driftedInputs({ containers }, { containers }, changed)).toEqual({
      containers: [{ name: "a", image: "2" }],
    });
    expect(driftedInputs({ containers }, { containers }, { containers: [] })).toEqual({ containers: [] });
  });

  it("of a Secret that was given as text is text", () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const inputs = { kind: "Secret", stringData: { a: "one", b: "two", c: "three" } };
    const recorded = { kind: "Secret", data: { a: base64("one"), b: base64("two"), c: base64("three") } };
    expect(driftedInputs(inputs, recorded, recorded)).toEqual(inputs);
    const live = { kind: "Secret", data: { a: base64("one"), b: base64("zwei"), d: base64("four") } };
    expect(driftedInputs(inputs, recorded, live)).toEqual({
      kind: "Secret",
      stringData: { a: "one", b: "zwei" },
    });
  });

  it("cannot be of an imported object: all but what the server writes is taken as said", () => {
    const live = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", uid: "u", resourceVersion: "1", annotations: { mine: "1" }, managedFields: [] },
      data: { a: "b" },
      status: {},
    };
    expect(importedInputs(live)).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", annotations: { mine: "1" } },
      data: { a: "b" },
    });
  });
});

describe("what is ignored", () => {
  const live = {
    metadata: {
      managedFields: [
        { manager: "scaler", fieldsV1: { "f:spec": { "f:replicas": {} } } },
        { manager: "us", fieldsV1: { "f:metadata": { "f:labels": { "f:a.b/c": {} } } } },
      ],
      labels: { "a.b/c": "live" },
    },
    spec: { replicas: 5, nobodys: "live" },
  };
  const inputs = {
    metadata: { labels: { "a.b/c": "given" } },
    spec: { replicas: 1, nobodys: "given", new: 1 },
  };

  it("is not applied where others own it, and stays as it is where they don't", () => {
    const paths = ["spec.replicas", "spec.nobodys", "spec.new", 'metadata.labels["a.b/c"]', "spec.absent"];
    expect(withoutIgnored(inputs, live, paths, "us")).toEqual({
      metadata: { labels: { "a.b/c": "live" } },
      spec: { nobodys: "live", new: 1 },
    });
  });
});
