-- question: When did one sensor say nothing for longer than it should?
-- :machine      code of the machine
-- :metric       code of the metric
-- :longer_than  interval; silences of up to this are normal
-- :from         start, on the full minute
-- :to           end, on the full minute, not included
-- Counted in whole minutes without a sample; a silence at the start or the end of the period counts too.
WITH minutes AS (
  SELECT DISTINCT time_bucket(INTERVAL '1 minute', h.ts) AS minute
  FROM factory_telemetry.metric_hist h
  WHERE h.machine_id = (SELECT machine_id FROM factory_telemetry.machines WHERE code = :'machine')
    AND h.metric_id = (SELECT metric_id FROM factory_telemetry.metrics WHERE code = :'metric')
    AND h.ts >= :'from'::timestamptz
    AND h.ts < :'to'::timestamptz
  UNION ALL
  VALUES (:'from'::timestamptz - INTERVAL '1 minute'), (:'to'::timestamptz)
),
silences AS (
  SELECT minute + INTERVAL '1 minute' AS starts, lead(minute) OVER (ORDER BY minute) AS ends FROM minutes
)
SELECT starts, ends, (extract(epoch FROM ends - starts) / 60)::integer AS minutes
FROM silences
WHERE ends - starts > :'longer_than'::interval
ORDER BY starts
