/** Why an object is not ready: asks the cluster about its pods, their logs and what was noted about them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { CoreV1Event, V1LabelSelector, V1Pod } from "@kubernetes/client-node";
import type { Bag } from "../values";
import { describe, metadataOf, type Reference, referenceOf } from "./object";
import type { Objects } from "./objects";
import { grouped, type PodTrouble, podTrouble } from "./reasons";

/** Lines of a crashed container's log that are shown. */
const logLines = 5;

/** What a kubelet answers, with status 200, for a container it has just removed. */
const noLog = "unable to retrieve container logs for ";
const logPauseMs = 300;

/** One line each; the most specific first. Never fails: an explanation that cannot be had is no new problem. */
export async function diagnose(objects: Objects, live: Bag): Promise<string[]> {
  const at = referenceOf(live);
  if (at.namespace === undefined) return [];
  try {
    const [pods, events] = await Promise.all([podsOf(objects, live), warnings(objects, at.namespace)]);
    const troubles = pods
      .map((pod) => podTrouble(pod, eventsAbout(events, pod.metadata?.uid)))
      .filter((trouble) => trouble !== undefined);
    const own = eventsAbout(events, metadataOf(live).uid).at(-1)?.message?.trim();
    const replicaSets = await failedReplicaSets(objects, live, events);
    return [
      ...grouped(troubles),
      ...(await lastWords(objects, at.namespace, troubles)),
      ...new Set([...(own === undefined ? [] : [own]), ...replicaSets]),
    ];
  } catch (error) {
    return [`why is not known: ${(error as Error).message}`];
  }
}

async function podsOf(objects: Objects, live: Bag): Promise<V1Pod[]> {
  if (live.kind === "Pod") return [live as unknown as V1Pod];
  const { selector } = (live.spec ?? {}) as { selector?: V1LabelSelector & Record<string, string> };
  // A Service has the labels themselves there.
  const labels = live.kind === "Service" ? selector : selector?.matchLabels;
  if (labels === undefined || Object.keys(labels).length === 0) return [];
  const type = { apiVersion: "v1", kind: "Pod" };
  const pods = await objects.list(type, metadataOf(live).namespace, { labels });
  return pods as unknown as V1Pod[];
}

async function warnings(objects: Objects, namespace: string): Promise<CoreV1Event[]> {
  const type = { apiVersion: "v1", kind: "Event" };
  const events = await objects.list(type, namespace, { fields: "type=Warning" });
  return (events as unknown as CoreV1Event[]).sort((a, b) => when(a).localeCompare(when(b)));
}

function when({ lastTimestamp, eventTime, metadata }: CoreV1Event): string {
  return String(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "");
}

function eventsAbout(events: readonly CoreV1Event[], uid: string | undefined): CoreV1Event[] {
  return events.filter(({ involvedObject }) => involvedObject.uid === uid);
}

/** A Deployment's pods are refused (quota, Pod Security) where its ReplicaSet asks for them. */
async function failedReplicaSets(
  objects: Objects,
  live: Bag,
  events: readonly CoreV1Event[],
): Promise<string[]> {
  const failed = events.filter(
    ({ involvedObject, reason }) => involvedObject.kind === "ReplicaSet" && reason === "FailedCreate",
  );
  if (live.kind !== "Deployment" || failed.length === 0) return [];
  const { uid, namespace } = metadataOf(live);
  const sets = await objects.list({ apiVersion: "apps/v1", kind: "ReplicaSet" }, namespace, {});
  const own = sets
    .map(metadataOf)
    .filter(({ ownerReferences }) => ownerReferences?.some((o) => o.uid === uid));
  return own.flatMap((set) => eventsAbout(failed, set.uid).at(-1)?.message?.trim() ?? []);
}

async function lastWords(
  objects: Objects,
  namespace: string,
  troubles: readonly PodTrouble[],
): Promise<string[]> {
  // One is enough: the others mostly say the same.
  const trouble = troubles.find(({ log }) => log !== undefined);
  if (trouble?.log === undefined) return [];
  const { container, previous } = trouble.log;
  const pod: Reference = { apiVersion: "v1", kind: "Pod", namespace, name: trouble.pod };
  const lines = await logOf(objects, pod, container, previous);
  if (lines.length === 0) return [];
  return [[`the last lines of ${describe(pod)}, container ${container}:`, ...lines].join("\n    ")];
}

/** While a crashed container is started again, the log that was asked for is for moments neither run's. */
async function logOf(
  objects: Objects,
  pod: Reference,
  container: string,
  previous: boolean,
): Promise<string[]> {
  for (const run of [previous, !previous, previous, !previous]) {
    const log = await objects.log(pod, container, logLines, run).catch(() => "");
    const lines = log.split("\n").filter((line) => line !== "" && !line.startsWith(noLog));
    if (lines.length > 0) return lines;
    await sleep(logPauseMs);
  }
  return [];
}
