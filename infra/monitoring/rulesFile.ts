// Prometheus' file of rules, and the shape of what goes into it.
import { stringify } from "yaml";

/**
 * Somebody is woken by `critical`: a user is hurt or data is being lost, now or soon. `warning` waits until the morning.
 * `none` is for machines (the dead man's switch): no person is told.
 */
export type Severity = "critical" | "warning" | "none";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to be true before anybody is told. */
  readonly for: string;
  readonly labels: {
    readonly severity: Severity;
    /** Of alerts on a service level: how many times faster than planned its budget goes. */
    readonly burn?: string;
  };
  readonly annotations: {
    /** One sentence: what is wrong. */
    readonly summary: string;
    /** What a user feels or what is at risk, and what to know before looking. */
    readonly description: string;
    /** A page of this repository, from its root. */
    readonly runbook_url: string;
  };
}

/** A series that is computed at each evaluation, for alerts and dashboards. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export interface RuleGroup {
  readonly name: string;
  /** Between two evaluations. undefined: Prometheus' own (`evaluation_interval`). */
  readonly interval?: string;
  readonly rules: readonly (AlertRule | RecordingRule)[];
}

/** A group in which nothing is recorded. */
export interface AlertGroup extends RuleGroup {
  readonly rules: readonly AlertRule[];
}

/** All alerts of these groups, in their order. */
export function alertsOf(groups: readonly RuleGroup[]): AlertRule[] {
  return groups.flatMap(({ rules }) => rules.filter((rule) => "alert" in rule));
}

/** What `rule_files` of a Prometheus names. */
export function renderRules(groups: readonly RuleGroup[]): string {
  // Folded texts would be read all the same, but a search for a sentence would not find it.
  return stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false });
}
