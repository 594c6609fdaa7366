// Stack `cluster` with backups to a blob storage beside it, and what the tests of backups ask of it.
import { randomBytes } from "node:crypto";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { leaderLock } from "../../../infra/database/leaderLock";
import { podExec } from "../../../infra/database/podExec";
import type { ConnectionTarget } from "../../../infra/schema/postgres";
import type { CloneState } from "../../../ops/backups/clones";
import type { StackResult } from "../../../ops/engine/stack";
import { ensureCluster, type TestCluster } from "../../cluster";
import { type BlobStorage, ensureBlobStorage } from "../../cluster/blobStorage";
import type { CommandResult, Overrides } from "../../support/commandStack";
import { silent } from "../../support/embedded";
import { ClusterStack } from "./clusterStack";

export const database = "ms5-database";

export class BackupStack {
  /** What the config has become; each change stays. */
  private readonly overrides: Record<string, string> = {};
  private stack: ClusterStack;
  readonly config = new KubeConfig();

  private constructor(
    readonly cluster: TestCluster,
    readonly storage: BlobStorage,
    readonly path: string,
  ) {
    this.config.loadFromFile(cluster.kubeconfig);
    this.stack = new ClusterStack(cluster);
  }

  /** In a folder of its own in the container, with an encryption key that outlives the stack. */
  static async create(config: Overrides = {}): Promise<BackupStack> {
    const cluster = await ensureCluster(silent);
    const storage = await ensureBlobStorage(cluster.plan, silent);
    const made = new BackupStack(cluster, storage, `/e2e-${randomBytes(4).toString("hex")}`);
    Object.assign(made.overrides, storage.config, {
      MS5_BACKUPS_PATH: made.path,
      MS5_BACKUPS_ENCRYPTION_KEY: randomBytes(24).toString("base64"),
      MS5_BACKUPS_ARCHIVE_TIMEOUT: "5 seconds",
      ...config,
    });
    return made;
  }

  get state(): string {
    return this.stack.state();
  }

  passwords() {
    return this.stack.passwords();
  }

