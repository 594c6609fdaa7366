/** What the engine asks for, done to one object: created, updated, read, deleted. */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../../infra/errors";
import { type Bag, isObject } from "../values";
import { forcesPatch, propagation } from "./annotations";
import type { ApiError } from "./api";
import type { Cluster } from "./cluster";
import { encoded } from "./drift";
import { withoutIgnored } from "./ignored";
import { describe, metadataOf, type Reference, referenceOf } from "./object";
import { isMissingNamespace, refused } from "./refusal";
import type { Recorded } from "./state";
import { type Patience, untilGone, untilReady } from "./waiting";

/** How to do it, and whom to tell. */
export interface Way extends Patience {
  /** Under which name the resource owns its fields. */
  readonly manager: string;
  warn(message: string): void;
}

/** Milliseconds before the next attempts when the namespace is not there yet: it may be on its way. */
const namespaceMs = [500, 1000, 2000, 4000];

/** The object as the API server gets it: text of a Secret as the base64 under which it is kept, so that it can be taken back. */
export function toApply(inputs: Bag): Bag {
  const { stringData, ...object } = inputs;
  if (inputs.kind !== "Secret" || !isObject(stringData)) return inputs;
  const texts = Object.entries(stringData).map(([name, value]) => [name, encoded(value)] as const);
  return { ...object, data: { ...(isObject(inputs.data) ? inputs.data : {}), ...Object.fromEntries(texts) } };
}

export function forces(cluster: Cluster, inputs: Bag): boolean {
  return cluster.settings.patchForce || forcesPatch(inputs);
}

/**
 * @returns the object when it is ready
 * @throws NotReady when it is made and not ready
 */
export async function create(cluster: Cluster, inputs: Bag, way: Way): Promise<Bag> {
  const at = referenceOf(inputs);
  const existing = await cluster.objects.get(at);
  if (existing !== undefined) await makeWay(cluster, existing, way);
  const applied = await apply(cluster, inputs, way);
  return untilReady(cluster.objects, applied, way);
}

/** @throws UserError when what is there is not to be touched */
async function makeWay(cluster: Cluster, existing: Bag, way: Way): Promise<void> {
  const at = referenceOf(existing);
  const { deletionTimestamp, uid } = metadataOf(existing);
  if (deletionTimestamp !== undefined) return untilGone(cluster.objects, at, uid, way);
  if (isOwn(existing, way.manager)) {
    way.warn(`${describe(at)} exists: an earlier run made it and could not record it; it is taken over`);
  } else if (!cluster.settings.upsert) throw existsAlready(at);
}

/** Whether this very resource applied it. */
export function isOwn(existing: Bag, manager: string): boolean {
  const { managedFields = [] } = metadataOf(existing);
  return managedFields.some((fields) => fields.manager === manager && fields.operation === "Apply");
}

export function existsAlready(at: Reference): UserError {
  const id = at.namespace === undefined ? at.name : `${at.namespace}/${at.name}`;
  return new UserError(`${describe(at)} exists already, and was not made by this stack`, {
    fix: `give the resource the option import: "${id}" once, or another name, or let the provider take over what exists (upsertExistingObjects: true)`,
  });
}

async function apply(cluster: Cluster, inputs: Bag, way: Way): Promise<Bag> {
  for (const delay of namespaceMs) {
    try {
      return await applyOnce(cluster, inputs, way);
    } catch (error) {
      if (!isMissingNamespace(error)) throw refused(error, referenceOf(inputs), "applied");
      way.tell((error as ApiError).message);
      await sleep(delay, undefined, { signal: way.signal }).catch(() => undefined);
    }
  }
  return applyOnce(cluster, inputs, way).catch((error: unknown) => {
    throw refused(error, referenceOf(inputs), "applied");
  });
}

async function applyOnce(cluster: Cluster, inputs: Bag, way: Way): Promise<Bag> {
  const options = { manager: way.manager, force: forces(cluster, inputs), dryRun: false };
  const { object, warnings } = await cluster.objects.apply(toApply(inputs), referenceOf(inputs), options);
  for (const warning of warnings) way.warn(warning);
  return object;
}

/**
 * @param ignored the paths that the program leaves to others
 * @throws NotReady when it is changed and not ready
 */
export async function update(
  cluster: Cluster,
  inputs: Bag,
  ignored: readonly string[],
  way: Way,
): Promise<Bag> {
  const applied = await apply(cluster, await leavingOut(cluster, inputs, ignored, way.manager), way);
  return untilReady(cluster.objects, applied, way);
}

/** The inputs without what the program ignores: that stays with those who own it. */
export async function leavingOut(
  cluster: Cluster,
  inputs: Bag,
  ignored: readonly string[],
  manager: string,
): Promise<Bag> {
  if (ignored.length === 0) return inputs;
  const live = await cluster.objects.get(referenceOf(inputs));
  return live === undefined ? inputs : withoutIgnored(inputs, live, ignored, manager);
}

/** Deletes it and what belongs to it, and waits until all that is gone. */
export async function remove(
  cluster: Cluster,
  recorded: Recorded,
  at: Reference,
  patience: Patience,
): Promise<void> {
  const { objects } = cluster;
  // A kind that is gone took its objects along.
  if ((await objects.served(at)) === undefined) return;
  const live = await objects.get(at);
  if (live === undefined) return;
  try {
    await objects.delete(at, propagation(recorded.inputs ?? recorded.live));
  } catch (error) {
    throw refused(error, at, "deleted");
  }
  await untilGone(objects, at, metadataOf(live).uid, patience);
}
