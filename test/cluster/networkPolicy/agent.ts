// Enforces NetworkPolicies on the nodes of the test cluster: watches the API server and keeps the rules in each node's
// network namespace equal to what the policies say. While the API server is away the rules stay as they are.
//
//   tsx agent.ts --kubeconfig FILE --node NAME --netns FILE [--node NAME --netns FILE ...]
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { NodeRules } from "./nodeRules";
import { watchCluster } from "./watchCluster";

/** Changes come in swarms: one set of rules for all of a moment, in ms. */
const gatherFor = 20;

const { kubeconfig, nodes } = readArguments();
const config = new KubeConfig();
config.loadFromFile(kubeconfig);

let gathering = false;
const cluster = watchCluster(config, say, () => {
  if (gathering) return;
  gathering = true;
  void sleep(gatherFor).then(() => {
    gathering = false;
    for (const node of nodes) node.want(cluster());
  });
});

function readArguments() {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string" },
      node: { type: "string", multiple: true },
      netns: { type: "string", multiple: true },
    },
  });
  const { kubeconfig, node: names = [], netns: places = [] } = values;
  if (kubeconfig === undefined || names.length === 0 || names.length !== places.length)
    throw new Error(
      "usage: agent.ts --kubeconfig FILE --node NAME --netns FILE [--node NAME --netns FILE ...]",
    );
  return { kubeconfig, nodes: names.map((name, index) => new NodeRules(name, places[index] ?? "", say)) };
}

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}
