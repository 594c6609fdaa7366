import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Speaks with a cluster's API server as a program in a pod does: by a token and nothing else. */
export class TokenClient {
  private readonly agent: Agent;
  private readonly server: string;

  constructor(
    config: KubeConfig,
    private readonly token: string,
  ) {
    const cluster = config.getCurrentCluster();
    if (!cluster?.caData) throw new Error("the kubeconfig's cluster has no CA in it");
    this.server = cluster.server;
    const ca = Buffer.from(cluster.caData, "base64");
    this.agent = new Agent({ ca, keepAlive: true, maxSockets: 10 });
  }

  /** A patch is a merge patch. */
  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { authorization: `Bearer ${this.token}`, "content-type": type };
    return new Promise((resolve, reject) => {
      request(new URL(path, this.server), { method, headers, agent: this.agent }, (response) => {
        const status = response.statusCode ?? 0;
        text(response).then((it) => resolve({ status, text: it }), reject);
      })
        .once("error", reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
