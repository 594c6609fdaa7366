// What a comment needs to know of the engine's events beside what changes.
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { describe, expect, it } from "vitest";
import { emptyRun, reduceEvent } from "../../ops/engine/events";

type Step = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];

const secret = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "[secret]",
};

function modelAfter(...steps: Pick<Step, "op" | "type" | "old" | "new">[]) {
  return steps.reduce((model, step, index) => {
    const urn = `urn:pulumi:prod::ms5::${step.type}::it`;
    const event = { resOutputsEvent: { metadata: { urn, provider: "", ...step } } };
    return reduceEvent(model, { sequence: index, timestamp: 0, ...event });
  }, emptyRun("preview"));
}

function state(more: object): NonNullable<Step["old"]> {
  return { type: "", urn: "", id: "", parent: "", inputs: {}, outputs: {}, provider: "", ...more };
}

describe("the model of a preview", () => {
  it("keeps the stack's outputs of the last deployment, masked, beside those that would be", () => {
    const old = state({ outputs: { cost: 1, password: secret } });
    const type = "pulumi:pulumi:Stack";
    // The engine reports the stack twice: before the program has run, and after.
    const model = modelAfter(
      { op: "same" as Step["op"], type, old, new: old },
      { op: "same" as Step["op"], type, old, new: state({ outputs: { cost: 2 } }) },
    );
    expect(model.outputsBefore).toEqual({ cost: 1, password: "[secret]" });
    expect(model.outputs).toEqual({ cost: 2 });
  });

  it("knows of no outputs before the first deployment", () => {
    const created = {
      op: "create" as Step["op"],
      type: "pulumi:pulumi:Stack",
      new: state({ outputs: { a: 1 } }),
    };
    expect(modelAfter(created).outputsBefore).toBeUndefined();
  });

  it("keeps what one of ours was made of when it goes, and of other kinds only that it goes", () => {
    const old = state({ inputs: { dropAfter: "90 days", token: secret } });
    const of = (type: string) =>
      [...modelAfter({ op: "delete" as Step["op"], type, old }).resources.values()][0];
    expect(of("pulumi-nodejs:dynamic/schema:RetentionPolicy")?.was).toEqual({
      dropAfter: "90 days",
      token: "[secret]",
    });
    expect(of("kubernetes:core/v1:Secret")).not.toHaveProperty("was");
  });

  it("knows what stays where it is when it leaves the stack", () => {
    const type = "kubernetes:core/v1:PersistentVolumeClaim";
    const kept = (retainOnDelete: boolean) =>
      [
        ...modelAfter({
          op: "delete" as Step["op"],
          type,
          old: state({ retainOnDelete }),
        }).resources.values(),
      ][0]?.kept;
    expect(kept(true)).toBe(true);
    expect(kept(false)).toBeUndefined();
  });
});
