-- question: How did one sensor run over a day, hour by hour?
-- :machine  code of the machine
-- :metric   code of the metric
-- :from     first hour, on the full hour
-- :to       end, on the full hour, not included
SELECT a.bucket AS hour, a.samples, a.value_avg, a.value_min, a.value_max
FROM factory_telemetry.metric_hourly_aggregate a
WHERE a.machine_id = (SELECT machine_id FROM factory_telemetry.machines WHERE code = :'machine')
  AND a.metric_id = (SELECT metric_id FROM factory_telemetry.metrics WHERE code = :'metric')
  AND a.bucket >= :'from'::timestamptz
  AND a.bucket < :'to'::timestamptz
ORDER BY a.bucket
