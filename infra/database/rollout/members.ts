// What the members of a cluster run and say of themselves, and how one of them is made to run something else.
import { get } from "node:https";
import { AppsV1Api, CoreV1Api, type KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { namespaceNames } from "../../kubernetes/namespaceNames";
import { forward } from "../../kubernetes/portForward";
import { selectorOf } from "../../kubernetes/selector";
import { memberLabels } from "../clusterNames";
import { podExec } from "../podExec";
import type { MemberState } from "./nextStep";

const namespace = namespaceNames.database;
/** The agent's port: infra/database/agent/health.py. */
const agentPort = 8009;
/** Milliseconds for one question to an agent. */
const askTimeoutMs = 5_000;

/** `/status` of an agent. */
interface AgentStatus {
  readonly primary: boolean;
  readonly replica: boolean;
  /** Of the settings it has read last. */
  readonly revision: string;
  readonly pendingRestart: boolean;
}

/** All members that a StatefulSet should have; one without a pod is neither ready nor anything else. */
export async function memberStates(
  config: KubeConfig,
  colour: string,
  revision: string,
): Promise<MemberState[]> {
  const statefulSet = await config
    .makeApiClient(AppsV1Api)
    .readNamespacedStatefulSet({ namespace, name: colour });
  const labelSelector = selectorOf(memberLabels(colour));
  const { items } = await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  const names = Array.from({ length: statefulSet.spec?.replicas ?? 0 }, (_, index) => `${colour}-${index}`);
  return Promise.all(
    names.map(async (name) => {
      const pod = items.find(({ metadata }) => metadata?.name === name);
      const status = pod && isRunning(pod) ? await ask(config, name) : undefined;
      return {
        name,
        role: status?.primary ? "primary" : status?.replica ? "replica" : undefined,
        ready: status !== undefined && (status.primary || status.replica),
        // A pod that is not there yet will be a current one.
        current:
          pod === undefined ||
          pod.metadata?.labels?.["controller-revision-hash"] === statefulSet.status?.updateRevision,
        informed: status?.revision === revision,
        pendingRestart: status?.pendingRestart ?? false,
      } satisfies MemberState;
    }),
  );
}

function isRunning({ metadata, status }: V1Pod): boolean {
  return metadata?.deletionTimestamp === undefined && status?.phase === "Running";
}

async function ask(config: KubeConfig, pod: string): Promise<AgentStatus | undefined> {
  const way = await forward(() => config, { namespace, pod, port: agentPort });
  try {
    return await getJson(way.port);
  } catch {
    // Not up yet, or gone: that is an answer too.
    return undefined;
  } finally {
    await way.close();
  }
}

function getJson(port: number): Promise<AgentStatus> {
  return new Promise((resolve, reject) => {
    // The way ends inside the pod, and Kubernetes has vouched for it.
    const options = { port, path: "/status", rejectUnauthorized: false, timeout: askTimeoutMs };
    const request = get({ host: "127.0.0.1", ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.once("end", () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
    });
    request.once("timeout", () => request.destroy(new Error("no answer"))).once("error", reject);
  });
}

/**
 * Lets kubelet put new settings in place now: it looks when a pod changes, and otherwise once a minute.
 *
 * @param revision of the settings
 */
export async function touchPods(config: KubeConfig, colour: string, revision: string): Promise<void> {
  const api = config.makeApiClient(CoreV1Api);
  const labelSelector = selectorOf(memberLabels(colour));
  const { items } = await api.listNamespacedPod({ namespace, labelSelector });
  for (const { metadata } of items) {
    await api.patchNamespacedPod({
      namespace,
      name: metadata?.name ?? "",
      body: [
        {
          op: "add",
          path: "/metadata/annotations",
          value: { ...metadata?.annotations, "ms5.io/settings": revision },
        },
      ],
    });
  }
}

/** Deletes the pod; its StatefulSet makes it again as it should be now. */
export async function replaceMember(config: KubeConfig, name: string): Promise<void> {
  const api = config.makeApiClient(CoreV1Api);
  const before = await api.readNamespacedPod({ namespace, name });
  await api.deleteNamespacedPod({
    namespace,
    name,
    body: { preconditions: { uid: before.metadata?.uid ?? "" } },
  });
  for (;;) {
    const now = await api.readNamespacedPod({ namespace, name }).catch((error: { code?: number }) => {
      if (error.code === 404) return undefined;
      throw error;
    });
    if (now?.metadata?.uid !== before.metadata?.uid) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Restarts PostgreSQL of a replica, by its own Patroni. */
export async function restartMember(config: KubeConfig, name: string): Promise<void> {
  await podExec(config, { namespace, pod: name, container: "database" }, [
    "python3",
    "/ms5/agent/restart.py",
  ]);
}
