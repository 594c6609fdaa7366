// Our rules as Azure's managed Prometheus takes them: groups of at most twenty, evaluated each minute at the most, with
// durations of ISO 8601 and a number for how bad it is. Whom an alert goes to stands in each rule: there is no Alertmanager.
import type { AlertRule, RecordingRule, RuleGroup, Severity } from "../monitoring/rulesFile";

/** Properties of a `Microsoft.AlertsManagement/prometheusRuleGroups` that follow from a group. */
export interface ManagedGroup<Receiver> {
  readonly name: string;
  readonly interval: string;
  readonly rules: ManagedRule<Receiver>[];
}

export type ManagedRule<Receiver> = ManagedRecord | ManagedAlert<Receiver>;

interface ManagedRecord {
  readonly record: string;
  readonly expression: string;
  readonly enabled: true;
}

interface ManagedAlert<Receiver> {
  readonly alert: string;
  readonly expression: string;
  readonly enabled: true;
  /** Left out: as soon as it is true. */
  readonly for?: string;
  /** 0 critical, 2 warning, 4 nobody's. */
  readonly severity: 0 | 2 | 4;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly resolveConfiguration: { readonly autoResolved: true; readonly timeToResolve: string };
  readonly actions: { readonly actionGroupId: Receiver }[];
}

export interface ManagedRulesArgs<Receiver> {
  /** On every alert: of which stack it is. The agent puts none on what it collects. */
  readonly labels: Readonly<Record<string, string>>;
  /** Resource id of the action group; undefined: alerts are shown, and nobody is told. */
  readonly receiver: Receiver | undefined;
  /** Whether warnings go there too. */
  readonly tellsWarnings: boolean;
}

/** Of a rule group ("Azure Monitor service limits", Prometheus metrics). */
const mostRules = 20;
const leastSeconds = 60;
/** The service takes a day; the API's own description says a quarter of an hour. */
const mostSeconds = 15 * 60;

/** How long an alert has to be false before it counts as over: a scrape that is late ends none. */
const timeToResolve = "PT5M";

const severities: Readonly<Record<Severity, 0 | 2 | 4>> = { critical: 0, warning: 2, none: 4 };

/** Groups in their order; what has more rules than one may have goes on in the next, named NAME-2. */
export function managedGroups<Receiver>(
  groups: readonly RuleGroup[],
  args: ManagedRulesArgs<Receiver>,
): ManagedGroup<Receiver>[] {
  return groups.flatMap(({ name, interval, rules }) =>
    parts(rules).map((part, index) => ({
      name: index === 0 ? name : `${name}-${index + 1}`,
      interval: evaluationInterval(interval),
      rules: part.map((rule) => ("record" in rule ? managedRecord(rule) : managedAlert(rule, args))),
    })),
  );
}

function parts<Rule>(rules: readonly Rule[]): Rule[][] {
  const count = Math.ceil(rules.length / mostRules);
  return Array.from({ length: count }, (_, part) => rules.slice(part * mostRules, (part + 1) * mostRules));
}

function managedRecord({ record, expr }: RecordingRule): ManagedRecord {
  return { record, expression: expr, enabled: true };
}

function managedAlert<Receiver>(
  rule: AlertRule,
  { labels, receiver, tellsWarnings }: ManagedRulesArgs<Receiver>,
): ManagedAlert<Receiver> {
  const { alert, expr, annotations } = rule;
  const { severity } = rule.labels;
  const seconds = durationSeconds(rule.for);
  const isTold = severity === "critical" || (severity === "warning" && tellsWarnings);
  return {
    alert,
    expression: expr,
    enabled: true,
    ...(seconds > 0 && { for: isoDuration(seconds) }),
    severity: severities[severity],
    labels: { ...rule.labels, ...labels },
    annotations: { ...annotations },
    resolveConfiguration: { autoResolved: true, timeToResolve },
    actions: receiver !== undefined && isTold ? [{ actionGroupId: receiver }] : [],
  };
}

/** A minute where a group says nothing: Azure evaluates none more often. */
function evaluationInterval(interval: string | undefined): string {
  const seconds = interval === undefined ? leastSeconds : durationSeconds(interval);
  return isoDuration(Math.min(Math.max(seconds, leastSeconds), mostSeconds));
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** @param duration as Prometheus writes it: `90s`, `1h30m`, `3d` */
export function durationSeconds(duration: string): number {
  if (!/^(\d+[smhdw])+$/.test(duration)) throw new Error(`unexpected: ${duration} is no duration`);
  return [...duration.matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, count = "", unit = ""]) => sum + Number(count) * (unitSeconds[unit] ?? 0),
    0,
  );
}

/** `P1DT2H3M4S`, without what is zero. */
export function isoDuration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const parts = [
    [Math.floor((seconds % 86_400) / 3_600), "H"],
    [Math.floor((seconds % 3_600) / 60), "M"],
    [seconds % 60, "S"],
  ] as const;
  const time = parts.map(([count, unit]) => (count > 0 ? `${count}${unit}` : "")).join("");
  if (days === 0 && time === "") return "PT0S";
  return `P${days > 0 ? `${days}D` : ""}${time === "" ? "" : `T${time}`}`;
}
