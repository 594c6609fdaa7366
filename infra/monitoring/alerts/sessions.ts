// Alerts on what sessions do to each other and to the server, over the TimescaleDB exporter's /metrics/performance.
import type { AlertGroup } from "../rulesFile";
import { newTimeline } from "./members";
import { rule } from "./rule";

const runbook = "docs/runbooks/sessions.md";

/** Of transactions and of multixacts, with a label that says which. */
const age = (transactions: string, multixacts: string) =>
  `label_replace(timescaledb_transaction_id_age > ${transactions}, "counter", "transaction ids", "", "")
  or label_replace(timescaledb_multixact_age > ${multixacts}, "counter", "multixact ids", "", "")`;

export const sessionAlerts: AlertGroup = {
  name: "sessions",
  rules: [
    rule(
      "LongTransaction",
      "warning",
      "5m",
      // An export of a whole database is one transaction, of up to an hour.
      "timescaledb_longest_transaction_seconds > 3600",
      {
        summary: "A transaction has been open for {{ $value | humanizeDuration }}",
        description:
          "Users notice nothing at first. As long as it is open vacuum cleans nothing up, and changes of tables and switchovers wait for it.",
        runbook_url: `${runbook}#long-transactions`,
      },
    ),
    rule(
      "SessionsBlocked",
      "critical",
      "5m",
      // More than a tenth of what the pooler has for a user: soon all of it.
      "timescaledb_blocked_sessions >= 10",
      {
        summary: "{{ $value }} sessions wait for locks of others",
        description: "Requests of applications hang, and more with each minute.",
        runbook_url: `${runbook}#blocked`,
      },
    ),
    rule(
      "SessionsBlocked",
      "warning",
      // A migration waits for 30 s at most (migrations.lockTimeout).
      "10m",
      "timescaledb_blocked_sessions > 0",
      {
        summary: "Sessions wait for locks of others, at each look for ten minutes",
        description: "Single requests of applications hang. A transaction that was forgotten holds a lock.",
        runbook_url: `${runbook}#blocked`,
      },
    ),
    rule(
      "WraparoundNear",
      "critical",
      "5m",
      // At 1,600 million vacuum drops all consideration (vacuum_failsafe_age), at 2,100 million PostgreSQL takes no writes.
      age("1500e6", "1500e6"),
      {
        summary: "PostgreSQL runs out of {{ $labels.counter }}: the oldest is {{ $value | humanize }} old",
        description: "At 2.1 G every write is refused until a vacuum of hours is through.",
        runbook_url: `${runbook}#wraparound`,
      },
    ),
    rule(
      "WraparoundNear",
      "warning",
      "1h",
      // Vacuum begins at 200 (autovacuum_freeze_max_age) and 400 million (…_multixact_…): past twice that it does not get on.
      age("500e6", "800e6"),
      {
        summary:
          "Vacuum does not keep up with {{ $labels.counter }}: the oldest is {{ $value | humanize }} old",
        description:
          "Users notice nothing yet; it is months or weeks until 2.1 G, where every write is refused.",
        runbook_url: `${runbook}#wraparound`,
      },
    ),
    rule(
      "DeadlockBurst",
      "warning",
      "0m",
      // Each server counts for itself: after a failover the count is another one's.
      `sum(increase(timescaledb_deadlocks_total[15m])) > 5\n  unless on () ${newTimeline("20m")}`,
      {
        summary: '{{ $value | printf "%.0f" }} deadlocks within 15 minutes',
        description:
          "As many transactions of applications failed. One now and then is repeated and forgotten; many are two programs that lock in different orders.",
        runbook_url: `${runbook}#deadlocks`,
      },
    ),
  ],
};
