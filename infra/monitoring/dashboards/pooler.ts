// PgBouncer: who waits, for what, and how much room is left. Names are those of pgbouncer_exporter 0.10.2.
import {
  BytesPerSecondIEC,
  OpsPerSecond,
  PercentUnit,
  Seconds,
  Short,
} from "@grafana/grafana-foundation-sdk/units";
import type { Page, Row } from "./page";
import { lines, stat } from "./panel";
import { howMany } from "./queries";
import { neutral, redFrom, worseAbove } from "./thresholds";

export function pooler(): Page {
  return {
    name: "pooler",
    about:
      "For whoever is told that the database is slow or refuses connections: clients, server connections, waits and load at PgBouncer.",
    refresh: 30,
    range: "3h",
    variables: [{ name: "database", metric: "pgbouncer_stats_queries_pooled_total" }],
    rows: [now, connections, work],
  };
}

/** Without PgBouncer's own console. */
const ofPool = '{database=~"$database", database!="pgbouncer"}';

/** All poolers together. */
const perSecond = (counter: string) => `sum by (database) (rate(${counter}${ofPool}[$__rate_interval]))`;

/** 0 where nothing was done, not 0 / 0. */
const per = (counter: string, things: string) =>
  `${perSecond(counter)} / clamp_min(${perSecond(things)}, 1e-9)`;

/** Not the console's: it leads nowhere. */
const ofServers = '{name!="pgbouncer"}';

const now: Row = {
  title: "Now",
  panels: [
    stat({
      title: "Poolers that do not answer",
      means: "PgBouncers that the exporter beside them cannot ask.",
      worry: "All of them: nobody reaches the database. One: the others carry its clients.",
      unit: Short,
      steps: worseAbove(1, 2),
      queries: [{ expr: howMany("pgbouncer_up == bool 0") }],
      width: 4,
    }),
    stat({
      title: "Clients that wait",
      means: "Clients that wait for a server connection now.",
      worry: "Some for longer than seconds: all server connections are busy, or there is no primary.",
      unit: Short,
      steps: worseAbove(1, 20),
      queries: [{ expr: "sum(pgbouncer_pools_client_waiting_connections)" }],
      width: 4,
    }),
    stat({
      title: "Longest wait",
      means: "How long the client that waits longest has waited.",
      worry: "More than a second: it is felt. After 10 s PgBouncer tells the client that it failed.",
      unit: Seconds,
      steps: worseAbove(1, 5),
      queries: [{ expr: "max(pgbouncer_pools_client_maxwait_seconds)" }],
      width: 4,
      read: "failover.md",
    }),
    stat({
      title: "Places for clients in use",
      means: "Share of the client connections that the fullest PgBouncer takes (max_client_conn).",
      worry: "Above 90 %: the next clients are refused.",
      unit: PercentUnit,
      steps: worseAbove(0.8, 0.9),
      queries: [{ expr: "max(pgbouncer_used_clients / pgbouncer_config_max_client_connections)" }],
      width: 4,
      decimals: 0,
    }),
    stat({
      title: "Server connections in use",
      means:
        "Share of the server connections that one database may have, where it is largest (max_db_connections).",
      worry: "100 % while clients wait: the pool is too small, or transactions are too long.",
      unit: PercentUnit,
      steps: worseAbove(0.8, 1),
      queries: [
        {
          expr: `max(pgbouncer_databases_current_connections${ofServers} / (pgbouncer_databases_max_connections${ofServers} > 0))`,
        },
      ],
      width: 4,
      decimals: 0,
    }),
    stat({
      title: "Paused",
      means: "Databases that a switchover has paused: clients wait, without an error.",
      worry: "Longer than a switchover takes (seconds): it was left half done. RESUME lets clients go on.",
      unit: Short,
      steps: redFrom(1),
      queries: [{ expr: `sum(pgbouncer_databases_paused${ofServers})` }],
      width: 4,
      read: "failover.md",
    }),
  ],
};

