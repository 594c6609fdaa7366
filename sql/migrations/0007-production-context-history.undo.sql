-- ms5: drops factory_telemetry.production_context_history
DROP TABLE factory_telemetry.production_context_history;
