// What a monitoring service of a factory with a little of everything would answer; made up, the same each time.
import type {
  Anomalies,
  Answers,
  Checks,
  Chunk,
  Health,
  Job,
  MachineOee,
  Oee,
  Telemetry,
} from "../../../ops/monitoring/page/answers";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const GiB = 2 ** 30;

/** Everything healthy, as of `now`. */
export function healthyAnswers(now: number): Answers {
  const at = (before: number) => new Date(now - before).toISOString();
  return {
    "/health": {
      status: "healthy",
      checks: [
        { name: "database", status: "healthy" },
        { name: "timescaledb", status: "healthy" },
        { name: "jobs", status: "healthy" },
      ],
      at: at(0),
      version: "0.1.0",
    },
    "/health/database": {
      status: "healthy",
      checks: [
        { name: "connects", status: "healthy", detail: "the database answers" },
        { name: "version", status: "healthy", detail: "PostgreSQL 17.6" },
        { name: "replication", status: "healthy", detail: "2 standbys stream", value: 2 },
        { name: "connections", status: "healthy", detail: "34 of 200 are used", value: 34 },
        { name: "long transactions", status: "healthy", detail: "the longest is open for 2 s", value: 2 },
        { name: "size", status: "healthy", detail: "bytes of this database", value: 41.3 * GiB },
      ],
    },
    "/health/timescaledb": {
      status: "healthy",
      checks: [
        { name: "extension", status: "healthy", detail: "TimescaleDB 2.29.2" },
        { name: "jobs failing", status: "healthy", detail: "no job's last run failed", value: 0 },
        { name: "aggregates stale", status: "healthy", detail: "every aggregate is refreshed on time" },
        { name: "columnstore overdue", status: "healthy", detail: "no chunk waits", value: 0 },
        { name: "retention overdue", status: "healthy", detail: "no chunk waits", value: 0 },
      ],
    },
    "/status/timescaledb": {
      version: "2.29.2",
      edition: "community",
      hypertables: 5,
      aggregates: 3,
      jobs: { total: 6, failing: 0 },
      sizeBytes: 41.3 * GiB,
    },
    "/metrics/hypertables": {
      hypertables: [
        hypertable("metric_hist", 60_512_000, 34.2, 214, 206, at(14 * second)),
        hypertable("oee_calculations", 438_000, 0.09, 31, 24, at(38 * minute)),
        hypertable("energy_consumption", 8_760_123, 1.4, 53, 46, at(3 * minute)),
        { ...hypertable("metric_hourly_aggregate", 1_210_400, 0.7, 24, 18, null), kind: "aggregate" },
        { ...hypertable("production_context_history", null, 0, 0, 0, null), oldest: null, newest: null },
      ],
    },
    "/metrics/compression": {
      hypertables: [
        compressed("metric_hist", 412, 31.1, 7 * 86_400),
        compressed("energy_consumption", 9.8, 1.2, 14 * 86_400),
        {
          name: "production_context_history",
          kind: "table",
          enabled: false,
          afterSeconds: null,
          beforeBytes: 0,
          afterBytes: 0,
          savedRatio: null,
          overdueChunks: 0,
        },
      ],
      totals: { beforeBytes: 421.8 * GiB, afterBytes: 32.3 * GiB, savedRatio: 1 - 32.3 / 421.8 },
    },
    "/metrics/chunks": chunkPage(now, 0),
    "/jobs": {
      failing: 0,
      jobs: [
        job(1000, "columnstore", "metric_hist", now),
        job(1001, "retention", "metric_hist", now),
        job(1002, "refresh", "metric_hourly_aggregate", now),
        {
          ...job(1003, "columnstore", "energy_consumption", now),
          runs: 0,
          lastRun: null,
          lastStatus: null,
          lastDurationSeconds: null,
        },
        { ...job(3, "telemetry_reporter", null, now), name: "telemetry_reporter:3", scheduled: false },
      ],
    },
    "/machines": {
      machines: machineNames.map((name, index) => ({
        id: `M${index + 1}`,
        name,
        line: index < 6 ? "Line A" : "Line B",
        metrics: [
          { id: "temperature", name: "Spindle temperature", unit: "°C" },
          { id: "vibration", name: "Vibration", unit: "mm/s" },
        ],
      })),
    },
    "/telemetry": telemetry(now - day, now),
    "/anomalies": anomalies(now),
    "/oee": oee(now),
    "/advice/storage": forecast(now),
    "/advice/columnstore": {
      unavailable: null,
      hypertables: [
        { name: "metric_hist", kind: "table", advice: [] },
        {
          name: "energy_consumption",
          kind: "table",
          advice: [
            {
              severity: "warning",
              reason: "a segment has 41 rows in a chunk, and batches of fewer than 100 rows waste space",
              key: "tables.energyConsumption.segmentBy",
              value: ["machine_id"],
            },
          ],
        },
      ],
    },
    "/advice/chunk-interval": {
      hypertables: [
        {
          name: "metric_hist",
          chunkIntervalSeconds: 86_400,
          advisedSeconds: 86_400,
          why: ["a full chunk takes 2.1 GiB, within 25 % of 16 GiB of memory"],
          key: null,
          value: null,
        },
        {
          name: "energy_consumption",
          chunkIntervalSeconds: 7 * 86_400,
          advisedSeconds: 30 * 86_400,
          why: ["a full chunk takes 12 MiB, and each series 410 rows in it: longer chunks compress better"],
          key: "tables.energyConsumption.chunkInterval",
          value: "30 days",
        },
      ],
    },
  };
}

