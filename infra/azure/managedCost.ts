// What Azure's managed Prometheus and Grafana are charged for in a month: samples that are taken in, samples that rules read,
// Grafana's instance and the people who open it. How many samples follows from the jobs; how many series each target has was
// counted or estimated once (docs/azure-monitoring.md), so it is an estimate.
import { intervals } from "../monitoring/prometheusConfig";
import type { MonitoringSettings } from "../monitoring/settings";
import { durationSeconds } from "./managedRules";
import { hoursPerMonth } from "./prices";

export interface ManagedCostArgs {
  readonly monitoring: Pick<MonitoringSettings, "place" | "grafana">;
  readonly members: number;
  readonly nodes: number;
  /** Part of the month in which the cluster runs, and is scraped. */
  readonly share: number;
}

/** Series of one target of a job, and how often it is asked. */
const jobs = {
  postgres: { series: 550, interval: intervals.postgres },
  hypertables: { series: 600, interval: intervals.hypertables },
  compression: { series: 60, interval: intervals.compression },
  performance: { series: 150, interval: intervals.performance },
  member: { series: 60, interval: intervals.others },
  pooler: { series: 120, interval: intervals.others },
  // Counted with our collectors, on a machine with two CPUs.
  node: { series: 270, interval: intervals.others },
  monitoring: { series: 250, interval: intervals.others },
} as const;

/** What rules record, once a minute. */
const recordedSeries = 80;
/** Mostly the month's averages of the service levels: five of 43,200 samples each, and as much for all other windows. */
const readByRulesInAMinute = 450_000;
/** Who opens a dashboard in a month: a guess. */
const people = 3;
/** Prices are for so many samples. */
const pricedSamples = 10_000_000;

/** Samples of a month that go into the workspace. */
export function ingestedSamples({ members, nodes, share }: Omit<ManagedCostArgs, "monitoring">): number {
  const targets: Readonly<Record<keyof typeof jobs, number>> = {
    postgres: members,
    hypertables: 1,
    compression: 1,
    performance: 1,
    member: members,
    // One on each node that is not the database's, at the most.
    pooler: 3,
    node: nodes,
    monitoring: 1,
  };
  const seconds = hoursPerMonth * 3_600;
  const scraped = (Object.keys(jobs) as (keyof typeof jobs)[]).reduce(
    (sum, job) => sum + (targets[job] * jobs[job].series * seconds) / durationSeconds(jobs[job].interval),
    0,
  );
  return share * scraped + (recordedSeries * seconds) / 60;
}

/** Nothing where pods of ours watch. */
export function managedCharges(args: ManagedCostArgs): { name: string; priceKey: string; units: number }[] {
  const { monitoring } = args;
  if (monitoring.place !== "azure") return [];
  const ingested = ingestedSamples(args);
  const read = readByRulesInAMinute * 60 * hoursPerMonth;
  return [
    {
      name: `Managed Prometheus: about ${Math.round(ingested / 1e6)} million samples`,
      priceKey: "metrics.ingestion",
      units: ingested / pricedSamples,
    },
    { name: "Managed Prometheus: what rules read", priceKey: "metrics.queries", units: read / pricedSamples },
    ...(monitoring.grafana
      ? [
          { name: "Managed Grafana, Standard", priceKey: "grafana.Standard", units: 1 },
          { name: `Managed Grafana: ${people} people a month`, priceKey: "grafana.person", units: people },
        ]
      : []),
  ];
}
