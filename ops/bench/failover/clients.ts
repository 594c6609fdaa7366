// Applications under load: on each node a pod that writes through the pooler and notes what was acknowledged in a file,
// which the host reads from the node's disk, whatever the network or the API server do.
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import { caConfigMap, memberLabels } from "../../../infra/database/clusterNames";
import { poolerDatabases, poolerPorts } from "../../../infra/database/poolerPlaces";
import { namespaceNames } from "../../../infra/kubernetes/namespaceNames";
import type { NodePlan } from "../../../test/cluster/plan";
import type { Journal } from "./journal";
import type { Target } from "./members";
import { writerProgram } from "./probes";
import { role, table } from "./table";

/** Writers in each pod. */
const writersPerNode = 2;
const poolerHost = `pooler.${namespaceNames.pooler}.svc`;
const label = { "ms5.io/benchmark": "failover" };
const startTimeoutMs = 90_000;
const goneTimeoutMs = 30_000;

/** The node a client runs on, by the name it signs its notes with. */
export function nodeOfWriter(source: string): string {
  return source.split(".")[0] ?? "";
}

export class Clients {
  private constructor(
    private readonly api: CoreV1Api,
    private readonly namespace: string,
    private readonly files: readonly NoteFile[],
  ) {}

  /** Starts one on each node. @throws Error when one of them does not run in time; nothing of them is left then */
  static async start({ plan, config, colour }: Target, password: string): Promise<Clients> {
    const api = config.makeApiClient(CoreV1Api);
    await removeAll(api);
    const namespace = `ms5-bench-${randomBytes(4).toString("hex")}`;
    await api.createNamespace({
      body: { metadata: { name: namespace, labels: { ...label, "ms5.io/database-client": "true" } } },
    });
    try {
      await prepare(api, namespace, password);
      const image = await imageOf(api, colour);
      const files = await Promise.all(
        plan.nodes.map(async (node) => {
          await api.createNamespacedPod({ namespace, body: pod(node, image) });
          const folder = logFolder(node, await untilRunning(api, namespace, node.name));
          return writersOn(node).map((writer) => new NoteFile(writer, join(folder, `${writer}.log`)));
        }),
      );
      return new Clients(api, namespace, files.flat());
    } catch (error) {
      await api.deleteNamespace({ name: namespace });
      throw error;
    }
  }

  /** Adds what they noted since the last time. */
  async read(journal: Journal): Promise<void> {
    for (const file of this.files) await file.read((line) => journal.add(file.writer, line));
  }

  get writers(): readonly string[] {
    return this.files.map(({ writer }) => writer);
  }

  /** Returns when they are gone, or do not go. */
  async remove(): Promise<void> {
    await this.api.deleteNamespace({ name: this.namespace });
    const deadline = performance.now() + goneTimeoutMs;
    const pods = async () => (await this.api.listNamespacedPod({ namespace: this.namespace })).items.length;
    while ((await pods()) > 0 && performance.now() < deadline) await sleep(200);
  }
}

/** What a run left that was killed. */
async function removeAll(api: CoreV1Api): Promise<void> {
  const labelSelector = Object.entries(label)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { items } = await api.listNamespace({ labelSelector });
  for (const { metadata, status } of items) {
    if (status?.phase !== "Terminating") await api.deleteNamespace({ name: metadata?.name ?? "" });
  }
}

async function prepare(api: CoreV1Api, namespace: string, password: string): Promise<void> {
  const { data: ca } = await api.readNamespacedConfigMap({
    namespace: namespaceNames.pooler,
    name: caConfigMap,
  });
  const data = { "writer.py": writerProgram, "ca.pem": ca?.["ca.pem"] ?? "" };
  await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: "writer" }, data } });
  const secret = { metadata: { name: "writer" }, stringData: { password } };
  await api.createNamespacedSecret({ namespace, body: secret });
}

/** The database's own: it has Python with a client library for Patroni's sake. */
async function imageOf(api: CoreV1Api, colour: string): Promise<string> {
  const labelSelector = Object.entries(memberLabels(colour))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { items } = await api.listNamespacedPod({ namespace: namespaceNames.database, labelSelector });
  return items[0]?.spec?.containers[0]?.image ?? "";
}

function writersOn({ name }: NodePlan): string[] {
  return Array.from({ length: writersPerNode }, (_, index) => `${name}.${index + 1}`);
}

function pod(node: NodePlan, image: string): V1Pod {
  const settings = {
    sources: writersOn(node),
    connection: {
      host: poolerHost,
      port: poolerPorts.clients,
      dbname: poolerDatabases.readWrite,
      user: role,
      sslmode: "verify-full",
      sslrootcert: "/writer/ca.pem",
    },
    table,
    folder: "/log",
    passwordFile: "/password/password",
  };
  return {
    metadata: { name: node.name },
    spec: {
      nodeName: node.name,
      // One that was started again would begin its numbers again.
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      // It stays where it is: its node comes back.
      tolerations: [{ operator: "Exists" }],
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "writer",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["python3", "/writer/writer.py", JSON.stringify(settings)],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          volumeMounts: [
            { name: "writer", mountPath: "/writer" },
            { name: "password", mountPath: "/password" },
            { name: "log", mountPath: "/log" },
          ],
        },
      ],
      volumes: [
        { name: "writer", configMap: { name: "writer" } },
        { name: "password", secret: { secretName: "writer" } },
        { name: "log", emptyDir: {} },
      ],
    },
  };
}

/** @returns the pod's uid */
async function untilRunning(api: CoreV1Api, namespace: string, name: string): Promise<string> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    const { metadata, status } = await api.readNamespacedPod({ namespace, name });
    if (status?.phase === "Running") return metadata?.uid ?? "";
    if (performance.now() > deadline)
      throw new Error(`client ${name} does not run: ${JSON.stringify(status?.containerStatuses)}`);
    await sleep(200);
  }
}

/** Where kubelet keeps the pod's `log` volume, as the host sees it. */
function logFolder(node: NodePlan, uid: string): string {
  return join(node.folder, "kubelet", "pods", uid, "volumes", "kubernetes.io~empty-dir", "log");
}

/** A file that grows. */
class NoteFile {
  private offset = 0;
  /** The beginning of a line whose end is not there yet. */
  private rest = "";

  constructor(
    readonly writer: string,
    private readonly path: string,
  ) {}

  async read(take: (line: string) => void): Promise<void> {
    const file = await open(this.path).catch((error: NodeJS.ErrnoException) => {
      // The writer has not begun.
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (file === undefined) return;
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(size - this.offset),
        position: this.offset,
      });
      this.offset += bytesRead;
      const lines = (this.rest + buffer.toString("utf8", 0, bytesRead)).split("\n");
      this.rest = lines.pop() ?? "";
      for (const line of lines) take(line);
    } finally {
      await file.close();
    }
  }
}
