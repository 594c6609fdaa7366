import type { MonitoringImages } from "./monitoring/settings";
import type { AggregateName, TableName } from "./schema/catalogue";
import type { TlsMode } from "./schema/postgres";

export const environments = ["local", "cluster", "dev", "staging", "prod"] as const;
export type Environment = (typeof environments)[number];

/** The nine settings of a hypertable, as they are written in a stack's config. */
export interface TableSettingsText {
  chunkInterval: string;
  columnstore: boolean;
  columnstoreAfter: string;
  columnstoreSchedule: string;
  segmentBy: string[];
  orderBy: string;
  retention: string;
  retentionSchedule: string;
  reorderIndex: string;
}

/** What holds for a continuous aggregate, as it is written in a stack's config. */
export interface AggregateSettingsText {
  startOffset: string;
  endOffset: string;
  schedule: string;
  realtime: boolean;
  columnstoreAfter: string;
  retention: string;
}

const slowTable: TableSettingsText = {
  // A few rows a machine and minute: 30 days of 50 machines are two million rows.
  chunkInterval: "30 days",
  columnstore: true,
  columnstoreAfter: "30 days",
  columnstoreSchedule: "12 hours",
  segmentBy: ["machine_id"],
  orderBy: "ts DESC",
  retention: "1 year",
  retentionSchedule: "1 day",
  reorderIndex: "none",
};

/** Defaults of every hypertable; what an environment changes stands in {@link environmentDefaults}. */
export const tableDefaults: Readonly<Record<TableName, TableSettingsText>> = {
  metric_hist: {
    ...slowTable,
    // 50 machines x 20 metrics every 10 s are 8.6 million rows a day: with its index a chunk that stays in memory
    // while it is written. `ops advise chunk-interval` computes it from the real rate.
    chunkInterval: "1 day",
    columnstoreAfter: "7 days",
    segmentBy: ["machine_id", "metric_id"],
    retention: "90 days",
  },
  oee_calculations: slowTable,
  energy_consumption: slowTable,
  production_kpis: slowTable,
  production_context_history: slowTable,
};

/** Defaults of every continuous aggregate. */
export const aggregateDefaults: Readonly<Record<AggregateName, AggregateSettingsText>> = {
  metric_minute_aggregate: {
    // Gateways buffer through a long weekend.
    startOffset: "3 days",
    endOffset: "1 minute",
    schedule: "1 minute",
    realtime: true,
    columnstoreAfter: "7 days",
    retention: "1 year",
  },
  metric_hourly_aggregate: {
    startOffset: "4 days",
    endOffset: "1 hour",
    schedule: "10 minutes",
    realtime: true,
    columnstoreAfter: "30 days",
    retention: "5 years",
  },
  metric_daily_aggregate: {
    startOffset: "8 days",
    endOffset: "1 day",
    schedule: "1 hour",
    realtime: true,
    columnstoreAfter: "90 days",
    retention: "keep",
  },
  oee_hourly_aggregate: {
    // Counts are corrected by hand for a week after the shift.
    startOffset: "8 days",
    endOffset: "1 hour",
    schedule: "10 minutes",
    realtime: true,
    columnstoreAfter: "30 days",
    retention: "keep",
  },
};

export interface EnvironmentDefaults {
  platform: "none" | "kubernetes" | "azure";
  /** How the database is reached when nothing else is configured. */
  database: {
    kind: "embedded" | "server";
    host?: string;
    port: number;
    name: string;
    user: string;
    tls: TlsMode;
  };
  /** How large the database pods and the pooler are; used where the platform is a Kubernetes. */
  cluster: ClusterDefaults;
  backups: BackupDefaults;
  monitoring: MonitoringDefaults;
  tables: Partial<Record<TableName, Partial<TableSettingsText>>>;
  allTables: Partial<TableSettingsText>;
  allAggregates: Partial<AggregateSettingsText>;
}

/** How often backups are made, and how long they are kept. */
export interface BackupDefaults {
  readonly schedules: {
    readonly full: string;
    readonly differential: string;
    readonly incremental: string;
    readonly drill: string;
  };
  /** Of the newest backup: longer than two gaps in the schedules, so that one left out wakes nobody. */
  readonly maxAge: string;
  readonly keepFull: number;
  readonly keepDifferential: number;
  /** Bytes a second, as Kubernetes writes them. */
  readonly bandwidth: string;
}

/** How a stack is watched; used where the platform is a Kubernetes. */
export interface MonitoringDefaults {
  readonly place: "cluster" | "azure" | "none";
  /** Of samples. */
  readonly retention: string;
  readonly volume: string;
  readonly images: MonitoringImages;
}

export interface ClusterDefaults {
  image: string;
  poolerImage: string;
  haproxyImage: string;
  cpu: string;
  memory: string;
  dataVolume: string;
  walVolume: string;
  maxConnections: number;
  serverConnections: number;
}

const cloudImages = {
  // Community edition, with Patroni and pgBackRest inside; user 1000.
  image: "timescale/timescaledb-ha:pg17-ts2.29",
  poolerImage: "ghcr.io/cloudnative-pg/pgbouncer:1.25.2",
  haproxyImage: "haproxy:3.2",
} as const;

/**
 * A member has a node to itself, and gets of it what Kubernetes leaves (infra/azure/vmSizes.ts). WAL has its own disk: a
 * full one must not take the data with it, nor the other way round.
 */
