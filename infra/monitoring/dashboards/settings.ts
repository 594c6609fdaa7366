import type { RuleSettings } from "../ruleSettings";

/** What dashboards have to know of a stack. */
export interface DashboardSettings extends RuleSettings {
  /**
   * Where people read this repository's `docs/`: a URL without a slash at its end. undefined: panels name the page, and have no
   * link to it.
   */
  readonly documentation: string | undefined;
}

/** What a panel is about, where not every stack has it. */
export type Need = "community" | "replicas" | "backups" | "cost" | "budget" | "ownPrometheus";

const met: Readonly<Record<Need, (settings: DashboardSettings) => boolean>> = {
  community: ({ edition }) => edition === "community",
  replicas: ({ members }) => members > 1,
  backups: ({ backups }) => backups,
  cost: ({ cost }) => cost !== undefined,
  budget: ({ cost }) => cost?.budget !== undefined,
  ownPrometheus: ({ ownPrometheus }) => ownPrometheus,
};

/** A panel that could never show anything is left out. */
export function has(settings: DashboardSettings, need: Need | undefined): boolean {
  return need === undefined || met[need](settings);
}
