-- What telemetry rows point at. Small tables, small keys: a smallint machine and a smallint metric keep a
-- telemetry row at 16 bytes of data, and 32,767 of each is more than a factory has.

CREATE TABLE factory_telemetry.machines (
  machine_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
  name text NOT NULL,
  line text,
  -- IANA name. Shifts are local times, and files from the machine may carry local times without a zone.
  timezone text NOT NULL DEFAULT 'UTC',
  active boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE factory_telemetry.machines IS 'One row a machine; telemetry refers to machine_id';

CREATE TABLE factory_telemetry.metrics (
  metric_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9][a-z0-9_]{0,62}$'),
  name text NOT NULL,
  unit text NOT NULL DEFAULT '',
  -- A gauge is averaged, a counter's last value counts, a state's changes count.
  kind text NOT NULL DEFAULT 'gauge' CHECK (kind IN ('gauge', 'counter', 'state'))
);
COMMENT ON TABLE factory_telemetry.metrics IS 'The metrics dictionary: what a metric_id measures and in which unit';

-- Other spellings of a metric, e.g. the header a vendor's export uses.
CREATE TABLE factory_telemetry.metric_aliases (
  alias text PRIMARY KEY CHECK (alias = lower(alias)),
  metric_id smallint NOT NULL REFERENCES factory_telemetry.metrics ON DELETE CASCADE
);
COMMENT ON TABLE factory_telemetry.metric_aliases IS 'Lower-case header names that mean a metric of the dictionary';

CREATE TABLE factory_telemetry.shifts (
  shift_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  -- Local time of the machine; a shift that ends before it starts runs over midnight.
  starts time NOT NULL,
  ends time NOT NULL CHECK (ends <> starts),
  -- ISO weekdays (1 = Monday) on which the shift starts.
  weekdays smallint[] NOT NULL CHECK (weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[])
);
COMMENT ON TABLE factory_telemetry.shifts IS 'The shift calendar, in local time';

CREATE TABLE factory_telemetry.production_orders (
  production_order_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_no text NOT NULL UNIQUE,
  product text NOT NULL,
  -- Seconds one piece takes at the product's rated speed: the reference of OEE's performance.
  ideal_cycle_s real NOT NULL CHECK (ideal_cycle_s > 0 AND ideal_cycle_s < 'Infinity'),
  quantity_planned integer NOT NULL CHECK (quantity_planned >= 0),
  started_at timestamptz,
  finished_at timestamptz CHECK (finished_at >= started_at)
);
COMMENT ON TABLE factory_telemetry.production_orders IS 'What was to be made, how many, and how fast at best';
