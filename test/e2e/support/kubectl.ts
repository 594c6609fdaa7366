import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { ClusterPlan } from "../../cluster/plan";
import type { Tools } from "../../cluster/tools";

/** kubectl on a cluster of ours. */
export type Kubectl = (args: readonly string[], input?: object) => Promise<string>;

/** @returns a function that runs kubectl and gives what it prints; it throws what kubectl says when it fails */
export function kubectlFor(plan: ClusterPlan, tools: Tools): Kubectl {
  return async (args, input) => {
    const child = spawn(join(tools.kubernetes, "kubectl"), ["--kubeconfig", plan.kubeconfig, ...args]);
    child.stdin.end(input === undefined ? "" : JSON.stringify(input));
    const [out, err, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.once("close", resolve)),
    ]);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${err.trim()}`);
    return out.trim();
  };
}
