import { sessionAlerts } from "../../../../infra/monitoring/alerts/sessions";
import { always, type Course, during, type GroupCases, type Telling } from "../ruleTrials";

const scraped = 'instance="exporter",job="performance"';
const labels = { instance: "exporter", job: "performance" };
const of = (metric: string, course: Course): Telling => ({ [`timescaledb_${metric}{${scraped}}`]: course });

/** Age of the oldest transaction, from `begin` on; 0 before and after. */
const open = (begin: number, end: number) =>
  of("longest_transaction_seconds", (minute) =>
    minute >= begin && minute < end ? (minute - begin) * 60 : 0,
  );
const ids = (course: Course) => of("transaction_id_age", course);
const deadlocks = (course: Course) => of("deadlocks_total", course);
const timeline = (course: Course): Telling => ({ 'ms5_member_timeline{pod="blue-0",job="member"}': course });

export const sessionCases: GroupCases = {
  groups: [sessionAlerts],
  well: {
    ...open(0, 0),
    ...of("blocked_sessions", always(0)),
    ...ids(always(150e6)),
    ...of("multixact_age", always(1e6)),
    ...deadlocks(always(100)),
    ...timeline(always(4)),
  },
  cases: {
    "LongTransaction warning": {
      telling: open(60, 180),
      fires: 126,
      over: 180,
      labels,
      says: ["1h 6m 0s"],
      silent: { "an export of 55 minutes": { telling: open(60, 115), minutes: 240 } },
    },
    "SessionsBlocked critical": {
      telling: of("blocked_sessions", during(60, 70, 12, 0)),
      fires: 65,
      over: 71,
      labels,
      says: ["12"],
      silent: {
        "who waits for a migration's lock": {
          telling: of("blocked_sessions", during(60, 61, 40, 0)),
          minutes: 120,
        },
      },
    },
    "SessionsBlocked warning": {
      telling: of("blocked_sessions", during(60, 80, 1, 0)),
      fires: 70,
      over: 81,
      labels,
      silent: {
        "short waits, at some looks": {
          telling: of("blocked_sessions", (minute) => (minute % 8 === 0 ? 0 : 2)),
          minutes: 240,
        },
      },
    },
    "WraparoundNear critical": {
      telling: ids(during(60, 70, 1600e6, 150e6)),
      fires: 65,
      over: 71,
      labels: { ...labels, counter: "transaction ids" },
      says: ["transaction ids", "1.6G"],
      silent: { "a vacuum that has only begun": { telling: ids(always(1400e6)), minutes: 120 } },
    },
    "WraparoundNear warning": {
      telling: of("multixact_age", during(60, 180, 900e6, 1e6)),
      fires: 120,
      over: 181,
      labels: { ...labels, counter: "multixact ids" },
      says: ["multixact ids", "900M"],
      silent: {
        "a vacuum at its usual time": {
          telling: ids((minute) => 150e6 + (minute % 300) * 1e6),
          minutes: 900,
        },
      },
    },
    "DeadlockBurst warning": {
      telling: deadlocks((minute) => 100 + Math.min(20, Math.max(0, minute - 60) * 2)),
      // More than five: after three minutes, by PromQL's reckoning to the edges of the window.
      fires: 63,
      over: 90,
      says: ["6"],
      silent: {
        "one now and then": { telling: deadlocks((minute) => 100 + Math.floor(minute / 10)), minutes: 240 },
        // It was the primary once, and has a count of its own.
        "a failover to a server with another count": {
          telling: {
            ...deadlocks((minute) => (minute < 60 ? 100 : 40)),
            ...timeline((minute) => (minute < 60 ? 4 : 5)),
          },
          minutes: 120,
        },
      },
    },
  },
};
