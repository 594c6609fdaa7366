-- What watches the database may read no telemetry (roles.ts: ms5_monitor). The little it has to know of it comes from these
-- functions, which run as the owner and give times and counts, never a value.
CREATE SCHEMA monitoring;
COMMENT ON SCHEMA monitoring IS 'What the monitor role may ask of telemetry, and where it proves that writes work';

CREATE TABLE monitoring.heartbeat (
  name text PRIMARY KEY,
  at timestamptz NOT NULL
);
COMMENT ON TABLE monitoring.heartbeat IS 'One row a prober: when its last write was made';

CREATE FUNCTION monitoring.beat(name text) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO monitoring.heartbeat AS h (name, at) VALUES (beat.name, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET at = excluded.at
  RETURNING h.at
$$;
COMMENT ON FUNCTION monitoring.beat IS 'Writes a heartbeat, as a client writes';

-- Reads what a client would: the newest 100 samples of one series, that of the first machine and the first metric. Where they
-- never met it reads none, and that is no error.
CREATE FUNCTION monitoring.recent_count() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(recent.value)::integer
    FROM (SELECT s.value
            FROM factory_telemetry.metric_hist s
           WHERE s.machine_id = (SELECT min(machine_id) FROM factory_telemetry.machines)
             AND s.metric_id = (SELECT min(metric_id) FROM factory_telemetry.metrics)
           ORDER BY s.ts DESC
           LIMIT 100) AS recent
$$;
COMMENT ON FUNCTION monitoring.recent_count IS 'How many of the newest 100 samples of one series there are';

-- Rows of the future don't count: one machine with a wrong clock would hide that all others are silent.
--
-- No table has an index that begins with ts, and a scan of the newest chunk of samples would take a second in a large
-- factory. While samples arrive, the block-range index finds the last ten minutes. When they don't, and for the slower
-- tables always, each series is asked for its last row. Pairs of machine and metric that never met would look into every
-- chunk there is, so samples are looked for in the newest one only: TimescaleDB makes a chunk for its first row.
--
-- plpgsql, because the views of TimescaleDB need not be there when this file runs.
CREATE FUNCTION monitoring.newest_rows() RETURNS TABLE (hypertable text, newest timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
COMMENT ON FUNCTION monitoring.newest_rows IS 'When each hypertable got its newest row that is not of the future; NULL without one';

-- Who may not use the aggregates' schema may not read TimescaleDB's view of them, and its watermark is told to who may read an
-- aggregate only. The function that tells it wants the number in the name of the hypertable that holds the aggregate.
CREATE FUNCTION monitoring.aggregates()
  RETURNS TABLE (aggregate text, storage_schema name, storage_name name, materialised_until timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
    SELECT a.view_name::text, a.materialization_hypertable_schema, a.materialization_hypertable_name,
           _timescaledb_functions.to_timestamp(_timescaledb_functions.cagg_watermark(
             substring(a.materialization_hypertable_name::text FROM '_(\d+)$')::integer))
      FROM timescaledb_information.continuous_aggregates a
     WHERE a.view_schema = 'factory_telemetry';
END
$$;
COMMENT ON FUNCTION monitoring.aggregates IS
  'Each continuous aggregate: the hypertable that holds it, and up to when it is materialised (-infinity: not at all)';

REVOKE EXECUTE ON FUNCTION monitoring.beat, monitoring.recent_count, monitoring.newest_rows, monitoring.aggregates
  FROM PUBLIC;
