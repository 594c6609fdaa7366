-- ms5: drops factory_telemetry.oee_calculations
-- The aggregate built on it goes with it; the next `up` makes it again.
DROP MATERIALIZED VIEW IF EXISTS factory_telemetry.oee_hourly_aggregate;
DROP TABLE factory_telemetry.oee_calculations;
