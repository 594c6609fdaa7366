-- ms5: drops factory_telemetry.ingest_files
DROP TABLE factory_telemetry.ingest_files;
