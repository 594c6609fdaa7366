import { compare } from "bcryptjs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkInputs, difference, type Kind } from "../../ops/standins/kind";
import { random } from "../../ops/standins/random";
import type { Bag } from "../../ops/standins/values";

const kinds = random.configure({});
const kindOf = (name: string): Kind => {
  const kind = kinds[`random:index/random${name}:Random${name}`];
  if (kind === undefined) throw new Error(`no ${name}`);
  return kind;
};
const checked = (kind: Kind, given: Bag) =>
  checkInputs(kind, {}, given, { resourceName: "r", seed: new Uint8Array() });
const make = async (name: string, given: Bag) => {
  const { inputs, failures } = checked(kindOf(name), given);
  expect(failures).toEqual([]);
  return kindOf(name).create(inputs, "urn");
};

describe("RandomString", () => {
  const classes = { minLower: /[a-z]/g, minUpper: /[A-Z]/g, minNumeric: /[0-9]/g, minSpecial: /[#ß€]/g };

  it("has its length, every minimum, and no other character", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          minLower: fc.nat(5),
          minUpper: fc.nat(5),
          minNumeric: fc.nat(5),
          minSpecial: fc.nat(5),
          extra: fc.nat(20),
          lower: fc.boolean(),
          numeric: fc.boolean(),
        }),
        async ({ extra, ...inputs }) => {
          const minimum = inputs.minLower + inputs.minUpper + inputs.minNumeric + inputs.minSpecial;
          const length = Math.max(1, minimum + extra);
          const { id, state } = await make("String", { ...inputs, length, overrideSpecial: "#ß€" });
          const result = String(state.result);
          expect(id).toBe(result);
          expect([...result]).toHaveLength(length);
          for (const [property, pattern] of Object.entries(classes)) {
            const count = result.match(pattern)?.length ?? 0;
            const least = inputs[property as keyof typeof classes];
            expect(count).toBeGreaterThanOrEqual(least);
            // A class that is off appears only as often as its minimum wants.
            if (property === "minLower" && !inputs.lower) expect(count).toBe(least);
            if (property === "minNumeric" && !inputs.numeric) expect(count).toBe(least);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("has no favourite character and no favourite place", async () => {
    const { state } = await make("String", { length: 62_000, special: false });
    const counts = new Map<string, number>();
    for (const character of String(state.result)) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(62);
    // 1,000 expected of each; eight standard deviations on either side.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(250);

    const places = [0, 0, 0, 0];
    for (let i = 0; i < 2000; i++) {
      const made = await make("String", {
        length: 4,
        upper: false,
        numeric: false,
        special: false,
        minNumeric: 1,
      });
      const place = String(made.state.result).search(/[0-9]/);
      places[place] = (places[place] ?? 0) + 1;
    }
    for (const count of places) expect(Math.abs(count - 500)).toBeLessThan(160);
  });

  it.each([
    [{ length: 0 }, "length", "it is 0 and must be at least 1"],
    [
      { length: 2, minUpper: 2, minSpecial: 1 },
      "length",
      "it is 2, less than the sum of minLower, minUpper, minNumeric, minSpecial, which is 3",
    ],
    [
      { length: 2, upper: false, lower: false, numeric: false, special: false },
      "numeric",
      "lower, upper, numeric and special are all false",
    ],
    [
      { length: 2, number: true, numeric: false },
      "number",
      "it contradicts numeric, of which it is the old name",
    ],
  ])("refuses %j", (given, property, reason) => {
    expect(checked(kindOf("String"), given).failures).toEqual([{ property, reason }]);
  });

  it("takes number for numeric", async () => {
    const { state } = await make("String", { length: 200, number: false });
    expect(state).toMatchObject({ number: false, numeric: false });
    expect(state.result).not.toMatch(/[0-9]/);
  });
});

describe("RandomPassword", () => {
  it("gives a hash that fits, and an id that says nothing", async () => {
    const { id, state } = await make("Password", { length: 80 });
    expect(id).toBe("none");
    expect(await compare(String(state.result), String(state.bcryptHash))).toBe(true);
    expect(kindOf("Password").outputs).toEqual({ result: { secret: true }, bcryptHash: { secret: true } });
  });

  it("is kept as long as nothing changes, and made anew when anything does", async () => {
    const kind = kindOf("Password");
    const { state } = await make("Password", { length: 8, keepers: { version: "1" } });
    const differences = (given: Bag) => difference(kind, state, checked(kind, given).inputs, []).differences;
    expect(differences({ length: 8, keepers: { version: "1" } })).toEqual([]);
    for (const changed of [{ length: 9 }, { special: false }, { keepers: { version: "2" } }] as Bag[]) {
      const [property] = Object.keys(changed);
      expect(differences({ length: 8, keepers: { version: "1" }, ...changed })).toEqual([
        { property, change: property === "special" ? "delete" : "update", replaces: true },
      ]);
    }
  });
});

describe("the other kinds", () => {
  it("RandomId shows the same bytes in four ways, each with the prefix", async () => {
    const { id, state } = await make("Id", { byteLength: 9, prefix: "p-" });
    const bytes = Buffer.from(id, "base64url");
    expect(bytes).toHaveLength(9);
    expect(state).toMatchObject({
      b64Url: `p-${id}`,
      b64Std: `p-${bytes.toString("base64")}`,
      hex: `p-${bytes.toString("hex")}`,
      dec: `p-${BigInt(`0x${bytes.toString("hex")}`)}`,
    });
    expect(checked(kindOf("Id"), { byteLength: 0 }).failures).toHaveLength(1);
  });

  it("RandomBytes keeps its bytes out of its id", async () => {
    const { id, state } = await make("Bytes", { length: 32 });
    expect(id).toBe("none");
    expect(Buffer.from(String(state.base64), "base64").toString("hex")).toBe(state.hex);
    expect(String(state.hex)).toHaveLength(64);
  });

  it("RandomUuid is a version 4 UUID", async () => {
    const { id, state } = await make("Uuid", {});
    expect(state.result).toBe(id);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("imports nothing", async () => {
    await expect(kindOf("Uuid").read("some-id", {})).rejects.toThrow("cannot import");
  });
});
