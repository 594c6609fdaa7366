/**
 * What the official plugin does with a resource before it asks Azure for anything: fill in inputs, tell a change from
 * a replacement, say which outputs a preview can know. Pure. The rules are those of pulumi-azure-native's
 * provider/pkg/provider/provider.go (Check, Diff, Create and Update of a preview), diff.go next to it, and
 * provider/pkg/convert/previewOutputs.go; left out is what needs its metadata: lists that are compared by keys
 * instead of positions, properties that are added with their default value, minimum, maximum and pattern of a value.
 */
import { createHash } from "node:crypto";
import { differences } from "../difference";
import type { Difference, Failure, Naming } from "../kind";
import { type Bag, isObject, sameValue, unknown, type Value } from "../values";
import type { Properties, Shape } from "./declarations";
import { immutableProperties } from "./immutable";
import { objectTypes, type ResourceTypes } from "./packageTypes";

/** Notes that the name was generated: a new one can then be made before the old one goes. */
const generatedMark = "__createBeforeDelete";

export interface Checked {
  readonly inputs: Bag;
  readonly failures: Failure[];
}

/**
 * The inputs with a name, a location and the version of Azure's API.
 *
 * @param old the inputs before; empty for a new resource
 * @param location the provider's own
 */
export function checkInputs(
  types: ResourceTypes,
  given: Bag,
  old: Bag,
  naming: Naming,
  location: Value | undefined,
): Checked {
  const inputs: Bag = { ...given };
  const failures: Failure[] = [];
  for (const property of types.path) {
    if (isGiven(inputs[property]) || types.inputs.get(property)?.optional !== true) continue;
    const before = old[property];
    const name = before ?? newName(types, property, naming);
    if (name === undefined) {
      failures.push({ property, reason: "autonaming is disabled, so a name is required" });
      continue;
    }
    inputs[property] = name;
    const generated = before === undefined ? nameKind(types, property) !== "copy" : old[generatedMark];
    if (generated === true) inputs[generatedMark] = true;
  }
  if (!isGiven(inputs.location) && types.inputs.has("location")) {
    // Where the resource group is, is known to Azure only.
    const place = old.location ?? location ?? (inputs.resourceGroupName === unknown ? unknown : undefined);
    if (place !== undefined) inputs.location = place;
  }
  if (types.apiVersion !== undefined) inputs.azureApiVersion ??= types.apiVersion;
  return { inputs, failures };
}

function isGiven(value: Value | undefined): boolean {
  return value !== undefined && value !== null;
}

/** Inputs that say where a resource is, not what it is called. */
const places: ReadonlySet<string> = new Set(["resourceGroupName", "scope", "resourceUri"]);

/** A name must be unique in a resource group, or only within the resource that it is a part of. */
function nameKind(types: ResourceTypes, property: string): "uuid" | "copy" | "random" {
  if (property === "roleAssignmentName" || property === "roleDefinitionId") return "uuid";
  return types.path.some((other) => other !== property && !places.has(other)) ? "copy" : "random";
}

function newName(types: ResourceTypes, property: string, naming: Naming): string | undefined {
  if (naming.disabled) return undefined;
  const kind = nameKind(types, property);
  const hex = createHash("sha256").update(naming.seed).digest("hex");
  if (kind === "uuid") return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, "$1-$2-$3-$4-$5");
  if (naming.proposed !== undefined) return naming.proposed;
  return kind === "copy" ? naming.resourceName : `${naming.resourceName}${hex.slice(0, 8)}`;
}

export interface Change {
  readonly differences: Difference[];
  readonly deleteBeforeReplace: boolean;
}

/** What lies between the inputs before and now. @param state the outputs before */
export function planChange(types: ResourceTypes, old: Bag, now: Bag, state: Bag): Change {
  const immutable = new Set([...types.path, ...immutableProperties(types.token)]);
  const found = differences(withApiVersion(old, state), now, [])
    .filter(({ property }) => !isSameToAzure(property, old, now))
    .map((one) => ({ ...one, replaces: replaces(one, immutable) && !isAsMade(one, now, state) }));
  const replaced = found.some((one) => one.replaces);
  return { differences: found, deleteBeforeReplace: replaced && old[generatedMark] !== true };
}

