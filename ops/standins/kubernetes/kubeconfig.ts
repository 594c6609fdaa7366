/** Which cluster, and as whom: read from a kubeconfig as the official plugin and kubectl do. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { ExitCode, UserError } from "../../../infra/errors";

export interface KubeconfigSettings {
  /** A path or the content itself. Default: `KUBECONFIG`, `~/.kube/config`, the pod's service account. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** What the client library takes for a cluster when it finds no kubeconfig. */
const nowhere = "http://localhost:8080";

/** The context in use, checked to be complete. */
export interface Connection {
  readonly config: KubeConfig;
  readonly server: string;
  readonly context: string;
  readonly namespace: string;
  /** Tells one cluster from another: its address and its CA. */
  readonly identity: string;
}

/** Loads the client library, for half a second: nobody should wait for it who has no cluster. */
export function loadClient(): Promise<typeof import("@kubernetes/client-node")> {
  return import("@kubernetes/client-node");
}

/** @throws UserError when there is no such file, context or cluster */
export async function readKubeconfig(settings: KubeconfigSettings): Promise<Connection> {
  const { KubeConfig: Config } = await loadClient();
  const config = new Config();
  const { kubeconfig } = settings;
  // The SDK puts KUBECONFIG into the setting; it may name several files, which only the default way reads.
  const isDefault = kubeconfig === undefined || kubeconfig === "" || kubeconfig === process.env.KUBECONFIG;
  const source = isDefault ? undefined : expanded(kubeconfig);
  const isFile = source !== undefined && existsSync(source);
  try {
    if (source === undefined) config.loadFromDefault();
    else if (isFile) config.loadFromFile(source);
    else config.loadFromString(source);
  } catch (error) {
    // A parser's message repeats what it read, and content has keys in it.
    const why = isFile || source === undefined ? (error as Error).message : "it is no file and no YAML";
    throw wrong(`the kubeconfig${isFile ? ` ${source}` : ""} cannot be read: ${why}`, error);
  }
  if (settings.context !== undefined && settings.context !== "") config.setCurrentContext(settings.context);
  const context = config.getContextObject(config.getCurrentContext());
  if (context === null) {
    const known = config.getContexts().map(({ name }) => name);
    const which = config.getCurrentContext();
    throw wrong(
      source !== undefined && !isFile && known.length === 0
        ? "the kubeconfig is neither a file that exists nor the content of one"
        : `the kubeconfig has no context ${JSON.stringify(which ?? "")}; it has ${known.join(", ") || "none"}`,
    );
  }
  const cluster = config.getCluster(context.cluster);
  if (cluster === null) {
    throw wrong(`the context "${context.name}" of the kubeconfig refers to a cluster that is not in it`);
  }
  if (source === undefined && cluster.server === nowhere) {
    throw wrong("there is no kubeconfig: none is set, and there is no ~/.kube/config");
  }
  return {
    config,
    server: cluster.server,
    context: context.name,
    namespace: context.namespace ?? "default",
    identity: JSON.stringify([cluster.server, cluster.caData ?? cluster.caFile ?? ""]),
  };
}

function expanded(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

function wrong(message: string, cause?: unknown): UserError {
  return new UserError(message, {
    fix: "set the kubeconfig and the context of the stack to a cluster you can reach with `kubectl version`",
    exitCode: ExitCode.environment,
    cause,
  });
}
