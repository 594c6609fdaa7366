// Brings every member of a cluster to what is stated, one at a time, and the primary last and without its clients seeing
// it: what a StatefulSet cannot know to do.
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import type { dynamic } from "@pulumi/pulumi";
import { loadConfig } from "../../config";
import { UserError } from "../../errors";
import { kubeConfig } from "../../kubernetes/portForward";
import { leaderLock } from "../leaderLock";
import { switchOver } from "../switchover";
import { memberStates, replaceMember, restartMember, touchPods } from "./members";
import { nextStep, type Step } from "./nextStep";
import type { RolloutInputs } from "./resource";

interface Stack {
  readonly name: string;
  readonly rawConfig: Readonly<Record<string, string>>;
}

/** Milliseconds in which something has to move: a new member copies the whole database first. */
const stillTimeoutMs = 15 * 60_000;
const pollMs = 1_000;

/** @throws Error that says which member does not come along, and why as far as it is known */
export async function apply(stack: Stack, { colour, revision }: RolloutInputs): Promise<void> {
  const config = clusterOf(stack);
  await touchPods(config, colour, revision);
  let doing = "";
  let since = Date.now();
  for (;;) {
    const step = nextStep(await memberStates(config, colour, revision));
    if (step.do === "nothing") return;
    const now = describe(step);
    if (now !== doing) {
      doing = now;
      since = Date.now();
    } else if (Date.now() - since > stillTimeoutMs) {
      throw new UserError(
        `the rollout of ${colour} has been waiting ${stillTimeoutMs / 60_000} minutes: ${now}`,
        {
          fix: "see docs/runbooks/replica-lagging.md; the next `up` carries on from here",
        },
      );
    }
    await take(config, colour, step);
    await sleep(pollMs);
  }
}

async function take(config: KubeConfig, colour: string, step: Step): Promise<void> {
  if (step.do === "replace") await replaceMember(config, step.member);
  if (step.do === "restart") await restartMember(config, step.member);
  if (step.do === "switch over" && (await someoneHasEverything(config, colour)))
    await switchOver(config, colour);
}

/** A replica that has just come back is not among the voters before it has caught up: that is worth a turn more. */
async function someoneHasEverything(config: KubeConfig, colour: string): Promise<boolean> {
  return (await leaderLock(config, colour)).voters.length > 0;
}

function describe(step: Step): string {
  if (step.do === "wait") return `for ${step.for}`;
  return "member" in step ? `to ${step.do} ${step.member}` : step.do;
}

/** Members that have come to run something else are a drift, which the next `up` takes care of. */
export async function read(stack: Stack, id: string, props: RolloutInputs): Promise<dynamic.ReadResult> {
  const states = await memberStates(clusterOf(stack), props.colour, props.revision);
  const drifted = states.some(
    ({ current, informed, pendingRestart }) => !current || !informed || pendingRestart,
  );
  return { id, props: drifted ? { ...props, revision: "not rolled out everywhere" } : props };
}

function clusterOf({ name, rawConfig }: Stack): KubeConfig {
  const { kubernetes } = loadConfig(name, rawConfig, process.env);
  if (kubernetes === undefined) throw new Error(`stack "${name}" has no Kubernetes`);
  return kubeConfig({
    ...(kubernetes.kubeconfig === undefined ? {} : { kubeconfig: kubernetes.kubeconfig }),
    ...(kubernetes.context === undefined ? {} : { context: kubernetes.context }),
  });
}
