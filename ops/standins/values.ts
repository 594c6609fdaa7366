/** Property values as they cross the wire between engine and provider: JSON, with two marks of Pulumi's own. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Bag = { [key: string]: Value };

/** Stands for a value that is known only once something else is deployed. Seen at preview. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** An object with this key is not an object but a marked value; this mark says it is a secret. */
const markKey = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";

/** Marks a value as secret, so that the engine encrypts it in its state and hides it from people. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { [markKey]: secretMark, value };
}

/** The bag with every secret opened, however deep. */
export function withoutSecrets(bag: Bag): Bag {
  return Object.fromEntries(Object.entries(bag).map(([key, value]) => [key, opened(value)]));
}

function opened(value: Value): Value {
  if (Array.isArray(value)) return value.map(opened);
  if (value === null || typeof value !== "object") return value;
  return isSecret(value) ? opened(value.value ?? null) : withoutSecrets(value);
}

/** Whether the value itself is marked as secret. */
export function isSecret(value: Value): value is { [key: string]: Value } {
  return isObject(value) && value[markKey] === secretMark;
}

export function isObject(value: Value | undefined): value is Bag {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Whether any part of the value is not known yet. */
export function containsUnknown(value: Value | undefined): boolean {
  if (value === unknown) return true;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(containsUnknown);
}

/** Whether any part of the value is secret. */
export function containsSecret(value: Value): boolean {
  if (value === null || typeof value !== "object") return false;
  return isSecret(value) || Object.values(value).some(containsSecret);
}

/** Whether a person would say that nothing is there: the types the providers build on don't tell these apart. */
export function isEmpty(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Deep equality; `unordered` takes arrays as sets. */
export function sameValue(left: Value, right: Value, unordered: boolean): boolean {
  return canonical(left, unordered) === canonical(right, unordered);
}

function canonical(value: Value, unordered: boolean): string {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item, unordered));
    return `[${(unordered ? items.sort() : items).join(",")}]`;
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null, unordered)}`);
  return `{${entries.join(",")}}`;
}

/** Reads a string; `undefined` when it is not given. @throws Error naming the property when it is something else. */
export function text(bag: Bag, name: string): string | undefined {
  const value = bag[name] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw new Error(`${name} must be a string, not ${JSON.stringify(value)}`);
}

/** Reads a string that must be there. */
export function requiredText(bag: Bag, name: string): string {
  const value = text(bag, name);
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
}

/** Reads a boolean; `false` when it is not given. */
export function flag(bag: Bag, name: string): boolean {
  const value = bag[name] ?? false;
  if (typeof value === "boolean") return value;
  throw new Error(`${name} must be true or false, not ${JSON.stringify(value)}`);
}

/** Reads a whole number; `undefined` when it is not given. */
export function integer(bag: Bag, name: string): number | undefined {
  const value = bag[name] ?? undefined;
  if (value === undefined || (typeof value === "number" && Number.isInteger(value))) return value;
  throw new Error(`${name} must be a whole number, not ${JSON.stringify(value)}`);
}

/** Reads a list of strings; empty when it is not given. */
export function texts(bag: Bag, name: string): string[] {
  const value = bag[name] ?? [];
  if (!Array.isArray(value)) throw new Error(`${name} must be a list, not ${JSON.stringify(value)}`);
  return value.map((item) => {
    if (typeof item === "string") return item;
    throw new Error(`${name} must be a list of strings, not ${JSON.stringify(value)}`);
  });
}
