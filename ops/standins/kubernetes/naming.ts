/** What the provider fills in before an object is compared or made: its type, its name, its namespace. */
import { createHash } from "node:crypto";
import type { Failure, Naming } from "../kind";
import { type Bag, isObject, unknown } from "../values";
import { autonamedMark, isAutonamed } from "./annotations";
import { metadataOf, type Type } from "./object";

/**
 * The inputs with type and name. A name that was generated stays; a new one is `<resource>-<8 hex>`. The same seed
 * gives the same name.
 *
 * @param old the inputs before; empty for a new object
 */
export function named(
  given: Bag,
  old: Bag,
  type: Type,
  naming: Naming,
): { inputs: Bag; failures: Failure[] } {
  const inputs: Bag = { ...given, ...type };
  const failures: Failure[] = [];
  const { metadata = {} } = given;
  // Nothing can be put into what is not known yet; the name comes with it.
  if (metadata === unknown) return { inputs, failures };
  if (!isObject(metadata)) {
    return { inputs, failures: [{ property: "metadata", reason: "it must be an object" }] };
  }
  if (metadata.generateName !== undefined && metadata.name === undefined) {
    const reason =
      "server-side apply cannot use it; leave the name out for one made from the resource's name";
    return { inputs, failures: [{ property: "metadata.generateName", reason }] };
  }
  if (metadata.name !== undefined && metadata.name !== "") return { inputs, failures };
  const name = isAutonamed(old) ? metadataOf(old).name : newName(naming);
  if (name === undefined) {
    failures.push({ property: "metadata.name", reason: "autonaming is disabled, so a name is required" });
    return { inputs, failures };
  }
  const annotations = metadata.annotations ?? {};
  inputs.metadata = {
    ...metadata,
    name,
    ...(isObject(annotations) ? { annotations: { ...annotations, [autonamedMark]: "true" } } : {}),
  };
  return { inputs, failures };
}

function newName({ resourceName, seed, proposed, disabled }: Naming): string | undefined {
  if (disabled) return undefined;
  return proposed ?? `${resourceName}-${createHash("sha256").update(seed).digest("hex").slice(0, 8)}`;
}

/** The object in this namespace, unless it says or will say another one. */
export function inNamespace(inputs: Bag, namespace: string): Bag {
  const { metadata } = inputs;
  if (!isObject(metadata) || (metadata.namespace ?? "") !== "") return inputs;
  return { ...inputs, metadata: { ...metadata, namespace } };
}

/**
 * Under which name a resource owns fields. Made from its urn, so that an object is recognised that a killed run
 * made and could not record.
 */
export function managerOf(urn: string): string {
  return `pulumi-kubernetes-${createHash("sha256").update(urn).digest("hex").slice(0, 8)}`;
}
