import { policyAlerts } from "../../../../infra/monitoring/alerts/policies";
import { always, type Course, during, type GroupCases, type Telling } from "../ruleTrials";

const day = 24 * 60;
const hour = 60;
const scraped = 'instance="exporter",job="hypertables"';
const ofExporter = { instance: "exporter", job: "hypertables" };

// Prometheus' own label `job` is the scrape's: what the exporter calls so becomes exported_job.
const name = "retention:metric_hist";
const ofJob = { ...ofExporter, exported_job: name };
const job = (metric: string, course: Course): Telling => ({
  [`timescaledb_job_${metric}{exported_job="${name}",${scraped}}`]: course,
});

const aggregate = "metric_hourly_aggregate";
const hourly = (metric: string, course: Course): Telling => ({
  [`timescaledb_aggregate_${metric}{aggregate="${aggregate}",${scraped}}`]: course,
});
/** Machines send until `end`, and again from `begin` on. */
const rows = (end = Number.POSITIVE_INFINITY, begin = Number.POSITIVE_INFINITY): Telling => ({
  [`timescaledb_hypertable_newest_row_timestamp_seconds{hypertable="metric_hist",${scraped}}`]: (minute) =>
    60 * (minute < end || minute >= begin ? minute : end),
});
/** Of an aggregate whose last run was at a minute, of rows until then. Each hour's end is materialised an hour later. */
const staleSince = (last: (minute: number) => number) =>
  hourly("staleness_seconds", (minute) => 60 * (minute - Math.floor((last(minute) - hour) / hour) * hour));

const chunks = (course: Course): Telling => ({
  'timescaledb_columnstore_overdue_chunks{hypertable="metric_hist",kind="table",instance="exporter",job="compression"}':
    course,
});
const retention = (course: Course): Telling => ({
  [`timescaledb_retention_overdue_seconds{hypertable="metric_hist",kind="table",${scraped}}`]: course,
});

export const policyCases: GroupCases = {
  groups: [policyAlerts({ schedules: { columnstore: 12 * 3600, retention: 24 * 3600 } })],
  step: 300,
  well: {
    ...job("last_run_success", always(1)),
    ...job("scheduled", always(1)),
    ...job("lag_seconds", always(0)),
    ...job("schedule_interval_seconds", always(86_400)),
    ...rows(),
    ...staleSince((minute) => minute - (minute % 10)),
    ...hourly("end_offset_seconds", always(3600)),
    ...hourly("schedule_seconds", always(600)),
    // Due once a day, done by one of two runs.
    ...chunks((minute) => (minute % day < 700 ? 1 : 0)),
    ...retention((minute) => ((minute % day) - 300) * 60),
  },
  cases: {
    "PolicyJobFailing warning": {
      // Each fifth look meets a run that is under way.
      telling: job("last_run_success", (minute) =>
        minute < 60 || minute >= 200 ? 1 : minute % 25 === 0 ? undefined : 0,
      ),
      fires: 120,
      over: 200,
      labels: ofJob,
      says: [name],
      silent: {
        "a run that failed, and the next that did not": {
          telling: job("last_run_success", during(60, 115, 0, 1)),
          minutes: 300,
        },
        "a job that was paused after it had failed": {
          telling: { ...job("last_run_success", always(0)), ...job("scheduled", always(0)) },
          minutes: 300,
        },
      },
    },
    "PolicyJobLate warning": {
      telling: job("lag_seconds", (minute) => (minute >= 60 && minute < 180 ? (minute - 60) * 60 : 0)),
      // More than an hour, and then five minutes.
      fires: 130,
      over: 180,
      labels: ofJob,
      says: [name, "1h 10m 0s"],
      silent: {
        "a database that was stopped for a night, and catches up": {
          telling: job("lag_seconds", (minute) =>
            minute < 60 ? 0 : minute < 780 ? undefined : minute === 780 ? 36_000 : 0,
          ),
          minutes: 1000,
        },
      },
    },
    "AggregateStale warning": {
      telling: staleSince((minute) => (minute < 600 || minute >= 1200 ? minute - (minute % 10) : 600)),
      // Up to 9:00 at minute 600; missing may be 1 h + 1 h + 30 min, which minute 690 is. Then two hours.
      fires: 815,
      over: 1201,
      labels: { ...ofExporter, aggregate },
      says: [aggregate, "4h 35m 0s"],
      silent: {
        "a weekend on which no machine sends": {
          telling: { ...rows(600), ...staleSince((minute) => Math.min(minute - (minute % 10), 600)) },
          minutes: 3 * day,
        },
        "the first rows after it": {
          telling: {
            ...rows(600, 3 * day),
            ...staleSince((minute) =>
              minute < 3 * day + 10 ? Math.min(minute, 600) : minute - (minute % 10),
            ),
          },
          minutes: 3 * day + 600,
        },
      },
    },
    "ColumnstoreOverdue warning": {
      telling: chunks((minute) => (minute < day ? (minute % day < 700 ? 1 : 0) : minute < 3 * day ? 2 : 0)),
      fires: 2 * day + 60,
      // The whole day before the first of them: the samples of minute 1440 and on.
      notBefore: 2 * day + 30,
      over: 3 * day + 20,
      labels: { hypertable: "metric_hist" },
      says: ["2", "metric_hist"],
      silent: {
        "an exporter that has only begun": {
          telling: chunks((minute) => (minute < 600 ? undefined : minute < 1300 ? 1 : 0)),
          minutes: 2 * day,
        },
      },
    },
    "RetentionOverdue warning": {
      telling: retention((minute) => (minute < 4 * day ? (minute - day) * 60 : -3600)),
      fires: 3 * day + 65,
      over: 4 * day,
      labels: { ...ofExporter, hypertable: "metric_hist", kind: "table" },
      says: ["metric_hist", "2d 1h 5m 0s"],
      silent: {
        "the job's next run, nearly a day later": {
          telling: retention((minute) => (minute % (2 * day) === 0 ? -60 : (minute % (2 * day)) * 60)),
          minutes: 5 * day,
        },
      },
    },
  },
};
