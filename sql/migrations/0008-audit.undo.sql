-- ms5: drops audit.changes
DO $$
DECLARE
  reference_table text;
BEGIN
  FOREACH reference_table IN ARRAY ARRAY['machines', 'metrics', 'metric_aliases', 'shifts', 'production_orders'] LOOP
    EXECUTE format('DROP TRIGGER audit_rows ON factory_telemetry.%I', reference_table);
    EXECUTE format('DROP TRIGGER audit_truncate ON factory_telemetry.%I', reference_table);
  END LOOP;
END
$$;
DROP TABLE audit.changes;
DROP FUNCTION audit.refuse_change();
DROP FUNCTION audit.record_change();
DROP SCHEMA audit;
