// One more run of what a CronJob does, now, with what it says handed on as it says it.

import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchV1Api, CoreV1Api, type KubeConfig, Log as PodLog, type V1Pod } from "@kubernetes/client-node";
import { ExitCode, UserError } from "../../infra/errors";

/** Milliseconds until its pod runs: images may have to come. */
const startWithinMs = 180_000;

/**
 * @param tell each line of the job's output, as it comes
 * @returns whether it succeeded, and all it said. Whoever stops waiting leaves it running
 * @throws UserError when the CronJob is not there, or its pod does not start
 */
export async function runJob(
  config: KubeConfig,
  namespace: string,
  cronJob: string,
  tell: (line: string) => void,
): Promise<{ readonly succeeded: boolean; readonly lines: readonly string[] }> {
  const batch = config.makeApiClient(BatchV1Api);
  const { spec } = await readCronJob(batch, namespace, cronJob);
  const job = await batch.createNamespacedJob({
    namespace,
    body: {
      metadata: {
        generateName: `${cronJob}-now-`,
        // As `kubectl create job --from` marks them.
        annotations: { "cronjob.kubernetes.io/instantiate": "manual" },
      },
      spec: { ...spec?.jobTemplate.spec, template: spec?.jobTemplate.spec?.template ?? {}, backoffLimit: 0 },
    },
  });
  const name = job.metadata?.name ?? "";
  const pod = await startedPod(config, namespace, name);
  const lines: string[] = [];
  await follow(config, namespace, pod, (line) => {
    lines.push(line);
    tell(line);
  });
  return { succeeded: await outcome(batch, namespace, name), lines };
}

async function readCronJob(batch: BatchV1Api, namespace: string, name: string) {
  try {
    return await batch.readNamespacedCronJob({ namespace, name });
  } catch (error) {
    if ((error as { code?: number }).code !== 404) throw error;
    throw new UserError(`there is no CronJob ${name} in ${namespace}`, {
      fix: "let `npm run up` finish: it makes the jobs once backups.storage is set",
    });
  }
}

async function startedPod(config: KubeConfig, namespace: string, job: string): Promise<string> {
  const core = config.makeApiClient(CoreV1Api);
  const deadline = Date.now() + startWithinMs;
  for (;;) {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: `job-name=${job}` });
    const [pod] = items;
    const name = pod?.metadata?.name;
    if (pod !== undefined && name !== undefined && pod.status?.phase !== "Pending") return name;
    if (Date.now() > deadline) {
      throw new UserError(`the pod of job ${job} has not started: ${whyPending(pod)}`, {
        fix: `kubectl describe pod -n ${namespace} -l job-name=${job}`,
        exitCode: ExitCode.failed,
      });
    }
    await sleep(500);
  }
}

function whyPending(pod: V1Pod | undefined): string {
  const waiting = pod?.status?.containerStatuses?.find(({ state }) => state?.waiting)?.state?.waiting;
  const unschedulable = pod?.status?.conditions?.find(({ status }) => status === "False");
  return waiting?.message ?? waiting?.reason ?? unschedulable?.message ?? "there is none yet";
}

async function follow(
  config: KubeConfig,
  namespace: string,
  pod: string,
  tell: (line: string) => void,
): Promise<void> {
  const stream = new PassThrough();
  const lines = createInterface({ input: stream });
  const ended = new Promise<void>((resolve) => lines.once("close", () => resolve()));
  lines.on("line", tell);
  await new PodLog(config).log(namespace, pod, "work", stream, { follow: true });
  await ended;
}

async function outcome(batch: BatchV1Api, namespace: string, name: string): Promise<boolean> {
  for (;;) {
    const { status } = await batch.readNamespacedJob({ namespace, name });
    if ((status?.succeeded ?? 0) > 0) return true;
    if ((status?.failed ?? 0) > 0) return false;
    await sleep(300);
  }
}
