/** What a program ignores (`ignoreChanges`) and what somebody else owns must not be applied: it would be a conflict. */
import { type Bag, isObject, type Value } from "../values";
import { metadataOf } from "./object";

/**
 * The inputs without the ignored paths that another manager owns, and with the live value where nobody else does.
 *
 * @param ignored paths of names, e.g. `spec.replicas`; paths into lists stay as they are
 */
export function withoutIgnored(inputs: Bag, live: Bag, ignored: readonly string[], manager: string): Bag {
  return ignored.map(partsOf).reduce((left, path) => {
    const value = at(live, path);
    if (at(left, path) === undefined || value === undefined) return left;
    return withValue(left, path, isOnlyTheirs(live, path, manager) ? undefined : value);
  }, inputs);
}

/** `metadata.annotations["a.b/c"]` → its three parts. */
function partsOf(path: string): string[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('\\"', '"') ?? plain ?? "",
  );
}

function at(value: Value | undefined, path: readonly string[]): Value | undefined {
  return path.reduce<Value | undefined>((part, name) => (isObject(part) ? part[name] : undefined), value);
}

function withValue(bag: Bag, [first = "", ...rest]: readonly string[], value: Value | undefined): Bag {
  const { [first]: part, ...others } = bag;
  if (rest.length === 0) return value === undefined ? others : { ...others, [first]: value };
  return isObject(part) ? { ...others, [first]: withValue(part, rest, value) } : bag;
}

function isOnlyTheirs(live: Bag, path: readonly string[], manager: string): boolean {
  const fields = path.map((name) => `f:${name}`);
  const owners = (metadataOf(live).managedFields ?? []).filter(
    ({ fieldsV1 }) => at(fieldsV1, fields) !== undefined,
  );
  return owners.length > 0 && owners.every((owner) => owner.manager !== manager);
}
