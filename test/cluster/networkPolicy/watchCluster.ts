import { setTimeout as sleep } from "node:timers/promises";
import {
  CoreV1Api,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  ListWatch,
  NetworkingV1Api,
  type V1Namespace,
  type V1Pod,
  Watch,
} from "@kubernetes/client-node";
import { asWritten, type NetworkPolicy } from "./policy";
import type { ClusterState } from "./rules";

/** Before asking an API server again that did not answer, in ms. */
const retryAfter = 500;

/**
 * Follows what rules are made from. `changed` is called at each change, but not before everything was listed once: with
 * the pods known and the policies not yet, everything would be open.
 *
 * @returns what is known now
 */
export function watchCluster(
  config: KubeConfig,
  say: (line: string) => void,
  changed: () => void,
): () => ClusterState {
  const core = config.makeApiClient(CoreV1Api);
  const networking = config.makeApiClient(NetworkingV1Api);
  const unlisted = new Set<string>();

  function follow<T extends KubernetesObject>(
    path: string,
    list: () => Promise<KubernetesListObject<T>>,
  ): ListWatch<T> {
    unlisted.add(path);
    const tell = () => {
      if (unlisted.size === 0) changed();
    };
    const followed = new ListWatch<T>(path, new Watch(config), list, false);
    const start = async () => {
      await followed.start();
      if (followed.latestResourceVersion() !== "") unlisted.delete(path);
      tell();
    };
    followed.on("change", tell);
    followed.on("error", (error) => {
      say(`watching ${path}: ${error instanceof Error ? error.message : error}`);
      void sleep(retryAfter).then(start);
    });
    void start();
    return followed;
  }

  const pods = follow<V1Pod>("/api/v1/pods", () => core.listPodForAllNamespaces());
  const namespaces = follow<V1Namespace>("/api/v1/namespaces", () => core.listNamespace());
  const policies = follow<NetworkPolicy>("/apis/networking.k8s.io/v1/networkpolicies", async () => {
    const { items, metadata } = await networking.listNetworkPolicyForAllNamespaces();
    return { items: items.map(asWritten), ...(metadata && { metadata }) };
  });
  return () => ({ pods: pods.list(), namespaces: namespaces.list(), policies: policies.list() });
}
