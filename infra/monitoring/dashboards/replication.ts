// Who is who in the cluster, how far replicas are behind, and what would stop a failover.
import {
  BytesIEC,
  BytesPerSecondIEC,
  Days,
  DurationSeconds,
  EventsPerSecond,
  PercentUnit,
  Short,
} from "@grafana/grafana-foundation-sdk/units";
import type { Page, Row } from "./page";
import { lines, stat, states } from "./panel";
import { howMany, membersMissing, perSecond } from "./queries";
import { neutral, only, redFrom, worseAbove, worseBelow } from "./thresholds";

export function replication(): Page {
  return {
    name: "replication",
    about:
      "For whoever has to know whether the next fault is survived, or what the last one did: members, replicas, failovers, volumes, certificates.",
    refresh: 30,
    range: "6h",
    variables: [{ name: "pod", metric: "ms5_member_running" }],
    rows: [now, replicas, faults, room],
  };
}

const ofPod = '{pod=~"$pod"}';

/** 2^31: from there on a transaction cannot be told from a future one. PostgreSQL stops writes before. */
const transactionIds = 2 ** 31;

const now: Row = {
  title: "Now",
  panels: [
    stat({
      title: "Primaries",
      means: "Members that take writes.",
      worry: "0: nobody can write. 2: a fence has failed; stop one of them.",
      unit: Short,
      steps: only(1),
      queries: [{ expr: "sum(max by (pod) (ms5_member_primary))" }],
      width: 4,
      read: "runbooks/primary-lost.md",
    }),
    stat({
      title: "Members missing",
      means: "Members that should run and do not.",
      worry: "Any: there is one less to fail over to.",
      unit: Short,
      steps: worseAbove(1, 2),
      queries: [{ expr: membersMissing }],
      width: 4,
      read: "runbooks/rebuild-member.md",
    }),
    stat({
      title: "Synchronous standbys",
      means:
        "Replicas that have to have a transaction before it counts as committed, as the primary sees them.",
      worry:
        "0: what is written now is on one disk only, and lost with it. With a single member it is always so.",
      unit: Short,
      steps: worseBelow(1, 1),
      needs: "replicas",
      queries: [{ expr: "max(ms5_cluster_synchronous_standbys)" }],
      width: 4,
      read: "failover.md",
    }),
    stat({
      title: "Replicas that do not stream",
      means: "Replicas that get no log from the primary.",
      worry: "Any for minutes: it falls behind, and the primary keeps log for it until its volume is full.",
      unit: Short,
      steps: worseAbove(1, 2),
      needs: "replicas",
      queries: [{ expr: howMany("max by (pod) (ms5_member_streaming) == bool 0") }],
      width: 4,
      read: "runbooks/replica-lagging.md",
    }),
    stat({
      title: "Failovers in this time",
      means:
        "How often another member became the primary, in the time that is shown: each begins a new timeline.",
      worry:
        "More than the switchovers and upgrades that somebody asked for: something fails again and again.",
      unit: Short,
      steps: worseAbove(1, 3),
      queries: [
        {
          expr: "max(max_over_time(ms5_member_timeline[$__range])) - max(min_over_time(ms5_member_timeline[$__range]))",
        },
      ],
      width: 4,
      read: "failover.md",
    }),
    stat({
      title: "First certificate to end",
      means: "Days until the first certificate of the cluster ends.",
      worry: "Less than 14: renewal does not work. At 0 members and clients refuse each other.",
      unit: Days,
      steps: worseBelow(14, 3),
      queries: [{ expr: "(min(ms5_certificate_expiry_timestamp_seconds) - time()) / 86400" }],
      width: 4,
      decimals: 0,
      read: "runbooks/certificate-renewal.md",
    }),
    states({
      title: "Who was the primary",
      means: "Which member took writes, when.",
      worry: "Gaps: for that long nobody could write. Two at a time must never be.",
      unit: Short,
      steps: [
        { value: null, color: "blue" },
        { value: 1, color: "green" },
      ],
      words: { "0": "replica", "1": "primary" },
      queries: [{ expr: `max by (pod) (ms5_member_primary${ofPod})`, legend: "{{pod}}" }],
      width: 10,
    }),
    states({
      title: "Who ran",
      means: "Which member's PostgreSQL accepted connections, when.",
      worry: "Down for longer than a restart takes (a minute).",
      unit: Short,
      steps: [
        { value: null, color: "red" },
        { value: 1, color: "green" },
      ],
      words: { "0": "down", "1": "up" },
      queries: [{ expr: `max by (pod) (ms5_member_running${ofPod})`, legend: "{{pod}}" }],
      width: 10,
    }),
    stat({
      title: "Servers that cannot be asked",
      means: "Members whose PostgreSQL does not answer the exporter.",
      worry: "Any for minutes, although the member runs: the monitor role's login or the network policy.",
      unit: Short,
      steps: redFrom(1),
      queries: [{ expr: howMany(`pg_up${ofPod} == bool 0`) }],
      width: 4,
      height: 6,
    }),
  ],
};

