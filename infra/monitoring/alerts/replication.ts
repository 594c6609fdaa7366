// Alerts on members and replication, over what each member's agent tells (infra/database/agent/member_metrics.py).
import type { AlertGroup, AlertRule } from "../rulesFile";
import { newTimeline } from "./members";
import { rule } from "./rule";

const lost = "docs/runbooks/primary-lost.md";
const replica = "docs/runbooks/replica-lagging.md";

/** A scrape each 30 s: two of them in a minute. */
const writesSucceed = 'sum(increase(timescaledb_probes_total{path="write",outcome="ok"}[1m])) > 0';

const ofEveryCluster: readonly AlertRule[] = [
  rule(
    "NoPrimary",
    "critical",
    // A failover takes 12 s at most, and scrapes of members are up to 30 s apart.
    "1m",
    // A primary of which only the scrape is lost takes writes all the same.
    `sum(ms5_member_primary) == 0\n  unless on () ${writesSucceed}`,
    {
      summary: "There is no primary",
      description:
        "Nobody can write; reads go on where a member runs. Writes wait and fail after 30 s. Nothing acknowledged is lost.",
      runbook_url: `${lost}#no-primary`,
    },
  ),
  rule(
    "FailoverHappened",
    "warning",
    // It has happened: waiting would make it no surer.
    "0m",
    newTimeline("15m"),
    {
      summary: "Another member has become the primary",
      description:
        "Clients waited for some seconds, and it is over. When nobody asked for it (a switchover, a rolling change), find out why the former one went.",
      runbook_url: `${lost}#it-happened`,
    },
  ),
  rule(
    "MemberDown",
    "warning",
    // A member that restarts, with a new image too, is back sooner.
    "10m",
    "max(ms5_cluster_members) - sum(ms5_member_running) > 0",
    {
      summary: "{{ $value }} of the database's members do not run, or do not tell",
      description:
        "Users notice nothing while a primary and a replica are there. With three members the next loss stops writes.",
      runbook_url: `${replica}#a-member-is-down`,
    },
  ),
];

const ofReplicas: readonly AlertRule[] = [
  rule(
    "TwoPrimaries",
    "critical",
    // After a failover the former primary's last scrape is up to 30 s old, and says what was.
    "1m",
    "sum(ms5_member_primary) > 1",
    {
      summary: "{{ $value }} members take themselves for the primary",
      description:
        "It must not happen. Only one of them can have writes confirmed by a replica; what the other one shows may be old. Cut the wrong one off before anything else.",
      runbook_url: `${lost}#two-primaries`,
    },
  ),
  rule(
    "NoSynchronousStandby",
    "critical",
    // A new primary has its first replica within seconds.
    "1m",
    "max(ms5_cluster_synchronous_standbys) == 0",
    {
      summary: "No replica confirms writes",
      description: "Every write waits, on purpose: only the primary would have it. Reads go on.",
      runbook_url: `${lost}#no-replica-confirms`,
    },
  ),
  rule(
    "ReplicaNotStreaming",
    "warning",
    // After a restart or a failover it streams within seconds; after one of minutes it fetches log from the archive first.
    "5m",
    "ms5_member_streaming == 0",
    {
      summary: "{{ $labels.pod }} does not follow the primary",
      description:
        "Users who read from it see what was. It cannot take over, and confirms no writes: with three members the next loss stops them.",
      runbook_url: `${replica}#not-streaming`,
    },
  ),
  rule(
    "ReplicaLagging",
    "warning",
    // A bulk load's lag is gone soon after it; a query on the replica may hold replay back for 30 s by PostgreSQL's default.
    "10m",
    // One that does not stream at all is the alert above.
    "(ms5_member_lag_seconds > 60 or ms5_member_lag_bytes > 2^30)\n  and ms5_member_streaming == 1",
    {
      summary: "{{ $labels.pod }} is behind the primary, and stays behind",
      description:
        "Users who read from it see what was a minute or longer ago. If it has to take over, writes wait until it has caught up.",
      runbook_url: `${replica}#lagging`,
    },
  ),
];

/** @param members with one alone there is nobody to follow it */
export function replicationAlerts(members: number): AlertGroup {
  return { name: "replication", rules: members > 1 ? [...ofEveryCluster, ...ofReplicas] : ofEveryCluster };
}
