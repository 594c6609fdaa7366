-- ms5: drops factory_telemetry.metric_hist
-- The aggregates built on it go with it, the upper levels first: CASCADE cannot take a stack of them. The next `up`
-- makes them again.
DROP MATERIALIZED VIEW IF EXISTS factory_telemetry.metric_daily_aggregate;
DROP MATERIALIZED VIEW IF EXISTS factory_telemetry.metric_hourly_aggregate;
DROP MATERIALIZED VIEW IF EXISTS factory_telemetry.metric_minute_aggregate;
DROP TABLE factory_telemetry.metric_hist;
