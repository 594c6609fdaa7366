// What a rule sees of a resource's properties: plain values, and a mark where a value is not known yet.

/** Stands for a value that only an `up` decides: in a preview, the output of a resource that does not exist yet. */
export const unknown: unique symbol = Symbol("known after up");

export type Value = string | number | boolean | null | undefined | typeof unknown | readonly Value[] | Values;

export interface Values {
  readonly [property: string]: Value;
}

/** The value at a path: {@link unknown} when something on the way is, undefined when something is missing. */
export function at(value: Value, ...path: readonly string[]): Value {
  const [key, ...rest] = path;
  if (key === undefined || value === unknown) return value;
  return isObject(value) ? at(value[key], ...rest) : undefined;
}

export function isObject(value: Value): value is Values {
  return typeof value === "object" && value !== null && !isList(value);
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** For messages: `not set`, `not known yet`, or the value as JSON. */
export function shown(value: Value): string {
  if (value === undefined || value === null) return "not set";
  if (value === unknown) return "not known yet";
  return JSON.stringify(value, (_, part: Value) => (part === unknown ? "not known yet" : part));
}
