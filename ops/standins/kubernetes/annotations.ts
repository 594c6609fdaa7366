/** Annotations by which a program tells the provider, not the cluster, what to do with an object. */
import type { Failure } from "../kind";
import type { Bag } from "../values";
import { metadataOf } from "./object";
import type { Propagation } from "./objects";

/** Set by the provider on what it named. */
export const autonamedMark = "pulumi.com/autonamed";

/** What only the official plugin heeds. */
const unsupported = ["pulumi.com/patchFieldManager", "pulumi.com/replaceUnready", "pulumi.com/waitFor"];

function annotation(object: Bag, name: string): string | undefined {
  return metadataOf(object).annotations?.[name];
}

/** Whether the name was made from the resource's name, so that a new object can stand beside the old one. */
export function isAutonamed(inputs: Bag): boolean {
  return annotation(inputs, autonamedMark) === "true";
}

/** Whether it takes over the fields that others own. */
export function forcesPatch(inputs: Bag): boolean {
  return annotation(inputs, "pulumi.com/patchForce") === "true";
}

/** Whether nobody waits for it to become ready. */
export function skipsAwait(object: Bag): boolean {
  return annotation(object, "pulumi.com/skipAwait") === "true";
}

/** How long it may take, in seconds; `undefined` when it doesn't say. */
export function timeoutSeconds(inputs: Bag): number | undefined {
  const seconds = Number(annotation(inputs, "pulumi.com/timeoutSeconds"));
  return seconds > 0 ? seconds : undefined;
}

/** What becomes of what it owns when it is deleted, e.g. a StatefulSet's pods. */
export function propagation(inputs: Bag): Propagation {
  const policy = annotation(inputs, "pulumi.com/deletionPropagationPolicy")?.toLowerCase();
  if (policy === "orphan") return "Orphan";
  return policy === "background" ? "Background" : "Foreground";
}

export function unsupportedAnnotations(inputs: Bag): Failure[] {
  return unsupported
    .filter((name) => annotation(inputs, name) !== undefined)
    .map((name) => ({
      property: `metadata.annotations["${name}"]`,
      reason: "the kubernetes stand-in does not support it; leave it out, or install the official plugin",
    }));
}