  async up(change: Overrides = {}): Promise<StackResult> {
    Object.assign(this.overrides, change);
    const result = await this.stack.deploy("up", this.overrides as Overrides);
    const errors = result.diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ message }) => message)).toEqual([]);
    expect(result.result).toBe("succeeded");
    return result;
  }

  /** Takes a key out of the config again; the next `up` is without it. */
  forget(name: `MS5_${string}`): void {
    delete this.overrides[name];
  }

  /** The stack's own state is lost, and the cluster with all its volumes; storage and config are not. */
  async loseEverything(): Promise<void> {
    const core = this.config.makeApiClient(CoreV1Api);
    const namespaces = ["ms5-database", "ms5-pooler"];
    for (const name of namespaces) await core.deleteNamespace({ name, gracePeriodSeconds: 0 });
    for (const name of namespaces) {
      const pods = await core.listNamespacedPod({ namespace: name });
      for (const { metadata } of pods.items) {
        const pod = { namespace: name, name: metadata?.name ?? "", gracePeriodSeconds: 0 };
        await core.deleteNamespacedPod(pod).catch(() => undefined);
      }
    }
    await eventually(async () => {
      const { items } = await core.listNamespace();
      expect(items.map(({ metadata }) => metadata?.name)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^ms5-(database|pooler)$/)]),
      );
    }, 180_000);
    this.stack.remove();
    this.stack = new ClusterStack(this.cluster);
  }

  async remove(): Promise<void> {
    await this.storage.misbehave(undefined);
    await this.stack.deploy("destroy", this.overrides as Overrides);
    this.stack.remove();
  }

  /** `ms5 ARGS… --stack cluster --json`. */
  ops(args: readonly string[], change: Overrides = {}): Promise<CommandResult> {
    return this.stack.command([...args, "--stack", "cluster", "--json"], {
      ...this.overrides,
      ...change,
    } as Overrides);
  }

  /** What a command prints, which has to succeed. */
  async answer<T>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.ops(args);
    // What it said says why.
    expect({ code, said: code === 0 ? "" : `${stdout}${stderr}` }).toEqual({ code: 0, said: "" });
    return JSON.parse(stdout) as T;
  }

  async restore(
    to: string,
    into: string,
    change: Overrides = {},
  ): Promise<CloneState & { readonly code: number | null }> {
    const { code, stdout, stderr } = await this.ops(["restore", "--to", to, "--into", into, "--yes"], change);
    if (stdout === "") throw new Error(`restore said nothing: ${stderr}`);
    return { ...(JSON.parse(stdout) as CloneState), code };
  }

  async drop(clone: string): Promise<void> {
    await this.answer(["clone", "drop", clone, "--yes"]);
  }

  async inPod(pod: string, command: string[], container = "database"): Promise<string> {
    return podExec(this.config, { namespace: database, pod, container }, command, { timeoutMs: 60_000 });
  }

  async sql(statement: string, pod?: string, container?: string): Promise<string> {
    const where = pod ?? (await this.primary());
    const psql = ["psql", "-h", "/run/postgresql", "-U", "postgres", "-d", "ms5", "-XAtqc", statement];
    return (await this.inPod(where, psql, container)).trim();
  }

  async primary(): Promise<string> {
    const { holder } = await leaderLock(this.config, "blue");
    if (holder === undefined) throw new Error("blue has no primary");
    return holder;
  }

  /** The agent's answers, from inside the pod. */
  async agent(path: "/status" | "/metrics", pod?: string): Promise<string> {
    const program = `import ssl, urllib.request; print(urllib.request.urlopen("https://localhost:8009${path}", context=ssl._create_unverified_context()).read().decode())`;
    return this.inPod(pod ?? (await this.primary()), ["python3", "-c", program]);
  }

  async conditions(): Promise<string[]> {
    return (JSON.parse(await this.agent("/status")) as { conditions: string[] }).conditions;
  }

  /** A metric of the primary; undefined when it has none of this name and labels. */
  async metric(name: string): Promise<number | undefined> {
    const line = (await this.agent("/metrics")).split("\n").find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  /** How a test on this machine reaches the database as its administrator. */
  target(): ConnectionTarget {
    return {
      host: "localhost",
      port: 0,
      database: "ms5",
      user: "ms5_admin",
      tls: "verify-full",
      singleSession: false,
      pod: {
        kubeconfig: this.cluster.kubeconfig,
        namespace: database,
        labels: { "app.kubernetes.io/name": "database", "ms5.io/cluster": "blue", role: "primary" },
        port: 5432,
        credentials: { secret: "blue-credentials", ca: "ca" },
      },
    };
  }

  cloneTarget(name: string): ConnectionTarget {
    const target = this.target();
    if (target.pod === undefined) throw new Error("unexpected");
    return { ...target, pod: { ...target.pod, labels: { "ms5.io/clone": name } } };
  }

  /** Names of the blobs below a folder of this stack's. */
  async blobs(folder: string): Promise<string[]> {
    const names: string[] = [];
    const prefix = `${this.path.slice(1)}/${folder}`;
    for await (const { name } of this.storage.container().listBlobsFlat({ prefix })) names.push(name);
    return names;
  }

  /** Every segment that was written is in the archive. */
  async untilArchived(): Promise<void> {
    // Of the segment that it ends, or the one before the current one where there is nothing to end.
    const segment = await this.sql("SELECT pg_walfile_name(pg_switch_wal() - 1)");
    await eventually(async () => {
      const archived = await this.sql("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver");
      expect({ segment, archived, is: archived >= segment }).toEqual({ segment, archived, is: true });
    });
  }
}

/** Until it holds. */
export const eventually = (check: () => Promise<void>, timeout = 90_000) =>
  vi.waitFor(check, { timeout, interval: 500 });
