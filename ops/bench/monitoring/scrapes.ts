// What scrapes cost the primary: its container's CPU time over many in a row, less that of as long without them. Prometheus
// itself goes on scraping all the while, in both.
import { setTimeout as sleep } from "node:timers/promises";
import { memberHosts, memberNames } from "../../../infra/database/clusterAddress";
import { leaderLock } from "../../../infra/database/leaderLock";
import { podExec } from "../../../infra/database/podExec";
import { UserError } from "../../../infra/errors";
import { namespaceNames } from "../../../infra/kubernetes/namespaceNames";
import { forward } from "../../../infra/kubernetes/portForward";
import { monitoringPorts, monitoringServices } from "../../../infra/monitoring/names";
import { authModule, intervals } from "../../../infra/monitoring/prometheusConfig";
import type { BackupPlace } from "../../backups/place";
import type { Log } from "../../log";
import { summarise } from "../measure";
import type { Result } from "../report";

/** Those that the database is asked for. */
export const scrapeJobs = ["postgres", "hypertables", "compression", "performance"] as const;
export type ScrapeJob = (typeof scrapeJobs)[number];

const rounds = 3;
const scrapesInARow = 60;

/** CPU milliseconds of one scrape, a sample each round; or why there is none. */
export type ScrapeCosts = ReadonlyMap<ScrapeJob, readonly number[]> | { readonly unknown: string };

/** @throws UserError when an exporter does not answer, or could not ask the database */
export async function measureScrapes(
  place: BackupPlace,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<ScrapeCosts> {
  const { kubernetes, colour, route, cluster } = place;
  const { holder } = await leaderLock(kubernetes, colour);
  const address = { name: colour, namespace: route.namespace, members: cluster.members };
  const host = memberHosts(address)[memberNames(address).indexOf(holder ?? "")];
  if (holder === undefined || host === undefined) {
    throw new UserError(`cluster ${colour} has no primary at the moment`, {
      fix: `wait until a pod has role=primary: kubectl get pods -n ${route.namespace} -L role`,
    });
  }
  const pod = { namespace: route.namespace, pod: holder, container: "database" };
  const cpuSeconds = async () => parseCpuSeconds(await podExec(kubernetes, pod, ["sh", "-c", readCpu]));
  if ((await cpuSeconds()) === undefined) {
    return {
      unknown: `container database of pod ${holder} shows no CPU time of its own below /sys/fs/cgroup`,
    };
  }
  const to = (port: number) =>
    forward(() => kubernetes, {
      namespace: namespaceNames.monitoring,
      labels: { "app.kubernetes.io/name": monitoringServices.exporter },
      port,
    });
  const timescaledb = await to(monitoringPorts.timescaledbExporter);
  const postgres = await to(monitoringPorts.postgresExporter);
  const probe = new URLSearchParams({
    target: `${host}:5432/${place.target.database}`,
    auth_module: authModule,
  });
  const url = (job: ScrapeJob) =>
    job === "postgres"
      ? `http://127.0.0.1:${postgres.port}/probe?${probe}`
      : `http://127.0.0.1:${timescaledb.port}/metrics/${job}`;
  /** CPU seconds and real ones. */
  const during = async (work: () => Promise<unknown>) => {
    const [cpu, begun] = [await cpuSeconds(), performance.now()];
    await work();
    const ms = performance.now() - begun;
    return { cpu: ((await cpuSeconds()) ?? Number.NaN) - (cpu ?? Number.NaN), ms };
  };
  const costs = new Map<ScrapeJob, number[]>(scrapeJobs.map((job) => [job, []]));
  try {
    for (const job of scrapeJobs) await scrape(url(job), signal);
    for (let round = 1; round <= rounds; round += 1) {
      for (const [job, samples] of costs) {
        log.info(`scrapes: round ${round} of ${rounds}, ${job}`);
        const busy = await during(async () => {
          for (let count = 0; count < scrapesInARow; count += 1) await scrape(url(job), signal);
        });
        const idle = await during(() => sleep(busy.ms, undefined, { signal }));
        samples.push(((busy.cpu - idle.cpu) * 1_000) / scrapesInARow);
      }
    }
    return costs;
  } finally {
    await Promise.all([timescaledb.close(), postgres.close()]);
  }
}

/** Cgroups of version 1 count nanoseconds, of version 2 microseconds. */
const readCpu = `
for file in /sys/fs/cgroup/cpuacct/cpuacct.usage /sys/fs/cgroup/cpu,cpuacct/cpuacct.usage; do
  if [ -r "$file" ]; then echo "nanoseconds $(cat "$file")"; exit; fi
done
if [ -r /sys/fs/cgroup/cpu.stat ]; then sed -n 's/^usage_usec /microseconds /p' /sys/fs/cgroup/cpu.stat; fi`;

/** Seconds of what `readCpu` prints; undefined where the container has no counter. */
export function parseCpuSeconds(text: string): number | undefined {
  const [, unit, count] = /^(nano|micro)seconds (\d+)$/m.exec(text) ?? [];
  if (count === undefined) return undefined;
  return Number(count) / (unit === "nano" ? 1e9 : 1e6);
}

async function scrape(url: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal });
  const text = await response.text();
  const failed = failureOf(response.status, text);
  if (failed === undefined) return;
  throw new UserError(`${new URL(url).pathname} of the exporters: ${failed}`, {
    fix: `see their log: kubectl logs -n ${namespaceNames.monitoring} deployment/${monitoringServices.exporter} --all-containers`,
  });
}

/** Why an answer is not what a scrape costs: one that could not ask the database costs it nothing. */
export function failureOf(status: number, text: string): string | undefined {
  if (status !== 200) return `status ${status}`;
  return /^(?:pg_up|timescaledb_up|timescaledb_exporter_collect_success)(?:\{.*\})? 0$/m.exec(text)?.[0];
}

/** Share of one core, in percent, that a scrape of so many milliseconds is at a job's real interval. */
export function shareOf(job: ScrapeJob, milliseconds: number): number {
  return (milliseconds / 1_000 / seconds(intervals[job])) * 100;
}

function seconds(text: `${number}s`): number {
  return Number.parseInt(text, 10);
}

/** Pure. */
export function scrapeRows(costs: ScrapeCosts): Result[] {
  if ("unknown" in costs) {
    return scrapeJobs.map((job) => ({ case: `one scrape of ${job}`, notMeasured: costs.unknown }));
  }
  const samples = (job: ScrapeJob) => costs.get(job) ?? [];
  const totals = samples(scrapeJobs[0]).map((_, round) =>
    scrapeJobs.reduce((sum, job) => sum + shareOf(job, samples(job)[round] ?? Number.NaN), 0),
  );
  return [
    ...scrapeJobs.map((job) => ({
      case: `one scrape of ${job}, each ${intervals[job]}`,
      unit: "ms of CPU",
      ...summarise(samples(job)),
    })),
    { case: "all four, of one of the primary's cores", unit: "%", ...summarise(totals) },
  ];
}