const production: ClusterDefaults = {
  ...cloudImages,
  cpu: "3",
  memory: "26Gi",
  dataVolume: "100Gi",
  walVolume: "32Gi",
  maxConnections: 200,
  serverConnections: 80,
};

/** As production in every way, on half the machine. */
const staging: ClusterDefaults = { ...production, cpu: "1", memory: "12Gi" };

const small: ClusterDefaults = {
  ...production,
  cpu: "1",
  memory: "2Gi",
  dataVolume: "20Gi",
  walVolume: "8Gi",
  maxConnections: 120,
  serverConnections: 50,
};

const productionBackups: BackupDefaults = {
  schedules: {
    // The factory's quietest night; the log of a week is what a restore has to replay at most after the last of the others.
    full: "0 2 * * 0",
    differential: "0 2 * * 1-6",
    incremental: "0 8,14,20 * * *",
    // A restore a week: a quarter of a day after a full backup would be the easiest case, so the middle of the week.
    drill: "0 4 * * 3",
  },
  maxAge: "13 hours",
  // Three to four weeks in which any point in time can be restored: the oldest full backup goes when the fifth is there.
  keepFull: 4,
  keepDifferential: 6,
  // Half of what the volume's disk gives (Premium SSD P10 to P20: 100 to 150 MB/s); replay and queries have the rest.
  bandwidth: "64Mi",
};

const stagingBackups: BackupDefaults = { ...productionBackups, keepFull: 2 };

/** It is stopped at night and at weekends: what is due then is never made. */
const devBackups: BackupDefaults = {
  schedules: {
    full: "0 10 * * 1",
    differential: "0 10 * * 2-5",
    incremental: "never",
    drill: "0 11 * * 3",
  },
  // Over a weekend.
  maxAge: "4 days",
  keepFull: 1,
  keepDifferential: 4,
  bandwidth: "64Mi",
};

/**
 * Prometheus' long-term support version. The exporters are those that the tests run: from 0.20 on postgres_exporter has
 * other names for some of its metrics.
 */
const monitoringImages: MonitoringImages = {
  prometheus: "prom/prometheus:v3.5.0",
  alertmanager: "prom/alertmanager:v0.28.1",
  postgresExporter: "prometheuscommunity/postgres-exporter:v0.17.1",
  pgbouncerExporter: "prometheuscommunity/pgbouncer-exporter:v0.10.2",
  nodeExporter: "prom/node-exporter:v1.9.1",
  grafana: "grafana/grafana:12.3.0",
  node: "node:24-slim",
};

const productionMonitoring: MonitoringDefaults = {
  place: "cluster",
  // Longer than the month of an error budget: its graphs would end where the question begins.
  retention: "35 days",
  volume: "50Gi",
  images: monitoringImages,
};

const smallMonitoring: MonitoringDefaults = { ...productionMonitoring, retention: "15 days", volume: "20Gi" };

/** A server that is there already. */
export const server = {
  kind: "server",
  port: 5432,
  name: "ms5",
  user: "postgres",
  tls: "verify-full",
} as const;

/** Through a port-forward, whose end on this machine has a port that does not change from run to run. */
function throughPortForward(port: number) {
  return { ...server, host: "localhost", port, user: "ms5_admin" };
}

/** What each environment changes, and why. */
export const environmentDefaults: Readonly<Record<Environment, EnvironmentDefaults>> = {
  local: {
    platform: "none",
    // The embedded server knows one user and one database and has no TLS; it listens on loopback only.
    database: {
      kind: "embedded",
      host: "127.0.0.1",
      port: 54_320,
      name: "template1",
      user: "postgres",
      tls: "disable",
    },
    cluster: small,
    backups: devBackups,
    monitoring: smallMonitoring,
    // People try files of years ago here (NAB is of 2013); a 90-day retention would delete them at its first run.
    allTables: { retention: "50 years" },
    allAggregates: { retention: "keep" },
    // One machine's file is small, and small chunks don't pay: 62 % instead of 11 % of the row store on the
    // calibration data with 1-day chunks.
    tables: { metric_hist: { chunkInterval: "30 days" } },
  },
  cluster: {
    platform: "kubernetes",
    database: throughPortForward(54_329),
    cluster: small,
    backups: devBackups,
    monitoring: smallMonitoring,
    allTables: { retention: "90 days" },
    allAggregates: {},
    tables: { metric_hist: { chunkInterval: "7 days", retention: "30 days" } },
  },
  dev: {
    platform: "azure",
    database: throughPortForward(54_331),
    cluster: small,
    backups: devBackups,
    monitoring: smallMonitoring,
    // A copy of a few machines: cheap before complete.
    allTables: { retention: "90 days" },
    allAggregates: {},
    tables: { metric_hist: { chunkInterval: "7 days", retention: "30 days" } },
  },
  staging: {
    platform: "azure",
    database: throughPortForward(54_332),
    cluster: staging,
    backups: stagingBackups,
    monitoring: productionMonitoring,
    allTables: {},
    allAggregates: {},
    tables: {},
  },
  prod: {
    platform: "azure",
    database: throughPortForward(54_333),
    cluster: production,
    backups: productionBackups,
    monitoring: productionMonitoring,
    allTables: {},
    allAggregates: {},
    tables: {},
  },
};
