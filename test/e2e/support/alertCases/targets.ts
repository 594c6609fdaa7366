import { targetAlerts } from "../../../../infra/monitoring/alerts/targets";
import { always, type Course, during, type GroupCases, type Telling } from "../ruleTrials";

const day = 24 * 60;
const others = ["postgres", "hypertables", "compression", "performance", "pooler", "node", "monitoring"];
const ours = ["prometheus", "alertmanager"];
const members = ["blue-0", "blue-1", "blue-2"];

const up = (job: string, course: Course): Telling => ({ [`up{job="${job}",instance="${job}:1"}`]: course });
const upOfMembers = (course: Course): Telling =>
  Object.fromEntries(members.map((pod) => [`up{job="member",instance="${pod}"}`, course]));
const probes = (path: string, outcome: string, course: Course): Telling => ({
  [`timescaledb_probes_total{path="${path}",outcome="${outcome}",instance="exporter"}`]: course,
});
const counting: Course = (minute) => minute * 12;
/** Until a minute, and anew from another one on. */
const countingUntil = (end: number, begin: number): Course => {
  return (minute) => (minute < end ? minute * 12 : minute < begin ? undefined : (minute - begin) * 12);
};
const bothProbes = (course: Course): Telling => ({
  ...probes("read", "ok", course),
  ...probes("write", "ok", course),
});

const well: Telling = {
  ...upOfMembers(always(1)),
  ...Object.assign({}, ...[...others, ...ours].map((job) => up(job, always(1)))),
  ...bothProbes(counting),
  ...probes("read", "failed", always(0)),
  ...probes("write", "failed", always(0)),
  'timescaledb_exporter_collect_success{collector="jobs",job="hypertables",instance="exporter"}': always(1),
  'pg_up{job="postgres",instance="blue-0"}': always(1),
};

/** All of it, but Prometheus itself. */
const stopped = (end: number, begin: number): Telling =>
  Object.fromEntries(
    Object.entries(well).map(([series, course]) => [
      series,
      ours.some((job) => series.includes(`"${job}"`)) || (series.includes("_total") && !series.includes("ok"))
        ? course
        : (minute: number) => (minute >= end && minute < begin ? undefined : course?.(minute)),
    ]),
  );

const settings = { stopsAtNight: false, ownPrometheus: true };

export const targetCases: GroupCases = {
  groups: [targetAlerts(settings)],
  well,
  cases: {
    "TargetsAbsent critical": {
      telling: { ...upOfMembers(during(60, 90, 0, 1)), ...bothProbes(countingUntil(60, 90)) },
      // The last probe is out of sight after five minutes, and then five more.
      fires: 69,
      over: 92,
      silent: {
        "members that cannot be scraped, and are written and read all the same": {
          telling: upOfMembers(during(60, 90, 0, 1)),
          minutes: 180,
        },
        "scrapes that are lost": { telling: stopped(60, 62), minutes: 120 },
      },
    },
    "TargetDown warning": {
      telling: up("node", during(60, 80, 0, 1)),
      fires: 70,
      over: 80,
      labels: { job: "node", instance: "node:1" },
      says: ["node:1", "node"],
      silent: {
        "a node that is replaced": { telling: up("node", during(60, 69, 0, 1)), minutes: 120 },
        // Its own alert says so.
        "a member": { telling: { 'up{job="member",instance="blue-1"}': always(0) }, minutes: 120 },
        "a database that is stopped": {
          telling: { ...stopped(60, 600), ...up("node", during(60, 600, 0, 1)) },
          minutes: 600,
        },
      },
    },
    "JobAbsent warning": {
      telling: up("pooler", during(60, 90, undefined, 1)),
      fires: 75,
      over: 90,
      labels: { job: "pooler" },
      says: ["pooler"],
      silent: {
        "a discovery that begins anew": { telling: up("pooler", during(60, 70, undefined, 1)), minutes: 120 },
        "a database that is stopped": { telling: stopped(60, 600), minutes: 600 },
      },
    },
    "CollectorFailing warning": {
      telling: {
        'timescaledb_exporter_collect_success{collector="jobs",job="hypertables",instance="exporter"}':
          during(60, 90, 0, 1),
      },
      fires: 75,
      over: 90,
      labels: { collector: "jobs", job: "hypertables", instance: "exporter" },
      says: ["hypertables", "jobs"],
      silent: {
        "a server that restarts": {
          telling: { 'pg_up{job="postgres",instance="blue-0"}': during(60, 62, 0, 1) },
          minutes: 120,
        },
      },
    },
    "ProbeAbsent warning": {
      telling: probes("write", "ok", (minute) =>
        minute < 60 ? minute * 12 : minute < 90 ? 720 : (minute - 30) * 12,
      ),
      fires: 70,
      over: 92,
      silent: {
        "probes that fail": {
          telling: {
            ...probes("write", "ok", (minute) => Math.min(minute, 60) * 12),
            ...probes("write", "failed", (minute) => Math.max(0, minute - 60) * 12),
          },
          minutes: 120,
        },
        "an exporter that restarts": { telling: bothProbes(countingUntil(60, 62)), minutes: 120 },
        "a database that is stopped": { telling: stopped(60, 600), minutes: 590 },
      },
    },
  },
};

/** Of a stack that is stopped every night, to a Prometheus that goes on. */
export const nightlyCases: GroupCases = {
  groups: [targetAlerts({ ...settings, stopsAtNight: true })],
  step: 300,
  well,
  cases: {
    "TargetsAbsent critical": {
      telling: stopped(600, 6 * day),
      fires: 600 + 3 * day + 10,
      notBefore: 600 + 3 * day - 5,
      over: 6 * day + 20,
      silent: {
        "a weekend, from Friday evening to Monday morning": {
          telling: stopped(600, 600 + 60 * 60),
          minutes: 4 * day,
        },
      },
    },
  },
};
