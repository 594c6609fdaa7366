/** What an up would give, found out by the API server itself (dry run) as far as it can know. */
import { randomBytes } from "node:crypto";
import { type Bag, containsUnknown, isObject, unknown } from "../values";
import { ApiError } from "./api";
import type { Cluster } from "./cluster";
import { metadataOf, referenceOf } from "./object";
import { existsAlready, forces, isOwn, leavingOut, toApply } from "./operations";
import { isMissingNamespace, refused } from "./refusal";

interface Watcher {
  readonly manager: string;
  warn(message: string): void;
}

/** The object that an update would give; `undefined` when nobody can tell yet. @throws UserError for what would be refused */
export async function previewUpdate(
  cluster: Cluster,
  inputs: Bag,
  ignored: readonly string[],
  watcher: Watcher,
): Promise<Bag | undefined> {
  if (!(await canTry(cluster, inputs))) return undefined;
  const trial = await leavingOut(cluster, inputs, ignored, watcher.manager);
  return tryOut(cluster, inputs, trial, watcher, forces(cluster, inputs));
}

/** The object that a creation would give; `undefined` when nobody can tell yet. @throws UserError for what would be refused */
export async function previewCreate(
  cluster: Cluster,
  inputs: Bag,
  watcher: Watcher,
): Promise<Bag | undefined> {
  if (!(await canTry(cluster, inputs))) return undefined;
  const at = referenceOf(inputs);
  const existing = await cluster.objects.get(at);
  // Ours is about to be replaced, or was left by a killed run. Another's may go in this very run.
  if (existing !== undefined && !isOwn(existing, watcher.manager) && !cluster.settings.upsert) {
    const error = existsAlready(at);
    watcher.warn(`${error.message}; unless this run removes it, creating it will fail\nfix: ${error.fix}`);
  }
  const trial = existing === undefined ? inputs : moved(inputs, undefined);
  const planned = await tryOut(cluster, inputs, trial, watcher, true, async () => {
    // Its namespace comes with this run. What is wrong with the object itself shows in any namespace.
    await tryOut(cluster, inputs, moved(inputs, "default"), watcher, true);
    return undefined;
  });
  return planned === undefined ? undefined : stillUnknown(planned, inputs);
}

async function canTry(cluster: Cluster, inputs: Bag): Promise<boolean> {
  if (containsUnknown(inputs) || cluster.unreachable !== undefined) return false;
  // A kind that the API server doesn't know may come with a custom resource definition of this run.
  return (await cluster.objects.served(referenceOf(inputs))) !== undefined;
}

/** @param trial the object itself, or a copy where nothing is in its way */
async function tryOut(
  cluster: Cluster,
  inputs: Bag,
  trial: Bag,
  watcher: Watcher,
  force: boolean,
  withoutNamespace?: () => Promise<undefined>,
): Promise<Bag | undefined> {
  try {
    const options = { manager: watcher.manager, force, dryRun: true };
    const at = referenceOf(trial);
    const { object, warnings } = await cluster.objects.apply(toApply(trial), at, options);
    for (const warning of warnings) watcher.warn(warning);
    return object;
  } catch (error) {
    if (isMissingNamespace(error)) return withoutNamespace?.();
    if (error instanceof ApiError && error.code === 403) {
      // The right, or room in a quota, may come with this run.
      watcher.warn(`it could not be tried out: ${error.message}`);
      return undefined;
    }
    throw refused(error, referenceOf(inputs), "applied");
  }
}

/** The object where nothing is in its way. */
function moved(inputs: Bag, namespace: string | undefined): Bag {
  const { metadata } = inputs;
  if (!isObject(metadata)) return inputs;
  const name = `preview-${randomBytes(4).toString("hex")}`;
  return { ...inputs, metadata: { ...metadata, name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** What the server chooses anew when it is in earnest. */
function stillUnknown(planned: Bag, inputs: Bag): Bag {
  const { status: _, ...object } = planned;
  const { name = "", namespace } = metadataOf(inputs);
  const { managedFields: __, ...metadata } = object.metadata as Bag;
  const known: Bag = { ...metadata, name, ...(namespace === undefined ? {} : { namespace }) };
  const result: Bag = {
    ...object,
    metadata: { ...known, uid: unknown, resourceVersion: unknown, creationTimestamp: unknown },
  };
  if (inputs.kind === "Service" && isObject(object.spec)) {
    const given = isObject(inputs.spec) ? inputs.spec : {};
    const chosen = ["clusterIP", "clusterIPs"].filter((field) => given[field] === undefined);
    const headless = given.clusterIP === "None" || given.type === "ExternalName";
    result.spec = {
      ...object.spec,
      ...(headless ? {} : Object.fromEntries(chosen.map((f) => [f, unknown]))),
    };
  }
  return result;
}