const replicas: Row = {
  title: "Replicas",
  panels: [
    lines({
      title: "Lag in bytes",
      means: "Log of the primary's that a replica has not got or not replayed yet.",
      worry:
        "It grows for minutes: the replica's disk or the network is too slow, or a query on it holds replay up.",
      unit: BytesIEC,
      steps: worseAbove(64 * 2 ** 20, 2 ** 30),
      needs: "replicas",
      queries: [{ expr: `max by (pod) (ms5_member_lag_bytes${ofPod})`, legend: "{{pod}}" }],
      width: 8,
      read: "runbooks/replica-lagging.md",
    }),
    lines({
      title: "Lag in seconds",
      means: "How old what a replica shows is.",
      worry: "More than 30 s: reads through the pooler's read database see the past.",
      unit: DurationSeconds,
      steps: worseAbove(30, 300),
      needs: "replicas",
      queries: [{ expr: `max by (pod) (ms5_member_lag_seconds${ofPod})`, legend: "{{pod}}" }],
      width: 8,
      read: "runbooks/replica-lagging.md",
    }),
    lines({
      title: "Log that is made",
      means:
        "Bytes of log (WAL) a second that the primary writes: what every replica and the archive have to take.",
      worry: "Near what the network or the archive takes: lag and waiting log grow next.",
      unit: BytesPerSecondIEC,
      steps: neutral,
      queries: [{ expr: perSecond("timescaledb_wal_bytes_total"), legend: "log" }],
      width: 8,
      more: "backups",
    }),
  ],
};

const faults: Row = {
  title: "Faults, and what leads to them",
  panels: [
    lines({
      title: "Probes that failed",
      means:
        "Small reads and writes through the pooler that failed or took more than 5 s, a second: what clients felt.",
      worry: "Any. A failover costs some; more than 10 s of them is no failover.",
      unit: EventsPerSecond,
      steps: neutral,
      queries: [
        {
          expr: `${perSecond('timescaledb_probes_total{outcome="failed"}', "path")} or 0 * ${perSecond("timescaledb_probes_total", "path")}`,
          legend: "{{path}}",
        },
      ],
      width: 8,
      more: "slo",
    }),
    lines({
      title: "Timelines",
      means: "The history each member is on. All follow the newest.",
      worry: "One stays behind: it has to be rebuilt.",
      unit: Short,
      steps: neutral,
      queries: [{ expr: `max by (pod) (ms5_member_timeline${ofPod})`, legend: "{{pod}}" }],
      width: 8,
      read: "runbooks/rebuild-member.md",
    }),
    lines({
      title: "Oldest transaction",
      means: "Age of the oldest open transaction on each member.",
      worry: "More than an hour: vacuum cannot clean up, and a switchover waits for it.",
      unit: DurationSeconds,
      steps: worseAbove(600, 3600),
      queries: [{ expr: `max by (pod) (pg_stat_activity_max_tx_duration${ofPod})`, legend: "{{pod}}" }],
      width: 8,
    }),
    lines({
      title: "Connections by member",
      means: "Sessions at each server, and how many it takes.",
      worry: "Near the limit: the next ones are refused, the pooler's among them.",
      unit: Short,
      steps: neutral,
      queries: [
        { expr: `sum by (pod) (pg_stat_activity_count${ofPod})`, legend: "{{pod}}" },
        { expr: `min(pg_settings_max_connections${ofPod})`, legend: "limit" },
      ],
      width: 8,
      more: "pooler",
    }),
    lines({
      title: "Transaction ids used",
      means:
        "Share of the transaction ids (and of those for shared locks) that are in use: vacuum gives them back.",
      worry:
        "Above 50 %: vacuum does not keep up, or something holds it. At 100 % PostgreSQL refuses writes.",
      unit: PercentUnit,
      steps: worseAbove(0.5, 0.8),
      queries: [
        { expr: `max(timescaledb_transaction_id_age) / ${transactionIds}`, legend: "transactions" },
        { expr: `max(timescaledb_multixact_age) / ${transactionIds}`, legend: "shared locks" },
      ],
      width: 8,
      max: 1,
    }),
    lines({
      title: "Certificates and logins",
      means: "Days until certificates and roles' passwords end.",
      worry: "Below 14: whoever renews them does not. At 0 logins are refused.",
      unit: Days,
      steps: worseBelow(14, 3),
      queries: [
        {
          expr: "(min by (certificate) (ms5_certificate_expiry_timestamp_seconds) - time()) / 86400",
          legend: "certificate {{certificate}}",
        },
        {
          expr: "(min by (role) (timescaledb_login_expiry_timestamp_seconds) - time()) / 86400",
          legend: "login {{role}}",
        },
      ],
      width: 8,
      read: "runbooks/certificate-renewal.md",
    }),
  ],
};

const room: Row = {
  title: "Volumes",
  panels: [
    lines({
      title: "Volumes in use",
      means: "Share of each member's volumes for data and for log that is in use.",
      worry: "Above 90 %. A full volume stops PostgreSQL.",
      unit: PercentUnit,
      steps: worseAbove(0.8, 0.9),
      queries: [
        {
          expr: `1 - max by (pod, volume) (ms5_volume_free_bytes${ofPod}) / max by (pod, volume) (ms5_volume_size_bytes${ofPod})`,
          legend: "{{pod}} {{volume}}",
        },
      ],
      width: 12,
      max: 1,
      read: "runbooks/disk-filling.md",
    }),
    lines({
      title: "Days until full",
      means: "Days until a volume is full if it goes on filling as it does.",
      worry: "Less than 14: make it larger by day. Less than 3: now.",
      unit: Days,
      steps: worseBelow(14, 3),
      queries: [
        { expr: `min by (pod, volume) (ms5:volume:days_until_full${ofPod})`, legend: "{{pod}} {{volume}}" },
      ],
      width: 12,
      read: "runbooks/disk-filling.md",
      more: "cost",
    }),
  ],
};
