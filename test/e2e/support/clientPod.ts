// An application's pod: in a namespace that may use the database, with the CA and Python's PostgreSQL driver.
import type { KubeConfig } from "@kubernetes/client-node";
import { podExec } from "../../../infra/database/podExec";
import { databaseTag } from "../../cluster";
import { TestNamespace } from "./kubernetes";

export class ClientPod {
  private constructor(
    private readonly config: KubeConfig,
    private readonly namespace: TestNamespace,
  ) {}

  /**
   * @param caPem what it verifies servers with
   * @param allowed whether its namespace says that it may use the database
   */
  static async create(
    config: KubeConfig,
    kubeconfig: string,
    caPem: string,
    allowed = true,
  ): Promise<ClientPod> {
    const namespace = await TestNamespace.create(kubeconfig, "client");
    const labels = allowed ? { "ms5.io/database-client": "true" } : {};
    const metadata = { namespace: namespace.name };
    await namespace.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace.name, labels },
    });
    await namespace.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...metadata, name: "ca" },
      data: { "ca.pem": caPem },
    });
    await namespace.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name: "client" },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "client",
            image: databaseTag,
            command: ["sleep", "infinity"],
            volumeMounts: [{ name: "ca", mountPath: "/ca" }],
          },
        ],
        volumes: [{ name: "ca", configMap: { name: "ca" } }],
      },
    });
    for (;;) {
      const { status } = (await namespace.get("v1", "Pod", "client")) as { status?: { phase?: string } };
      if (status?.phase === "Running") return new ClientPod(config, namespace);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  /** Runs a Python program with psycopg2 at hand, and returns what it prints as JSON. */
  async python<T>(program: string): Promise<T> {
    const place = { namespace: this.namespace.name, pod: "client", container: "client" };
    return JSON.parse(await podExec(this.config, place, ["python3", "-c", program], { timeoutMs: 180_000 }));
  }

  remove(): Promise<void> {
    return this.namespace.remove();
  }
}

/** Where applications go, as libpq takes it. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly sslmode?: string;
}

/** A program that logs in, runs one statement and prints `{"rows"}` or `{"error"}`. */
export function statement(login: Login, sql: string): string {
  return `
import json, psycopg2
try:
    connection = psycopg2.connect(${JSON.stringify(dsn(login))})
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(${JSON.stringify(sql)})
    print(json.dumps({"rows": [[str(value) for value in row] for row in cursor.fetchall()] if cursor.description else []}))
except psycopg2.Error as error:
    print(json.dumps({"error": str(error).strip()}))
`;
}

/**
 * A program in which four applications write one row after the other for some seconds. Prints how many writes were
 * acknowledged, every error, and the longest time in which one of them got no answer, in milliseconds.
 */
export function writers(login: Login, seconds: number): string {
  return `
import json, psycopg2, threading, time
end = time.monotonic() + ${seconds}
result = {"writes": 0, "errors": [], "longestMs": 0}
def write(number):
    connection = psycopg2.connect(${JSON.stringify(dsn(login))})
    connection.autocommit = True
    cursor = connection.cursor()
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            cursor.execute("INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id) VALUES (clock_timestamp(), 1, 1, %s)", (number,))
            result["writes"] += 1
        except psycopg2.Error as error:
            result["errors"].append(str(error).strip())
            return
        result["longestMs"] = max(result["longestMs"], round((time.monotonic() - begun) * 1000))
threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 5)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(result))
`;
}

export interface Written {
  readonly writes: number;
  readonly errors: readonly string[];
  readonly longestMs: number;
}

function dsn({ user, password, host, port, database, sslmode }: Login): string {
  return [
    `host=${host ?? "pooler.ms5-pooler.svc"} port=${port ?? 6432} dbname=${database ?? "ms5"}`,
    `user=${user} password=${password} sslmode=${sslmode ?? "verify-full"} sslrootcert=/ca/ca.pem connect_timeout=10`,
  ].join(" ");
}
