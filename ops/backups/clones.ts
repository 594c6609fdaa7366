// Clones: restored copies beside the running cluster. Each is a claim and a StatefulSet of one pod, which restores,
// recovers and checks by itself (infra/database/agent/clone.py); here it is made, watched and taken away.
import { setTimeout as sleep } from "node:timers/promises";
import {
  AppsV1Api,
  CoreV1Api,
  type V1PersistentVolumeClaim,
  type V1StatefulSet,
} from "@kubernetes/client-node";
import { cloneLabels, clonePod } from "../../infra/database/backups/pods";
import { cloneSize } from "../../infra/database/backups/size";
import type { RestoreTarget } from "../../infra/database/backups/target";
import { podExec } from "../../infra/database/podExec";
import { ExitCode, UserError } from "../../infra/errors";
import { isReady } from "../../infra/kubernetes/portForward";
import type { ConnectionTarget } from "../../infra/schema/postgres";
import type { Finding } from "../validate/check";
import type { BackupPlace } from "./place";

/** What a clone says of itself: /data/clone.json. */
export interface CloneState {
  readonly phase: "new" | "checking" | "restoring" | "recovering" | "validating" | "good" | "failed";
  readonly target: RestoreTarget;
  readonly backup?: string;
  /** Of the restored files. */
  readonly bytes?: number;
  /** Seconds for the files alone, and until a server took writes. */
  readonly restore_seconds?: number;
  readonly ready_seconds?: number;
  /** The last transaction that was recovered. */
  readonly recovered?: { readonly lsn: string | null; readonly at: string | null };
  readonly findings: readonly Finding[];
  readonly reason?: string;
}

export interface Clone {
  readonly name: string;
  readonly target: RestoreTarget;
  readonly madeAt: string;
  readonly ready: boolean;
}

const targetAnnotation = "ms5.io/target";
/** Milliseconds until its pod runs: a volume has to be made, and an image may have to come. */
const startWithinMs = 300_000;

/** Names go into those of pods and volumes. */
export function requireCloneName(name: string): string {
  if (/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) return name;
  throw new UserError(`"${name}" is no name for a clone`, {
    fix: "use up to 40 of a-z, 0-9 and -, beginning with a letter",
  });
}

/**
 * Begins a clone. One that was begun to the same target goes on; a name that is taken by another target is refused.
 *
 * @throws UserError (refused) for a name that is taken
 */
export async function beginClone(place: BackupPlace, name: string, target: RestoreTarget): Promise<void> {
  const { cluster, colour, route, kubernetes } = place;
  const { namespace } = route;
  const annotations = { [targetAnnotation]: JSON.stringify(target) };
  const metadata = { name: `clone-${name}`, namespace, labels: cloneLabels(name), annotations };
  const size = cloneSize(cluster);
  const template = clonePod({ colour, image: cluster.image, ...size }, { name, target });
  const claim: V1PersistentVolumeClaim = {
    metadata,
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: size.volume } },
      ...(size.storageClass === undefined ? {} : { storageClassName: size.storageClass }),
    },
  };
  const set = {
    metadata,
    spec: {
      serviceName: metadata.name,
      replicas: 1,
      selector: { matchLabels: cloneLabels(name) },
      template,
    },
  } as V1StatefulSet;
  const core = kubernetes.makeApiClient(CoreV1Api);
  const apps = kubernetes.makeApiClient(AppsV1Api);
  const there = await find(apps, namespace, name);
  if (
    there !== undefined &&
    there.metadata?.annotations?.[targetAnnotation] !== annotations[targetAnnotation]
  ) {
    throw new UserError(`there is a clone ${name} already, restored to something else`, {
      fix: `name another one with --into, or remove it: npm run ops -- clone drop ${name} --stack ${place.config.stack} --yes`,
    });
  }
  await unlessThere(() => core.createNamespacedPersistentVolumeClaim({ namespace, body: claim }));
  await unlessThere(() => apps.createNamespacedStatefulSet({ namespace, body: set }));
}

/** Who is faster has made the same. */
async function unlessThere(make: () => Promise<unknown>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if ((error as { code?: number }).code !== 409) throw error;
  }
}

