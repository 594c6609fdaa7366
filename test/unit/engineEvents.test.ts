import type { EngineEvent } from "@pulumi/pulumi/automation";
import { describe, expect, it } from "vitest";
import { diffValues, displayType, emptyRun, mask, reduceEvent } from "../../ops/engine/events";

const secret = (text: string) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(text),
});

type Step = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];
const stackUrn = "urn:pulumi:local::ms5::pulumi:pulumi:Stack::ms5-local";
const urn = "urn:pulumi:local::ms5::pulumi-nodejs:dynamic/schema:Hypertable::metric_hist";

function step(op: string, more: Partial<Step> = {}): Step {
  const type = "pulumi-nodejs:dynamic/schema:Hypertable";
  return { op: op as Step["op"], urn, type, provider: "", ...more };
}

function state(inputs: object, outputs: object = inputs): NonNullable<Step["old"]> {
  return { type: "", urn, id: "x", parent: stackUrn, inputs, outputs, provider: "" };
}

function run(operation: string, ...events: Omit<EngineEvent, "sequence" | "timestamp">[]) {
  return events.reduce(
    (model, event) => reduceEvent(model, { sequence: 0, timestamp: 0, ...event }),
    emptyRun(operation),
  );
}

const begun = (metadata: Step) => ({ resourcePreEvent: { metadata } });
const ended = (metadata: Step) => ({ resOutputsEvent: { metadata } });
const said = (severity: "info" | "warning" | "error", message: string, more = {}) => ({
  diagnosticEvent: { severity, message, color: "", ...more },
});

