-- The schema all telemetry lives in.
CREATE SCHEMA factory_telemetry;
COMMENT ON SCHEMA factory_telemetry IS 'What the factory''s machines report, and what it means';
