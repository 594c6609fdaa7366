/** Stand-in for the official `random` plugin: the kinds that a database platform uses. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { version } from "@pulumi/random/package.json";
import { hash } from "bcryptjs";
import { type Failure, type Kind, type Property, stateOf, updatedState } from "./kind";
import type { StandIn } from "./provider";
import { type Bag, flag, integer, text } from "./values";

const digits = "0123456789";
const lowerCase = "abcdefghijklmnopqrstuvwxyz";
const upperCase = lowerCase.toUpperCase();
const specials = "!@#$%&*()-_=+[]{}<>:?";

const keepers: Property = { replaces: true };

/** Nothing outside the state: a value lives and dies with it. Every input that matters replaces. */
type Generator = Pick<Kind, "inputs" | "outputs" | "schemaVersion" | "complete" | "check"> & {
  generate(inputs: Bag): Promise<{ id: string; outputs: Bag }>;
};

function generated(generator: Generator): Kind {
  const kind: Kind = {
    ...generator,
    async create(inputs) {
      const { id, outputs } = await generator.generate(inputs);
      return { id, state: { ...stateOf(kind, inputs), ...outputs } };
    },
    async read(id, state) {
      if (Object.keys(state).length === 0) throw new Error("the random stand-in cannot import a value");
      return { id, state };
    },
    update: async (_id, state, inputs) => updatedState(kind, state, inputs),
    delete: async () => undefined,
  };
  return kind;
}

const stringInputs: Record<string, Property> = {
  keepers,
  length: { required: true, replaces: true },
  lower: { default: true, replaces: true },
  minLower: { default: 0, replaces: true },
  minNumeric: { default: 0, replaces: true },
  minSpecial: { default: 0, replaces: true },
  minUpper: { default: 0, replaces: true },
  number: { replaces: true },
  numeric: { replaces: true },
  overrideSpecial: { replaces: true },
  special: { default: true, replaces: true },
  upper: { default: true, replaces: true },
};

/** `number` is the old name of `numeric`; either sets both. */
function completeString(inputs: Bag): Bag {
  const numeric = inputs.numeric ?? inputs.number ?? true;
  return { ...inputs, numeric, number: inputs.number ?? numeric };
}

function checkString(inputs: Bag): Failure[] {
  const failures: Failure[] = [];
  const length = integer(inputs, "length") ?? 0;
  const least = minima.reduce((sum, name) => sum + (integer(inputs, name) ?? 0), 0);
  if (length < 1) failures.push({ property: "length", reason: `it is ${length} and must be at least 1` });
  if (length < least) {
    failures.push({
      property: "length",
      reason: `it is ${length}, less than the sum of ${minima.join(", ")}, which is ${least}`,
    });
  }
  if (inputs.number !== inputs.numeric) {
    failures.push({ property: "number", reason: "it contradicts numeric, of which it is the old name" });
  }
  if (alphabet(inputs) === "") {
    failures.push({ property: "numeric", reason: "lower, upper, numeric and special are all false" });
  }
  return failures;
}

const minima = ["minLower", "minUpper", "minNumeric", "minSpecial"] as const;

function specialCharacters(inputs: Bag): string {
  return text(inputs, "overrideSpecial") || specials;
}

function alphabet(inputs: Bag): string {
  return [
    flag(inputs, "upper") ? upperCase : "",
    flag(inputs, "lower") ? lowerCase : "",
    flag(inputs, "numeric") ? digits : "",
    flag(inputs, "special") ? specialCharacters(inputs) : "",
  ].join("");
}

function pick(characters: string, count: number): string[] {
  const each = [...characters];
  return Array.from({ length: count }, () => each[randomInt(each.length)] ?? "");
}

function shuffled(items: string[]): string[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [items[last], items[other]] = [items[other] ?? "", items[last] ?? ""];
  }
  return items;
}

/** A random string as the inputs want it; each minimum is met, and where its characters stand is random too. */
function randomString(inputs: Bag): string {
  const required = [
    ...pick(lowerCase, integer(inputs, "minLower") ?? 0),
    ...pick(upperCase, integer(inputs, "minUpper") ?? 0),
    ...pick(digits, integer(inputs, "minNumeric") ?? 0),
    ...pick(specialCharacters(inputs), integer(inputs, "minSpecial") ?? 0),
  ];
  const rest = pick(alphabet(inputs), (integer(inputs, "length") ?? 0) - required.length);
  return shuffled([...required, ...rest]).join("");
}

const randomPassword = generated({
  inputs: stringInputs,
  outputs: { bcryptHash: { secret: true }, result: { secret: true } },
  schemaVersion: 3,
  complete: completeString,
  check: checkString,
  async generate(inputs) {
    const result = randomString(inputs);
    return { id: "none", outputs: { result, bcryptHash: await hash(result, 10) } };
  },
});

const randomStringKind = generated({
  inputs: stringInputs,
  outputs: { result: {} },
  schemaVersion: 2,
  complete: completeString,
  check: checkString,
  async generate(inputs) {
    const result = randomString(inputs);
    return { id: result, outputs: { result } };
  },
});

const randomId = generated({
  inputs: {
    keepers,
    byteLength: { required: true, replaces: true },
    prefix: { replaces: true },
  },
  outputs: { b64Std: {}, b64Url: {}, dec: {}, hex: {} },
  check: (inputs) => atLeastOne(inputs, "byteLength"),
  async generate(inputs) {
    const bytes = randomBytes(integer(inputs, "byteLength") ?? 0);
    const prefix = text(inputs, "prefix") ?? "";
    const id = bytes.toString("base64url");
    const hex = bytes.toString("hex");
    return {
      id,
      outputs: {
        b64Std: prefix + bytes.toString("base64"),
        b64Url: prefix + id,
        dec: prefix + BigInt(`0x${hex}`).toString(),
        hex: prefix + hex,
      },
    };
  },
});

const randomUuid = generated({
  inputs: { keepers },
  outputs: { result: {} },
  async generate() {
    const result = randomUUID();
    return { id: result, outputs: { result } };
  },
});

const randomBytesKind = generated({
  inputs: { keepers, length: { required: true, replaces: true } },
  outputs: { base64: { secret: true }, hex: { secret: true } },
  check: (inputs) => atLeastOne(inputs, "length"),
  async generate(inputs) {
    const bytes = randomBytes(integer(inputs, "length") ?? 0);
    // The official id is the secret itself, which would stand in the state for all to read.
    return { id: "none", outputs: { base64: bytes.toString("base64"), hex: bytes.toString("hex") } };
  },
});

function atLeastOne(inputs: Bag, property: string): Failure[] {
  const value = integer(inputs, property) ?? 0;
  return value >= 1 ? [] : [{ property, reason: `it is ${value} and must be at least 1` }];
}

export const random: StandIn = {
  name: "random",
  version,
  configure: () => ({
    "random:index/randomBytes:RandomBytes": randomBytesKind,
    "random:index/randomId:RandomId": randomId,
    "random:index/randomPassword:RandomPassword": randomPassword,
    "random:index/randomString:RandomString": randomStringKind,
    "random:index/randomUuid:RandomUuid": randomUuid,
  }),
};
