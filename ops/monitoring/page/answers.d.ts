// What the monitoring API answers, as far as the page reads it. Moments are ISO 8601 in UTC, sizes bytes, durations
// seconds, ratios 0 to 1.

export type Status = "healthy" | "degraded" | "unhealthy";

export interface Check {
  readonly name: string;
  readonly status: Status;
  readonly detail?: string;
  readonly value?: number;
}

/** GET /health */
export interface Health {
  readonly status: Status;
  readonly checks: readonly Check[];
  readonly at: string;
  readonly version: string;
}

/** GET /health/database and GET /health/timescaledb */
export interface Checks {
  readonly status: Status;
  readonly checks: readonly Check[];
}

/** GET /status/timescaledb */
export interface TimescaleStatus {
  readonly version: string | null;
  readonly edition: "community" | "apache" | null;
  readonly hypertables: number;
  readonly aggregates: number;
  readonly jobs: { readonly total: number; readonly failing: number };
  readonly sizeBytes: number;
}

export type Kind = "table" | "aggregate";

export interface Hypertable {
  readonly name: string;
  readonly kind: Kind;
  readonly rows: number | null;
  readonly sizeBytes: number | null;
  readonly chunks: number;
  readonly columnChunks: number | null;
  readonly chunkIntervalSeconds: number | null;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly newestRow: string | null;
}

/** GET /metrics/hypertables */
export interface Hypertables {
  readonly hypertables: readonly Hypertable[];
}

export interface Saved {
  readonly beforeBytes: number | null;
  readonly afterBytes: number | null;
  readonly savedRatio: number | null;
}

export interface Compressed extends Saved {
  readonly name: string;
  readonly kind: Kind;
  readonly enabled: boolean;
  readonly afterSeconds: number | null;
  readonly overdueChunks: number | null;
}

/** GET /metrics/compression */
export interface Compression {
  readonly hypertables: readonly Compressed[];
  readonly totals: Saved;
}

export interface Chunk {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly sizeBytes: number | null;
  readonly rows: number | null;
  readonly store: "rows" | "columns";
  readonly beforeBytes?: number | null;
}

/** GET /metrics/chunks */
export interface Chunks {
  readonly chunks: readonly Chunk[];
  /** Cursor of the next page. */
  readonly next: string | null;
}

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly proc: string;
  readonly hypertable: string | null;
  readonly scheduled: boolean;
  readonly lastRun: string | null;
  readonly lastStatus: string | null;
  readonly lastDurationSeconds: number | null;
  readonly nextStart: string | null;
  readonly runs: number;
  readonly failures: number;
  readonly lastError?: string | null;
}

/** GET /jobs */
export interface Jobs {
  readonly jobs: readonly Job[];
  /** Without TimescaleDB's own. */
  readonly failing: number;
}

export interface Metric {
  readonly id: number | string;
  readonly name: string;
  readonly unit: string;
}

export interface Machine {
  readonly id: number | string;
  readonly name: string;
  readonly line?: string | null;
  readonly metrics: readonly Metric[];
}

/** GET /machines */
export interface Machines {
  readonly machines: readonly Machine[];
}

export interface TelemetryPoint {
  readonly at: string;
  readonly avg: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** GET /telemetry */
export interface Telemetry {
  readonly unit: string;
  readonly bucketSeconds: number;
  readonly points: readonly TelemetryPoint[];
}

export interface Anomaly {
  readonly at: string;
  readonly value: number;
  readonly expected: number | null;
  readonly score: number;
}

/** GET /anomalies */
export interface Anomalies {
  readonly method: string;
  readonly threshold: number;
  readonly points: readonly Anomaly[];
  /** Why nothing could be found. */
  readonly unavailable?: string | null;
}

export interface MachineOee {
  readonly id: number | string;
  readonly name: string;
  readonly oee: number | null;
  readonly availability: number | null;
  readonly performance: number | null;
  readonly quality: number | null;
}

/** GET /oee */
export interface Oee {
  readonly machines: readonly MachineOee[];
  readonly series: readonly {
    readonly machine: number | string;
    readonly points: readonly { readonly at: string; readonly oee: number | null }[];
  }[];
}

/** GET /advice/storage */
export interface Forecast {
  /** Oldest first; the last one is now. */
  readonly history: readonly { readonly at: string; readonly bytes: number }[];
  readonly forecast: readonly {
    readonly at: string;
    readonly bytes: number;
    readonly low: number;
    readonly high: number;
  }[];
  /** Of the volume; absent or null: nobody said, and then nobody knows when it is full. */
  readonly volumeBytes?: number | null;
  /** null: not within the forecast, or it is not known how large the volume is. */
  readonly fullAt: string | null;
  /** The same, by the upper end of the likely range. */
  readonly fullAtEarliest?: string | null;
  readonly error: { readonly mape: number | null };
  readonly method: string;
  readonly notes?: readonly string[];
}

/** GET /advice/columnstore */
export interface ColumnstoreAdvice {
  /** Why there is no advice at all. */
  readonly unavailable: string | null;
  readonly hypertables: readonly {
    readonly name: string;
    readonly kind: Kind;
    readonly advice: readonly {
      readonly severity: "info" | "warning";
      readonly reason: string;
      /** Of the stack's configuration. */
      readonly key: string | null;
      readonly value: string | boolean | readonly string[] | null;
    }[];
  }[];
}

/** GET /advice/chunk-interval */
export interface ChunkIntervalAdvice {
  readonly hypertables: readonly {
    readonly name: string;
    readonly chunkIntervalSeconds: number;
    /** null: too few rows to say. */
    readonly advisedSeconds: number | null;
    readonly why: readonly string[];
    /** null: leave it as it is. */
    readonly key: string | null;
    readonly value: string | null;
  }[];
}

/** What each path answers. */
export interface Answers {
  readonly "/health": Health;
  readonly "/health/database": Checks;
  readonly "/health/timescaledb": Checks;
  readonly "/status/timescaledb": TimescaleStatus;
  readonly "/metrics/hypertables": Hypertables;
  readonly "/metrics/compression": Compression;
  readonly "/metrics/chunks": Chunks;
  readonly "/jobs": Jobs;
  readonly "/machines": Machines;
  readonly "/telemetry": Telemetry;
  readonly "/anomalies": Anomalies;
  readonly "/oee": Oee;
  readonly "/advice/storage": Forecast;
  readonly "/advice/columnstore": ColumnstoreAdvice;
  readonly "/advice/chunk-interval": ChunkIntervalAdvice;
}

/** RFC 9457 */
export interface Problem {
  readonly title?: string;
  readonly detail?: string;
}
