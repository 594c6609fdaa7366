-- question: How did one quantity, e.g. the temperature, run on every machine over a week, day by day (UTC)?
-- :metric  code of the metric
-- :from    first day, at 00:00 UTC
-- :to      end, at 00:00 UTC, not included
SELECT a.bucket AS day, m.code AS machine, a.samples, a.value_avg, a.value_min, a.value_max
FROM factory_telemetry.metric_daily_aggregate a
JOIN factory_telemetry.machines m USING (machine_id)
WHERE a.metric_id = (SELECT metric_id FROM factory_telemetry.metrics WHERE code = :'metric')
  AND a.bucket >= :'from'::timestamptz
  AND a.bucket < :'to'::timestamptz
ORDER BY a.bucket, m.code
