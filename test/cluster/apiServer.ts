// The few questions that starting a cluster has for its API server, asked without a client library: that alone would
// take longer than the answers.
import { readFileSync } from "node:fs";
import { request } from "node:https";

interface Kubeconfig {
  readonly clusters: readonly { cluster: { server: string; "certificate-authority-data": string } }[];
  readonly users: readonly { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/**
 * @param kubeconfig file as certificates.ts writes it
 * @returns status and body; undefined when there is no answer within three seconds
 */
export function ask(
  kubeconfig: string,
  path: string,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} is none of ours`);
  const pem = (data: string) => Buffer.from(data, "base64");
  return new Promise((resolve) => {
    const query = request(
      `${cluster.server}${path}`,
      {
        ca: pem(cluster["certificate-authority-data"]),
        cert: pem(user["client-certificate-data"]),
        key: pem(user["client-key-data"]),
        // A connection kept open would keep the process alive.
        agent: false,
        timeout: 3000,
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    query.on("timeout", () => query.destroy());
    query.on("error", () => resolve(undefined));
    query.end();
  });
}

/** Whether the API server answers and calls itself ready. */
export async function isReady(kubeconfig: string): Promise<boolean> {
  // Its body contains "ok" for every check that passes, also while others fail.
  return (await ask(kubeconfig, "/readyz"))?.body.trim() === "ok";
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** Names of the nodes that are Ready. */
export async function readyNodes(kubeconfig: string): Promise<string[]> {
  const answer = await ask(kubeconfig, "/api/v1/nodes");
  if (answer?.status !== 200) return [];
  return (JSON.parse(answer.body) as NodeList).items
    .filter(({ status }) => status.conditions?.some((one) => one.type === "Ready" && one.status === "True"))
    .map(({ metadata }) => metadata.name);
}

/** Whether each node has a DNS server that answers. */
export async function dnsReady(kubeconfig: string, nodes: number): Promise<boolean> {
  const answer = await ask(kubeconfig, "/apis/apps/v1/namespaces/kube-system/daemonsets/coredns");
  if (answer?.status !== 200) return false;
  const { status } = JSON.parse(answer.body) as { status: { numberReady?: number } };
  return status.numberReady === nodes;
}