const connections: Row = {
  title: "Connections",
  panels: [
    lines({
      title: "Clients",
      means: "Client connections that are linked to a server now, and those that wait for one.",
      worry: "Waiting ones for minutes.",
      unit: Short,
      steps: neutral,
      queries: [
        {
          expr: `sum by (database) (pgbouncer_pools_client_active_connections${ofPool})`,
          legend: "{{database}}: linked or idle",
        },
        {
          expr: `sum by (database) (pgbouncer_pools_client_waiting_connections${ofPool})`,
          legend: "{{database}}: waiting",
        },
      ],
      width: 12,
    }),
    lines({
      title: "Servers",
      means: "Connections to PostgreSQL by what they do.",
      worry:
        "All active, none idle: that is when clients wait. Logging in for long: the server or the way to it hangs.",
      unit: Short,
      steps: neutral,
      stacked: true,
      queries: (["active", "idle", "used", "testing", "login"] as const).map((state) => ({
        expr: `sum by (database) (pgbouncer_pools_server_${state}_connections${ofPool})`,
        legend: `{{database}}: ${state}`,
      })),
      width: 12,
    }),
    lines({
      title: "Wait for a server",
      means: "How long a transaction waited on average until it had a server connection.",
      worry: "More than 10 ms for long: the pool is too small for the load.",
      unit: Seconds,
      steps: worseAbove(0.01, 0.1),
      queries: [
        {
          expr: per(
            "pgbouncer_stats_client_wait_seconds_total",
            "pgbouncer_stats_sql_transactions_pooled_total",
          ),
          legend: "{{database}}",
        },
      ],
      width: 12,
    }),
    lines({
      title: "Longest wait",
      means: "How long the client that waits longest has waited, by database.",
      worry: "Teeth that grow up to 10 s: clients are turned away.",
      unit: Seconds,
      steps: worseAbove(1, 5),
      queries: [
        {
          expr: `max by (database) (pgbouncer_pools_client_maxwait_seconds${ofPool})`,
          legend: "{{database}}",
        },
      ],
      width: 12,
    }),
  ],
};

const work: Row = {
  title: "Load",
  panels: [
    lines({
      title: "Transactions",
      means: "Transactions a second, by database.",
      worry: "A fall to nothing: clients are gone, or wait.",
      unit: OpsPerSecond,
      steps: neutral,
      queries: [{ expr: perSecond("pgbouncer_stats_sql_transactions_pooled_total"), legend: "{{database}}" }],
      width: 8,
    }),
    lines({
      title: "Queries",
      means: "Queries a second, by database.",
      worry: "Many for one transaction: rows are written one by one, where a batch is forty times faster.",
      unit: OpsPerSecond,
      steps: neutral,
      queries: [{ expr: perSecond("pgbouncer_stats_queries_pooled_total"), legend: "{{database}}" }],
      width: 8,
      read: "ingest.md",
    }),
    lines({
      title: "Duration of a query",
      means: "How long a query took on average at the server.",
      worry: "It grows with the load: the server is the limit, not the pool.",
      unit: Seconds,
      steps: neutral,
      queries: [
        {
          expr: per("pgbouncer_stats_queries_duration_seconds_total", "pgbouncer_stats_queries_pooled_total"),
          legend: "{{database}}",
        },
      ],
      width: 8,
    }),
    lines({
      title: "Server connections that are busy",
      means: "Connections that were in a transaction, on average: how large a pool the load needs.",
      worry: "Near the size of the pool: clients wait next. In a transaction, but idle, counts too.",
      unit: Short,
      steps: neutral,
      queries: [
        { expr: perSecond("pgbouncer_stats_server_in_transaction_seconds_total"), legend: "{{database}}" },
      ],
      width: 8,
    }),
    lines({
      title: "From clients",
      means: "Bytes a second that clients sent.",
      worry: "Near what the network takes.",
      unit: BytesPerSecondIEC,
      steps: neutral,
      queries: [{ expr: perSecond("pgbouncer_stats_received_bytes_total"), legend: "{{database}}" }],
      width: 8,
    }),
    lines({
      title: "To clients",
      means: "Bytes a second that clients got.",
      worry: "Megabytes: somebody reads raw rows where an aggregate would do.",
      unit: BytesPerSecondIEC,
      steps: neutral,
      queries: [{ expr: perSecond("pgbouncer_stats_sent_bytes_total"), legend: "{{database}}" }],
      width: 8,
    }),
  ],
};
