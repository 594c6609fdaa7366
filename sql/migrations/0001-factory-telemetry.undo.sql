DROP SCHEMA factory_telemetry;
