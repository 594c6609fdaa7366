/**
 * Failover: seeded faults, one after the other, on the cluster of `npm run cluster`, while clients write through the pooler.
 * What they were told was written is noted outside of the database, and looked for afterwards.
 */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { activeColour } from "../../../infra/database/clusterNames";
import { ExitCode, UserError } from "../../../infra/errors";
import { type ClusterPlan, planCluster } from "../../../test/cluster/plan";
import type { Log } from "../../log";
import { thisMachine } from "../machine";
import { type Kind, kindNames, notDone } from "./kinds";
import { compareWithGoals, type FailoverReport, summariseKinds } from "./report";
import { runFaults } from "./run";
import { schedule } from "./schedule";

export interface FailoverOptions {
  /** Of the cluster with the database. */
  readonly kubeconfig: string;
  readonly seed: number;
  readonly count: number;
  readonly kinds: readonly Kind[];
  readonly apiServerDownSeconds: number;
  readonly log: Log;
  /** Ends it early: what is broken is healed, and what was made is removed. */
  readonly signal: AbortSignal;
}

/** @throws UserError when the cluster is none of ours, or its database is not well before the first fault */
export async function benchFailover(options: FailoverOptions): Promise<FailoverReport> {
  const plan = planOf(options.kubeconfig);
  const config = new KubeConfig();
  config.loadFromFile(options.kubeconfig);
  const date = new Date().toISOString();
  const { seed, count, kinds, log, signal } = options;
  const faults = schedule(seed, count, kinds, options.apiServerDownSeconds * 1000);
  const result = await runFaults({ plan, config, colour: activeColour, faults, log, signal });
  return {
    name: "failover",
    machine: thisMachine(),
    date,
    command: commandOf(options),
    settings: {
      seed,
      faults: result.faults.length,
      "acknowledged writes": result.acknowledged,
      "load average before a fault": loadRange(result.faults.map(({ load }) => load)),
    },
    kinds: summariseKinds(result.faults),
    goals: compareWithGoals(result.faults, result),
    notDone,
    ...result,
  };
}

/** How to measure the same again. */
function commandOf({ seed, count, kinds, apiServerDownSeconds }: FailoverOptions): string {
  const some = kinds.length === kindNames.length ? "" : ` --kinds ${kinds.join(",")}`;
  return `npm run bench -- failover --seed ${seed} --count ${count}${some} --api-server-down ${apiServerDownSeconds}`;
}

function loadRange(loads: readonly number[]): string {
  return loads.length === 0 ? "" : `${Math.min(...loads)} to ${Math.max(...loads)}`;
}

/** @throws UserError for a cluster whose nodes are not on this machine */
function planOf(kubeconfig: string): ClusterPlan {
  // Each has its folder beside the others.
  const clusters = dirname(planCluster().folder);
  const plan = namesIn(clusters)
    .map((name) => planCluster(name))
    .find((plan) => plan.kubeconfig === kubeconfig);
  if (plan !== undefined) return plan;
  throw new UserError(
    `${kubeconfig} leads to no cluster of \`npm run cluster\`: nothing else is broken for a test`,
    {
      fix: "npm run cluster -- up, and deploy stack cluster to the kubeconfig it names",
      exitCode: ExitCode.environment,
    },
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
