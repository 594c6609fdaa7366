// From facts to a verdict: pure, so that every threshold is tested.
import { z } from "zod";

export const statuses = ["healthy", "degraded", "unhealthy"] as const;
export type Status = (typeof statuses)[number];

export const check = z.object({
  name: z.string(),
  status: z.enum(statuses),
  detail: z.string(),
  value: z.number().optional(),
});
export type Check = z.infer<typeof check>;

/** The worst of all; healthy without any. */
export function worst(checks: readonly { readonly status: Status }[]): Status {
  return statuses.findLast((status) => checks.some((one) => one.status === status)) ?? "healthy";
}

/** @param limits from which on it is degraded, and unhealthy */
function level(value: number, limits: { readonly degraded: number; readonly unhealthy: number }): Status {
  if (value >= limits.unhealthy) return "unhealthy";
  return value >= limits.degraded ? "degraded" : "healthy";
}

export interface DatabaseFacts {
  readonly version: string;
  readonly standby: boolean;
  /** Standbys that stream from this server, and those connected that do not (yet). */
  readonly streaming: number;
  readonly notStreaming: number;
  readonly connections: number;
  readonly connectionsLimit: number;
  /** Of the oldest open transaction of a client. */
  readonly longestTransactionSeconds: number;
  /** Transactions since the oldest one that is not frozen, of the worst database. */
  readonly transactionIdAge: number;
  readonly sizeBytes: number;
}

/** At 2^31 PostgreSQL stops writes; from 1.6 billion on vacuum drops all other care (vacuum_failsafe_age). */
const transactionIdLimits = { degraded: 500_000_000, unhealthy: 1_600_000_000 };
/** s; a transaction of that length keeps vacuum from tidying up, and a switchover from beginning. */
const transactionLimits = { degraded: 300, unhealthy: 3_600 };
const connectionLimits = { degraded: 0.8, unhealthy: 0.95 };

export function databaseChecks(facts: DatabaseFacts): Check[] {
  const used = facts.connectionsLimit > 0 ? facts.connections / facts.connectionsLimit : 0;
  return [
    { name: "connects", status: "healthy", detail: "the database answers" },
    { name: "version", status: "healthy", detail: `PostgreSQL ${facts.version}` },
    {
      name: "replication",
      status: facts.notStreaming > 0 ? "degraded" : "healthy",
      detail: facts.standby
        ? "this is a standby"
        : facts.notStreaming > 0
          ? `${facts.streaming} standbys stream, ${facts.notStreaming} connected ones do not`
          : `${facts.streaming} standbys stream`,
      value: facts.streaming,
    },
    {
      name: "connections",
      status: level(used, connectionLimits),
      detail: `${facts.connections} of ${facts.connectionsLimit} are used`,
      value: facts.connections,
    },
    {
      name: "long transactions",
      status: level(facts.longestTransactionSeconds, transactionLimits),
      detail: `the longest is open for ${Math.round(facts.longestTransactionSeconds)} s`,
      value: facts.longestTransactionSeconds,
    },
    {
      name: "transaction ids",
      status: level(facts.transactionIdAge, transactionIdLimits),
      detail: `the oldest is ${(facts.transactionIdAge / 1e6).toFixed(1)} million transactions old; writes stop at 2,147 million`,
      value: facts.transactionIdAge,
    },
    { name: "size", status: "healthy", detail: "bytes of this database", value: facts.sizeBytes },
  ];
}

export interface TimescaleFacts {
  /** undefined: there is no TimescaleDB. */
  readonly installed: { readonly version: string; readonly edition: "community" | "apache" } | undefined;
  /** Names of jobs whose last run failed. */
  readonly failing: readonly string[];
  /** Aggregates whose refresh has not succeeded for several of its intervals. */
  readonly stale: readonly string[];
  /** Chunks that should be columns by now, or be gone. */
  readonly columnstoreOverdue: number;
  readonly retentionOverdue: number;
  /** Without background workers nothing runs by itself, and nothing can be overdue: the embedded database. */
  readonly workers: boolean;
}

export function timescaleChecks(facts: TimescaleFacts): Check[] {
  const { installed } = facts;
  if (installed === undefined)
    return [{ name: "extension", status: "unhealthy", detail: "TimescaleDB is not installed" }];
  const named = (names: readonly string[], none: string): Pick<Check, "status" | "detail" | "value"> => ({
    status: names.length > 0 ? "degraded" : "healthy",
    detail: names.length > 0 ? names.join(", ") : none,
    value: names.length,
  });
  const overdue = (chunks: number): Pick<Check, "status" | "detail" | "value"> =>
    facts.workers
      ? {
          status: chunks > 0 ? "degraded" : "healthy",
          detail: chunks > 0 ? `${chunks} chunks wait` : "no chunk waits",
          value: chunks,
        }
      : {
          status: "healthy",
          detail: "no background workers here: jobs run when they are asked to",
          value: chunks,
        };
  const common: Check[] = [
    { name: "extension", status: "healthy", detail: `TimescaleDB ${installed.version}` },
    { name: "edition", status: "healthy", detail: installed.edition },
    { name: "jobs failing", ...named(facts.failing, "no job's last run failed") },
  ];
  if (installed.edition === "apache") return common;
  return [
    ...common,
    {
      name: "aggregates stale",
      ...(facts.workers
        ? named(facts.stale, "every aggregate is refreshed on time")
        : { ...overdue(0), value: facts.stale.length }),
    },
    { name: "columnstore overdue", ...overdue(facts.columnstoreOverdue) },
    { name: "retention overdue", ...overdue(facts.retentionOverdue) },
  ];
}
