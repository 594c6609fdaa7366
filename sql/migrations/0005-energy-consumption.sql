-- Energy a machine and interval. meter_kwh is double precision: a counter of 100,000 kWh with a resolution of 0.01
-- needs more digits than a real has.
CREATE TABLE factory_telemetry.energy_consumption (
  ts timestamptz NOT NULL,
  -- The meter's reading at the end of the interval; null where only the interval's energy is known.
  meter_kwh double precision CHECK (meter_kwh >= 0 AND meter_kwh < 'Infinity'),
  energy_kwh real NOT NULL CHECK (energy_kwh >= 0 AND energy_kwh < 'Infinity'),
  mean_power_kw real NOT NULL CHECK (mean_power_kw >= 0 AND mean_power_kw < 'Infinity'),
  peak_power_kw real NOT NULL CHECK (peak_power_kw < 'Infinity'),
  machine_id smallint NOT NULL REFERENCES factory_telemetry.machines,
  CHECK (peak_power_kw >= mean_power_kw),
  PRIMARY KEY (machine_id, ts)
);
COMMENT ON TABLE factory_telemetry.energy_consumption IS 'Energy a machine and interval that starts at ts: hypertable by ts, columnstore segmented by machine';
