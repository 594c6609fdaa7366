import { readFileSync } from "node:fs";
import { Client, type ClientConfig, escapeIdentifier, escapeLiteral } from "pg";
import { UserError } from "../errors";

/** Where a PostgreSQL server answers, as whom we log in, and what kind of server it is. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  readonly tls: TlsMode;
  /** PEM file with the CA that signed the server's certificate; needed for `verify-full` with a private CA. */
  readonly caFile?: string;
  /**
   * The embedded TimescaleDB serves one connection at a time, and what a session sets outlives it:
   * sessions are short, queue behind one another, and clean up after themselves.
   */
  readonly singleSession: boolean;
  /** Set for a database in pods: its password and CA are read from the cluster, and the way there is a port-forward. */
  readonly pod?: PodRoute;
}

/** A pod that no address leads to from here: only the API server does. */
export interface PodRoute {
  /** undefined: KUBECONFIG, or ~/.kube/config. */
  readonly kubeconfig?: string;
  /** undefined: the current one. */
  readonly context?: string;
  readonly namespace: string;
  /** Of exactly one ready pod. */
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  /** Names of the Secret with `password` and of the ConfigMap with `ca.pem`. */
  readonly credentials: { readonly secret: string; readonly ca: string };
}

/** As in libpq's `sslmode`, without the modes that give no protection or only look as if they did. */
export const tlsModes = ["disable", "require", "verify-full"] as const;
export type TlsMode = (typeof tlsModes)[number];

/** Milliseconds until a connection attempt is given up. The embedded database makes clients queue, so it gets more. */
const connectTimeoutMs = { server: 10_000, singleSession: 60_000 };

/** How a person reads a target: never with the password. */
export function describeTarget(target: ConnectionTarget): string {
  return `${target.user}@${target.host}:${target.port}/${target.database}`;
}

function clientConfig(target: ReachedTarget, applicationName: string): ClientConfig {
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    ...(target.password === undefined ? {} : { password: target.password }),
    ssl:
      target.tls === "disable"
        ? false
        : {
            rejectUnauthorized: target.tls === "verify-full",
            ...(target.ca === undefined ? {} : { ca: target.ca }),
          },
    application_name: applicationName,
    connectionTimeoutMillis: target.singleSession ? connectTimeoutMs.singleSession : connectTimeoutMs.server,
  };
}

/** A target that can be connected to, with the way there open. */
interface ReachedTarget extends ConnectionTarget {
  readonly ca: string | undefined;
  close(): Promise<void>;
}

async function reach(target: ConnectionTarget): Promise<ReachedTarget> {
  if (target.pod === undefined) {
    const ca = target.caFile === undefined ? undefined : readFileSync(target.caFile, "utf8");
    return { ...target, ca, close: async () => undefined };
  }
  // Only where it is needed: the client library of Kubernetes takes a third of a second to load.
  const { forward, kubeConfig, podCredentials } = await import("../kubernetes/portForward");
  const config = kubeConfig(target.pod);
  const credentials = await podCredentials(config, target.pod);
  const { port, close } = await forward(() => config, target.pod);
  return { ...target, ...credentials, port, close };
}

/** Clients of one process that wait for the embedded database's only session: the tail of the queue, by port. */
const queues = new Map<string, Promise<unknown>>();

function inTurn<T>(target: ConnectionTarget, work: () => Promise<T>): Promise<T> {
  if (!target.singleSession) return work();
  const key = `${target.host}:${target.port}`;
  const turn = (queues.get(key) ?? Promise.resolve()).then(work);
  queues.set(
    key,
    turn.catch(() => undefined),
  );
  return turn;
}

/**
 * Runs `work` with a connection that is closed afterwards, whatever happens.
 *
 * Never nest two calls for the same embedded database: the inner one would wait for the outer one.
 *
 * @throws UserError when the server cannot be reached or refuses the login; what `work` throws otherwise.
 */
export async function withClient<T>(
  target: ConnectionTarget,
  work: (client: Client) => Promise<T>,
  applicationName = "ms5",
): Promise<T> {
  return inTurn(target, async () => {
    const reached = await reach(target);
    const client = new Client(clientConfig(reached, applicationName));
    // An idle connection that breaks must fail the next query, not the process.
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      await reached.close();
      throw connectionError(target, error);
    }
    try {
      return await work(client);
    } finally {
      if (target.singleSession) {
        await client.query("ROLLBACK").catch(() => undefined);
        await client.query("DISCARD ALL").catch(() => undefined);
      }
      await client.end().catch(() => undefined);
      await reached.close();
    }
  });
}

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
export async function withTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

function connectionError(target: ConnectionTarget, error: unknown): UserError {
  const reason =
    error instanceof Error ? error.message || String((error as { code?: string }).code) : String(error);
  return new UserError(`cannot connect to ${describeTarget(target)}: ${reason}`, {
    fix: target.singleSession
      ? "start the embedded database with `npm start` (in another terminal), or let `npm run up -- local` start it"
      : /certificate/i.test(reason)
        ? "set database.caFile to the CA that signed the server's certificate, and database.host to the name in it"
        : "check database.host, database.port, database.user and database.password of the stack, and that the server is running",
    cause: error,
  });
}

/** Quotes a possibly schema-qualified name, e.g. `factory_telemetry.metric_hist`. */
export function quoteName(qualified: string): string {
  return qualified.split(".").map(escapeIdentifier).join(".");
}

export { Client, escapeIdentifier, escapeLiteral };
