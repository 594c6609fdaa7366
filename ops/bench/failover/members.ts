// Who is the primary, and where everyone is.
import type { KubeConfig } from "@kubernetes/client-node";
import { leaderLock } from "../../../infra/database/leaderLock";
import { namespaceNames } from "../../../infra/kubernetes/namespaceNames";
import type { ClusterPlan } from "../../../test/cluster/plan";
import { findPod } from "../../../test/cluster/pods";
import type { Scene } from "./inflict";
import { type Member, runningMembers } from "./inside";
import type { PlannedFault } from "./schedule";

/** The cluster that is broken, and the database in it. */
export interface Target {
  readonly plan: ClusterPlan;
  readonly config: KubeConfig;
  readonly colour: string;
}

/** @throws Error while nobody holds the lock */
export async function sceneOf({ plan, config, colour }: Target, fault: PlannedFault): Promise<Scene> {
  const { holder } = await leaderLock(config, colour);
  const names = plan.nodes.map((_, index) => `${colour}-${index}`);
  const pods = await Promise.all(names.map((name) => findPod(plan, namespaceNames.database, name)));
  const primary = pods.find(({ name }) => name === holder);
  const replicas = pods.filter((pod) => pod !== primary);
  const replica = replicas[fault.second ? 1 : 0];
  if (primary === undefined || replica === undefined) throw new Error("the cluster has no primary any more");
  return { plan, config, colour, primary, replica, wholeNode: fault.second };
}

/** @throws Error while nobody holds the lock */
export async function primaryMember({ plan, config, colour }: Target): Promise<Member> {
  const { holder } = await leaderLock(config, colour);
  const member = (await runningMembers(plan)).find(({ name }) => name === holder);
  if (member === undefined) throw new Error("the database has no primary");
  return member;
}
