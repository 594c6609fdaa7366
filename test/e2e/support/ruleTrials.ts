// Rules of alerts tried by promtool: what is told minute by minute, and what has to fire then.
import { expect } from "vitest";
import { stringify } from "yaml";
import { type AlertRule, alertsOf, type RuleGroup, renderRules } from "../../../infra/monitoring/rulesFile";
import type { Promtool } from "./promtool";

/** A series' value in each minute from 0 on; undefined: not told. Time begins at 0. */
export type Course = (minute: number) => number | undefined;
/** What is told, by series with their labels. undefined: never. */
export type Telling = Readonly<Record<string, Course | undefined>>;

/** Of an alert: the name may stand for two severities, and those on service levels for four speeds. */
export type AlertKey = string;

export function keyOf({ alert, labels: { severity, burn } }: AlertRule): AlertKey {
  return [alert, severity, ...(burn === undefined ? [] : [burn])].join(" ");
}

export interface AlertCase {
  /** On top of what is told while all is well. */
  readonly telling: Telling;
  /** Minute in which it fires. */
  readonly fires: number;
  /** Until this minute it has not. @default one evaluation before */
  readonly notBefore?: number;
  /** Minute, after the cause has gone, in which it does not fire any more. undefined: it never ends. */
  readonly over: number | undefined;
  /** Labels of the alert, beside those of its rule. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What stands in its sentences when it fires, in place of each template. */
  readonly says?: readonly string[];
  /** What else of the group fires then. */
  readonly also?: readonly AlertKey[];
  /** For each: what keeps it silent, and for how many minutes. */
  readonly silent: Readonly<Record<string, { readonly telling: Telling; readonly minutes: number }>>;
}

export interface GroupCases {
  /** Groups that are loaded: the alerts' own, and those that record for it. */
  readonly groups: readonly RuleGroup[];
  /** Seconds between two scrapes and two evaluations. @default 60 */
  readonly step?: number;
  /** What is told while all is well. */
  readonly well: Telling;
  readonly cases: Readonly<Record<AlertKey, AlertCase>>;
}

interface Check {
  readonly expr: string;
  readonly minute: number;
  readonly samples: readonly { readonly labels: string; readonly value: number }[];
}

/** Exactly these in that minute. */
export function firing(minute: number, keys: readonly AlertKey[]): Check {
  const samples = keys.map((key) => {
    const [alertname, severity, burn] = key.split(" ");
    const labels = { alertname, ...(burn && { burn }), severity };
    return { labels: selector(labels), value: 1 };
  });
  return {
    expr: 'count by (alertname, severity, burn) (ALERTS{alertstate="firing"})',
    minute,
    samples,
  };
}

/** Nothing in that minute; not that alert, when one is named. */
export function notFiring(minute: number, key?: AlertKey): Check {
  return { expr: ofKey(key), minute, samples: [] };
}

/** Nothing from the beginning to that minute; not that alert, when one is named. */
export function neverFired(minute: number, key?: AlertKey): Check {
  return { expr: `max_over_time(${ofKey(key)}[${Math.ceil(minute * 60) + 1}s])`, minute, samples: [] };
}

function ofKey(key: AlertKey | undefined): string {
  const [alertname, severity, burn] = key?.split(" ") ?? [];
  return `ALERTS${selector({ ...(alertname && { alertname, severity }), ...(burn && { burn }), alertstate: "firing" })}`;
}

function selector(labels: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return `{${parts.join(",")}}`;
}

export interface Trial {
  readonly telling: Telling;
  readonly checks: readonly Check[];
  readonly alert?: {
    readonly rules: readonly AlertRule[];
    readonly minute: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly says: readonly string[];
  };
}

export interface TrialOptions {
  readonly groups: readonly RuleGroup[];
  readonly step?: number;
}

/** @throws AssertionError with promtool's words when a check fails */
export async function hold(
  promtool: Promtool,
  { groups, step = 60 }: TrialOptions,
  trials: readonly Trial[],
): Promise<void> {
  await promtool.write("tried.yml", renderRules(groups));
  await promtool.write(
    "test.yml",
    stringify(
      {
        rule_files: ["tried.yml"],
        evaluation_interval: `${step}s`,
        // Else it is another one in each run, and what is recorded in one group comes a step late to the other.
        group_eval_order: groups.map(({ name }) => name),
        tests: trials.map((trial) => testOf(trial, step)),
      },
      { lineWidth: 0 },
    ),
  );
  const { code, output } = await promtool.run(["test", "rules"], "test.yml");
  expect(output).toContain("SUCCESS");
  expect(code).toBe(0);
}

function testOf({ telling, checks, alert }: Trial, step: number): object {
  const last = Math.max(...checks.map(({ minute }) => minute));
  const at = (minute: number) => `${Math.round(minute * 60)}s`;
  return {
    interval: `${step}s`,
    input_series: Object.entries(telling).flatMap(([series, course]) =>
      course === undefined ? [] : [{ series, values: valuesOf(course, last, step / 60) }],
    ),
    promql_expr_test: checks.map(({ expr, minute, samples }) => ({
      expr,
      eval_time: at(minute),
      exp_samples: samples,
    })),
    ...(alert && {
      alert_rule_test: [
        {
          eval_time: at(alert.minute),
          alertname: alert.rules[0]?.alert,
          exp_alerts: alert.rules.map((rule) => ({
            exp_labels: { ...alert.labels, ...rule.labels },
            exp_annotations: said(rule, alert.says),
          })),
        },
      ],
    }),
  };
}

/** What is not told any more is stale, as Prometheus notes at its next scrape. */
function valuesOf(course: Course, last: number, step: number): string {
  const values: string[] = [];
  let told = false;
  for (let index = 0; index * step <= last; index++) {
    const value = course(index * step);
    values.push(value === undefined ? (told ? "stale" : "_") : String(value));
    told = value !== undefined;
  }
  return values.join(" ");
}

/** An alert's sentences with these words in place of templates, one after another. */
function said({ annotations }: AlertRule, words: readonly string[]): Record<string, string> {
  const left = [...words];
  const fill = (text: string) => text.replace(/\{\{.*?\}\}/g, () => left.shift() ?? "");
  return Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, fill(text)]));
}

/** The trials of one alert: it fires when it should and not before, says so, ends, and is silent for what is harmless. */
export function trialsOf(rule: AlertRule, { groups, step = 60, well, cases }: GroupCases): Trial[] {
  const key = keyOf(rule);
  const {
    telling,
    fires,
    notBefore,
    over,
    labels = {},
    says = [],
    also = [],
    silent,
  } = cases[key] as AlertCase;
  const others = alertsOf(groups).filter(
    (other) => other.alert === rule.alert && also.includes(keyOf(other)),
  );
  return [
    {
      telling: { ...well, ...telling },
      checks: [
        ...(fires > 0 ? [neverFired(notBefore ?? fires - step / 60, key)] : []),
        firing(fires, [key, ...also]),
        ...(over === undefined ? [] : [notFiring(over, key)]),
      ],
      alert: { rules: [rule, ...others], minute: fires, labels, says },
    },
    ...Object.values(silent).map(({ telling, minutes }) => ({
      telling: { ...well, ...telling },
      checks: [neverFired(minutes, key)],
    })),
  ];
}

/** `value` until a minute, `then` from it on, and `value` again when that is over. */
export function during(
  begin: number,
  end: number,
  then: number | undefined,
  value: number | undefined,
): Course {
  return (minute) => (minute >= begin && minute < end ? then : value);
}

export const always =
  (value: number): Course =>
  () =>
    value;
