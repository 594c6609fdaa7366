import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { namespaceNames } from "../kubernetes/namespaceNames";

/** Who may write, and who has every acknowledged write, as Patroni's two ConfigMaps say. */
export interface LeaderLock {
  /** undefined: nobody, for the moment. */
  readonly holder: string | undefined;
  /** Changes whenever the lock is taken, and the day and time when it was. */
  readonly since: string | undefined;
  readonly voters: readonly string[];
}

/** @throws what the API server answers; a cluster that has never had a primary has no holder */
export async function leaderLock(config: KubeConfig, colour: string): Promise<LeaderLock> {
  const api = config.makeApiClient(CoreV1Api);
  const read = async (name: string) => {
    try {
      const { metadata } = await api.readNamespacedConfigMap({ namespace: namespaceNames.database, name });
      return metadata?.annotations ?? {};
    } catch (error) {
      if ((error as { code?: number }).code === 404) return {};
      throw error;
    }
  };
  const [leader, sync] = await Promise.all([read(`${colour}-leader`), read(`${colour}-sync`)]);
  return {
    holder: leader.leader || undefined,
    since: leader.acquireTime,
    voters: (sync.sync_standby ?? "").split(",").filter((name) => name !== ""),
  };
}