export const degradedHealth = (now: number): Health => ({
  status: "degraded",
  checks: [
    { name: "database", status: "healthy" },
    { name: "timescaledb", status: "healthy" },
    { name: "jobs", status: "degraded", detail: "1 failing" },
  ],
  at: new Date(now).toISOString(),
  version: "0.1.0",
});

export const unhealthyHealth = (now: number): Health => ({
  status: "unhealthy",
  checks: [{ name: "database", status: "unhealthy" }],
  at: new Date(now).toISOString(),
  version: "0.1.0",
});

export const troubledDatabase: Checks = {
  status: "unhealthy",
  checks: [
    { name: "connects", status: "healthy", detail: "the database answers" },
    {
      name: "replication",
      status: "degraded",
      detail: "1 standbys stream, 1 connected ones do not",
      value: 1,
    },
    { name: "connections", status: "unhealthy", detail: "197 of 200 are used", value: 197 },
  ],
};

export function failedJob(now: number): Job {
  return {
    ...job(1004, "refresh", "oee_hourly_aggregate", now),
    lastStatus: "Failed",
    failures: 7,
    lastError: "canceling statement due to statement timeout",
  };
}

/** A database in which nothing was ever written. */
export function emptyAnswers(now: number): Answers {
  const healthy = healthyAnswers(now);
  return {
    ...healthy,
    "/metrics/hypertables": { hypertables: [] },
    "/metrics/compression": {
      hypertables: [],
      totals: { beforeBytes: 0, afterBytes: 0, savedRatio: null },
    },
    "/metrics/chunks": { chunks: [], next: null },
    "/jobs": { jobs: [], failing: 0 },
    "/machines": { machines: [] },
    "/telemetry": { unit: "", bucketSeconds: 60, points: [] },
    "/anomalies": { method: "none", threshold: 3.5, points: [], unavailable: "there are no readings" },
    "/oee": { machines: [], series: [] },
    "/advice/storage": {
      history: [],
      forecast: [],
      fullAt: null,
      error: { mape: null },
      method: "none",
      notes: [],
    },
    "/advice/columnstore": { unavailable: null, hypertables: [] },
    "/advice/chunk-interval": { hypertables: [] },
  };
}

