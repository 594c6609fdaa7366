// The consoles of all PgBouncer pods at once: a pause holds only when every one of them pauses.
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { Client } from "pg";
import { UserError } from "../errors";
import { namespaceNames } from "../kubernetes/namespaceNames";
import { type Forward, forward } from "../kubernetes/portForward";
import { selectorOf } from "../kubernetes/selector";
import { consoleRole } from "./pgbouncerIni";
import { poolerDatabases, poolerPorts } from "./poolerPlaces";
import { poolerLabels, poolerSecrets } from "./poolerPod";

/** Milliseconds that transactions under way have for finishing before a pause is given up. */
const pauseTimeoutMs = 5_000;
/** Milliseconds that a pooler has for ending: its grace period, and some more. */
const drainTimeoutMs = 120_000;

interface Console {
  readonly pod: string;
  readonly way: Forward;
  /** Waits while transactions finish, and hears nothing else meanwhile. */
  readonly pausing: Client;
  readonly resuming: Client;
}

export class PoolerConsoles {
  private constructor(private readonly consoles: readonly Console[]) {}

  /**
   * Logs in to the console of each pooler pod that runs.
   *
   * @throws UserError when one of them cannot be reached: it would go on while the others wait
   */
  static async open(config: KubeConfig): Promise<PoolerConsoles> {
    const pods = await runningPods(config);
    // While a stack is made its database comes first: nobody has to wait then.
    if (pods.length === 0) return new PoolerConsoles([]);
    const password = await consolePassword(config);
    const consoles: Console[] = [];
    try {
      for (const pod of pods) consoles.push(await open(config, pod, password));
    } catch (error) {
      await closeAll(consoles);
      throw error;
    }
    return new PoolerConsoles(consoles);
  }

  get pods(): string[] {
    return this.consoles.map(({ pod }) => pod);
  }

  /**
   * Lets running transactions finish and keeps new ones waiting, everywhere or nowhere.
   *
   * @throws UserError when a transaction does not finish in time; everything goes on as before then
   */
  async pause(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("a transaction does not end")), pauseTimeoutMs);
    });
    try {
      const pauses = this.consoles.map(({ pausing }) => pausing.query(`PAUSE ${poolerDatabases.readWrite}`));
      await Promise.race([Promise.all(pauses), late]);
    } catch (error) {
      await this.resume();
      throw new UserError(`the poolers could not pause: ${(error as Error).message}. They go on as before`, {
        fix: "end long transactions (SHOW CLIENTS in PgBouncer's console shows them), and try again",
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets everyone go on. Succeeds where a pooler has gone meanwhile: its clients went with it. */
  async resume(): Promise<void> {
    await Promise.allSettled(
      this.consoles.map(({ resuming }) => resuming.query(`RESUME ${poolerDatabases.readWrite}`)),
    );
  }

  async close(): Promise<void> {
    await closeAll(this.consoles);
  }
}

/** One that is about to end takes no console any more, while its last clients go on working: they have a minute. */
async function runningPods(config: KubeConfig): Promise<string[]> {
  const api = config.makeApiClient(CoreV1Api);
  const namespace = namespaceNames.pooler;
  const deadline = Date.now() + drainTimeoutMs;
  for (;;) {
    const { items } = await api.listNamespacedPod({
      namespace,
      labelSelector: selectorOf(poolerLabels),
    });
    const running = items.filter(({ status }) => status?.phase === "Running");
    const ending = running.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
    if (ending.length === 0) return running.map(({ metadata }) => metadata?.name ?? "");
    if (Date.now() > deadline) {
      throw new UserError(`pooler ${ending[0]?.metadata?.name} has been ending for too long`, {
        fix: `see what keeps it: kubectl describe pod -n ${namespace} ${ending[0]?.metadata?.name}`,
      });
    }
    await sleep(1_000);
  }
}

async function consolePassword(config: KubeConfig): Promise<string> {
  const secret = await config
    .makeApiClient(CoreV1Api)
    .readNamespacedSecret({ namespace: namespaceNames.pooler, name: poolerSecrets.console });
  return Buffer.from(secret.data?.password ?? "", "base64").toString("utf8");
}

async function open(config: KubeConfig, pod: string, password: string): Promise<Console> {
  const way = await forward(() => config, {
    namespace: namespaceNames.pooler,
    pod,
    port: poolerPorts.clients,
  });
  const clients = [0, 1].map(() => consoleClient(way.port, password)) as [Client, Client];
  try {
    for (const client of clients) {
      client.on("error", () => undefined);
      await client.connect();
    }
  } catch (error) {
    await way.close();
    throw new UserError(`the console of pooler ${pod} cannot be reached: ${(error as Error).message}`, {
      fix: "wait until all pooler pods are ready: a switchover that one of them does not pause for is seen by its clients",
      cause: error,
    });
  }
  return { pod, way, pausing: clients[0], resuming: clients[1] };
}

function consoleClient(port: number, password: string): Client {
  return new Client({
    host: "127.0.0.1",
    port,
    user: consoleRole,
    password,
    database: "pgbouncer",
    // The way ends inside the pod, and Kubernetes has vouched for it.
    ssl: { rejectUnauthorized: false },
    connectionTimeoutMillis: 10_000,
  });
}

async function closeAll(consoles: readonly Console[]): Promise<void> {
  await Promise.all(
    consoles.map(async ({ pausing, resuming, way }) => {
      await Promise.allSettled([pausing.end(), resuming.end()]);
      await way.close();
    }),
  );
}
