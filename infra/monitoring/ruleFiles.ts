import { allRules } from "./alerts/all";
import type { RuleSettings } from "./ruleSettings";
import { renderRules } from "./rulesFile";

/** Prometheus' files of rules for a stack, by name. One a group: a ConfigMap's diff then shows what changed. */
export function ruleFiles(settings: RuleSettings): Record<string, string> {
  return Object.fromEntries(
    allRules(settings).map((group) => [
      `${group.name.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}.yml`,
      renderRules([group]),
    ]),
  );
}
