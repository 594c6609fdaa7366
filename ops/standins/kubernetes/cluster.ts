/** One configured provider: which cluster, as whom, and by which rules. */
import { UserError } from "../../../infra/errors";
import type { Bag } from "../values";
import { Api } from "./api";
import { type Connection, readKubeconfig } from "./kubeconfig";
import { Objects } from "./objects";
import { type Settings, settingsOf } from "./settings";

/** Milliseconds the API server has to show that it is there. */
const probeMs = 5_000;

export class Cluster {
  private constructor(
    readonly settings: Settings,
    /** For objects that name none. */
    readonly namespace: string,
    private readonly found: Objects | undefined,
    /** Why nothing can be asked of it. It may be there by the time that something is to be changed. */
    readonly unreachable: UserError | undefined,
  ) {}

  /** Never fails for a cluster that is not there: a preview can do without. */
  static async connect(config: Bag): Promise<Cluster> {
    const settings = settingsOf(config, process.env);
    let connection: Connection;
    try {
      connection = await readKubeconfig(settings);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return new Cluster(settings, settings.namespace ?? "default", undefined, error);
    }
    const namespace = settings.namespace ?? connection.namespace;
    const api = new Api(connection);
    const unreachable = await probe(api);
    return new Cluster(settings, namespace, new Objects(api), unreachable);
  }

  /** @throws UserError when it is not even known where the cluster is */
  get objects(): Objects {
    if (this.found !== undefined) return this.found;
    throw this.unreachable;
  }
}

async function probe(api: Api): Promise<UserError | undefined> {
  try {
    await api.json({ method: "GET", path: "/version", timeoutMs: probeMs, retry: false });
    return undefined;
  } catch (error) {
    // It answers, if only to say no; each request will be told why.
    return error instanceof UserError ? error : undefined;
  }
}

/** Whether two configurations mean different clusters, so that everything in the one is to be made anew in the other. */
export async function isOtherCluster(before: Bag, after: Bag): Promise<boolean> {
  const same = (name: string): boolean => before[name] === after[name];
  if (after.clusterIdentifier !== undefined && before.clusterIdentifier !== undefined) {
    return !same("clusterIdentifier");
  }
  if (same("kubeconfig") && same("context")) return false;
  try {
    const [old, now] = await Promise.all([before, after].map((bag) => readKubeconfig(settingsOf(bag, {}))));
    return old?.identity !== now?.identity;
  } catch {
    // One of them cannot be read (any more): nothing says that the cluster is another one.
    return false;
  }
}
