// Stands between a kubeconfig and its API server, and notes what is asked.
import { createServer, type Server } from "node:http";
import { type RequestOptions, request } from "node:https";
import type { AddressInfo } from "node:net";
import { readKubeconfig } from "../../../ops/standins/kubernetes/kubeconfig";

export class CountingProxy {
  /** `GET /api/v1/…`, in order. */
  readonly asked: string[] = [];

  private constructor(private readonly server: Server) {}

  static async start(kubeconfig: string): Promise<CountingProxy> {
    const { config, server: target } = await readKubeconfig({ kubeconfig });
    const proxy: CountingProxy = new CountingProxy(
      createServer(async (incoming, outgoing) => {
        proxy.asked.push(`${incoming.method} ${incoming.url}`);
        const options: RequestOptions = { method: incoming.method };
        await config.applyToHTTPSOptions(options);
        options.headers = { ...incoming.headers, ...options.headers, host: new URL(target).host };
        const forwarded = request(new URL(incoming.url ?? "/", target), options, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
        forwarded.on("error", () => outgoing.destroy());
        incoming.pipe(forwarded);
      }),
    );
    await new Promise<void>((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** The content of a kubeconfig that leads through here. */
  get kubeconfig(): string {
    const { port } = this.server.address() as AddressInfo;
    const cluster = { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "proxy", cluster }],
      users: [{ name: "proxy", user: {} }],
      contexts: [{ name: "proxy", context: { cluster: "proxy", user: "proxy" } }],
      "current-context": "proxy",
    });
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