describe("the model of a run", () => {
  it("follows a resource from begun to done, and counts it when it is done", () => {
    const update = step("update", { old: state({ chunk: "1 d" }), new: state({ chunk: "7 d" }) });
    const midway = run("up", begun(update));
    expect(midway.resources.get(urn)).toMatchObject({
      status: "running",
      name: "metric_hist",
      parent: stackUrn,
    });
    expect(midway.counts.updated).toBe(0);
    const model = run("up", begun(update), ended(update));
    expect(model.resources.get(urn)).toEqual({
      urn,
      type: "ms5:schema:Hypertable",
      name: "metric_hist",
      parent: stackUrn,
      op: "update",
      status: "done",
      diff: [{ property: "chunk", before: "1 d", after: "7 d" }],
    });
    expect(model.counts).toEqual({ created: 0, updated: 1, replaced: 0, deleted: 0, unchanged: 0 });
  });

  it("shows what a new resource of ours is made of, and none of a plugin's defaults", () => {
    const files = {
      engineVersion: "1",
      none: null,
      files: { "0001-a.sql": "ab".repeat(32) },
      __provider: "code",
      password: secret("x"),
    };
    const model = run("preview", ended(step("create", { new: state(files) })));
    expect(model.resources.get(urn)?.diff).toEqual([
      { property: "files.0001-a.sql", after: "ab".repeat(32) },
      { property: "password", after: "[secret]" },
    ]);
    const role = { new: state({ inherit: true }), type: "postgresql:index/role:Role" };
    expect(run("preview", ended(step("create", role))).resources.get(urn)?.diff).toEqual([]);
  });

  it("counts the three steps of a replacement once", () => {
    const states = { old: state({ table: "a" }), new: state({ table: "b" }) };
    const steps = ["create-replacement", "replace", "delete-replaced"].map((op) =>
      // The engine sends null, not undefined, for the new state of a deletion.
      step(op, op === "delete-replaced" ? ({ old: states.old, new: null } as never) : states),
    );
    const model = run("up", ...steps.flatMap((one) => [begun(one), ended(one)]));
    expect(model.counts).toEqual({ created: 0, updated: 0, replaced: 1, deleted: 0, unchanged: 0 });
    expect(model.resources.get(urn)).toMatchObject({
      op: "replace",
      diff: [{ property: "table", before: "a", after: "b" }],
    });
  });

  it("does not count what failed, nor the engine's default providers", () => {
    const provider = step("create", {
      urn: "urn:pulumi:local::ms5::pulumi:providers:random::default_4_21_2",
    });
    const model = run(
      "up",
      begun(step("create")),
      { resOpFailedEvent: { metadata: step("create"), status: 0, steps: 0 } },
      ended(provider),
    );
    expect(model.counts.created).toBe(0);
    expect([...model.resources.values()].map(({ status }) => status)).toEqual(["failed"]);
  });

  it("shows how far a resource is while it runs, and forgets it afterwards", () => {
    const create = step("create", { new: state({}) });
    const progress = (message: string) => said("info", message, { ephemeral: true, urn });
    const of = (model: ReturnType<typeof run>) => model.resources.get(urn)?.progress;
    expect(of(run("up", begun(create), progress("1 of 3 pods are ready")))).toBe("1 of 3 pods are ready");
    expect(of(run("up", begun(create), progress("1 of 3"), progress("")))).toBeUndefined();
    const model = run("up", begun(create), progress("2 of 3"), ended(create), progress("late"));
    expect(of(model)).toBeUndefined();
    expect(model.diagnostics).toEqual([]);
  });

  it("shows of a Kubernetes object what the program says, not all that the cluster notes about it", () => {
    const type = "kubernetes:apps/v1:Deployment";
    const object = (replicas: number, word = "w") => ({ spec: { replicas }, word: secret(word) });
    const live = (replicas: number) => ({
      ...object(replicas),
      status: { seen: replicas },
      spec: { replicas, x: 1 },
    });
    const old = state(object(1), live(1));
    const drift = step("update", { type, old, new: state(object(2), live(2)) });
    const expected = [{ property: "spec.replicas", before: 1, after: 2 }];
    expect(run("refresh", ended(drift)).resources.get(urn)?.diff).toEqual(expected);
    const changed = step("update", {
      type,
      old,
      new: state(object(1, "v")),
      detailedDiff: { word: {} as never },
    });
    expect(run("up", ended(changed)).resources.get(urn)?.diff).toEqual([
      { property: "word", before: "[secret]", after: "[secret]" },
    ]);
  });

  it("in a refresh compares what was known with what was read", () => {
    const drift = step("update", {
      old: state({ after: "7 d" }),
      new: state({ after: "7 d" }, { after: "3 d" }),
    });
    expect(run("refresh", ended(drift)).resources.get(urn)?.diff).toEqual([
      { property: "after", before: "7 d", after: "3 d" },
    ]);
  });

  it("in an up shows how reality differs when the program wants what it always wanted", () => {
    const repair = step("update", {
      old: state({ after: "7 d" }, { after: "3 d", job: 1000 }),
      new: state({ after: "7 d" }, { after: "7 d", job: 1000 }),
    });
    expect(run("up", ended(repair)).resources.get(urn)?.diff).toEqual([
      { property: "after", before: "3 d", after: "7 d" },
    ]);
  });

  it("names a secret that changed without showing it", () => {
    const rotated = step("update", {
      old: state({ password: "[secret]" }),
      new: state({ password: "[secret]" }),
      detailedDiff: { password: { diffKind: "update" as never, inputDiff: true } },
    });
    expect(run("up", ended(rotated)).resources.get(urn)?.diff).toEqual([
      { property: "password", before: "[secret]", after: "[secret]" },
    ]);
  });

  it("takes the stack's outputs, masked", () => {
    const stack = step("same", {
      urn: stackUrn,
      type: "pulumi:pulumi:Stack",
      new: state({}, { url: "here", password: secret("hunter2") }),
    });
    expect(run("up", ended(stack)).outputs).toEqual({ url: "here", password: "[secret]" });
  });

  it("keeps what a person should read, without markup, repeats, debug messages and echoes", () => {
    const model = run(
      "up",
      said("error", "<{%reset%}>the disk said no<{%reset%}>\n", { urn }),
      said("error", "the disk said no", { urn }),
      said("error", "update failed"),
      said("warning", "using pulumi-resource-pulumi-nodejs from $PATH at /somewhere"),
      said("debug" as "info", "inputs: hunter2"),
      said("info", "still working", { ephemeral: true }),
      said("warning", "edition is apache"),
    );
    expect(model.diagnostics).toEqual([
      { severity: "error", resource: "metric_hist", message: "the disk said no" },
      { severity: "warning", message: "edition is apache" },
    ]);
  });
});

describe("before → after", () => {
  it("goes by path, only where something differs", () => {
    const before = { a: 1, keep: { x: [1, 2] }, list: [{ n: 1 }, { n: 2 }], gone: true };
    const after = { a: 2, keep: { x: [1, 2] }, list: [{ n: 1 }, { n: 3 }], added: null };
    expect(diffValues(before, after)).toEqual([
      { property: "a", before: 1, after: 2 },
      { property: "list[1].n", before: 2, after: 3 },
      { property: "gone", before: true },
      { property: "added", after: null },
    ]);
  });

  it("shows lists of other lengths whole", () => {
    expect(diffValues({ l: [1] }, { l: [1, 2] })).toEqual([{ property: "l", before: [1], after: [1, 2] }]);
  });

  it("hides provider code and secrets, and says what is not known yet", () => {
    const value = { __provider: "code", key: secret("k"), id: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" };
    expect(mask({ deep: [value] })).toEqual({ deep: [{ key: "[secret]", id: "[known after up]" }] });
    expect(diffValues({ __provider: "a" }, { __provider: "b" })).toEqual([]);
  });

  it("names dynamic resources as the program does", () => {
    expect(displayType("pulumi-nodejs:dynamic/schema:Hypertable")).toBe("ms5:schema:Hypertable");
    expect(displayType("random:index/randomPassword:RandomPassword")).toBe(
      "random:index/randomPassword:RandomPassword",
    );
  });
});
