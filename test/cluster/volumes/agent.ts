// Gives the claims of storage class `local` their volumes: of the size they ask for, on the node that the scheduler has
// chosen, larger when they ask for more, gone when they are.
//
//   tsx agent.ts CLUSTER
import { setTimeout as sleep } from "node:timers/promises";
import {
  CoreV1Api,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1PersistentVolume,
  type V1PersistentVolumeClaim,
} from "@kubernetes/client-node";
import { nodeOf, planCluster } from "../plan";
import { createDisk, growDisk, removeDisk } from "./disk";
import { type Step, steps } from "./wanted";

/** Before trying again what didn't work, in ms. */
const retryAfter = 500;

const plan = planCluster(process.argv[2]);
const config = new KubeConfig();
config.loadFromFile(plan.kubeconfig);
const core = config.makeApiClient(CoreV1Api);
const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

const claims = follow<V1PersistentVolumeClaim>("/api/v1/persistentvolumeclaims", () =>
  core.listPersistentVolumeClaimForAllNamespaces(),
);
const volumes = follow<V1PersistentVolume>("/api/v1/persistentvolumes", () => core.listPersistentVolume());
let wake: () => void = () => undefined;
void work();

function follow<T extends KubernetesObject>(path: string, list: () => Promise<KubernetesListObject<T>>) {
  const informer = makeInformer<T>(config, path, list);
  const start = () =>
    informer.start().catch(async (error: unknown) => {
      say(`watching ${path}: ${error}`);
      await sleep(retryAfter);
      void start();
    });
  informer.on("change", () => wake());
  informer.on("error", (error) => {
    say(`watching ${path}: ${error}`);
    setTimeout(start, retryAfter);
  });
  void start();
  return informer;
}

/** One step after the other, again after each change. */
async function work(): Promise<never> {
  while (true) {
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const open = await Promise.all(steps(claims.list(), volumes.list()).map(take));
    await (open.includes(false) ? sleep(retryAfter) : changed);
  }
}

/** @returns whether it worked */
async function take(step: Step): Promise<boolean> {
  try {
    if (step.do === "create") await create(step);
    else if (step.do === "grow") await grow(step);
    else await remove(step);
    return true;
  } catch (error) {
    say(`${step.do}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

async function create({ node, volume, name, mebibytes }: Step & { do: "create" }): Promise<void> {
  await createDisk(plan, nodeOf(plan, node), name, mebibytes);
  await core.createPersistentVolume({ body: volume }).catch(ignoring(409));
  say(`created ${name} of ${mebibytes} MiB on ${node}`);
}

async function grow({ node, name, claim, mebibytes }: Step & { do: "grow" }): Promise<void> {
  await growDisk(plan, nodeOf(plan, node), name, mebibytes);
  const capacity = { storage: `${mebibytes}Mi` };
  await core.patchPersistentVolume({ name, body: { spec: { capacity } } }, merge);
  await core.patchNamespacedPersistentVolumeClaimStatus(
    {
      name: claim.metadata?.name ?? "",
      namespace: claim.metadata?.namespace ?? "",
      body: { status: { capacity, conditions: null } },
    },
    merge,
  );
  say(`grew ${name} to ${mebibytes} MiB`);
}

async function remove({ node, name }: Step & { do: "remove" }): Promise<void> {
  await removeDisk(plan, nodeOf(plan, node), name);
  await core.deletePersistentVolume({ name }).catch(ignoring(404));
  say(`removed ${name}`);
}

function ignoring(code: number) {
  return (error: unknown) => {
    if ((error as { code?: number }).code !== code) throw error;
  };
}

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}
