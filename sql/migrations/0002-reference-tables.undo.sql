-- ms5: drops factory_telemetry.machines, factory_telemetry.metrics, factory_telemetry.metric_aliases, factory_telemetry.shifts, factory_telemetry.production_orders
DROP TABLE factory_telemetry.production_orders;
DROP TABLE factory_telemetry.shifts;
DROP TABLE factory_telemetry.metric_aliases;
DROP TABLE factory_telemetry.metrics;
DROP TABLE factory_telemetry.machines;
