-- What a machine was doing, from ts until its next row: state, order, shift. Rows are changes, not samples.
CREATE TABLE factory_telemetry.production_context_history (
  ts timestamptz NOT NULL,
  machine_id smallint NOT NULL REFERENCES factory_telemetry.machines,
  shift_id smallint REFERENCES factory_telemetry.shifts,
  production_order_id integer REFERENCES factory_telemetry.production_orders,
  state text NOT NULL CHECK (state IN ('running', 'idle', 'setup', 'breakdown', 'planned_stop')),
  -- Why, in the words of the reason catalogue; a breakdown without one is a question for the shift leader.
  reason text,
  -- A pseudonym, never a name: who it is stays in the personnel system, so that erasing a person there is enough.
  operator_ref text,
  details jsonb,
  PRIMARY KEY (machine_id, ts)
);
COMMENT ON TABLE factory_telemetry.production_context_history IS 'Changes of state, order and shift a machine: hypertable by ts, columnstore segmented by machine';
