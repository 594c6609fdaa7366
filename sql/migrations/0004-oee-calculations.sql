-- What OEE is computed from: one row a machine and window. The components are kept, never the ratios: ratios cannot
-- be averaged (an hour with ten minutes of production would count as much as a full one), sums can be summed.
--
-- A window starts at ts and never crosses a full hour (UTC), so that an hour's aggregate is exact.
CREATE TABLE factory_telemetry.oee_calculations (
  ts timestamptz NOT NULL,
  machine_id smallint NOT NULL REFERENCES factory_telemetry.machines,
  shift_id smallint REFERENCES factory_telemetry.shifts,
  production_order_id integer REFERENCES factory_telemetry.production_orders,
  -- Seconds of the window in which production was planned; 0 in breaks and on days off.
  planned_s real NOT NULL CHECK (planned_s >= 0 AND planned_s <= 3600),
  -- Seconds of the planned time in which the machine ran.
  run_s real NOT NULL CHECK (run_s >= 0),
  -- Seconds a piece takes at best; belongs to the product, so it may change from window to window.
  ideal_cycle_s real NOT NULL CHECK (ideal_cycle_s > 0 AND ideal_cycle_s < 'Infinity'),
  total_count integer NOT NULL CHECK (total_count >= 0),
  good_count integer NOT NULL CHECK (good_count >= 0),
  CHECK (run_s <= planned_s),
  CHECK (good_count <= total_count),
  -- Half a second of tolerance for clocks that do not start a window on the full second.
  CHECK (extract(epoch FROM ts) % 3600 + planned_s <= 3600.5),
  PRIMARY KEY (machine_id, ts)
);
COMMENT ON TABLE factory_telemetry.oee_calculations IS 'Components of OEE a machine and window: hypertable by ts, columnstore segmented by machine';
