/** What the state keeps of an object: as it is on the server, and beside that what was asked for, as the official plugin does. */
import { type Bag, isObject, withoutSecrets } from "../values";
import { sealedLike } from "./secrets";

/** Read back from the state, with secrets open. */
export interface Recorded {
  /** What was applied last; `undefined` of an object that was imported and never applied. */
  readonly inputs: Bag | undefined;
  readonly live: Bag;
  /** Under which name the resource owns its fields. */
  readonly manager: string | undefined;
}

const inputsKey = "__inputs";
const managerKey = "__fieldManager";
const versionKey = "__initialApiVersion";

/**
 * @param inputs what was applied; `undefined` when nothing was
 * @param marked the inputs with their secrets marked
 */
export function stateOf(live: Bag, inputs: Bag | undefined, manager: string, marked: Bag): Bag {
  return {
    ...sealedLike(withoutManagers(live), marked),
    ...(inputs === undefined ? {} : { [inputsKey]: sealedLike(inputs, marked) }),
    [versionKey]: live.apiVersion ?? "",
    [managerKey]: manager,
  };
}

/** Who owns which field is longer than most objects, and asked for anew when it matters. */
function withoutManagers(live: Bag): Bag {
  if (!isObject(live.metadata)) return live;
  const { managedFields: _, ...metadata } = live.metadata;
  return { ...live, metadata };
}

export function recordedIn(state: Bag): Recorded {
  const { [inputsKey]: inputs, [managerKey]: manager, [versionKey]: _, ...live } = withoutSecrets(state);
  return {
    inputs: isObject(inputs) ? inputs : undefined,
    live,
    manager: typeof manager === "string" ? manager : undefined,
  };
}

/** The part of an object that the program speaks of too. */
export function pruned(live: Bag, shape: Bag): Bag {
  return Object.fromEntries(
    Object.entries(live)
      .filter(([name]) => shape[name] !== undefined)
      .map(([name, value]) => {
        const part = shape[name];
        if (isObject(value) && isObject(part)) return [name, pruned(value, part)];
        if (Array.isArray(value) && Array.isArray(part)) {
          return [
            name,
            value.map((item, at) => {
              const like = part[at];
              return isObject(item) && isObject(like) ? pruned(item, like) : item;
            }),
          ];
        }
        return [name, value];
      }),
  );
}
