/** What is to be done about an object, decided without changing anything: its inputs, and how they differ from before. */

import { differences } from "../difference";
import type { Difference, Failure, Naming } from "../kind";
import { type Bag, isObject } from "../values";
import { isAutonamed, unsupportedAnnotations } from "./annotations";
import type { Cluster } from "./cluster";
import { inNamespace, named } from "./naming";
import { idOf, metadataOf, type Type } from "./object";
import { replacingPaths } from "./replacement";
import { pruned, type Recorded } from "./state";

/** @param old the inputs before; empty for a new object */
export async function planInputs(
  cluster: Cluster,
  type: Type,
  given: Bag,
  old: Bag,
  naming: Naming,
): Promise<{ inputs: Bag; failures: Failure[] }> {
  const { inputs, failures } = named(given, old, type, naming);
  return {
    inputs: await placed(cluster, type, inputs, old),
    failures: [...failures, ...unsupportedAnnotations(inputs)],
  };
}

/** The inputs with the provider's namespace, if the kind has one and the program names none. */
async function placed(cluster: Cluster, type: Type, inputs: Bag, old: Bag): Promise<Bag> {
  if (!isObject(inputs.metadata) || metadataOf(inputs).namespace !== undefined) return inputs;
  if (cluster.unreachable !== undefined) {
    // Whether the kind has namespaces cannot be asked; it had one before if it does.
    const { namespace } = metadataOf(old);
    return namespace === undefined ? inputs : inNamespace(inputs, namespace);
  }
  const served = await cluster.objects.served(type);
  return served?.namespaced ? inNamespace(inputs, cluster.namespace) : inputs;
}

export function planChange(
  cluster: Cluster,
  recorded: Recorded,
  inputs: Bag,
): { changes: Difference[]; deleteBeforeReplace: boolean } {
  // Of an imported object, all that the program doesn't speak of is the server's.
  const before = recorded.inputs ?? pruned(recorded.live, inputs);
  const changes = differences(before, inputs, replacingPaths(inputs, cluster.settings.mutable));
  return {
    changes,
    // A name of the program's own choosing can be taken only once.
    deleteBeforeReplace:
      changes.some(({ replaces }) => replaces) &&
      !isAutonamed(inputs) &&
      idOf(inputs) === idOf(recorded.live),
  };
}
