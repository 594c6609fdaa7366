/** Why pods are not ready, in a line each: read off their status and off what the cluster noted about them. */
import type { CoreV1Event, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** What is wrong with one pod. */
export interface PodTrouble {
  readonly pod: string;
  readonly what: string;
  /** Whose log may tell more, and whether the run before this one is meant. */
  readonly log?: { readonly container: string; readonly previous: boolean };
}

/** @param events warnings about this pod, oldest first */
export function podTrouble(pod: V1Pod, events: readonly CoreV1Event[]): PodTrouble | undefined {
  const name = pod.metadata?.name ?? "";
  const { status } = pod;
  if (status?.phase === "Succeeded" || isReady(pod)) return undefined;
  if (pod.metadata?.deletionTimestamp !== undefined) return { pod: name, what: "it is being stopped" };
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") {
    return { pod: name, what: `it cannot be scheduled: ${scheduled.message ?? scheduled.reason}` };
  }
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const container of containers) {
    const trouble = containerTrouble(container);
    if (trouble !== undefined) return { pod: name, ...trouble };
  }
  const last = events.at(-1)?.message?.trim();
  if (last !== undefined) return { pod: name, what: last };
  if (status?.phase === "Failed") return { pod: name, what: `it failed: ${status.message ?? status.reason}` };
  const starting = containers.find(({ ready, state }) => !ready && state?.terminated?.exitCode !== 0);
  if (starting === undefined) return { pod: name, what: "it is starting" };
  return {
    pod: name,
    what: `container ${starting.name} is ${starting.state?.running ? "running and not ready yet" : "starting"}`,
  };
}

function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** On the way to running: the events say why when it takes long. */
const starting = new Set(["ContainerCreating", "PodInitializing"]);

function containerTrouble(container: V1ContainerStatus): Omit<PodTrouble, "pod"> | undefined {
  const { name, state, lastState } = container;
  const { waiting, terminated } = state ?? {};
  const end = terminated ?? lastState?.terminated;
  const crashing = waiting?.reason === "CrashLoopBackOff";
  if (crashing || (terminated !== undefined && terminated.exitCode !== 0)) {
    const why = end?.reason !== undefined && end.reason !== "Error" ? ` (${end.reason})` : "";
    const again = crashing ? `, ${container.restartCount} restarts so far` : "";
    return {
      what: `container ${name} ended with exit code ${end?.exitCode ?? "unknown"}${why}${again}`,
      log: { container: name, previous: crashing },
    };
  }
  if (waiting?.reason === undefined || starting.has(waiting.reason)) return undefined;
  return { what: `container ${name}: ${waiting.reason}${waiting.message ? `: ${waiting.message}` : ""}` };
}

/** Several pods often have the same trouble: one line for each kind of trouble. */
export function grouped(troubles: readonly PodTrouble[]): string[] {
  const pods = new Map<string, string[]>();
  for (const { pod, what } of troubles) pods.set(what, [...(pods.get(what) ?? []), pod]);
  return [...pods].map(([what, names]) => `${names.join(", ")}: ${what}`);
}
