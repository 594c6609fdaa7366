/** Waits until an object is ready, or gone, and says meanwhile how far it is and what is in the way. */
import { setTimeout as sleep } from "node:timers/promises";
import type {
  V1DaemonSet,
  V1Deployment,
  V1EndpointSlice,
  V1Job,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ResourceQuota,
  V1Service,
  V1StatefulSet,
  V1StorageClass,
} from "@kubernetes/client-node";
import type { Bag } from "../values";
import { skipsAwait } from "./annotations";
import { isPassing } from "./api";
import { diagnose } from "./diagnosis";
import { describe, metadataOf, type Reference, referenceOf } from "./object";
import type { Objects } from "./objects";
import {
  claimReadiness,
  daemonSetReadiness,
  deploymentReadiness,
  jobReadiness,
  podReadiness,
  quotaReadiness,
  type Readiness,
  serviceReadiness,
  statefulSetReadiness,
} from "./readiness";

export interface Patience {
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when the engine wants to end. */
  readonly signal: AbortSignal;
  /** Shows how far it is. */
  tell(status: string): void;
}

/** The object is there, and not what it should be. */
export class NotReady extends Error {
  constructor(
    /** The object as it was seen last. */
    readonly live: Bag,
    message: string,
    /** Why, one each. */
    reasons: readonly string[],
  ) {
    const news = reasons.filter((reason) => !message.includes(reason));
    super([message, ...news.map((reason) => `  ${reason}`)].join("\n"));
  }
}

type Check = (objects: Objects, live: Bag, waitedMs: number) => Promise<Readiness>;

const checks: Readonly<Record<string, Check>> = {
  "apps/v1 DaemonSet": async (_, live) => daemonSetReadiness(live as unknown as V1DaemonSet),
  "apps/v1 Deployment": async (_, live) => deploymentReadiness(live as unknown as V1Deployment),
  "apps/v1 StatefulSet": async (_, live) => statefulSetReadiness(live as unknown as V1StatefulSet),
  "batch/v1 Job": async (_, live) => jobReadiness(live as unknown as V1Job),
  "v1 PersistentVolumeClaim": checkClaim,
  "v1 Pod": async (_, live) => podReadiness(live as unknown as V1Pod),
  "v1 ResourceQuota": async (_, live) => quotaReadiness(live as unknown as V1ResourceQuota),
  "v1 Service": checkService,
};

async function checkService(objects: Objects, live: Bag, waitedMs: number): Promise<Readiness> {
  const { name = "", namespace } = metadataOf(live);
  const type = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" };
  const slices = await objects.list(type, namespace, { labels: { "kubernetes.io/service-name": name } });
  return serviceReadiness(live as unknown as V1Service, slices as unknown as V1EndpointSlice[], waitedMs);
}

async function checkClaim(objects: Objects, live: Bag): Promise<Readiness> {
  const claim = live as unknown as V1PersistentVolumeClaim;
  const name = claim.spec?.storageClassName;
  const type = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
  const storageClass = name === undefined || name === "" ? undefined : await objects.get({ ...type, name });
  return claimReadiness(claim, storageClass as unknown as V1StorageClass | undefined);
}

function checkFor(live: Bag): Check | undefined {
  if (skipsAwait(live)) return undefined;
  return checks[`${live.apiVersion} ${live.kind}`];
}

/** Whether it is ready this moment; with the reason when not. */
export async function readyNow(objects: Objects, live: Bag): Promise<void> {
  const state = await checkFor(live)?.(objects, live, Number.POSITIVE_INFINITY);
  if (state === undefined || state.ready) return;
  const reasons = await diagnose(objects, live);
  throw new NotReady(live, `${describe(referenceOf(live))} is not ready: ${state.status}`, reasons);
}

/** Milliseconds between two looks at the cluster. */
const lookMs = 500;
/** Milliseconds between two looks for the reason. */
const diagnoseMs = 3_000;

/**
 * @returns the object when it is ready
 * @throws NotReady when it is not in time, cannot become ready any more, or the run is cancelled
 */
