// Prometheus' file of rules, and the shape of what goes into it.
import { stringify } from "yaml";

/** Somebody is woken by `critical`: data is being lost, now or soon. `warning` waits until the morning. */
export type Severity = "critical" | "warning";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to be true before anybody is told. */
  readonly for: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: {
    /** One sentence: what is wrong. */
    readonly summary: string;
    /** What a user feels or what is at risk, and what to know before looking. */
    readonly description: string;
    /** A page of this repository, from its root. */
    readonly runbook_url: string;
  };
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

/** What `rule_files` of a Prometheus names. */
export function renderRules(groups: readonly RuleGroup[]): string {
  // Folded texts would be read all the same, but a search for a sentence would not find it.
  return stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false });
}
