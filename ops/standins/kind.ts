/**
 * What a stand-in must know of a kind of resource, and what follows from it without touching anything: the
 * checked inputs, what a change means, the outputs a preview can promise. The rules are those of the official
 * plugins, which bridge Terraform providers: an update is the difference between the recorded state (which
 * refresh keeps true) and the inputs.
 */
import { createHash } from "node:crypto";
import { type Bag, containsUnknown, isEmpty, sameValue, secret, unknown, type Value } from "./values";

/** One input of a kind. */
export interface Property {
  readonly required?: true;
  /** Taken when the program gives none. */
  readonly default?: Value;
  /** A change needs a new object. */
  readonly replaces?: true;
  /** Chosen by the provider when the program gives none; leaving it out is then no change. */
  readonly computed?: true;
  readonly secret?: true;
  /** A set: order doesn't matter. */
  readonly unordered?: true;
  /** Used, but neither kept in the state's outputs nor compared; another input says when it changed. */
  readonly writeOnly?: true;
  readonly oneOf?: readonly string[];
  /** Made from the resource's name when the program gives none, e.g. `reader-3fa41c9`. */
  readonly autoNamed?: true;
}

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

export interface Existing {
  readonly id: string;
  readonly state: Bag;
}

/** One kind of resource. States and inputs are plain here: secrets are opened before and closed after. */
export interface Kind {
  readonly inputs: Readonly<Record<string, Property>>;
  /** What only the provider knows, and whether it is secret. */
  readonly outputs: Readonly<Record<string, { readonly secret?: true }>>;
  /** Of the official plugin's state: the plugin, once installed, must not take ours for an ancient one. */
  readonly schemaVersion?: number;
  readonly deleteBeforeReplace?: true;
  /** Fills in what follows from other inputs. Values may be unknown. */
  complete?(inputs: Bag): Bag;
  /** Refuses what cannot work. Called only when every input is known. */
  check?(inputs: Bag): Failure[];
  /** State properties because of which the object has to be replaced although nobody changed an input. */
  expired?(state: Bag, inputs: Bag): string[];
  create(inputs: Bag, urn: string): Promise<Existing>;
  /** `undefined` when the object is gone. `state` is empty at an import. */
  read(id: string, state: Bag): Promise<Existing | undefined>;
  update(id: string, state: Bag, inputs: Bag): Promise<Bag>;
  delete(id: string, state: Bag): Promise<void>;
}

/** The bridge's own bookkeeping: which inputs are defaults, so that they are recognised at the next run. */
const defaultsKey = "__defaults";
const metaKey = "__meta";

/** How the engine wants a name made; see `pulumi:autonaming` in Pulumi's documentation. */
export interface Naming {
  readonly resourceName: string;
  /** The same within one run, so that a preview followed by its update gives one name. */
  readonly seed: Uint8Array;
  readonly proposed?: string;
  readonly disabled?: boolean;
}

/** The inputs to use: given ones, defaults and a generated name; or why they cannot be used. */
export function checkInputs(
  kind: Kind,
  old: Bag,
  given: Bag,
  naming: Naming,
): { inputs: Bag; failures: Failure[] } {
  const failures: Failure[] = [];
  let inputs: Bag = {};
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("__") || value === null) continue;
    if (kind.inputs[name] === undefined) {
      failures.push({ property: name, reason: `there is no such property; known: ${names(kind)}` });
    }
    inputs[name] = value;
  }
  for (const [name, property] of Object.entries(kind.inputs)) {
    if (inputs[name] !== undefined) continue;
    if (property.autoNamed) {
      const generated = generatedName(old, name, naming);
      if (generated === undefined) failures.push({ property: name, reason: "a name is required" });
      else inputs[name] = generated;
    } else if (property.default !== undefined) inputs[name] = property.default;
    else if (property.required) failures.push({ property: name, reason: "it is required" });
  }
  inputs = kind.complete?.(inputs) ?? inputs;
  for (const [name, property] of Object.entries(kind.inputs)) {
    const value = inputs[name];
    if (property.oneOf === undefined || value === undefined || value === unknown) continue;
    if (!property.oneOf.some((allowed) => allowed === value)) {
      failures.push({
        property: name,
        reason: `${JSON.stringify(value)} is not one of ${property.oneOf.join(", ")}`,
      });
    }
  }
  if (failures.length === 0 && !containsUnknown(inputs)) failures.push(...(kind.check?.(inputs) ?? []));
  const defaults = Object.keys(inputs).filter((name) => (given[name] ?? null) === null);
  return { inputs: { ...inputs, [defaultsKey]: defaults.sort() }, failures };
}

