// Inputs of azure-native resources against what the npm package declares of them: the nearest thing to Azure's own
// validation that needs no Azure. Lengths, patterns and what goes with what are known to Azure only.
import type { Properties, Shape } from "../../ops/standins/azureNative/declarations";
import { enumValues, objectTypes, resourceTypes } from "../../ops/standins/azureNative/packageTypes";
import { isSecret, unknown, type Value } from "../../ops/standins/values";

export interface Problem {
  /** As Pulumi writes it: `networkProfile.podCidr`, `agentPoolProfiles[0].count`. */
  readonly path: string;
  readonly problem: string;
}

/** Values that Azure takes and the package doesn't know yet, by enum, each with the reason to believe so. */
export type NewerValues = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What a value looks like to a reader of the engine's events: see `mask` in ops/engine/events.ts. */
const masked = { unknown: "[known after up]", secret: "[secret]" };

/**
 * What is wrong with the inputs of a resource, as the program gives them or as the engine's events show them: a
 * property that doesn't exist, one that is missing, a value of the wrong type or none of those that there are.
 * Values that are not known yet are right; secrets are, where a text may stand.
 *
 * @param token `azure-native:storage:StorageAccount`
 * @param newer by the enum's full name, `enums.storage.SkuName`
 * @throws Error for a kind that the package doesn't have
 */
export function azureProblems(
  token: string,
  inputs: Readonly<Record<string, unknown>>,
  newer: NewerValues = {},
): Problem[] {
  const types = resourceTypes(token);
  if (types === undefined) throw new Error(`@pulumi/azure-native has no ${token}`);
  // The provider adds to what the program gives: the version of the API, and notes of its own.
  const given = Object.entries(inputs).filter(
    ([name]) => name !== "azureApiVersion" && !name.startsWith("__"),
  );
  const checker = new Checker(newer);
  checker.properties(types.inputs, Object.fromEntries(given) as { [key: string]: Value }, "", token);
  return checker.problems;
}

class Checker {
  readonly problems: Problem[] = [];

  constructor(private readonly newer: NewerValues) {}

  properties(properties: Properties, given: { [key: string]: Value }, path: string, owner: string): void {
    for (const [name, value] of Object.entries(given)) {
      const property = properties.get(name);
      const at = path === "" ? name : `${path}.${name}`;
      if (property === undefined) this.report(at, `${owner} has no such property`);
      else if (isGiven(value)) this.value(property.shape, value, at);
    }
    for (const [name, { optional }] of properties) {
      if (!optional && !isGiven(given[name])) {
        this.report(path === "" ? name : `${path}.${name}`, `${owner} needs it`);
      }
    }
  }

  private value(shape: Shape, value: Value, path: string): void {
    if (value === unknown || value === masked.unknown || shape.kind === "any") return;
    if (value === masked.secret || isSecret(value)) {
      if (!takesText(shape)) this.report(path, `a secret stands where ${describe(shape)} is wanted`);
      return;
    }
    switch (shape.kind) {
      case "object":
        if (!isObject(value)) this.wrongType(shape, value, path);
        else this.properties(objectTypes(shape.name), value, path, shape.name.split(".").slice(1).join("."));
        return;
      case "list":
        if (!Array.isArray(value)) this.wrongType(shape, value, path);
        else for (const [index, item] of value.entries()) this.value(shape.items, item, `${path}[${index}]`);
        return;
      case "map":
        if (!isObject(value)) this.wrongType(shape, value, path);
        else
          for (const [key, item] of Object.entries(value))
            this.value(shape.values, item, `${path}["${key}"]`);
        return;
      case "enum":
        this.member(shape.name, value, path);
        return;
      case "oneOf":
        this.option(shape.options, value, path);
        return;
      case "literal":
        if (value !== shape.value) this.wrongType(shape, value, path);
        return;
      default:
        if (typeof value !== shape.kind) this.wrongType(shape, value, path);
    }
  }

  private member(name: string, value: Value, path: string): void {
    const values = enumValues(name);
    if ((typeof value === "string" || typeof value === "number") && values.has(value)) return;
    if (this.newer[name]?.[String(value)] !== undefined) return;
    this.report(path, `${JSON.stringify(value)} is none of ${name}: ${[...values].join(", ")}`);
  }

  /** Whichever fits; when none does, what is wrong with the one that comes nearest. */
  private option(options: readonly Shape[], value: Value, path: string): void {
    // `string | enums.…` leaves room for values to come: a typing error would take that room.
    const known = options.filter(({ kind }) => kind === "enum");
    const tried = (known.length > 0 ? known : options).map((option) => {
      const checker = new Checker(this.newer);
      checker.value(option, value, path);
      return checker.problems;
    });
    const [nearest = []] = tried.sort((one, other) => one.length - other.length);
    this.problems.push(...nearest);
  }

  private wrongType(shape: Shape, value: Value, path: string): void {
    this.report(path, `${JSON.stringify(value)} stands where ${describe(shape)} is wanted`);
  }

  private report(path: string, problem: string): void {
    this.problems.push({ path, problem });
  }
}

function takesText(shape: Shape): boolean {
  if (shape.kind === "oneOf") return shape.options.some(takesText);
  return shape.kind === "string" || shape.kind === "any";
}

function describe(shape: Shape): string {
  switch (shape.kind) {
    case "literal":
      return JSON.stringify(shape.value);
    case "object":
    case "enum":
      return shape.name.split(".").slice(1).join(".");
    case "list":
      return "a list";
    case "map":
      return "an object";
    case "oneOf":
      return shape.options.map(describe).join(" or ");
    default:
      return `a ${shape.kind}`;
  }
}

function isGiven(value: Value | undefined): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: Value): value is { [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
