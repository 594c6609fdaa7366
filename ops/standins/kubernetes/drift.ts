/**
 * The inputs that would give the object that is there now: the old ones, with what somebody changed put in. The
 * program owns what it says, so fields that the server or others filled in are no drift. A value counts as changed
 * when it differs from what the server answered last time, because the server writes some values its own way
 * (`1000m` of CPU becomes `1`).
 */
import { type Bag, isObject, sameValue, type Value } from "../values";

/** By what items of a list are told apart where others may add their own; any other list has one owner. */
const keys: Readonly<Record<string, string>> = {
  containers: "name",
  env: "name",
  imagePullSecrets: "name",
  initContainers: "name",
  volumeMounts: "mountPath",
  volumes: "name",
};

/**
 * @param inputs what was applied last
 * @param recorded the object as the server answered then
 * @param live the object as it is
 */
export function driftedInputs(inputs: Bag, recorded: Bag, live: Bag): Bag {
  const { stringData, ...rest } = inputs;
  const drifted = driftedObject(rest, recorded, live);
  if (!isObject(stringData)) return drifted;
  // Secrets are given as text, and kept and read as base64.
  const before = isObject(recorded.data) ? recorded.data : {};
  const now = isObject(live.data) ? live.data : {};
  const kept = Object.entries(stringData).flatMap(([name, given]): [string, Value][] => {
    const value = now[name];
    if (typeof value !== "string") return [];
    const same = value === (before[name] ?? encoded(given));
    return [[name, same ? given : Buffer.from(value, "base64").toString("utf8")]];
  });
  return { ...drifted, stringData: Object.fromEntries(kept) };
}

/** As `Secret.data` has it. */
export function encoded(value: Value): string {
  return Buffer.from(String(value), "utf8").toString("base64");
}

function driftedObject(inputs: Bag, recorded: Bag, live: Bag): Bag {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]): [string, Value][] => {
      const found = drifted(name, value, recorded[name], live[name]);
      return found === undefined ? [] : [[name, found]];
    }),
  );
}

/** `undefined`: it is no longer there. */
function drifted(
  name: string,
  input: Value,
  recorded: Value | undefined,
  live: Value | undefined,
): Value | undefined {
  // What the server doesn't keep (an empty list, a default of false) was not there last time either.
  if (live === undefined) return recorded === undefined ? input : undefined;
  if (sameValue(live, input, false) || (recorded !== undefined && sameValue(live, recorded, false))) {
    return input;
  }
  if (isObject(input) && isObject(live))
    return driftedObject(input, isObject(recorded) ? recorded : {}, live);
  const key = keys[name];
  if (key !== undefined && Array.isArray(input) && Array.isArray(live)) {
    const before = Array.isArray(recorded) ? recorded : [];
    return input.flatMap((item) => {
      const now = withKey(live, key, item);
      if (!isObject(item) || now === undefined) return [];
      return [driftedObject(item, withKey(before, key, item) ?? {}, now)];
    });
  }
  return live;
}

function withKey(list: readonly Value[], key: string, like: Value): Bag | undefined {
  return list.filter(isObject).find((item) => isObject(like) && item[key] === like[key]);
}

/** What only the server writes. */
const serversOwn = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
];
const notesOfTools = [
  "deployment.kubernetes.io/revision",
  "kubectl.kubernetes.io/last-applied-configuration",
];

/** Everything a program could say of an object that it only knows by its id. */
export function importedInputs(live: Bag): Bag {
  const { status: _, ...inputs } = live;
  const metadata = without(isObject(live.metadata) ? live.metadata : {}, serversOwn);
  if (isObject(metadata.annotations)) metadata.annotations = without(metadata.annotations, notesOfTools);
  return { ...inputs, metadata };
}

function without(bag: Bag, names: readonly string[]): Bag {
  return Object.fromEntries(Object.entries(bag).filter(([name]) => !names.includes(name)));
}