function generatedName(old: Bag, property: string, naming: Naming): string | undefined {
  const before = old[property];
  if (typeof before === "string" && isDefault(old, property)) return before;
  if (naming.proposed !== undefined) return naming.proposed;
  if (naming.disabled) return undefined;
  return `${naming.resourceName}-${createHash("sha256").update(naming.seed).digest("hex").slice(0, 7)}`;
}

function isDefault(inputs: Bag, property: string): boolean {
  const defaults = inputs[defaultsKey];
  return Array.isArray(defaults) && defaults.includes(property);
}

function names(kind: Kind): string {
  return Object.keys(kind.inputs).sort().join(", ");
}

export interface Difference {
  readonly property: string;
  readonly change: "add" | "delete" | "update";
  readonly replaces: boolean;
}

/** What lies between the recorded state and the inputs, and whether that needs a new object. */
export function difference(
  kind: Kind,
  state: Bag,
  inputs: Bag,
  ignored: readonly string[],
): { differences: Difference[]; deleteBeforeReplace: boolean } {
  const differences: Difference[] = [];
  for (const [name, property] of Object.entries(kind.inputs)) {
    if (property.writeOnly || ignored.includes(name)) continue;
    const before = state[name];
    const after = inputs[name];
    if (isEmpty(before) && isEmpty(after)) continue;
    if (after === undefined && property.computed) continue;
    if (
      before !== undefined &&
      after !== undefined &&
      sameValue(before, after, property.unordered ?? false)
    ) {
      continue;
    }
    const change = isEmpty(before) ? "add" : isEmpty(after) ? "delete" : "update";
    differences.push({ property: name, change, replaces: property.replaces ?? false });
  }
  for (const property of kind.expired?.(state, inputs) ?? []) {
    differences.push({ property, change: "update", replaces: true });
  }
  // A name of the user's own choosing can be taken only once.
  const fixedName = Object.entries(kind.inputs).some(
    ([name, property]) =>
      property.autoNamed === true && !isDefault(inputs, name) && inputs[name] === state[name],
  );
  return {
    differences,
    deleteBeforeReplace:
      differences.some((item) => item.replaces) && (kind.deleteBeforeReplace === true || fixedName),
  };
}

/** What a preview can promise of an object to be created, or of an existing one to be updated. */
export function planned(kind: Kind, inputs: Bag, state?: Bag): Bag {
  const outputs = stateOf(kind, inputs);
  for (const name of Object.keys(kind.outputs)) outputs[name] = state?.[name] ?? unknown;
  for (const [name, property] of Object.entries(kind.inputs)) {
    if (property.computed && outputs[name] === undefined) outputs[name] = state?.[name] ?? unknown;
  }
  return outputs;
}

/** The state after an update that changes nothing outside it. */
export function updatedState(kind: Kind, state: Bag, inputs: Bag): Bag {
  return Object.fromEntries(
    Object.entries(planned(kind, inputs, state)).filter(([, value]) => value !== unknown),
  );
}

/** The part of the state that repeats the inputs. */
export function stateOf(kind: Kind, inputs: Bag): Bag {
  return Object.fromEntries(
    Object.entries(inputs).filter(([name]) => {
      const property = kind.inputs[name];
      return property !== undefined && !property.writeOnly;
    }),
  );
}

/** The inputs that would give this state: the old ones with what drifted put right; all there are at an import. */
export function inputsOf(kind: Kind, oldInputs: Bag, state: Bag): Bag {
  const importing = Object.keys(oldInputs).length === 0;
  const inputs: Bag = importing ? { [defaultsKey]: [] } : { ...oldInputs };
  for (const [name, property] of Object.entries(kind.inputs)) {
    const live = state[name];
    const old = oldInputs[name];
    if (property.writeOnly) continue;
    if (importing) {
      if (!isEmpty(live) && live !== undefined && live !== property.default) inputs[name] = live;
    } else if (old !== undefined && live === undefined) {
      delete inputs[name];
    } else if (
      old !== undefined &&
      live !== undefined &&
      !sameValue(old, live, property.unordered ?? false)
    ) {
      inputs[name] = live;
    }
  }
  return inputs;
}

/** Closes what must not be readable, and notes the state's version. */
export function sealedState(kind: Kind, state: Bag): Bag {
  const sealed = sealedInputs(kind, state);
  for (const [name, output] of Object.entries(kind.outputs)) {
    const value = sealed[name];
    if (output.secret && value !== undefined) sealed[name] = secret(value);
  }
  if (kind.schemaVersion !== undefined) {
    sealed[metaKey] = JSON.stringify({ schema_version: String(kind.schemaVersion) });
  }
  return sealed;
}

/** Closes the inputs that are secret by nature, even when the program gave them openly. */
export function sealedInputs(kind: Kind, inputs: Bag): Bag {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, kind.inputs[name]?.secret ? secret(value) : value]),
  );
}
