// What is promised, what is left of it this month, and how fast it goes.
import { PercentUnit, RequestsPerSecond, Seconds, Short } from "@grafana/grafana-foundation-sdk/units";
import {
  budgetRemaining,
  budgetWindow,
  burnRates,
  errorRatio,
  type Slo,
  slos,
  sloWindows,
  slow,
} from "../slo";
import type { Page, Row } from "./page";
import { lines, stat } from "./panel";
import { probeQuantile } from "./queries";
import type { DashboardSettings } from "./settings";
import { neutral, redFrom, worseAbove, worseBelow } from "./thresholds";

export function slo(settings: DashboardSettings): Page {
  const promised = slos(settings);
  return {
    name: "slo",
    about:
      "For whoever decides between new features and repairs: what is promised, how much of the month's error budget is left, and what uses it up.",
    refresh: 30,
    range: "7d",
    variables: [],
    rows: [left(promised), burning(promised), felt, api],
  };
}

/** "write latency" */
const inWords = ({ name }: Slo) => name.replace("_", " ");

/** Its page of what to do, as seen from docs/. */
const pageOf = ({ runbook }: Slo) => runbook.replace(/^docs\//, "");

const percent = (share: number) => `${Number((share * 100).toFixed(3))} %`;

const left = (promised: readonly Slo[]): Row => ({
  title: `What is left of the error budget of ${budgetWindow}`,
  panels: promised.map((slo) =>
    stat({
      title: `Left: ${inWords(slo)}`,
      means: `Promised: ${slo.promise}. Of the ${percent(1 - slo.target)} that may be bad in ${budgetWindow}, this share is left.`,
      worry: "Below a quarter: nothing risky any more this month. Below 0: the promise is broken.",
      unit: PercentUnit,
      steps: worseBelow(0.25, 0),
      queries: [{ expr: `max(${budgetRemaining(slo.name)})` }],
      width: 4,
      decimals: 1,
      read: pageOf(slo),
    }),
  ),
});

/** How many times faster than planned the budget goes, in each window. */
const burning = (promised: readonly Slo[]): Row => {
  const fastest = Math.max(...burnRates.map(({ factor }) => factor));
  const wakes = Math.min(
    ...burnRates.filter(({ severity }) => severity === "critical").map(({ factor }) => factor),
  );
  return {
    title: "How fast it goes: 1 uses it up in exactly the month",
    panels: promised.map((slo) =>
      lines({
        title: `Burn rate: ${inWords(slo)}`,
        means: `Share that was bad over each window, as a multiple of the ${percent(1 - slo.target)} that may be.`,
        worry: slo.wakes
          ? `Above ${wakes} in 6 h or ${fastest} in 1 h somebody is woken; above 1 in 3 days it waits until the morning.`
          : "Above 1 in 3 days somebody is told in the morning. Nobody is woken: its causes have alerts of their own.",
        unit: Short,
        steps: worseAbove(1, wakes),
        queries: sloWindows.map((window) => ({
          expr: `max(${errorRatio(slo.name, window)}) / (1 - ${slo.target})`,
          legend: window,
        })),
        width: 8,
        read: pageOf(slo),
      }),
    ),
  };
};

const felt: Row = {
  title: "What clients feel",
  panels: [
    ...(["write", "read"] as const).map((path) =>
      lines({
        title: path === "write" ? "Duration of writes" : "Duration of reads",
        means: `Of the probes' ${path}s through the pooler: half, 95 and 99 of 100 are faster.`,
        worry: `The p95 above ${slow} s uses up the error budget.`,
        unit: Seconds,
        steps: redFrom(slow),
        queries: [0.5, 0.95, 0.99].map((share) => ({
          expr: probeQuantile(share, path),
          legend: `p${share * 100}`,
        })),
        width: 12,
        more: "replication",
      }),
    ),
  ],
};

const requests = (labels: string) => `http_request_duration_seconds_${labels}`;

const api: Row = {
  title: "The monitoring API",
  panels: [
    lines({
      title: "Requests by answer",
      means: "Requests a second to the monitoring API, by status.",
      worry: "5xx: it or the database fails. Many 401 or 403: somebody tries tokens.",
      unit: RequestsPerSecond,
      steps: neutral,
      queries: [
        {
          expr: `sum by (status) (rate(${requests("count")}[$__rate_interval]))`,
          legend: "{{status}}",
        },
      ],
      width: 8,
    }),
    lines({
      title: "Duration by route",
      means: "Within this time 95 of 100 requests of each route were answered. 0 where nobody asked.",
      worry: "Near the timeout: the database is slow, or somebody asks for years.",
      unit: Seconds,
      steps: neutral,
      queries: [
        {
          expr: `histogram_quantile(0.95, sum by (route, le) (rate(${requests("bucket")}[$__rate_interval]))) >= 0
or 0 * sum by (route) (rate(${requests("count")}[$__rate_interval]))`,
          legend: "{{route}}",
        },
      ],
      width: 8,
    }),
    lines({
      title: "Requests that failed",
      means: "Share of the API's requests that were answered with 5xx.",
      worry: "More than 1 % for minutes.",
      unit: PercentUnit,
      steps: worseAbove(0.01, 0.1),
      queries: [
        {
          expr: `(sum(rate(${requests('count{status=~"5.."}')}[$__rate_interval])) or vector(0))
/ clamp_min(sum(rate(${requests("count")}[$__rate_interval])), 1e-9)`,
          legend: "failed",
        },
      ],
      width: 8,
      max: 1,
    }),
  ],
};
