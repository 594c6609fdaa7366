-- Production figures a machine, order and hour, as the shop floor reports them.
CREATE TABLE factory_telemetry.production_kpis (
  ts timestamptz NOT NULL,
  machine_id smallint NOT NULL REFERENCES factory_telemetry.machines,
  shift_id smallint REFERENCES factory_telemetry.shifts,
  production_order_id integer NOT NULL REFERENCES factory_telemetry.production_orders,
  total_count integer NOT NULL CHECK (total_count >= 0),
  good_count integer NOT NULL CHECK (good_count >= 0),
  -- Seconds the machine stood still unplanned, and seconds of setting up.
  downtime_s real NOT NULL CHECK (downtime_s >= 0 AND downtime_s < 'Infinity'),
  changeover_s real NOT NULL CHECK (changeover_s >= 0 AND changeover_s < 'Infinity'),
  -- Seconds a piece took on average; null when none was made.
  mean_cycle_s real CHECK (mean_cycle_s > 0 AND mean_cycle_s < 'Infinity'),
  CHECK (good_count <= total_count),
  -- Two orders can share an hour, so the order is part of the key.
  PRIMARY KEY (machine_id, ts, production_order_id)
);
COMMENT ON TABLE factory_telemetry.production_kpis IS 'Production figures a machine, order and hour: hypertable by ts, columnstore segmented by machine';