/** The same, with each name and word that people or machines could have chosen replaced. */
export function withHostileNames(answers: Answers, hostile: string): Answers {
  return {
    ...answers,
    "/health": {
      ...answers["/health"],
      status: "degraded",
      checks: [{ name: hostile, status: "degraded", detail: hostile }],
    },
    "/health/database": {
      status: "degraded",
      checks: [{ name: hostile, status: "degraded", detail: hostile }],
    },
    "/metrics/hypertables": {
      hypertables: answers["/metrics/hypertables"].hypertables.map((one, index) => ({
        ...one,
        name: `${hostile}${index}`,
      })),
    },
    "/metrics/compression": {
      ...answers["/metrics/compression"],
      hypertables: answers["/metrics/compression"].hypertables.map((one) => ({ ...one, name: hostile })),
    },
    "/metrics/chunks": {
      ...answers["/metrics/chunks"],
      chunks: answers["/metrics/chunks"].chunks.map((one) => ({ ...one, name: hostile })),
    },
    "/jobs": {
      failing: 0,
      jobs: answers["/jobs"].jobs.map((one) => ({
        ...one,
        name: hostile,
        hypertable: hostile,
        lastStatus: "Failed",
        lastError: hostile,
      })),
    },
    "/machines": {
      machines: answers["/machines"].machines.map((one) => ({
        ...one,
        name: hostile,
        line: hostile,
        metrics: one.metrics.map((metric) => ({ ...metric, name: hostile, unit: hostile })),
      })),
    },
    "/telemetry": { ...answers["/telemetry"], unit: hostile },
    "/anomalies": { ...answers["/anomalies"], method: hostile },
    "/oee": {
      ...answers["/oee"],
      machines: answers["/oee"].machines.map((one) => ({ ...one, name: hostile })),
    },
    "/advice/storage": { ...answers["/advice/storage"], method: hostile, notes: [hostile] },
    "/advice/columnstore": {
      unavailable: null,
      hypertables: [
        {
          name: hostile,
          kind: "table",
          advice: [{ severity: "warning", reason: hostile, key: hostile, value: hostile }],
        },
      ],
    },
  };
}

/** Page 0 and 1 of 83 chunks, newest first. */
export function chunkPage(now: number, page: number): Answers["/metrics/chunks"] {
  const size = 50;
  const total = 83;
  const today = Math.floor(now / day) * day;
  const chunks = Array.from({ length: Math.min(size, total - page * size) }, (_, index): Chunk => {
    const age = page * size + index;
    const columns = age > 7;
    const from = today - age * day;
    return {
      name: `_hyper_1_${1000 - age}_chunk`,
      from: new Date(from).toISOString(),
      to: new Date(from + day).toISOString(),
      sizeBytes: columns ? (0.14 + 0.03 * Math.sin(age)) * GiB : age === 0 ? 0.9 * GiB : 1.9 * GiB,
      rows: age === 0 ? 3_900_000 : 8_640_000,
      store: columns ? "columns" : "rows",
      ...(columns ? { beforeBytes: 1.9 * GiB } : {}),
    };
  });
  return { chunks, next: (page + 1) * size < total ? `page-${page + 1}` : null };
}

/** A day that follows the shift, with noise, a gap and two peaks. */
export function telemetry(from: number, to: number): Telemetry {
  const count = 288;
  const bucketMs = (to - from) / count;
  const points = Array.from({ length: count }, (_, index) => {
    const avg =
      38 + 9 * Math.sin((index / count) * Math.PI * 2 - 1) + 1.4 * noise(index) + (index === 201 ? 16 : 0);
    return {
      at: new Date(from + index * bucketMs).toISOString(),
      avg,
      min: avg - 1.5 - Math.abs(noise(index + 7)) * 2,
      max: avg + 1.5 + Math.abs(noise(index + 3)) * 2,
    };
  }).filter((_, index) => index < 120 || index > 138);
  return { unit: "°C", bucketSeconds: bucketMs / second, points };
}

function anomalies(now: number): Anomalies {
  const from = now - day;
  return {
    method: "deviation of a 61-point mean from the normal part's median",
    threshold: 3.5,
    points: [
      { at: new Date(from + (201 / 288) * day).toISOString(), value: 59.6, expected: 41.2, score: 6.1 },
      { at: new Date(from + (40.4 / 288) * day).toISOString(), value: 21.3, expected: 33.9, score: 4.2 },
    ],
    unavailable: null,
  };
}