async function find(apps: AppsV1Api, namespace: string, name: string): Promise<V1StatefulSet | undefined> {
  try {
    return await apps.readNamespacedStatefulSet({ namespace, name: `clone-${name}` });
  } catch (error) {
    if ((error as { code?: number }).code === 404) return undefined;
    throw error;
  }
}

/**
 * Watches a clone until it is good or has failed. Whoever stops watching leaves it at work.
 *
 * @param tell called whenever it comes to another phase
 * @throws UserError (failed) when its pod does not start
 */
export async function watchClone(
  place: BackupPlace,
  name: string,
  tell: (line: string) => void,
): Promise<CloneState> {
  const begun = Date.now();
  let phase = "";
  for (;;) {
    const state = await cloneState(place, name);
    if (state !== undefined && state.phase !== phase) {
      phase = state.phase;
      tell(described(state));
    }
    if (state?.phase === "failed") return state;
    if (state?.phase === "good" && (await isServing(place, name))) return state;
    if (state === undefined && Date.now() - begun > startWithinMs) {
      throw new UserError(`clone ${name} has not started within ${startWithinMs / 60_000} minutes`, {
        fix: `kubectl describe pod -n ${place.route.namespace} clone-${name}-0`,
        exitCode: ExitCode.failed,
      });
    }
    await sleep(500);
  }
}

/** Kubernetes leads nobody to a pod that it does not count as ready yet. */
async function isServing(place: BackupPlace, name: string): Promise<boolean> {
  return (await listClones(place)).some((clone) => clone.name === name && clone.ready);
}

function described({ phase, backup, bytes, recovered }: CloneState): string {
  if (phase === "restoring") return `restoring backup ${backup} (${Math.round((bytes ?? 0) / 2 ** 20)} MiB)`;
  if (phase === "recovering") return "recovering from the archive";
  if (phase === "validating")
    return `recovered to ${recovered?.at ?? recovered?.lsn ?? "the end"}; checking every page`;
  return phase;
}

/** undefined while it says nothing yet. */
export async function cloneState(
  { kubernetes, route }: BackupPlace,
  name: string,
): Promise<CloneState | undefined> {
  const place = { namespace: route.namespace, pod: `clone-${name}-0`, container: "work" };
  try {
    return JSON.parse(await podExec(kubernetes, place, ["cat", "/data/clone.json"])) as CloneState;
  } catch (error) {
    // Not started, or on its way to another node.
    if (error instanceof UserError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function listClones({ kubernetes, route }: BackupPlace): Promise<Clone[]> {
  const { namespace } = route;
  const labelSelector = "app.kubernetes.io/name=clone";
  const sets = await kubernetes
    .makeApiClient(AppsV1Api)
    .listNamespacedStatefulSet({ namespace, labelSelector });
  const pods = await kubernetes.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  const ready = new Set(pods.items.filter(isReady).map(({ metadata }) => metadata?.labels?.["ms5.io/clone"]));
  return sets.items.map(({ metadata }) => {
    const name = metadata?.labels?.["ms5.io/clone"] ?? "";
    return {
      name,
      target: JSON.parse(metadata?.annotations?.[targetAnnotation] ?? "{}") as RestoreTarget,
      madeAt: metadata?.creationTimestamp?.toISOString() ?? "",
      ready: ready.has(name),
    };
  });
}

/** Removes a clone with all it had. @returns whether there was one */
export async function dropClone({ kubernetes, route }: BackupPlace, name: string): Promise<boolean> {
  const { namespace } = route;
  const full = { namespace, name: `clone-${name}` };
  const removed = await Promise.all([
    removed404(() => kubernetes.makeApiClient(AppsV1Api).deleteNamespacedStatefulSet(full)),
    removed404(() => kubernetes.makeApiClient(CoreV1Api).deleteNamespacedPersistentVolumeClaim(full)),
  ]);
  return removed.some(Boolean);
}

async function removed404(remove: () => Promise<unknown>): Promise<boolean> {
  try {
    await remove();
    return true;
  } catch (error) {
    if ((error as { code?: number }).code === 404) return false;
    throw error;
  }
}

/** Where a clone answers, as the database's administrator. */
export function cloneTarget({ config, route }: BackupPlace, name: string): ConnectionTarget {
  const { target } = config.database;
  if (target === undefined) throw new Error("unexpected: a cluster without an address");
  return { ...target, port: 0, pod: { ...route, labels: cloneLabels(name) } };
}
