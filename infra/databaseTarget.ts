import { connect } from "node:net";
import type { StackConfig } from "./config";
import { UserError } from "./errors";
import type { ConnectionTarget } from "./schema/postgres";

/** Where a stack's database is. @throws UserError when its config names none, as a new stack's doesn't yet. */
export function requireTarget({ stack, platform, database }: StackConfig): ConnectionTarget {
  if (database.target !== undefined) return database.target;
  throw new UserError(
    `stack "${stack}" has no database to go to: database.host is not set, and platform ${platform} makes none`,
    {
      fix: `pulumi config set --stack ${stack} --path 'ms5-timescale:database.host' HOST, naming a server that exists`,
    },
  );
}

/**
 * Opens the way to a database in pods at the target's own port of this machine, for providers that know nothing of pods.
 * Does nothing for other targets, and where another process has opened it already. Returns what closes it.
 */
export async function openWay({ pod, port }: ConnectionTarget): Promise<() => Promise<void>> {
  if (pod === undefined || (await isListening(port))) return async () => undefined;
  // Only where it is needed: the client library of Kubernetes takes a third of a second to load.
  const { forward, kubeConfig } = await import("./kubernetes/portForward");
  return (await forward(() => kubeConfig(pod), pod, port)).close;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
