// The cluster, for e2e tests and benchmarks.
import type { Log } from "../../ops/log";
import { ensureAzurite } from "./blobStorage/azurite";
import { up } from "./cluster";
import { ensureOurImages } from "./images";
import { type ClusterPlan, planCluster } from "./plan";
import { requireMachine } from "./requirements";
import { ensureTools } from "./tools";

export { clockTag, databaseTag } from "./images/database";
export { monitoringTags } from "./images/monitoring";
export { storageClassName } from "./manifests";
export type { ClusterPlan } from "./plan";
export { findPod, type PodPlace } from "./pods";

export interface TestCluster {
  /** Of an administrator; its only context is the current one. */
  readonly kubeconfig: string;
  readonly context: string;
  /** What the functions of faults.ts take. */
  readonly plan: ClusterPlan;
}

/**
 * Builds what clusters are made of, so that no test has to wait for it: from nothing up to eight minutes.
 *
 * @throws UserError (environment) where the machine can't
 */
export async function prepareCluster(log: Log): Promise<void> {
  await requireMachine(log);
  await ensureOurImages(planCluster(), await ensureTools(log), log);
  await ensureAzurite(log);
}

/**
 * The cluster that all tests share, brought up unless it is: about 20 s once everything is built, before that minutes.
 *
 * @throws UserError (environment) where the machine can't have it
 */
export async function ensureCluster(log: Log): Promise<TestCluster> {
  const plan = planCluster();
  await up(plan, log);
  return { kubeconfig: plan.kubeconfig, context: plan.cgroup, plan };
}
