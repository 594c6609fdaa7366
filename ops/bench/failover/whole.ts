import { CoreV1Api, type V1Node, type V1Pod } from "@kubernetes/client-node";
import { leaderLock } from "../../../infra/database/leaderLock";
import { namespaceNames } from "../../../infra/kubernetes/namespaceNames";
import { runningMembers, sqlInside } from "./inside";
import type { Target } from "./members";

/** Seconds that the API server has for an answer. */
const timeoutSeconds = 5;

/**
 * What the cluster lacks for surviving another fault; empty when it is whole: all nodes and pods ready, DNS among them,
 * all replicas streaming, all of them voters.
 */
export async function lacking(target: Target): Promise<string[]> {
  try {
    const late = new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error("no answer")), timeoutSeconds * 1000).unref(),
    );
    return await Promise.race([look(target), late]);
  } catch (error) {
    return [`the look at it failed: ${(error as Error).message || error}`];
  }
}

async function look({ plan, config, colour }: Target): Promise<string[]> {
  const api = config.makeApiClient(CoreV1Api);
  const podsIn = (namespace: string) => api.listNamespacedPod({ namespace });
  const [{ holder, voters }, nodes, system, databases, poolers, members] = await Promise.all([
    leaderLock(config, colour),
    api.listNode(),
    podsIn("kube-system"),
    podsIn(namespaceNames.database),
    podsIn(namespaceNames.pooler),
    runningMembers(plan),
  ]);
  const missing = [nodes, system, databases, poolers]
    .flatMap(({ items }): (V1Node | V1Pod)[] => items)
    .filter((one) => !isReady(one))
    .map(({ metadata }) => `${metadata?.name} is not ready`);
  const replicas = plan.nodes.length - 1;
  if (databases.items.length <= replicas) missing.push("a database pod is not there");
  if (voters.length < replicas) missing.push(`${voters.length} of ${replicas} replicas are voters`);
  const primary = members.find(({ name }) => name === holder);
  if (primary === undefined) return [...missing, "nobody is the primary"];
  const streaming = await sqlInside(
    primary,
    "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE '%-%'",
  );
  if (Number(streaming[0]) < replicas) missing.push(`${streaming[0]} of ${replicas} replicas stream`);
  return missing;
}

function isReady({ metadata, status }: V1Node | V1Pod): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false;
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
