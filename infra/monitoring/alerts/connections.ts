// Alerts on connections: to PostgreSQL, and of clients at the pooler (pgbouncer_exporter).
import type { AlertGroup } from "../rulesFile";
import { rule } from "./rule";

const runbook = "docs/runbooks/connections.md";

/** Not PgBouncer's own console. */
const pools = 'database!="pgbouncer"';

const connectionsUsed = "sum(timescaledb_connections) / max(timescaledb_connections_limit)";

export const connectionAlerts: AlertGroup = {
  name: "connections",
  rules: [
    rule(
      "ConnectionsSaturated",
      "critical",
      // A burst of logins is over within seconds.
      "5m",
      // What is left is reserved, or gone with the next deployment.
      `${connectionsUsed} > 0.95`,
      {
        summary: "{{ $value | humanizePercentage }} of PostgreSQL's connections are used",
        description:
          "New sessions are refused, now or with the next few: applications get `too many clients already`.",
        runbook_url: `${runbook}#postgresql`,
      },
    ),
    rule(
      "ConnectionsSaturated",
      "warning",
      "10m",
      // The pooler alone stays below that (infra/database/poolSizes.ts): somebody else holds many.
      `${connectionsUsed} > 0.8`,
      {
        summary: "{{ $value | humanizePercentage }} of PostgreSQL's connections are used",
        description: "Users notice nothing yet. At the limit new sessions are refused.",
        runbook_url: `${runbook}#postgresql`,
      },
    ),
    rule(
      "PoolerClientsWait",
      "critical",
      // A failover is a wait of 12 s at most, and seen by one scrape.
      "1m",
      // Who waits for 30 s gets an error (query_wait_timeout).
      `max by (pod, database, user) (pgbouncer_pools_client_maxwait_seconds{${pools}}) > 10`,
      {
        summary:
          "Clients wait {{ $value | humanizeDuration }} for a connection ({{ $labels.user }}, {{ $labels.database }})",
        description:
          "Applications hang, and get `query_wait_timeout` after 30 s. All connections of the pool are held, or the database does not answer.",
        runbook_url: `${runbook}#clients-wait`,
      },
    ),
    rule(
      "PoolerClientsWait",
      "warning",
      // A report at the full hour makes a queue for a while.
      "10m",
      `max by (pod, database, user) (pgbouncer_pools_client_waiting_connections{${pools}}) > 0
  and max by (pod, database, user) (pgbouncer_pools_client_maxwait_seconds{${pools}}) >= 1`,
      {
        summary:
          "{{ $value }} clients wait for a connection, at each look ({{ $labels.user }}, {{ $labels.database }})",
        description:
          "Requests take a second or longer before they begin. The pool is too small, or its connections are held for long.",
        runbook_url: `${runbook}#clients-wait`,
      },
    ),
    rule(
      "PoolerClientsNearLimit",
      "warning",
      "10m",
      // One user may have four fifths (infra/database/poolSizes.ts).
      "max by (pod) (pgbouncer_used_clients / pgbouncer_config_max_client_connections) > 0.7",
      {
        summary: "{{ $labels.pod }} has {{ $value | humanizePercentage }} of the clients it takes",
        description:
          "Users notice nothing yet. At four fifths a single user's new clients are refused, at the limit everybody's.",
        runbook_url: `${runbook}#clients-of-a-pooler`,
      },
    ),
    rule(
      "PoolerDown",
      "warning",
      // One that restarts is back within seconds; the others take its clients.
      "5m",
      "pgbouncer_up == 0",
      {
        summary: "The pooler {{ $labels.pod }} does not answer",
        description:
          "Clients reach the others. When none is left nobody reaches the database, and AvailabilityBurn wakes somebody.",
        runbook_url: `${runbook}#pooler-down`,
      },
    ),
  ],
};
