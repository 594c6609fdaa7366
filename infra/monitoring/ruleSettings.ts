import { estimate } from "../azure/cost";
import type { StackConfig } from "../config";
import type { TableName } from "../schema/catalogue";

/** What rules have to know of a stack, so that nothing alerts on what it does not have. */
export interface RuleSettings {
  /** Members of the database: with one alone there is no replication. */
  readonly members: number;
  /** On Apache there are no policies, no continuous aggregates and no columnstore. */
  readonly edition: "community" | "apache";
  /** Whether backups are made. */
  readonly backups: boolean;
  /** Seconds, by hypertable: age of its newest row from which on data counts as stale. Not named: nobody waits for it. */
  readonly freshness: Readonly<Partial<Record<TableName, number>>>;
  /** Seconds between two runs of the policy that runs most seldom. */
  readonly schedules: { readonly columnstore: number; readonly retention: number };
  /** Of a month, in the subscription's currency. undefined: nothing is known of costs. */
  readonly cost: { readonly estimate: number; readonly budget: number | undefined } | undefined;
  /** Whether it is stopped out of working hours. */
  readonly stopsAtNight: boolean;
  /** Whether Prometheus and Alertmanager are ours, and not Azure's. */
  readonly ownPrometheus: boolean;
}

/** undefined where nothing watches. */
export function ruleSettings(config: StackConfig): RuleSettings | undefined {
  const { monitoring, cluster, azure, database, tables } = config;
  if (monitoring === undefined || cluster === undefined) return undefined;
  const longest = (schedules: readonly number[]) => Math.max(...schedules);
  return {
    members: cluster.members,
    edition: database.edition,
    backups: cluster.backups !== undefined,
    freshness: { metric_hist: monitoring.freshness.seconds },
    schedules: {
      columnstore: longest(
        Object.values(tables).map(({ columnstoreSchedule }) => columnstoreSchedule.seconds),
      ),
      retention: longest(Object.values(tables).map(({ retentionSchedule }) => retentionSchedule.seconds)),
    },
    cost: azure && {
      estimate: Math.round(estimate(azure, { ...cluster, monitoring }).total),
      budget: azure.budget?.amount,
    },
    stopsAtNight: azure?.kubernetes.workingHours !== undefined,
    ownPrometheus: monitoring.place === "cluster",
  };
}
