/** What of an object nobody may read in the state: what the program marked, and what a Secret holds. */
import { type Bag, containsSecret, isObject, isSecret, secret } from "../values";

/**
 * The object with those values closed that are secret in `marked`, the inputs as the program gave them. In a list
 * with a secret, everything is closed: its items may have moved.
 */
export function sealedLike(object: Bag, marked: Bag): Bag {
  const sealed = { ...object };
  for (const [name, mark] of Object.entries(marked)) {
    const value = sealed[name];
    if (value === undefined) continue;
    if (isObject(value) && isObject(mark) && !isSecret(mark)) sealed[name] = sealedLike(value, mark);
    else if (containsSecret(mark)) sealed[name] = secret(value);
  }
  if (object.kind === "Secret" && object.apiVersion === "v1") {
    for (const name of ["data", "stringData"]) {
      const value = object[name];
      if (value !== undefined) sealed[name] = secret(value);
    }
  }
  return sealed;
}
