/** The names the migrations give, in one place for everything that refers to them. */
export const telemetrySchema = "factory_telemetry";

/** What whoever watches may ask (sql/migrations/0011-monitoring.sql). */
export const monitoringSchema = "monitoring";

/** The five hypertables, all partitioned by `ts`. */
export const tableNames = [
  "metric_hist",
  "oee_calculations",
  "energy_consumption",
  "production_kpis",
  "production_context_history",
] as const;
export type TableName = (typeof tableNames)[number];

/** Reference tables: what telemetry rows point at. */
export const referenceTables = [
  "machines",
  "metrics",
  "metric_aliases",
  "shifts",
  "production_orders",
] as const;

/**
 * Continuous aggregates in the order they build on each other; the query of each stands in
 * `sql/aggregates/<name>.sql`.
 */
export const aggregates = {
  metric_minute_aggregate: { source: "metric_hist", bucket: "1 minute" },
  metric_hourly_aggregate: { source: "metric_minute_aggregate", bucket: "1 hour" },
  metric_daily_aggregate: { source: "metric_hourly_aggregate", bucket: "1 day" },
  oee_hourly_aggregate: { source: "oee_calculations", bucket: "1 hour" },
} as const;
export type AggregateName = keyof typeof aggregates;
export const aggregateNames = Object.keys(aggregates) as AggregateName[];

/** Those that samples get into, in the order they build on each other. */
export const metricAggregateNames = [
  "metric_minute_aggregate",
  "metric_hourly_aggregate",
  "metric_daily_aggregate",
] as const satisfies readonly AggregateName[];

/** Schema-qualified, unquoted. */
export function qualified(name: TableName | AggregateName | (typeof referenceTables)[number]): string {
  return `${telemetrySchema}.${name}`;
}
