import { describe, expect, it } from "vitest";
import { checkInputs, difference, inputsOf, type Kind, planned, sealedState } from "../../ops/standins/kind";
import { type Bag, secret, unknown, withoutSecrets } from "../../ops/standins/values";

const kind: Kind = {
  inputs: {
    name: { autoNamed: true },
    size: { required: true, replaces: true },
    color: { default: "red", oneOf: ["red", "blue"] },
    tags: { unordered: true },
    version: { computed: true },
    password: { secret: true },
    once: { writeOnly: true },
  },
  outputs: { token: { secret: true }, url: {} },
  schemaVersion: 3,
  check: (inputs) => (inputs.size === 13 ? [{ property: "size", reason: "unlucky" }] : []),
  create: async () => ({ id: "", state: {} }),
  read: async () => undefined,
  update: async () => ({}),
  delete: async () => undefined,
};
const naming = { resourceName: "pump", seed: new Uint8Array([1, 2, 3]) };
const check = (given: Bag, old: Bag = {}, how = {}) => checkInputs(kind, old, given, { ...naming, ...how });
const diff = (state: Bag, inputs: Bag, ignored: string[] = []) => difference(kind, state, inputs, ignored);

describe("checking inputs", () => {
  it("fills in defaults and a name, and notes that it did", () => {
    const { inputs, failures } = check({ size: 1 });
    expect(failures).toEqual([]);
    expect(inputs).toEqual({
      name: expect.stringMatching(/^pump-[0-9a-f]{7}$/),
      size: 1,
      color: "red",
      __defaults: ["color", "name"],
    });
  });

  it("keeps a generated name, and no name that was given and then left out", () => {
    const generated = check({ size: 1 }).inputs;
    const other = { seed: new Uint8Array([9]) };
    expect(check({ size: 1 }, generated, other).inputs.name).toBe(generated.name);
    const given = check({ size: 1, name: "own" }).inputs;
    expect(check({ size: 1 }, given).inputs.name).toBe(generated.name);
  });

  it("takes the engine's proposal for a name, or refuses where naming is off", () => {
    expect(check({ size: 1 }, {}, { proposed: "dev-pump" }).inputs.name).toBe("dev-pump");
    expect(check({ size: 1 }, {}, { disabled: true }).failures).toEqual([
      { property: "name", reason: "a name is required" },
    ]);
  });

  it.each([
    [{}, "size", "it is required"],
    [{ size: 1, color: "green" }, "color", '"green" is not one of red, blue'],
    [
      { size: 1, colour: "red" },
      "colour",
      "there is no such property; known: color, name, once, password, size, tags, version",
    ],
    [{ size: 13 }, "size", "unlucky"],
  ])("refuses %j", (given, property, reason) => {
    expect(check(given).failures).toEqual([{ property, reason }]);
  });

  it("puts off what it cannot judge yet", () => {
    expect(check({ size: unknown, color: unknown }).failures).toEqual([]);
    expect(check({ size: 13, tags: [unknown] }).failures).toEqual([]);
  });
});

describe("the difference between state and inputs", () => {
  const state: Bag = { name: "pump", size: 1, color: "red", tags: ["a", "b"], version: "7", url: "x" };
  const same: Bag = { name: "pump", size: 1, color: "red", tags: ["b", "a"], __defaults: [] };

  it("is none for another order of a set, for what the provider chose, and for nothing against empty", () => {
    expect(diff(state, same).differences).toEqual([]);
    expect(diff({ ...state, tags: [], password: "" }, { ...same, tags: null }).differences).toEqual([]);
  });

  it("says what is new, gone and changed, and what needs a new object", () => {
    const before = { name: "pump", size: 1, color: "red", password: "old" };
    expect(diff(before, { name: "pump", size: 2, color: "red", tags: ["c"] }).differences).toEqual([
      { property: "size", change: "update", replaces: true },
      { property: "tags", change: "add", replaces: false },
      { property: "password", change: "delete", replaces: false },
    ]);
  });

  it("takes a value that isn't known yet for a change", () => {
    expect(diff(state, { ...same, size: unknown }).differences).toEqual([
      { property: "size", change: "update", replaces: true },
    ]);
  });

  it("passes over what is ignored and what is write-only", () => {
    expect(diff(state, { ...same, size: 2, once: "secret" }, ["size"]).differences).toEqual([]);
  });

  it("deletes first only what keeps a name of the user's choosing", () => {
    expect(diff(state, { ...same, size: 2 }).deleteBeforeReplace).toBe(true);
    expect(diff(state, { ...same, size: 2, __defaults: ["name"] }).deleteBeforeReplace).toBe(false);
    expect(diff(state, same).deleteBeforeReplace).toBe(false);
    const grant: Kind = { ...kind, inputs: { size: { replaces: true } }, deleteBeforeReplace: true };
    expect(difference(grant, { size: 1 }, { size: 2 }, []).deleteBeforeReplace).toBe(true);
  });

  it("replaces what has run out", () => {
    const certificate: Kind = { ...kind, expired: (old) => (old.url === "x" ? ["url"] : []) };
    expect(difference(certificate, state, same, []).differences).toEqual([
      { property: "url", change: "update", replaces: true },
    ]);
  });
});

describe("states", () => {
  it("promises at a preview what is known, and no more", () => {
    const inputs = { name: "pump", size: 1, once: "x", __defaults: ["name"] };
    expect(planned(kind, inputs)).toEqual({
      name: "pump",
      size: 1,
      version: unknown,
      token: unknown,
      url: unknown,
    });
    expect(planned(kind, inputs, { version: "7", token: "t", url: "u" })).toMatchObject({
      version: "7",
      token: "t",
      url: "u",
    });
  });

  it("gives back the inputs with what drifted, and all there is at an import", () => {
    const old = { size: 1, tags: ["a", "b"], color: "red", password: "p", __defaults: ["color"] };
    const live = { size: 1, tags: ["b", "a"], color: "blue", version: "8", url: "u" };
    expect(inputsOf(kind, old, live)).toEqual({
      size: 1,
      tags: ["a", "b"],
      color: "blue",
      __defaults: ["color"],
    });
    expect(inputsOf(kind, {}, live)).toEqual({
      size: 1,
      tags: ["b", "a"],
      color: "blue",
      version: "8",
      __defaults: [],
    });
  });

  it("closes secrets and notes the schema's version", () => {
    const sealed = sealedState(kind, { size: 1, password: "p", token: "t", url: "u" });
    expect(sealed).toEqual({
      size: 1,
      password: secret("p"),
      token: secret("t"),
      url: "u",
      __meta: '{"schema_version":"3"}',
    });
    expect(JSON.stringify(secret("p"))).toBe(
      '{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","value":"p"}',
    );
    expect(withoutSecrets({ deep: [{ a: secret({ b: secret("c") }) }] })).toEqual({
      deep: [{ a: { b: "c" } }],
    });
  });
});
