-- What sql/migrations makes, to review in a pull request; policies and aggregates come from the stack's resources.
-- Made by: npx vitest run --project integration test/sql/dump.test.ts -u

CREATE EXTENSION timescaledb;

-- -------------------- audit
CREATE SCHEMA audit AUTHORIZATION ms5_owner;
COMMENT ON SCHEMA audit IS 'Append-only records for auditors';

CREATE OR REPLACE FUNCTION audit.record_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;
ALTER FUNCTION audit.record_change() OWNER TO ms5_owner;

CREATE OR REPLACE FUNCTION audit.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
  RAISE EXCEPTION '% on %.% is refused: the audit record is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$function$;
ALTER FUNCTION audit.refuse_change() OWNER TO ms5_owner;

CREATE TABLE audit.backup_drills (
  drill_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  label text,
  target pg_lsn,
  restore_seconds double precision,
  loss_seconds double precision,
  bytes bigint,
  tables integer NOT NULL,
  rows bigint NOT NULL,
  passed boolean NOT NULL,
  detail text,
  CONSTRAINT backup_drills_pkey PRIMARY KEY (drill_id)
);
COMMENT ON TABLE audit.backup_drills IS 'Each restore of a backup on trial: what came of it, how long it took';
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.backup_drills FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.backup_drills OWNER TO ms5_owner;

CREATE TABLE audit.changes (
  change_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  session_role text NOT NULL DEFAULT SESSION_USER,
  acting_role text NOT NULL,
  client inet DEFAULT inet_client_addr(),
  application text NOT NULL DEFAULT current_setting('application_name'::text),
  relation text NOT NULL,
  action text NOT NULL,
  before jsonb,
  after jsonb,
  CONSTRAINT changes_pkey PRIMARY KEY (change_id),
  CONSTRAINT changes_action_check CHECK ((action = ANY (ARRAY['INSERT'::text, 'UPDATE'::text, 'DELETE'::text, 'TRUNCATE'::text])))
);
COMMENT ON TABLE audit.changes IS 'Each change of a reference table: who, when, from where, before and after';
CREATE INDEX changes_at ON audit.changes USING btree (at);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.changes FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.changes OWNER TO ms5_owner;

CREATE TABLE audit.restore_points (
  point_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  name text NOT NULL,
  lsn pg_lsn NOT NULL,
  made_by text NOT NULL DEFAULT SESSION_USER,
  why text NOT NULL,
  CONSTRAINT restore_points_pkey PRIMARY KEY (point_id)
);
COMMENT ON TABLE audit.restore_points IS 'Named places in the log that a restore can end at';
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.restore_points FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.restore_points OWNER TO ms5_owner;

-- -------------------- factory_telemetry
CREATE SCHEMA factory_telemetry AUTHORIZATION ms5_owner;
COMMENT ON SCHEMA factory_telemetry IS 'What the factory''s machines report, and what it means';

