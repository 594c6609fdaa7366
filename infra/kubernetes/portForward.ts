// infra/kubernetes/portForward.ts - a way to a pod that no address leads to: through the API server, to whoever holds a
// role now. Nothing of the database is exposed for it, and nobody gets there who may not forward ports in the cluster.
import { createServer, type Socket } from "node:net";
import { homedir } from "node:os";
import { PassThrough } from "node:stream";
import { CoreV1Api, KubeConfig, PortForward, type V1Pod } from "@kubernetes/client-node";
import { ExitCode, UserError } from "../errors";
import type { PodRoute } from "../schema/postgres";
import { selectorOf } from "./selector";

export interface Forward {
  /** On 127.0.0.1. */
  readonly port: number;
  close(): Promise<void>;
}

/** A pod by name, or whichever ready one has these labels when a connection is made. */
export type ForwardRoute = { readonly namespace: string; readonly port: number } & (
  | { readonly pod: string }
  | { readonly labels: Readonly<Record<string, string>> }
);

/**
 * Listens on 127.0.0.1 and leads each connection to the pod that matches when it is made. A connection for which there
 * is none is closed at once.
 *
 * @param config asked for each connection: the cluster may be made after this began to listen
 * @param port 0 for any that is free
 * @throws UserError when the port is taken
 */
export async function forward(config: () => KubeConfig, route: ForwardRoute, port = 0): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined).once("close", () => open.delete(socket));
    connect(config, route, socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(port, error)));
    server.listen(port, "127.0.0.1", resolve);
  });
  // Whoever waits for something else must not be kept by it.
  server.unref();
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function connect(configured: () => KubeConfig, route: ForwardRoute, socket: Socket): Promise<void> {
  socket.pause();
  const config = configured();
  const pod = "pod" in route ? route.pod : await readyPod(config, route.namespace, route.labels);
  const fromPod = new PassThrough();
  fromPod.pipe(socket);
  const errors = new PassThrough();
  errors.once("data", () => socket.destroy());
  const webSocket = await new PortForward(config).portForward(
    route.namespace,
    pod,
    [route.port],
    fromPod,
    errors,
    socket,
  );
  if (typeof webSocket === "function") throw new Error("unexpected: a port-forward that reconnects");
  // Who has gone meanwhile leaves nothing behind.
  if (socket.destroyed) {
    webSocket.close();
    return;
  }
  webSocket.onclose = () => socket.end();
  webSocket.onerror = () => socket.destroy();
  socket.once("close", () => webSocket.close());
  socket.resume();
}

/**
 * The name of a ready pod with these labels.
 *
 * @throws UserError when there is none, or the API server cannot be asked
 */
export async function readyPod(
  config: KubeConfig,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  const labelSelector = selectorOf(labels);
  const { items } = await asked(config, () =>
    config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector }),
  );
  const name = items.find(isReady)?.metadata?.name;
  if (name !== undefined) return name;
  throw new UserError(`no pod in ${namespace} with ${labelSelector} is ready`, {
    fix: `see what is there: kubectl get pods -n ${namespace} --show-labels`,
  });
}

/** Whether Kubernetes counts it as ready. */
export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/**
 * The password and the CA of the database behind a route, from the cluster it is in.
 *
 * @throws UserError when they are not there, or the API server cannot be asked
 */
export async function podCredentials(
  config: KubeConfig,
  route: PodRoute,
): Promise<{ password: string; ca: string }> {
  const api = config.makeApiClient(CoreV1Api);
  const { namespace, credentials } = route;
  const [secret, configMap] = await asked(config, () =>
    Promise.all([
      api.readNamespacedSecret({ namespace, name: credentials.secret }),
      api.readNamespacedConfigMap({ namespace, name: credentials.ca }),
    ]),
  );
  return {
    password: Buffer.from(secret.data?.password ?? "", "base64").toString("utf8"),
    ca: configMap.data?.["ca.pem"] ?? "",
  };
}

/** The kubeconfig and context that a stack's config names. @throws UserError when there is no such thing */
export function kubeConfig({ kubeconfig, context }: Pick<PodRoute, "kubeconfig" | "context">): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig.replace(/^~(?=\/)/, homedir()));
  } catch (error) {
    throw new UserError(
      `the kubeconfig ${kubeconfig ?? "of this user"} cannot be read: ${(error as Error).message}`,
      {
        fix: "on platform azure `npm run preview -- STACK` writes it; elsewhere name one that exists: pulumi config set --path ms5-timescale:kubernetes.kubeconfig FILE",
        exitCode: ExitCode.environment,
      },
    );
  }
  if (context !== undefined) {
    if (config.getContextObject(context) === null) {
      throw new UserError(`the kubeconfig has no context "${context}"`, {
        fix: `set ms5-timescale:kubernetes.context to one of: ${config.contexts.map(({ name }) => name).join(", ")}`,
        exitCode: ExitCode.environment,
      });
    }
    config.setCurrentContext(context);
  }
  return config;
}

async function asked<T>(config: KubeConfig, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    const { code, message } = error as { code?: number; message?: string };
    const what = code === 404 ? "does not have it yet" : `answers: ${(message ?? "nothing").split("\n")[0]}`;
    throw new UserError(`Kubernetes ${config.getCurrentCluster()?.server ?? "(none)"} ${what}`, {
      fix:
        code === 404
          ? "let `npm run up` finish first: it makes the database that this needs"
          : "check kubernetes.kubeconfig and kubernetes.context of the stack, and that the cluster is running",
      cause: error,
    });
  }
}

function listenError(port: number, error: NodeJS.ErrnoException): UserError {
  return new UserError(`cannot listen on 127.0.0.1:${port}: ${error.code ?? error.message}`, {
    fix: "stop what uses the port, or set database.port of the stack to another one",
    exitCode: ExitCode.environment,
  });
}