/** What version 2 of the plugin deployed has the version among its outputs only. */
function withApiVersion(old: Bag, { azureApiVersion }: Bag): Bag {
  return azureApiVersion === undefined ? old : { azureApiVersion, ...old };
}

/** `West Europe` is `westeurope`, and the case of a resource group's name means nothing. */
function isSameToAzure(property: string, old: Bag, now: Bag): boolean {
  const [before, after] = [old[property], now[property]];
  if (typeof before !== "string" || typeof after !== "string") return false;
  if (property === "resourceGroupName") return before.toLowerCase() === after.toLowerCase();
  return property === "location" && placeName(before) === placeName(after);
}

function placeName(location: string): string {
  return location.replaceAll(" ", "").toLowerCase();
}

/** A change of an immutable property itself, or of a value within an object that is one. Not what a list in it gains or loses. */
function replaces({ property, change }: Difference, immutable: ReadonlySet<string>): boolean {
  const key = property.replaceAll(/\[\d+\]/g, "[]");
  if (immutable.has(key)) return true;
  if (change !== "update") return false;
  const parts = key.split(".");
  return parts.some((_, index) => index > 0 && immutable.has(parts.slice(0, index).join(".")));
}

/** An input that is new to the program and says what Azure chose at the time. */
function isAsMade({ property, change }: Difference, now: Bag, state: Bag): boolean {
  const [wanted, made] = [now[property], state[property]];
  return change === "add" && wanted !== undefined && made !== undefined && sameValue(wanted, made, false);
}

/** The outputs that a preview of a new resource knows. */
export function planCreate(types: ResourceTypes, inputs: Bag): Bag {
  return plannedObject(types.outputs, inputs);
}

/** The outputs that a preview of a change knows: beside the inputs only what can never change. */
export function planUpdate(types: ResourceTypes, inputs: Bag, state: Bag): Bag {
  const kept = ["name", "location"].flatMap((name) => {
    const value = state[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...planCreate(types, inputs), ...Object.fromEntries(kept) };
}

function plannedObject(properties: Properties, inputs: Bag): Bag {
  const outputs: Bag = {};
  for (const [name, { shape }] of properties) outputs[name] = plannedValue(shape, inputs[name] ?? unknown);
  return outputs;
}

/** An input as an output: of an object, Azure adds what it has not been given. */
function plannedValue(shape: Shape, input: Value): Value {
  switch (shape.kind) {
    case "literal":
      return shape.value;
    case "list":
      return Array.isArray(input) ? input.map((item) => plannedValue(shape.items, item)) : unknown;
    case "object":
      return isObject(input) ? plannedObject(objectTypes(shape.name), input) : unknown;
    case "map":
      if (!isObject(input)) return unknown;
      return Object.fromEntries(
        Object.entries(input).map(([key, value]) => [key, plannedValue(shape.values, value)]),
      );
    default:
      return input;
  }
}

/**
 * The outputs that follow from the id of an existing resource, e.g. `…/Microsoft.Storage/storageAccounts/backups`.
 * `undefined` when it is not the id of one.
 */
export function outputsOfId(id: string): Bag | undefined {
  const group = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)$/i.exec(id)?.[1];
  if (group !== undefined) return { name: group, type: "Microsoft.Resources/resourceGroups" };
  // The last provider: a resource may hang on one of another.
  const [, namespace, rest = ""] = /^\/.*\/providers\/([^/]+)\/(.+)$/i.exec(id) ?? [];
  const parts = rest.split("/");
  const name = parts.at(-1);
  if (namespace === undefined || parts.length % 2 === 1 || !name || parts.includes("")) return undefined;
  return { name, type: [namespace, ...parts.filter((_, index) => index % 2 === 0)].join("/") };
}