CREATE TABLE factory_telemetry.energy_consumption (
  ts timestamp with time zone NOT NULL,
  meter_kwh double precision,
  energy_kwh real NOT NULL,
  mean_power_kw real NOT NULL,
  peak_power_kw real NOT NULL,
  machine_id smallint NOT NULL,
  CONSTRAINT energy_consumption_pkey PRIMARY KEY (machine_id, ts),
  CONSTRAINT energy_consumption_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES factory_telemetry.machines(machine_id),
  CONSTRAINT energy_consumption_check CHECK ((peak_power_kw >= mean_power_kw)),
  CONSTRAINT energy_consumption_energy_kwh_check CHECK (((energy_kwh >= (0)::double precision) AND (energy_kwh < 'Infinity'::real))),
  CONSTRAINT energy_consumption_mean_power_kw_check CHECK (((mean_power_kw >= (0)::double precision) AND (mean_power_kw < 'Infinity'::real))),
  CONSTRAINT energy_consumption_meter_kwh_check CHECK (((meter_kwh >= (0)::double precision) AND (meter_kwh < 'Infinity'::double precision))),
  CONSTRAINT energy_consumption_peak_power_kw_check CHECK ((peak_power_kw < 'Infinity'::real))
);
COMMENT ON TABLE factory_telemetry.energy_consumption IS 'Energy a machine and interval that starts at ts: hypertable by ts, columnstore segmented by machine';
ALTER TABLE factory_telemetry.energy_consumption OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.ingest_files (
  fingerprint text NOT NULL,
  file_name text NOT NULL,
  records_done bigint NOT NULL DEFAULT 0,
  rows_written bigint NOT NULL DEFAULT 0,
  rows_duplicate bigint NOT NULL DEFAULT 0,
  records_rejected bigint NOT NULL DEFAULT 0,
  first_ts timestamp with time zone,
  last_ts timestamp with time zone,
  aggregated boolean NOT NULL DEFAULT false,
  started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamp with time zone,
  ingested_by text NOT NULL DEFAULT SESSION_USER,
  CONSTRAINT ingest_files_pkey PRIMARY KEY (fingerprint),
  CONSTRAINT ingest_files_fingerprint_check CHECK ((fingerprint ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT ingest_files_records_done_check CHECK ((records_done >= 0)),
  CONSTRAINT ingest_files_records_rejected_check CHECK ((records_rejected >= 0)),
  CONSTRAINT ingest_files_rows_duplicate_check CHECK ((rows_duplicate >= 0)),
  CONSTRAINT ingest_files_rows_written_check CHECK ((rows_written >= 0))
);
COMMENT ON TABLE factory_telemetry.ingest_files IS 'Ledger of ingested files: the same file twice adds nothing';
ALTER TABLE factory_telemetry.ingest_files OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.machines (
  machine_id smallint NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  name text NOT NULL,
  line text,
  timezone text NOT NULL DEFAULT 'UTC'::text,
  active boolean NOT NULL DEFAULT true,
  CONSTRAINT machines_pkey PRIMARY KEY (machine_id),
  CONSTRAINT machines_code_key UNIQUE (code),
  CONSTRAINT machines_code_check CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'::text))
);
COMMENT ON TABLE factory_telemetry.machines IS 'One row a machine; telemetry refers to machine_id';
CREATE TRIGGER audit_rows AFTER INSERT OR DELETE OR UPDATE ON factory_telemetry.machines FOR EACH ROW EXECUTE FUNCTION audit.record_change();
CREATE TRIGGER audit_truncate AFTER TRUNCATE ON factory_telemetry.machines FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change();
ALTER TABLE factory_telemetry.machines OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.metric_aliases (
  alias text NOT NULL,
  metric_id smallint NOT NULL,
  CONSTRAINT metric_aliases_pkey PRIMARY KEY (alias),
  CONSTRAINT metric_aliases_metric_id_fkey FOREIGN KEY (metric_id) REFERENCES factory_telemetry.metrics(metric_id) ON DELETE CASCADE,
  CONSTRAINT metric_aliases_alias_check CHECK ((alias = lower(alias)))
);
COMMENT ON TABLE factory_telemetry.metric_aliases IS 'Lower-case header names that mean a metric of the dictionary';
CREATE TRIGGER audit_rows AFTER INSERT OR DELETE OR UPDATE ON factory_telemetry.metric_aliases FOR EACH ROW EXECUTE FUNCTION audit.record_change();
CREATE TRIGGER audit_truncate AFTER TRUNCATE ON factory_telemetry.metric_aliases FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change();
ALTER TABLE factory_telemetry.metric_aliases OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.metric_hist (
  ts timestamp with time zone NOT NULL,
  value real NOT NULL,
  machine_id smallint NOT NULL,
  metric_id smallint NOT NULL,
  CONSTRAINT metric_hist_pkey PRIMARY KEY (machine_id, metric_id, ts),
  CONSTRAINT metric_hist_value_check CHECK (((value > '-Infinity'::real) AND (value < 'Infinity'::real)))
);
COMMENT ON TABLE factory_telemetry.metric_hist IS 'Raw samples: hypertable by ts, columnstore segmented by machine and metric';
CREATE INDEX metric_hist_ts ON factory_telemetry.metric_hist USING brin (ts) WITH (pages_per_range='32', autosummarize='on');
ALTER TABLE factory_telemetry.metric_hist OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.metrics (
  metric_id smallint NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  name text NOT NULL,
  unit text NOT NULL DEFAULT ''::text,
  kind text NOT NULL DEFAULT 'gauge'::text,
  CONSTRAINT metrics_pkey PRIMARY KEY (metric_id),
  CONSTRAINT metrics_code_key UNIQUE (code),
  CONSTRAINT metrics_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_]{0,62}$'::text)),
  CONSTRAINT metrics_kind_check CHECK ((kind = ANY (ARRAY['gauge'::text, 'counter'::text, 'state'::text])))
);
COMMENT ON TABLE factory_telemetry.metrics IS 'The metrics dictionary: what a metric_id measures and in which unit';
CREATE TRIGGER audit_rows AFTER INSERT OR DELETE OR UPDATE ON factory_telemetry.metrics FOR EACH ROW EXECUTE FUNCTION audit.record_change();
CREATE TRIGGER audit_truncate AFTER TRUNCATE ON factory_telemetry.metrics FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change();
ALTER TABLE factory_telemetry.metrics OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.oee_calculations (
  ts timestamp with time zone NOT NULL,
  machine_id smallint NOT NULL,
  shift_id smallint,
  production_order_id integer,
  planned_s real NOT NULL,
  run_s real NOT NULL,
  ideal_cycle_s real NOT NULL,
  total_count integer NOT NULL,
  good_count integer NOT NULL,
  CONSTRAINT oee_calculations_pkey PRIMARY KEY (machine_id, ts),
  CONSTRAINT oee_calculations_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES factory_telemetry.machines(machine_id),
  CONSTRAINT oee_calculations_production_order_id_fkey FOREIGN KEY (production_order_id) REFERENCES factory_telemetry.production_orders(production_order_id),
  CONSTRAINT oee_calculations_shift_id_fkey FOREIGN KEY (shift_id) REFERENCES factory_telemetry.shifts(shift_id),
  CONSTRAINT oee_calculations_check CHECK ((run_s <= planned_s)),
  CONSTRAINT oee_calculations_check1 CHECK ((good_count <= total_count)),
  CONSTRAINT oee_calculations_check2 CHECK (((((EXTRACT(epoch FROM ts) % (3600)::numeric))::double precision + planned_s) <= (3600.5)::double precision)),
  CONSTRAINT oee_calculations_good_count_check CHECK ((good_count >= 0)),
  CONSTRAINT oee_calculations_ideal_cycle_s_check CHECK (((ideal_cycle_s > (0)::double precision) AND (ideal_cycle_s < 'Infinity'::real))),
  CONSTRAINT oee_calculations_planned_s_check CHECK (((planned_s >= (0)::double precision) AND (planned_s <= (3600)::double precision))),
  CONSTRAINT oee_calculations_run_s_check CHECK ((run_s >= (0)::double precision)),
  CONSTRAINT oee_calculations_total_count_check CHECK ((total_count >= 0))
);
COMMENT ON TABLE factory_telemetry.oee_calculations IS 'Components of OEE a machine and window: hypertable by ts, columnstore segmented by machine';
ALTER TABLE factory_telemetry.oee_calculations OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.production_context_history (
  ts timestamp with time zone NOT NULL,
  machine_id smallint NOT NULL,
  shift_id smallint,
  production_order_id integer,
  state text NOT NULL,
  reason text,
  operator_ref text,
  details jsonb,
  CONSTRAINT production_context_history_pkey PRIMARY KEY (machine_id, ts),
  CONSTRAINT production_context_history_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES factory_telemetry.machines(machine_id),
  CONSTRAINT production_context_history_production_order_id_fkey FOREIGN KEY (production_order_id) REFERENCES factory_telemetry.production_orders(production_order_id),
  CONSTRAINT production_context_history_shift_id_fkey FOREIGN KEY (shift_id) REFERENCES factory_telemetry.shifts(shift_id),
  CONSTRAINT production_context_history_state_check CHECK ((state = ANY (ARRAY['running'::text, 'idle'::text, 'setup'::text, 'breakdown'::text, 'planned_stop'::text])))
);
COMMENT ON TABLE factory_telemetry.production_context_history IS 'Changes of state, order and shift a machine: hypertable by ts, columnstore segmented by machine';
ALTER TABLE factory_telemetry.production_context_history OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.production_kpis (
  ts timestamp with time zone NOT NULL,
  machine_id smallint NOT NULL,
  shift_id smallint,
  production_order_id integer NOT NULL,
  total_count integer NOT NULL,
  good_count integer NOT NULL,
  downtime_s real NOT NULL,
  changeover_s real NOT NULL,
  mean_cycle_s real,
  CONSTRAINT production_kpis_pkey PRIMARY KEY (machine_id, ts, production_order_id),
  CONSTRAINT production_kpis_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES factory_telemetry.machines(machine_id),
  CONSTRAINT production_kpis_production_order_id_fkey FOREIGN KEY (production_order_id) REFERENCES factory_telemetry.production_orders(production_order_id),
  CONSTRAINT production_kpis_shift_id_fkey FOREIGN KEY (shift_id) REFERENCES factory_telemetry.shifts(shift_id),
  CONSTRAINT production_kpis_changeover_s_check CHECK (((changeover_s >= (0)::double precision) AND (changeover_s < 'Infinity'::real))),
  CONSTRAINT production_kpis_check CHECK ((good_count <= total_count)),
  CONSTRAINT production_kpis_downtime_s_check CHECK (((downtime_s >= (0)::double precision) AND (downtime_s < 'Infinity'::real))),
  CONSTRAINT production_kpis_good_count_check CHECK ((good_count >= 0)),
  CONSTRAINT production_kpis_mean_cycle_s_check CHECK (((mean_cycle_s > (0)::double precision) AND (mean_cycle_s < 'Infinity'::real))),
  CONSTRAINT production_kpis_total_count_check CHECK ((total_count >= 0))
);
COMMENT ON TABLE factory_telemetry.production_kpis IS 'Production figures a machine, order and hour: hypertable by ts, columnstore segmented by machine';
ALTER TABLE factory_telemetry.production_kpis OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.production_orders (
  production_order_id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  order_no text NOT NULL,
  product text NOT NULL,
  ideal_cycle_s real NOT NULL,
  quantity_planned integer NOT NULL,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  CONSTRAINT production_orders_pkey PRIMARY KEY (production_order_id),
  CONSTRAINT production_orders_order_no_key UNIQUE (order_no),
  CONSTRAINT production_orders_check CHECK ((finished_at >= started_at)),
  CONSTRAINT production_orders_ideal_cycle_s_check CHECK (((ideal_cycle_s > (0)::double precision) AND (ideal_cycle_s < 'Infinity'::real))),
  CONSTRAINT production_orders_quantity_planned_check CHECK ((quantity_planned >= 0))
);
COMMENT ON TABLE factory_telemetry.production_orders IS 'What was to be made, how many, and how fast at best';
CREATE TRIGGER audit_rows AFTER INSERT OR DELETE OR UPDATE ON factory_telemetry.production_orders FOR EACH ROW EXECUTE FUNCTION audit.record_change();
CREATE TRIGGER audit_truncate AFTER TRUNCATE ON factory_telemetry.production_orders FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change();
ALTER TABLE factory_telemetry.production_orders OWNER TO ms5_owner;

CREATE TABLE factory_telemetry.shifts (
  shift_id smallint NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  starts time without time zone NOT NULL,
  ends time without time zone NOT NULL,
  weekdays smallint[] NOT NULL,
  CONSTRAINT shifts_pkey PRIMARY KEY (shift_id),
  CONSTRAINT shifts_code_key UNIQUE (code),
  CONSTRAINT shifts_check CHECK ((ends <> starts)),
  CONSTRAINT shifts_weekdays_check CHECK ((weekdays <@ ARRAY[(1)::smallint, (2)::smallint, (3)::smallint, (4)::smallint, (5)::smallint, (6)::smallint, (7)::smallint]))
);
COMMENT ON TABLE factory_telemetry.shifts IS 'The shift calendar, in local time';
CREATE TRIGGER audit_rows AFTER INSERT OR DELETE OR UPDATE ON factory_telemetry.shifts FOR EACH ROW EXECUTE FUNCTION audit.record_change();
CREATE TRIGGER audit_truncate AFTER TRUNCATE ON factory_telemetry.shifts FOR EACH STATEMENT EXECUTE FUNCTION audit.record_change();
ALTER TABLE factory_telemetry.shifts OWNER TO ms5_owner;

-- -------------------- monitoring
CREATE SCHEMA monitoring AUTHORIZATION ms5_owner;
COMMENT ON SCHEMA monitoring IS 'What the monitor role may ask of telemetry, and where it proves that writes work';

CREATE OR REPLACE FUNCTION monitoring.aggregates()
 RETURNS TABLE(aggregate text, storage_schema name, storage_name name, materialised_until timestamp with time zone)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
  RETURN QUERY
    SELECT a.view_name::text, a.materialization_hypertable_schema, a.materialization_hypertable_name,
           _timescaledb_functions.to_timestamp(_timescaledb_functions.cagg_watermark(
             substring(a.materialization_hypertable_name::text FROM '_(\d+)$')::integer))
      FROM timescaledb_information.continuous_aggregates a
     WHERE a.view_schema = 'factory_telemetry';
END
$function$;
ALTER FUNCTION monitoring.aggregates() OWNER TO ms5_owner;
COMMENT ON FUNCTION monitoring.aggregates() IS 'Each continuous aggregate: the hypertable that holds it, and up to when it is materialised (-infinity: not at all)';
REVOKE EXECUTE ON ROUTINE monitoring.aggregates() FROM PUBLIC;

CREATE OR REPLACE FUNCTION monitoring.beat(name text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  INSERT INTO monitoring.heartbeat AS h (name, at) VALUES (beat.name, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET at = excluded.at
  RETURNING h.at
$function$;
ALTER FUNCTION monitoring.beat(name text) OWNER TO ms5_owner;
COMMENT ON FUNCTION monitoring.beat(name text) IS 'Writes a heartbeat, as a client writes';
REVOKE EXECUTE ON ROUTINE monitoring.beat(name text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION monitoring.newest_rows()
 RETURNS TABLE(hypertable text, newest timestamp with time zone)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
  sample timestamptz;
  chunk_start timestamptz;
BEGIN
  SELECT max(s.ts) INTO sample FROM factory_telemetry.metric_hist s
   WHERE s.ts > now() - interval '10 minutes' AND s.ts <= now();
  IF sample IS NULL THEN
    SELECT max(c.range_start) INTO chunk_start FROM timescaledb_information.chunks c
     WHERE c.hypertable_schema = 'factory_telemetry' AND c.hypertable_name = 'metric_hist' AND c.range_start <= now();
    SELECT max(last.ts) INTO sample
      FROM factory_telemetry.machines m
     CROSS JOIN factory_telemetry.metrics x
     CROSS JOIN LATERAL (SELECT s.ts FROM factory_telemetry.metric_hist s
                          WHERE s.machine_id = m.machine_id AND s.metric_id = x.metric_id
                            AND s.ts >= chunk_start AND s.ts <= now()
                          ORDER BY s.ts DESC LIMIT 1) AS last;
  END IF;
  RETURN QUERY SELECT 'metric_hist', sample;
  RETURN QUERY SELECT 'oee_calculations', max(last.ts)
    FROM factory_telemetry.machines m
   CROSS JOIN LATERAL (SELECT o.ts FROM factory_telemetry.oee_calculations o
                        WHERE o.machine_id = m.machine_id AND o.ts <= now() ORDER BY o.ts DESC LIMIT 1) AS last;
  RETURN QUERY SELECT 'energy_consumption', max(last.ts)
    FROM factory_telemetry.machines m
   CROSS JOIN LATERAL (SELECT e.ts FROM factory_telemetry.energy_consumption e
                        WHERE e.machine_id = m.machine_id AND e.ts <= now() ORDER BY e.ts DESC LIMIT 1) AS last;
  RETURN QUERY SELECT 'production_kpis', max(last.ts)
    FROM factory_telemetry.machines m
   CROSS JOIN LATERAL (SELECT k.ts FROM factory_telemetry.production_kpis k
                        WHERE k.machine_id = m.machine_id AND k.ts <= now() ORDER BY k.ts DESC LIMIT 1) AS last;
  RETURN QUERY SELECT 'production_context_history', max(last.ts)
    FROM factory_telemetry.machines m
   CROSS JOIN LATERAL (SELECT h.ts FROM factory_telemetry.production_context_history h
                        WHERE h.machine_id = m.machine_id AND h.ts <= now() ORDER BY h.ts DESC LIMIT 1) AS last;
END
$function$;
ALTER FUNCTION monitoring.newest_rows() OWNER TO ms5_owner;
COMMENT ON FUNCTION monitoring.newest_rows() IS 'When each hypertable got its newest row that is not of the future; NULL without one';
REVOKE EXECUTE ON ROUTINE monitoring.newest_rows() FROM PUBLIC;

CREATE OR REPLACE FUNCTION monitoring.recent_count()
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  SELECT count(recent.value)::integer
    FROM (SELECT s.value
            FROM factory_telemetry.metric_hist s
           WHERE s.machine_id = (SELECT min(machine_id) FROM factory_telemetry.machines)
             AND s.metric_id = (SELECT min(metric_id) FROM factory_telemetry.metrics)
           ORDER BY s.ts DESC
           LIMIT 100) AS recent
$function$;
ALTER FUNCTION monitoring.recent_count() OWNER TO ms5_owner;
COMMENT ON FUNCTION monitoring.recent_count() IS 'How many of the newest 100 samples of one series there are';
REVOKE EXECUTE ON ROUTINE monitoring.recent_count() FROM PUBLIC;

CREATE TABLE monitoring.heartbeat (
  name text NOT NULL,
  at timestamp with time zone NOT NULL,
  CONSTRAINT heartbeat_pkey PRIMARY KEY (name)
);
COMMENT ON TABLE monitoring.heartbeat IS 'One row a prober: when its last write was made';
ALTER TABLE monitoring.heartbeat OWNER TO ms5_owner;
