-- Who changed what. Reference data decides what telemetry means, so each change of it is recorded; the record can be
-- added to and read, not changed. Its owner could drop the trigger that says so; the server's log shows that, and nobody
-- logs in as the owner.
CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'Append-only records for auditors';

CREATE TABLE audit.changes (
  change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The role that logged in, and the one it acted as.
  session_role text NOT NULL DEFAULT session_user,
  acting_role text NOT NULL,
  client inet DEFAULT inet_client_addr(),
  application text NOT NULL DEFAULT current_setting('application_name'),
  relation text NOT NULL,
  action text NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
  before jsonb,
  after jsonb
);
COMMENT ON TABLE audit.changes IS 'Each change of a reference table: who, when, from where, before and after';
CREATE INDEX changes_at ON audit.changes (at);

-- SECURITY DEFINER: who changes a machine need not be able to write the record of it.
CREATE FUNCTION audit.record_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO audit.changes (acting_role, relation, action, before, after)
  VALUES (
    -- Inside a SECURITY DEFINER function current_user is the owner; the setting keeps what SET ROLE chose.
    coalesce(nullif(current_setting('role', true), 'none'), session_user),
    format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME),
    TG_OP,
    CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) END,
    CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) END
  );
  RETURN NULL;
END
$$;

CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% on %.% is refused: the audit record is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.changes
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

DO $$
DECLARE
  reference_table text;
BEGIN
  FOREACH reference_table IN ARRAY ARRAY['machines', 'metrics', 'metric_aliases', 'shifts', 'production_orders'] LOOP
    EXECUTE format(
      'CREATE TRIGGER audit_rows AFTER INSERT OR UPDATE OR DELETE ON factory_telemetry.%I
         FOR EACH ROW EXECUTE FUNCTION audit.record_change()', reference_table);
    EXECUTE format(
      'CREATE TRIGGER audit_truncate AFTER TRUNCATE ON factory_telemetry.%I
         FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change()', reference_table);
  END LOOP;
END
$$;
