/** When an object does what it is for. Pure: what the server says of it in, the verdict out. */
import type {
  V1Condition,
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
import { type Bag, sameValue } from "../values";

export interface Readiness {
  readonly ready: boolean;
  /** For people, e.g. `1 of 3 pods are ready`. */
  readonly status: string;
  /** It will not become ready any more. */
  readonly failed?: true;
}

const ready: Readiness = { ready: true, status: "ready" };

function waiting(status: string): Readiness {
  return { ready: false, status };
}

/** The controller has not looked at the latest change yet, so its status is about the one before. */
function isBehind(object: { metadata?: { generation?: number }; status?: { observedGeneration?: number } }) {
  return (object.status?.observedGeneration ?? 0) < (object.metadata?.generation ?? 0);
}

function unseen(kind: string): Readiness {
  return waiting(`the ${kind} controller has not begun yet`);
}

export function statefulSetReadiness(set: V1StatefulSet): Readiness {
  if (isBehind(set)) return unseen("StatefulSet");
  const wanted = set.spec?.replicas ?? 1;
  const {
    replicas = 0,
    readyReplicas = 0,
    updatedReplicas = 0,
    currentRevision,
    updateRevision,
  } = set.status ?? {};
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  const onDelete = set.spec?.updateStrategy?.type === "OnDelete";
  // Pods of the old revision stay as they are until somebody deletes them.
  const toUpdate = onDelete || currentRevision === updateRevision ? 0 : Math.max(wanted - partition, 0);
  if (updatedReplicas < toUpdate) {
    return waiting(`${updatedReplicas} of ${toUpdate} pods have the new version`);
  }
  if (readyReplicas < wanted) return waiting(`${readyReplicas} of ${wanted} pods are ready`);
  if (replicas > wanted) return waiting(`${replicas - wanted} pods are still to be removed`);
  if (toUpdate > 0 && partition === 0) return waiting("the new version is being declared the current one");
  return ready;
}

export function deploymentReadiness(deployment: V1Deployment): Readiness {
  if (isBehind(deployment)) return unseen("Deployment");
  // Somebody holds the rollout, so none is to be waited for.
  if (deployment.spec?.paused) return ready;
  const wanted = deployment.spec?.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  if (updatedReplicas < wanted) return waiting(`${updatedReplicas} of ${wanted} pods have the new version`);
  if (replicas > updatedReplicas) {
    return waiting(`${replicas - updatedReplicas} pods of the old version are still to be removed`);
  }
  if (availableReplicas < wanted) return waiting(`${availableReplicas} of ${wanted} pods are available`);
  return ready;
}

export function daemonSetReadiness(set: V1DaemonSet): Readiness {
  if (isBehind(set)) return unseen("DaemonSet");
  const {
    desiredNumberScheduled: wanted = 0,
    updatedNumberScheduled: updated = 0,
    numberAvailable = 0,
  } = set.status ?? {};
  if (set.spec?.updateStrategy?.type !== "OnDelete" && updated < wanted) {
    return waiting(`the new version is on ${updated} of ${wanted} nodes`);
  }
  if (numberAvailable < wanted) return waiting(`a pod is available on ${numberAvailable} of ${wanted} nodes`);
  return ready;
}

export function jobReadiness(job: V1Job): Readiness {
  // It has not begun, on purpose.
  if (job.spec?.suspend) return ready;
  const failure = trueCondition(job.status?.conditions, "Failed");
  if (failure !== undefined) {
    return { ready: false, status: `it failed: ${failure.message || failure.reason}`, failed: true };
  }
  if (trueCondition(job.status?.conditions, "Complete") !== undefined) return ready;
  const { succeeded = 0, failed = 0 } = job.status ?? {};
  const tries = failed === 0 ? "" : `, ${failed} failed`;
  return waiting(`${succeeded} of ${job.spec?.completions ?? 1} pods have finished${tries}`);
}

export function podReadiness(pod: V1Pod): Readiness {
  if (pod.status?.phase === "Succeeded") return ready;
  if (pod.status?.phase === "Failed") {
    return {
      ready: false,
      status: `it failed: ${pod.status.message ?? pod.status.reason ?? ""}`,
      failed: true,
    };
  }
  return trueCondition(pod.status?.conditions, "Ready") ? ready : waiting(`it is ${pod.status?.phase}`);
}

/** Milliseconds after which a Service that selects no pod at all counts as one that is meant to. */
const noPodsMs = 3_000;

/** @param waitedMs for how long it has been looked at */
export function serviceReadiness(
  service: V1Service,
  slices: readonly V1EndpointSlice[],
  waitedMs: number,
): Readiness {
  const { type, clusterIP, selector } = service.spec ?? {};
  if (type === "LoadBalancer" && !service.status?.loadBalancer?.ingress?.length) {
    return waiting("the load balancer has no address yet");
  }
  const selects = Object.keys(selector ?? {}).length > 0;
  if (type === "ExternalName" || clusterIP === "None" || !selects) return ready;
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  if (endpoints.some(({ conditions }) => conditions?.ready ?? true)) return ready;
  if (endpoints.length > 0) return waiting(`none of its ${endpoints.length} pods is ready`);
  return waitedMs >= noPodsMs ? ready : waiting("it has no pods");
}

/** @param storageClass its own, once that is known */
export function claimReadiness(
  claim: V1PersistentVolumeClaim,
  storageClass: V1StorageClass | undefined,
): Readiness {
  const { phase = "Pending" } = claim.status ?? {};
  if (phase === "Lost") return { ready: false, status: "its volume is lost", failed: true };
  if (phase === "Bound") return ready;
  // It is bound when the first pod uses it, which may come after us.
  if (storageClass?.volumeBindingMode === "WaitForFirstConsumer") return ready;
  return waiting(`it is ${phase}`);
}

export function quotaReadiness(quota: V1ResourceQuota): Readiness {
  const wanted = (quota.spec?.hard ?? {}) as Bag;
  return sameValue(wanted, (quota.status?.hard ?? {}) as Bag, false)
    ? ready
    : waiting("it is not enforced yet");
}

interface Condition extends Partial<Pick<V1Condition, "message" | "reason">> {
  readonly type: string;
  readonly status: string;
}

function trueCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type && condition.status === "True");
}