export async function untilReady(objects: Objects, applied: Bag, patience: Patience): Promise<Bag> {
  const check = checkFor(applied);
  if (check === undefined) return applied;
  const at = referenceOf(applied);
  const startedAt = Date.now();
  let live = applied;
  let status = "";
  let explainedAt = startedAt;
  let reasons: string[] = [];
  for (;;) {
    const waitedMs = Date.now() - startedAt;
    try {
      const state = await check(objects, live, waitedMs);
      if (state.ready) return live;
      if (state.failed) {
        throw new NotReady(live, `${describe(at)}: ${state.status}`, await diagnose(objects, live));
      }
      if (Date.now() - explainedAt > diagnoseMs) {
        reasons = await diagnose(objects, live);
        explainedAt = Date.now();
      }
      status = state.status;
    } catch (error) {
      if (error instanceof NotReady || !isPassing(error)) throw error;
      // The cluster may come back while we wait for it anyway.
      status = (error as Error).message;
    }
    patience.tell([status, ...reasons].join("; "));
    if (waitedMs >= patience.timeoutMs) {
      const inTime = `in ${duration(patience.timeoutMs)}`;
      reasons = await diagnose(objects, live);
      throw new NotReady(live, `${describe(at)} was not ready ${inTime}: ${status}`, [
        ...reasons,
        "it stays as it is; the next up waits for it again (longer with the customTimeouts option)",
      ]);
    }
    await pause(Math.min(lookMs, patience.timeoutMs - waitedMs), patience.signal);
    const found = await look(objects, at, live, patience.signal);
    if (found === undefined) throw new NotReady(live, `${describe(at)} was deleted by somebody else`, []);
    live = found;
    if (patience.signal.aborted) {
      throw new NotReady(live, `waiting for ${describe(at)} was interrupted: ${status}`, reasons);
    }
  }
}

/** The object as it is now; as it was when the cluster doesn't answer, since it may come back while we wait anyway. */
async function look(
  objects: Objects,
  at: Reference,
  last: Bag,
  signal: AbortSignal,
): Promise<Bag | undefined> {
  try {
    return await objects.get(at, signal);
  } catch (error) {
    if (!isPassing(error)) throw error;
    return last;
  }
}

/**
 * Waits until a deletion that has begun is done.
 *
 * @param uid of the object that is being deleted, where it is known
 * @throws Error naming what holds it when it takes too long or the run is cancelled
 */
export async function untilGone(
  objects: Objects,
  at: Reference,
  uid: string | undefined,
  patience: Patience,
): Promise<void> {
  const startedAt = Date.now();
  let live = await objects.get(at);
  // The same name may be taken by the next one.
  while (live !== undefined && (uid === undefined || metadataOf(live).uid === uid)) {
    const held = whatHolds(live);
    patience.tell(held);
    const waitedMs = Date.now() - startedAt;
    if (waitedMs >= patience.timeoutMs) {
      throw new Error(`${describe(at)} was not gone in ${duration(patience.timeoutMs)}: ${held}`);
    }
    await pause(Math.min(lookMs, patience.timeoutMs - waitedMs), patience.signal);
    live = await look(objects, at, live, patience.signal);
    if (live !== undefined && patience.signal.aborted) {
      throw new Error(`waiting for the deletion of ${describe(at)} was interrupted: ${held}`);
    }
  }
}

/** What a deletion waits for. */
export function whatHolds(live: Bag): string {
  const { finalizers = [] } = metadataOf(live);
  const { conditions = [] } = (live.status ?? {}) as {
    conditions?: { type: string; status: string; message?: string }[];
  };
  // A namespace says what is left in it.
  const left = conditions
    .filter(({ type, status }) => type.startsWith("Namespace") && status === "True")
    .map(({ message }) => message ?? "");
  if (left.length > 0) return left.join("; ");
  const others = finalizers.filter((finalizer) => finalizer !== "foregroundDeletion");
  if (others.length > 0) return `finalizers hold it: ${others.join(", ")}`;
  return finalizers.length > 0 ? "what belongs to it is being deleted first" : "it is being deleted";
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(ms, 0), undefined, { signal }).catch(() => undefined);
}

function duration(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
