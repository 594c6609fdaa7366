-- ms5: drops factory_telemetry.production_kpis
DROP TABLE factory_telemetry.production_kpis;
