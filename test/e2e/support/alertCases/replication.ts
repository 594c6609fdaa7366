import { replicationAlerts } from "../../../../infra/monitoring/alerts/replication";
import { always, type Course, during, type GroupCases, type Telling } from "../ruleTrials";

const member = (pod: string) => `pod="${pod}",instance="${pod}",job="member"`;
const pods = ["blue-0", "blue-1", "blue-2"] as const;
type Pod = (typeof pods)[number];

interface Of {
  readonly primary?: Partial<Record<Pod, Course>>;
  readonly running?: Partial<Record<Pod, Course>>;
  readonly timeline?: Course;
}

/** Three members, of which blue-0 is the primary. */
function cluster({ primary = {}, running = {}, timeline = always(4) }: Of): Telling {
  const each = (metric: string, course: (pod: Pod) => Course) =>
    Object.fromEntries(pods.map((pod) => [`${metric}{${member(pod)}}`, course(pod)]));
  return {
    ...each("ms5_cluster_members", () => always(3)),
    ...each("ms5_member_running", (pod) => running[pod] ?? always(1)),
    ...each("ms5_member_primary", (pod) => primary[pod] ?? always(pod === "blue-0" ? 1 : 0)),
    ...each("ms5_member_timeline", () => timeline),
  };
}

const standbys = (course: Course): Telling => ({
  [`ms5_cluster_synchronous_standbys{${member("blue-0")}}`]: course,
});
const streaming = (course: Course): Telling => ({ [`ms5_member_streaming{${member("blue-2")}}`]: course });
const lag = (seconds: Course, bytes: Course = always(0)): Telling => ({
  [`ms5_member_lag_seconds{${member("blue-2")}}`]: seconds,
  [`ms5_member_lag_bytes{${member("blue-2")}}`]: bytes,
});

/** Writes of the exporter's probe, of which none succeeds in between. */
const writes = (begin = 0, end = 0): Telling => ({
  'timescaledb_probes_total{path="write",outcome="ok"}': (minute) =>
    12 * (minute - Math.max(0, Math.min(minute, end) - begin) * (minute >= begin ? 1 : 0)),
});

const well: Telling = {
  ...cluster({}),
  ...standbys(always(1)),
  ...streaming(always(1)),
  ...lag(always(0)),
  ...writes(),
};

/** blue-0 goes, blue-1 comes, with half a minute in which nobody is. */
const failover = cluster({
  primary: { "blue-0": (minute) => (minute < 60 ? 1 : 0), "blue-1": (minute) => (minute < 60.5 ? 0 : 1) },
  timeline: (minute) => (minute < 60.5 ? 4 : 5),
});

const blue2 = { pod: "blue-2", instance: "blue-2", job: "member" };

export const replicationCases: GroupCases = {
  groups: [replicationAlerts(3)],
  step: 30,
  well,
  cases: {
    "NoPrimary critical": {
      telling: { ...cluster({ primary: { "blue-0": during(60, 70, 0, 1) } }), ...writes(60, 70) },
      // The last write that succeeded is out of sight after a minute.
      fires: 62,
      over: 70.5,
      silent: {
        "a failover": { telling: { ...failover, ...writes(60, 60.5) }, minutes: 120 },
        "the primary's scrapes that are lost": {
          telling: cluster({ primary: { "blue-0": during(60, 70, undefined, 1) } }),
          minutes: 120,
        },
        "a database that is stopped, and tells nothing": {
          telling: Object.fromEntries(
            Object.entries(well).map(([series, course]) => [
              series,
              (minute: number) => (minute < 60 ? course?.(minute) : undefined),
            ]),
          ),
          minutes: 240,
        },
      },
    },
    "FailoverHappened warning": {
      telling: failover,
      fires: 60.5,
      over: 76,
      silent: {
        "a scrape that is lost": {
          telling: cluster({ timeline: during(60, 61, undefined, 4) }),
          minutes: 120,
        },
        "a new cluster under the old name": {
          telling: cluster({ timeline: (minute) => (minute < 60 ? 4 : 1) }),
          minutes: 120,
        },
      },
    },
    "MemberDown warning": {
      telling: cluster({ running: { "blue-2": during(60, 80, 0, 1) } }),
      fires: 70,
      over: 80.5,
      says: ["1"],
      silent: {
        "members that restart one after another": {
          telling: cluster({
            running: { "blue-1": during(60, 65, 0, 1), "blue-2": during(66, 75.5, undefined, 1) },
          }),
          minutes: 120,
        },
      },
    },
    "TwoPrimaries critical": {
      telling: cluster({ primary: { "blue-1": during(60, 65, 1, 0) } }),
      fires: 61,
      over: 65.5,
      says: ["2"],
      silent: {
        // Its node is cut off: the former one's last word is half a minute old.
        "a failover of which the former primary's scrape is late": {
          telling: cluster({
            primary: {
              "blue-0": (minute) => (minute < 61 ? 1 : 0),
              "blue-1": (minute) => (minute < 60 ? 0 : 1),
            },
          }),
          minutes: 120,
        },
      },
    },
    "NoSynchronousStandby critical": {
      telling: standbys(during(60, 65, 0, 1)),
      fires: 61,
      over: 65.5,
      silent: {
        "the first moments of a new primary": { telling: standbys(during(60, 61, 0, 1)), minutes: 120 },
      },
    },
    "ReplicaNotStreaming warning": {
      telling: streaming(during(60, 70, 0, 1)),
      fires: 65,
      over: 70.5,
      labels: blue2,
      says: ["blue-2"],
      silent: {
        "a replica that restarts and catches up": {
          telling: streaming(during(60, 64.5, 0, 1)),
          minutes: 120,
        },
      },
    },
    "ReplicaLagging warning": {
      telling: lag(during(60, 80, 90, 0)),
      fires: 70,
      over: 80.5,
      labels: blue2,
      says: ["blue-2"],
      silent: {
        "a bulk load's": {
          telling: lag(during(60, 69.5, 300, 0), during(60, 69.5, 4 * 2 ** 30, 0)),
          minutes: 120,
        },
        "one that does not stream at all": {
          telling: { ...lag(during(60, 90, 600, 0)), ...streaming(during(60, 90, 0, 1)) },
          minutes: 120,
        },
      },
    },
  },
};
