// Alerts on not seeing: what is not scraped cannot fire any other alert.
import type { RuleSettings } from "../ruleSettings";
import type { AlertGroup } from "../rulesFile";
import { whileItRuns } from "./members";
import { rule } from "./rule";

const runbook = "docs/runbooks/monitoring-blind.md";

const ofExporters = [
  "postgres",
  "hypertables",
  "compression",
  "performance",
  "member",
  "pooler",
  "node",
  "monitoring",
];
const ofOurs = ["prometheus", "alertmanager"];

const someProbeSucceeds = 'sum(rate(timescaledb_probes_total{outcome="ok"}[5m])) > 0';

export function targetAlerts({
  stopsAtNight,
  ownPrometheus,
}: Pick<RuleSettings, "stopsAtNight" | "ownPrometheus">): AlertGroup {
  const jobs = ownPrometheus ? [...ofExporters, ...ofOurs] : ofExporters;
  return {
    name: "targets",
    rules: [
      rule(
        "TargetsAbsent",
        // Nothing at all is known of the database: whoever depends on it may be hurt already.
        "critical",
        // Where it is stopped every night: longer than a weekend (Friday 19:00 to Monday 07:00 are 60 h).
        stopsAtNight ? "3d" : "5m",
        `absent(up{job="member"} == 1)\n  unless on () ${someProbeSucceeds}`,
        {
          summary: "Nothing is seen of the database: no member answers, and no probe succeeds",
          description:
            "It is down, or Prometheus does not reach it: then all other alerts are blind, and users may not be hurt at all.",
          runbook_url: `${runbook}#nothing-is-seen`,
        },
      ),
      rule(
        "TargetDown",
        "warning",
        // A node that is replaced takes its exporters with it for some minutes.
        "10m",
        // Of members: MemberDown.
        whileItRuns('up{job!="member"} == 0'),
        {
          summary: "{{ $labels.instance }} of job {{ $labels.job }} is not scraped",
          description: "Users notice nothing. What it tells is missing, and alerts on it are blind.",
          runbook_url: `${runbook}#one-target-is-down`,
        },
      ),
      rule(
        "JobAbsent",
        "warning",
        "15m",
        whileItRuns(jobs.map((job) => `absent(up{job="${job}"})`).join("\n  or ")),
        {
          summary: "Prometheus knows no target of job {{ $labels.job }}",
          description: "Users notice nothing. All alerts on what that job tells are blind.",
          runbook_url: `${runbook}#a-job-has-no-targets`,
        },
      ),
      rule(
        "CollectorFailing",
        "warning",
        // The slowest of them is asked each five minutes.
        "15m",
        "timescaledb_exporter_collect_success == 0 or pg_up == 0",
        {
          summary:
            "An exporter answers, but cannot ask the database (job {{ $labels.job }}, {{ or $labels.collector $labels.instance }})",
          description: "Users notice nothing. A part of the metrics is missing, and alerts on it are blind.",
          runbook_url: `${runbook}#a-collector-fails`,
        },
      ),
      rule(
        "ProbeAbsent",
        "warning",
        // A new exporter counts from 0, and two scrapes make a rate.
        "5m",
        whileItRuns("(count(sum by (path) (rate(timescaledb_probes_total[5m])) > 0) or vector(0)) < 2"),
        {
          summary: "Nobody tries whether the database can be written and read",
          description:
            "Users notice nothing. Availability and latency are not known: neither good nor bad counts, and their alerts are blind.",
          runbook_url: `${runbook}#no-probes`,
        },
      ),
    ],
  };
}
