// What the API server refuses, as a person reads it: no cluster needed.
import { describe, expect, it } from "vitest";
import { UserError } from "../../infra/errors";
import { isPassing, refusal } from "../../ops/standins/kubernetes/api";
import { isMissingNamespace, refused } from "../../ops/standins/kubernetes/refusal";

const at = { apiVersion: "apps/v1", kind: "StatefulSet", namespace: "n", name: "blue" };

function told(code: number, status: object) {
  const error = refused(refusal(code, JSON.stringify(status)), at, "applied");
  if (!(error instanceof UserError)) throw new Error("it is not for people");
  return { message: error.message, fix: error.fix };
}

describe("a refusal", () => {
  it("names each field and why", () => {
    const causes = [
      { field: "spec.replicas", message: "Invalid value: -1: must be positive" },
      { field: "spec.serviceName", message: "Required value" },
    ];
    expect(told(422, { message: "long", details: { causes } })).toEqual({
      message:
        "StatefulSet n/blue cannot be applied:\n  spec.replicas: Invalid value: -1: must be positive\n  spec.serviceName: Required value",
      fix: "correct what is named, see `kubectl explain statefulset`",
    });
  });

  it("names the owner of a field in conflict, and the two ways out", () => {
    const causes = [
      {
        reason: "FieldManagerConflict",
        field: ".spec.replicas",
        message: 'conflict with "scaler" using apps/v1',
      },
      {
        reason: "FieldManagerConflict",
        field: ".spec.template",
        message: 'conflict with "kubectl" with subresource "scale" using apps/v1 at 2026-01-01',
      },
    ];
    const { message, fix } = told(409, { message: "Apply failed with 2 conflicts", details: { causes } });
    expect(message).toBe(
      'StatefulSet n/blue cannot be applied, because others own fields of it:\n  .spec.replicas: owned by "scaler"\n  .spec.template: owned by "kubectl" with subresource "scale"',
    );
    expect(fix).toMatch(/ignoreChanges.*pulumi\.com\/patchForce: "true"/);
  });

  it("of fields that the kind has not got comes as a fault of the server, and is none", () => {
    const one =
      "failed to create typed patch object (n/blue; apps/v1, Kind=StatefulSet): .spec.replica: field not declared in schema";
    expect(told(500, { message: one }).message).toBe(
      "StatefulSet n/blue cannot be applied:\n  .spec.replica: field not declared in schema",
    );
    const two =
      "failed to create typed patch object (n/blue; apps/v1, Kind=StatefulSet): errors:\n  .spec.a: expected list, got &{s3cret}\n  .spec.b: expected map";
    expect(told(500, { message: two }).message).toBe(
      "StatefulSet n/blue cannot be applied:\n  .spec.a: expected list\n  .spec.b: expected map",
    );
    expect(isPassing(refusal(500, JSON.stringify({ message: one })))).toBe(false);
    expect(isPassing(refusal(500, JSON.stringify({ message: "etcdserver: request timed out" })))).toBe(true);
  });

  it("of a change that cannot be made in place names the option that replaces", () => {
    const message =
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden";
    expect(told(422, { message }).fix).toContain("replaceOnChanges");
    expect(told(422, { details: { causes: [{ field: "f", message: "field is immutable" }] } }).fix).toContain(
      "replaceOnChanges",
    );
  });

  it("for want of the namespace says so", () => {
    const missing = { message: 'namespaces "n" not found', details: { kind: "namespaces" } };
    expect(told(404, missing).fix).toContain("create the namespace n first");
    expect(isMissingNamespace(refusal(404, JSON.stringify(missing)))).toBe(true);
    expect(
      isMissingNamespace(refusal(404, JSON.stringify({ message: "gone", details: { kind: "pods" } }))),
    ).toBe(false);
  });

  it("may come from something else than an API server", () => {
    expect(told(502, {}).message).toBe(
      "StatefulSet n/blue cannot be applied: the API server answered with status 502",
    );
    expect(refusal(400, "400 Bad Request\n").message).toBe("400 Bad Request");
    expect(isPassing(refusal(503, ""))).toBe(true);
    expect(isPassing(refusal(404, ""))).toBe(false);
  });

  it("is the only kind of error that is put into other words", () => {
    const error = new Error("a bug");
    expect(refused(error, at, "applied")).toBe(error);
    expect(isPassing(error)).toBe(false);
  });
});
