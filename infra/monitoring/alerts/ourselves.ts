// Alerts of Prometheus on itself and on Alertmanager.
import type { AlertGroup } from "../rulesFile";
import { rule } from "./rule";

const runbook = "docs/runbooks/monitoring-blind.md";

/** Series of one scrape and of all, some times what was measured with three members: beyond it a label has no bounds. */
const mostSamples = 3_000;
const mostSeries = 100_000;

export const ownAlerts: AlertGroup = {
  name: "monitoring",
  rules: [
    rule(
      "CardinalityHigh",
      "warning",
      // A rolling change has the old and the new pods' series for a while.
      "15m",
      // At 5,000 a scrape is refused, all of it (infra/monitoring/prometheusConfig.ts).
      `scrape_samples_scraped > ${mostSamples} or prometheus_tsdb_head_series > ${mostSeries}`,
      {
        summary:
          "Prometheus collects {{ $value }} series, far more than planned ({{ $labels.job }} {{ $labels.instance }})",
        description:
          "Users notice nothing. Queries get slow, and a scrape of more than 5,000 is refused: then its alerts are blind.",
        runbook_url: `${runbook}#too-many-series`,
      },
    ),
    rule(
      "NotificationsFailing",
      // Whoever should be woken is not, whatever happens next.
      "critical",
      // One that fails is tried again for some minutes.
      "10m",
      "sum by (integration) (increase(alertmanager_notifications_failed_total[5m])) > 0",
      {
        summary: "Alertmanager cannot tell anybody by {{ $labels.integration }}",
        description:
          "Users notice nothing, and neither does whoever is on call: alerts fire, and nobody hears of them.",
        runbook_url: `${runbook}#nobody-is-told`,
      },
    ),
    rule(
      "RulesFailing",
      "warning",
      "15m",
      "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[5m])) > 0",
      {
        summary: "Prometheus cannot evaluate rules ({{ $labels.rule_group }})",
        description: "Users notice nothing. These alerts do not fire, whatever happens.",
        runbook_url: `${runbook}#rules-fail`,
      },
    ),
    rule("Watchdog", "none", "0m", "vector(1)", {
      summary: "Alerts get from Prometheus to whoever listens",
      description:
        "It always fires. Something outside has to call somebody when it hears nothing for some minutes: then nobody watches.",
      runbook_url: `${runbook}#the-watchdog`,
    }),
  ],
};
