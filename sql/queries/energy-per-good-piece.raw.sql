-- question: How much energy did a good piece cost on every machine, day by day (UTC)?
-- :from  first day, at 00:00 UTC
-- :to    end, at 00:00 UTC, not included
WITH energy AS (
  SELECT time_bucket(INTERVAL '1 day', e.ts) AS day, e.machine_id, sum(e.energy_kwh::double precision) AS energy_kwh
  FROM factory_telemetry.energy_consumption e
  WHERE e.ts >= :'from'::timestamptz AND e.ts < :'to'::timestamptz
  GROUP BY 1, 2
),
pieces AS (
  SELECT time_bucket(INTERVAL '1 day', o.ts) AS day, o.machine_id, sum(o.good_count)::bigint AS good_count
  FROM factory_telemetry.oee_calculations o
  WHERE o.ts >= :'from'::timestamptz AND o.ts < :'to'::timestamptz
  GROUP BY 1, 2
)
SELECT
  energy.day,
  m.code AS machine,
  energy.energy_kwh,
  coalesce(pieces.good_count, 0) AS good_count,
  energy.energy_kwh / nullif(pieces.good_count, 0) AS kwh_per_good_piece
FROM energy
JOIN factory_telemetry.machines m USING (machine_id)
LEFT JOIN pieces USING (day, machine_id)
ORDER BY energy.day, m.code
