// Each kind of fault, done and undone.
import { CoreV1Api } from "@kubernetes/client-node";
import { switchOver } from "../../../infra/database/switchover";
import {
  cutFromApiServer,
  cutNode,
  freezeMachine,
  healDisk,
  healNode,
  healToApiServer,
  killInPod,
  slowDisk,
  startApiServer,
  stopApiServer,
  thawMachine,
} from "../../../test/cluster/faults";
import type { ClusterPlan } from "../../../test/cluster/plan";
import type { PodPlace } from "../../../test/cluster/pods";
import type { Kind } from "./kinds";
import type { Target } from "./members";

/** Who is what just before a fault. */
export interface Scene extends Target {
  readonly primary: PodPlace;
  /** The replica that a fault may hit. */
  readonly replica: PodPlace;
  /** Whether the whole node is meant, where a pod alone would do. */
  readonly wholeNode: boolean;
}

export interface FaultAction {
  /** Nodes whose own clients can't be helped. */
  readonly hits?: readonly string[];
  /** @throws UserError when it is a thing that should have worked */
  inflict(): Promise<unknown>;
  /** Not there for what needs no undoing. */
  heal?(): Promise<unknown>;
  /** Milliseconds until Kubernetes itself is over it, which nothing shows. */
  readonly calmMs?: number;
}

/** Kubelets and proxies that have lost their API server for a while ask again after up to a minute. */
const afterApiServerMs = 70_000;

/** Writes a second that are left of a slow disk. */
const slowWrites = 5;

export function actionOf(kind: Kind, scene: Scene): FaultAction {
  const { plan, primary, replica } = scene;
  switch (kind) {
    case "kill-postgres":
      return { inflict: () => kill(primary, /^\/usr\/lib\/postgresql\/\d+\/bin\/postgres /) };
    case "kill-patroni":
      return { inflict: () => kill(primary, /\/patroni \/ms5\//) };
    case "delete-pod":
      return { inflict: () => deletePod(scene) };
    case "freeze-node":
      return frozen(plan, primary);
    case "cut-node":
      return {
        hits: [primary.node.name],
        inflict: () => cutNode(plan, primary.node.name),
        heal: () => healNode(plan, primary.node.name),
      };
    case "cut-apiserver": {
      const who = scene.wholeNode ? primary.node : primary;
      return {
        inflict: () => cutFromApiServer(plan, who),
        heal: () => healToApiServer(plan, who),
        calmMs: scene.wholeNode ? afterApiServerMs : 0,
      };
    }
    case "apiserver-down":
      return {
        inflict: () => stopApiServer(plan),
        heal: () => startApiServer(plan),
        calmMs: afterApiServerMs,
      };
    case "lose-replica":
      return frozen(plan, replica);
    case "lose-two":
      return frozen(plan, primary, replica);
    case "slow-disk":
      return {
        inflict: () => slowDisk(primary, "wal", slowWrites),
        heal: () => healDisk(primary, "wal"),
      };
    case "switchover":
      return { inflict: () => switchOver(scene.config, scene.colour) };
  }
}

function frozen(plan: ClusterPlan, ...pods: readonly PodPlace[]): FaultAction {
  const nodes = pods.map(({ node }) => node.name);
  return {
    hits: nodes,
    inflict: () => Promise.all(nodes.map((node) => freezeMachine(plan, node))),
    heal: () => Promise.all(nodes.map((node) => thawMachine(plan, node))),
  };
}

async function kill(pod: PodPlace, command: RegExp): Promise<void> {
  const victims = await killInPod(pod, command, "SIGKILL");
  if (victims !== 1) throw new Error(`${victims} processes of ${pod.name} match ${command}`);
}

async function deletePod({ config, primary: { namespace, name } }: Scene): Promise<void> {
  await config.makeApiClient(CoreV1Api).deleteNamespacedPod({ namespace, name });
}
