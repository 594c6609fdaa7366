// Whom Alertmanager tells in tests: a program beside the cluster's control plane, which is outside for pods. (A pod could not
// be: a policy's addresses never mean pods.)
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ClusterPlan } from "../../cluster";
import { pidOf } from "../../cluster/machine";

const program = `
require("node:http").createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part)).on("end", () => {
    console.log(JSON.stringify(JSON.parse(Buffer.concat(parts))));
    response.end();
  });
}).listen(0, function () { console.log(JSON.stringify({ port: this.address().port })); });
`;

export interface Notification {
  readonly receiver: string;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

export class Webhook {
  readonly notifications: Notification[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
    readonly port: number,
  ) {}

  static async start(plan: ClusterPlan): Promise<Webhook> {
    const place = ["--target", String(pidOf(plan.control)), "--net", "--"];
    const child = spawn("nsenter", [...place, process.execPath, "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout });
    const [first] = (await once(lines, "line")) as [string];
    const { port } = JSON.parse(first) as { port: number };
    const webhook = new Webhook(child, plan.control.address, port);
    lines.on("line", (line) => webhook.notifications.push(JSON.parse(line) as Notification));
    return webhook;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.kill();
    await ended;
  }
}
