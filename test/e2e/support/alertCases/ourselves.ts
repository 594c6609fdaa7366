import { costAlerts } from "../../../../infra/monitoring/alerts/cost";
import { ownAlerts } from "../../../../infra/monitoring/alerts/ourselves";
import { costRecords } from "../../../../infra/monitoring/recordingRules";
import { always, type Course, during, type GroupCases, type Telling } from "../ruleTrials";

const watchdog = ["Watchdog none"];
const failed = (course: Course): Telling => ({
  'alertmanager_notifications_failed_total{integration="webhook",reason="clientError",job="alertmanager"}':
    course,
});
const rules = (course: Course): Telling => ({
  'prometheus_rule_evaluation_failures_total{rule_group="/etc/prometheus/rules/all.yml;volumes",job="prometheus"}':
    course,
});
const samples = (course: Course): Telling => ({
  'scrape_samples_scraped{job="postgres",instance="blue-0"}': course,
});

export const ownCases: GroupCases = {
  groups: [ownAlerts],
  well: {
    ...samples(always(900)),
    'prometheus_tsdb_head_series{job="prometheus"}': always(12_000),
    ...failed(always(3)),
    ...rules(always(0)),
  },
  cases: {
    "CardinalityHigh warning": {
      telling: samples(during(60, 90, 3500, 900)),
      fires: 75,
      over: 90,
      labels: { job: "postgres", instance: "blue-0" },
      says: ["3500", "postgres", "blue-0"],
      also: watchdog,
      silent: {
        "series of old and new pods, while they are replaced": {
          telling: { 'prometheus_tsdb_head_series{job="prometheus"}': during(60, 74, 120_000, 12_000) },
          minutes: 120,
        },
      },
    },
    "NotificationsFailing critical": {
      telling: failed((minute) => 3 + Math.min(20, Math.max(0, minute - 60))),
      fires: 71,
      over: 86,
      labels: { integration: "webhook" },
      says: ["webhook"],
      also: watchdog,
      silent: {
        "one that is tried again, and arrives": {
          telling: failed((minute) => (minute < 60 ? 3 : 4)),
          minutes: 120,
        },
      },
    },
    "RulesFailing warning": {
      telling: rules((minute) => Math.min(30, Math.max(0, minute - 60))),
      fires: 76,
      over: 96,
      labels: { rule_group: "/etc/prometheus/rules/all.yml;volumes" },
      says: ["/etc/prometheus/rules/all.yml;volumes"],
      also: watchdog,
      silent: {
        "a moment in which two members told the same": {
          telling: rules((minute) => (minute < 60 ? 0 : 2)),
          minutes: 120,
        },
      },
    },
    "Watchdog none": { telling: {}, fires: 0, over: undefined, silent: {} },
  },
};

const cost = (estimate: number): GroupCases["groups"] => [costRecords({ estimate, budget: 900 }), costAlerts];

export const costCases: GroupCases = {
  groups: cost(950),
  well: {},
  cases: {
    "BudgetExceeded warning": { telling: {}, fires: 0, over: undefined, says: ["950"], silent: {} },
  },
};

/** What they cost is what they may. */
export const withinBudget: GroupCases = { groups: cost(900), well: {}, cases: {} };