const machineNames = [
  "CNC mill 1",
  "CNC mill 2",
  "CNC mill 3",
  "Lathe 1",
  "Lathe 2",
  "Robot cell west",
  "Press 1",
  "Press 2",
  "Paint line",
  "Assembly A",
  "Assembly B",
  "Packaging",
];

function oee(now: number): Oee {
  const machines = machineNames.map((name, index): MachineOee => {
    const availability = 0.97 - (index % 5) * 0.06;
    const performance = 0.99 - (index % 4) * 0.07;
    const quality = 0.995 - (index % 3) * 0.012;
    const oee = availability * performance * quality;
    return { id: `M${index + 1}`, name, oee, availability, performance, quality };
  });
  const begin = Math.floor((now - day) / hour) * hour;
  return {
    machines: [
      ...machines.slice(0, -1),
      { id: "M12", name: "Packaging", oee: null, availability: null, performance: null, quality: null },
    ],
    series: machines.map(({ id, oee: mean }, index) => ({
      machine: id,
      points: Array.from({ length: 24 }, (_, step) => ({
        at: new Date(begin + step * hour).toISOString(),
        oee: step === 9 && index === 3 ? null : Math.min(1, (mean ?? 0) + 0.09 * noise(step * 3 + index)),
      })),
    })),
  };
}

function forecast(now: number): Answers["/advice/storage"] {
  const size = (days: number) => (41.3 + days * 0.11 + 0.4 * noise(days)) * GiB;
  return {
    history: Array.from({ length: 91 }, (_, index) => ({
      at: new Date(now - (90 - index) * day).toISOString(),
      bytes: size(index - 90),
    })),
    forecast: Array.from({ length: 90 }, (_, index) => ({
      at: new Date(now + (index + 1) * day).toISOString(),
      bytes: (41.3 + (index + 1) * 0.12) * GiB,
      low: (41.3 + (index + 1) * 0.07) * GiB,
      high: (41.3 + (index + 1) * 0.17) * GiB,
    })),
    volumeBytes: 128 * GiB,
    fullAt: null,
    fullAtEarliest: null,
    error: { mape: 0.042 },
    method: "mean weekly intake of the last 12 weeks, taken through each table's chunks; band: 80 %",
    notes: ["2 weeks of the history are without intake"],
  };
}

function hypertable(
  name: string,
  rows: number | null,
  gibibytes: number,
  chunks: number,
  columnChunks: number,
  newestRow: string | null,
) {
  return {
    name,
    kind: "table" as const,
    rows,
    sizeBytes: gibibytes * GiB,
    chunks,
    columnChunks,
    chunkIntervalSeconds: 86_400,
    oldest: "2025-01-01T00:00:00.000Z",
    newest: "2026-01-01T00:00:00.000Z",
    newestRow,
  };
}

function compressed(name: string, before: number, after: number, afterSeconds: number) {
  return {
    name,
    kind: "table" as const,
    enabled: true,
    afterSeconds,
    beforeBytes: before * GiB,
    afterBytes: after * GiB,
    savedRatio: 1 - after / before,
    overdueChunks: name === "energy_consumption" ? 2 : 0,
  };
}

function job(id: number, proc: string, hypertable: string | null, now: number): Job {
  return {
    id,
    name: `${proc}:${hypertable}`,
    proc: `policy_${proc}`,
    hypertable,
    scheduled: true,
    lastRun: new Date(now - 21 * minute).toISOString(),
    lastStatus: "Success",
    lastDurationSeconds: 4.2,
    nextStart: new Date(now + 39 * minute).toISOString(),
    runs: 1204,
    failures: 0,
    lastError: null,
  };
}

/** -1 to 1, the same for the same step. */
function noise(step: number): number {
  const wild = Math.sin(step * 12.9898) * 43_758.5453;
  return (wild - Math.floor(wild)) * 2 - 1;
}
