/** What lies between two versions of an object's inputs, property by property. */
import type { Difference } from "./kind";
import { type Bag, isObject, sameValue, type Value } from "./values";

type Path = readonly (string | number)[];

/** @param replacing the paths whose change needs a new object, without list positions, e.g. `spec.selector` */
export function differences(before: Bag, after: Bag, replacing: readonly string[]): Difference[] {
  const found: Difference[] = [];
  compare(before, after, [], (path, old, now) => {
    const change = old === undefined ? "add" : now === undefined ? "delete" : "update";
    found.push({ property: propertyPath(path), change, replaces: replaces(path, old, now, replacing) });
  });
  return found;
}

type Report = (path: Path, old: Value | undefined, now: Value | undefined) => void;

function compare(before: Value | undefined, after: Value | undefined, path: Path, report: Report): void {
  // What is null is as good as left out.
  const old = before ?? undefined;
  const now = after ?? undefined;
  if (isObject(old) && isObject(now)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      if (!key.startsWith("__")) compare(old[key], now[key], [...path, key], report);
    }
  } else if (Array.isArray(old) && Array.isArray(now)) {
    for (let at = 0; at < Math.max(old.length, now.length); at++) {
      compare(old[at], now[at], [...path, at], report);
    }
  } else if (old !== undefined || now !== undefined) {
    if (old === undefined || now === undefined || !sameValue(old, now, false)) report(path, old, now);
  }
}

function replaces(
  path: Path,
  old: Value | undefined,
  now: Value | undefined,
  replacing: readonly string[],
): boolean {
  const names = path.filter((part) => typeof part === "string");
  return replacing.some((rule) => {
    const parts = rule.split(".");
    if (names.every((name, at) => at >= parts.length || name === parts[at])) {
      // The change is within the property, or is of something that holds it.
      const rest = parts.slice(names.length);
      return rest.length === 0 || holds(old, rest) || holds(now, rest);
    }
    return false;
  });
}

function holds(value: Value | undefined, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return value !== undefined;
  return isObject(value) && holds(value[first], rest);
}

/** As Pulumi writes paths: `spec.containers[0].image`, `metadata.labels["app.kubernetes.io/name"]`. */
function propertyPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    if (/[."[\]]/.test(part)) return `${text}["${part.replaceAll('"', '\\"')}"]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}
