// From what the policy SDK hands to a policy to what our rules read.
import { Secret, UnknownValueError } from "@pulumi/policy";
import { unknown, type Value, type Values } from "./values";

export interface Properties {
  /** With secrets opened. */
  readonly values: Values;
  /** Paths of what Pulumi keeps as a secret: `stringData`, `users[0].password`. */
  readonly secrets: ReadonlySet<string>;
}

/**
 * Reads the properties of a resource. In the SDK's own form, reaching for a value that is not known yet throws, which
 * would end a policy at the first one; here it becomes {@link unknown}.
 */
export function readProperties(props: object): Properties {
  const secrets = new Set<string>();
  return { values: readObject(props, "", secrets), secrets };
}

function readObject(from: object, path: string, secrets: Set<string>): Values {
  const members = Object.keys(from).map((key) => [
    key,
    readMember(from, key, path === "" ? key : `${path}.${key}`, secrets),
  ]);
  return Object.fromEntries(members);
}

function readMember(from: object, key: string, path: string, secrets: Set<string>): Value {
  try {
    return readValue(Reflect.get(from, key), path, secrets);
  } catch (error) {
    if (error instanceof UnknownValueError) return unknown;
    throw error;
  }
}

function readValue(value: unknown, path: string, secrets: Set<string>): Value {
  if (value instanceof Secret) {
    secrets.add(path);
    return readMember(value, "value", path, secrets);
  }
  if (Array.isArray(value)) {
    return Array.from({ length: value.length }, (_, index) =>
      readMember(value, String(index), `${path}[${index}]`, secrets),
    );
  }
  if (typeof value === "object" && value !== null) return readObject(value, path, secrets);
  return value as Value;
}
