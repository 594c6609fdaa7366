/**
 * What watching costs and gives: how fast the monitoring API answers, what scrapes take from the primary, and how long after a
 * fault somebody is told.
 */
import { CoreV1Api } from "@kubernetes/client-node";
import { ExitCode, UserError } from "../../../infra/errors";
import { namespaceNames } from "../../../infra/kubernetes/namespaceNames";
import { loginRoles } from "../../../infra/schema/roleNames";
import { ensureBlobStorage } from "../../../test/cluster/blobStorage";
import { killInPod } from "../../../test/cluster/faults";
import { planCluster } from "../../../test/cluster/plan";
import { findPod } from "../../../test/cluster/pods";
import { type BackupPlace, backupPlace } from "../../backups/place";
import type { Log } from "../../log";
import { thisMachine } from "../machine";
import { alertRows, notTold, type Told, timeAlerts } from "./alerts";
import { endpointRows, type Logins, measureEndpoints } from "./endpoints";
import { alone, type Place, together } from "./faults";
import type { MonitoringReport } from "./report";
import { measureScrapes, scrapeRows } from "./scrapes";
import { Watch } from "./watch";

export interface MonitoringBenchOptions {
  readonly stack: string;
  /** Whether faults are caused; that takes one to two hours. */
  readonly alerts: boolean;
  readonly log: Log;
  /** Ends it early: what was caused is undone. */
  readonly signal: AbortSignal;
}

/** Waits an hour by its rule: longer than a fault is waited for here. */
const tooSlow = "LoginExpiring";

/** @throws UserError when nothing watches the stack, it has no backups, or faults can't be caused in it; the signal's reason */
export async function benchMonitoring(options: MonitoringBenchOptions): Promise<MonitoringReport> {
  const { stack, alerts, log, signal } = options;
  const place = await backupPlace(stack, log);
  if (place.config.monitoring?.place !== "cluster") {
    throw new UserError(`stack "${stack}" is not watched by pods of its own`, {
      fix: "set monitoring.place to cluster and deploy it: docs/monitoring.md",
    });
  }
  const date = new Date().toISOString();
  const logins = await readLogins(place);
  // Before minutes are spent on the rest: refused where faults can't be caused.
  const faultPlace = alerts ? await placeOfFaults(place, logins, log) : undefined;
  const endpoints = await measureEndpoints(place, logins, { log, signal });
  const scrapes = await measureScrapes(place, { log, signal });
  const told = faultPlace && (await measureAlerts(faultPlace, log, signal));
  return {
    name: "monitoring",
    machine: thisMachine(),
    date,
    command: `npm run bench -- monitoring --stack ${stack}${alerts ? "" : " --no-alerts"}`,
    settings: {
      members: place.cluster.members,
      "way to the database": "a port-forward, in the process of service and clients",
      "requests without an answer": endpoints.failed,
      ...(alerts && { "not waited for": `${tooSlow}, which waits an hour by its rule` }),
    },
    sections: [
      { title: "The API's endpoints, 8 clients at a time", results: endpointRows(endpoints) },
      { title: "What scrapes cost the primary", results: scrapeRows(scrapes) },
      ...(told === undefined ? [] : [{ title: "From a fault until it is told", results: alertRows(told) }]),
    ],
    notTold: notTold(told ?? []),
  };
}

/** What the stack's own monitoring API logs in with. */
async function readLogins({ kubernetes }: BackupPlace): Promise<Logins> {
  const secret = { namespace: namespaceNames.monitoring, name: "monitoring-api-logins" };
  const { data } = await kubernetes
    .makeApiClient(CoreV1Api)
    .readNamespacedSecret(secret)
    .catch((error: unknown) => {
      throw new UserError(`the Secret ${secret.namespace}/${secret.name} cannot be read`, {
        fix: "deploy the stack with monitoring first: npm run up",
        cause: error,
      });
    });
  const password = (key: string) => Buffer.from(data?.[key] ?? "", "base64").toString("utf8");
  return { monitor: password("monitor"), reader: password("reader") };
}

/** @throws UserError for a cluster whose nodes and storage are not on this machine */
async function placeOfFaults(
  { kubernetes, route, target }: BackupPlace,
  logins: Logins,
  log: Log,
): Promise<Place> {
  const plan = planCluster();
  if (route.kubeconfig !== plan.kubeconfig) {
    throw new UserError(
      `the stack is not on the cluster of \`npm run cluster\`: nothing else is broken for a test`,
      {
        fix: "npm run cluster -- up, and deploy to the kubeconfig it names; or measure the rest with --no-alerts",
        exitCode: ExitCode.environment,
      },
    );
  }
  const storage = await ensureBlobStorage(plan, log);
  return {
    config: kubernetes,
    database: target.database,
    passwords: { [loginRoles.reader]: logins.reader },
    storage: (state) => storage.misbehave(state && { kind: "down" }),
    freeze: async (pod, state) => {
      const found = await findPod(plan, route.namespace, pod);
      await killInPod(found, /postgres/, state ? "SIGSTOP" : "SIGCONT");
    },
  };
}

async function measureAlerts(place: Place, log: Log, signal: AbortSignal): Promise<Told[]> {
  const watch = await Watch.open(place.config);
  try {
    const first = together.filter(({ alert }) => alert !== tooSlow);
    return await timeAlerts([first, ...alone.map((fault) => [fault])], { place, watch, log, signal });
  } finally {
    await watch.close();
  }
}
