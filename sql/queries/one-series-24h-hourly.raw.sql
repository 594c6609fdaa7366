-- question: How did one sensor run over a day, hour by hour?
-- :machine  code of the machine
-- :metric   code of the metric
-- :from     first hour, on the full hour
-- :to       end, on the full hour, not included
SELECT
  time_bucket(INTERVAL '1 hour', h.ts) AS hour,
  count(*) AS samples,
  sum(h.value::double precision) / count(*) AS value_avg,
  min(h.value) AS value_min,
  max(h.value) AS value_max
FROM factory_telemetry.metric_hist h
WHERE h.machine_id = (SELECT machine_id FROM factory_telemetry.machines WHERE code = :'machine')
  AND h.metric_id = (SELECT metric_id FROM factory_telemetry.metrics WHERE code = :'metric')
  AND h.ts >= :'from'::timestamptz
  AND h.ts < :'to'::timestamptz
GROUP BY 1
ORDER BY 1
