import { Secret, unknownCheckingProxy } from "@pulumi/policy";
import { describe, expect, it } from "vitest";
import { environmentOf, holdsData } from "../../infra/policy/environment";
import { readProperties } from "../../infra/policy/properties";
import { at, shown, unknown, type Value, type Values } from "../../infra/policy/values";

/** How the engine writes what is not known yet. */
const text = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const list = "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2";

/** As the SDK hands properties to a policy. */
const read = (props: object) => readProperties(unknownCheckingProxy(props));

describe("the properties of a resource", () => {
  it("are read as they are", () => {
    const props = { a: 1, b: { c: [true, null, { d: "e" }] }, empty: {}, none: [] };
    expect(read(props)).toEqual({ values: props, secrets: new Set() });
  });

  it("say what is not known yet, wherever it is, and do not stop there", () => {
    expect(read({ id: text, after: 1, deep: { rules: list, more: ["a", text] } }).values).toEqual({
      id: unknown,
      after: 1,
      deep: { rules: unknown, more: ["a", unknown] },
    });
  });

  it("have secrets opened, and the paths of them", () => {
    const props = { password: new Secret("hunter2"), users: [{ key: new Secret({ pem: "x" }) }], name: "n" };
    expect(read(props)).toEqual({
      values: { password: "hunter2", users: [{ key: { pem: "x" } }], name: "n" },
      secrets: new Set(["password", "users[0].key"]),
    });
  });

  it("know of a secret that it is one before they know it", () => {
    expect(read({ password: new Secret(text) })).toEqual({
      values: { password: unknown },
      secrets: new Set(["password"]),
    });
  });
});

describe("a value", () => {
  const values: Values = { spec: { type: "ClusterIP", template: unknown, list: [1] } };

  it("is found by its path", () => {
    expect(at(values, "spec", "type")).toBe("ClusterIP");
    expect(at(values, "spec", "missing", "deeper")).toBeUndefined();
    expect(at(values, "spec", "list", "deeper")).toBeUndefined();
  });

  it("is unknown when something on the way to it is", () => {
    expect(at(values, "spec", "template", "spec", "containers")).toBe(unknown);
  });

  it("is shown for a message", () => {
    const values: Value[] = [undefined, "a", [unknown, 1], unknown];
    expect(values.map(shown)).toEqual(["not set", '"a"', '["not known yet",1]', "not known yet"]);
  });
});

describe("the environment whose rules hold", () => {
  const engine = { PULUMI_NODEJS_PROJECT: "ms5-timescale", PULUMI_NODEJS_STACK: "prod" };

  it("is the stack's name, unless the config or a variable says otherwise", () => {
    const configured = { ...engine, PULUMI_CONFIG: '{"ms5-timescale:environment":"dev"}' };
    expect(environmentOf(engine)).toBe("prod");
    expect(environmentOf(configured)).toBe("dev");
    expect(environmentOf({ ...configured, MS5_ENVIRONMENT: "staging" })).toBe("staging");
    expect(environmentOf({})).toBe("");
  });

  it("holds data unless it is one for trying", () => {
    expect(["local", "cluster", "dev", "staging", "prod", "prod-2", ""].map(holdsData)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});
